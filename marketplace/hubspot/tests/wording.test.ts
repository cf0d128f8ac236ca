// Are amounts, lengths and states said so that a rep understands them?

import { expect, test } from "vitest";
import { saidLength, saidOrigin, saidPrice, saidTime, toneOfMessage } from "../src/app/cards/conversation/wording";
import { message } from "./doubles";

test("fractions of a cent are not rounded away", () => {
  expect(saidPrice({ amount: "0.0079", currency: "USD" }, "en-US")).toBe("$0.0079");
  expect(saidPrice({ amount: "0.1", currency: "EUR" }, "en-US")).toBe("€0.10");
});

test("a currency nobody knows is said as it came", () => {
  expect(saidPrice({ amount: "1.5", currency: "credits" }, "en-US")).toBe("1.5 credits");
  expect(saidPrice({ amount: "1.5", currency: null }, "en-US")).toBe("1.5");
});

test("what is no time is said as it came", () => {
  expect(saidTime("soon")).toBe("soon");
  expect(saidTime("2026-05-03T10:11:12Z", "en-US", "America/New_York")).toMatch(/^May 3, 2026, 6:11\sAM$/u);
});

test("the counter says why a segment holds so little", () => {
  expect(saidLength({ encoding: "gsm7", segments: 1, left: 1 })).toBe("1 segment, 1 character left");
  expect(saidLength({ encoding: "ucs2", segments: 2, left: 5 })).toBe(
    "2 segments, 5 characters left (special characters: 70 to a segment)",
  );
});

test("a state of a later connector is shown without an alarm", () => {
  expect(toneOfMessage(message({ state: "teleported" }))).toBe("default");
  expect(toneOfMessage(message({ state: "undelivered" }))).toBe("danger");
  expect(toneOfMessage(message({ state: "failed", direction: "inbound" }))).toBe("default");
});

test("origin and facts are one line", () => {
  expect(saidOrigin(message({ facts: ["replied", "opted_out"], by: "Ann" }))).toBe(
    "demo-booked, by Ann: replied, opted out",
  );
  expect(saidOrigin(message({ journey: "", facts: [] }))).toBe("");
});
