// Is a project written whose every address is yours?

import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkedHost, setHost } from "../scripts/set-host.mjs";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "set-host-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("no placeholder is left, nothing installed is copied, and what is here stays", async () => {
  const out = join(folder, "out");
  await setHost("https://sms.northgate.example/", out);
  const files = (await readdir(out, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const texts = await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), "utf8")));
  expect(files.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["hsproject.json", "app-hsmeta.json", "address.ts"]),
  );
  expect(texts.filter((text) => text.includes("sms.example.com"))).toEqual([]);
  expect(texts.filter((text) => text.includes("https://sms.northgate.example")).length).toBeGreaterThan(3);
  expect(texts.join()).toContain("support@sms.northgate.example");
  expect(files.filter((entry) => entry.parentPath.includes("node_modules"))).toEqual([]);
  expect(await readFile(new URL("../src/app/shared/address.ts", import.meta.url), "utf8")).toContain("sms.example.com");
});

test("a folder that is there already is not written over", async () => {
  await expect(setHost("https://sms.northgate.example", folder)).rejects.toThrow("EEXIST");
});

test.each([
  ["sms.northgate.example", "PUBLIC_URL"],
  ["http://sms.northgate.example", "https"],
  ["https://sms.northgate.example/base", "without a path"],
  ["https://sms.northgate.example/?a=b", "without a path"],
  ["https://ann:pw@sms.northgate.example", "password"],
])("%s is refused", (host, reason) => {
  expect(() => checkedHost(host)).toThrow(reason);
});
