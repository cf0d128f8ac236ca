// What does the client make of the connector's answers?

import { expect, test } from "vitest";
import { Connector } from "../src/app/shared/connector";
import { Problem } from "../src/app/shared/problem";
import { FakeConnector, conversation, message, ok, problem, settings } from "./doubles";

async function refusal(fake: FakeConnector): Promise<Problem> {
  const error: unknown = await new Connector(fake.fetch).conversation("51").catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Problem);
  return error as Problem;
}

test("paths are the contract's and ids are escaped", async () => {
  const fake = new FakeConnector(({ path }) => {
    if (path.startsWith("/templates")) return ok({ templates: [] });
    if (path.endsWith("/messages")) return { status: 202, body: { message: message() } };
    return path.startsWith("/settings") ? ok(settings()) : ok(conversation());
  });
  const connector = new Connector(fake.fetch);
  await connector.conversation("5/1", "a b");
  await connector.templates("51");
  await connector.send("51", { template: "demo-booked/confirmation" }, "key-1");
  await connector.changeSettings({ default_region: "GB" });
  await connector.switchJourney("demo-booked", false);
  expect(fake.asked).toEqual([
    { method: "GET", path: "/contacts/5%2F1?before=a%20b", body: undefined },
    { method: "GET", path: "/templates?crm_id=51", body: undefined },
    {
      method: "POST",
      path: "/contacts/51/messages",
      body: { template: "demo-booked/confirmation", idempotency_key: "key-1" },
    },
    { method: "PATCH", path: "/settings", body: { settings: { default_region: "GB" } } },
    { method: "PATCH", path: "/journeys/demo-booked", body: { enabled: false } },
  ]);
});

test("no answer may mean that it was done", async () => {
  const told = await refusal(new FakeConnector(() => "no answer"));
  expect(told).toMatchObject({ kind: "offline", ambiguous: true });
});

test.each([
  [429, "busy", false],
  [500, "busy", true],
  [503, "busy", true],
  [401, "disconnected", false],
  [403, "refused", false],
  [404, "not_found", false],
  [409, "refused", false],
  [422, "refused", false],
])("status %i is %s, and it may have been done: %s", async (status, kind, ambiguous) => {
  const told = await refusal(new FakeConnector(() => problem(status, "", "because")));
  expect(told).toMatchObject({ kind, ambiguous });
});

test("a refusal says the connector's own words and code", async () => {
  const told = await refusal(new FakeConnector(() => problem(409, "opted_out", "Maya opted out on 3 May 2026.")));
  expect(told).toMatchObject({ kind: "refused", code: "opted_out", message: "Maya opted out on 3 May 2026." });
});

test("an account that is not connected is told by its code too", async () => {
  const told = await refusal(new FakeConnector(() => problem(409, "disconnected", "Reconnect.")));
  expect(told.kind).toBe("disconnected");
});

test("errors of single settings come by name", async () => {
  const answer = problem(422, "invalid", "Not saved.", { errors: { default_region: "no such region" } });
  const told = await refusal(new FakeConnector(() => answer));
  expect(told.errors).toEqual({ default_region: "no such region" });
});

test("Retry-After is kept", async () => {
  const told = await refusal(new FakeConnector(() => ({ status: 503, body: {}, headers: { "Retry-After": "7" } })));
  expect(told.retryAfterMs).toBe(7000);
});

test.each([
  ["no JSON", null],
  ["a list", []],
  ["another shape", { contact: {} }],
  ["messages that are none", { ...conversation(), messages: "none" }],
])("an answer with %s is unreadable and does not break the card", async (_, body) => {
  const told = await refusal(new FakeConnector(() => ok(body)));
  expect(told.kind).toBe("unreadable");
});
