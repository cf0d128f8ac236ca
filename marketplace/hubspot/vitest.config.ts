import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "node",
    include: ["tests/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    // A hung test is a failed one: nothing here waits for more than a moment of real time.
    testTimeout: 5000,
  },
});
