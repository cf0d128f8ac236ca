// Is what the card shows what the connector knows?

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ConversationStore } from "../src/app/cards/conversation/conversation_store";
import { EVERY_MS } from "../src/app/cards/conversation/polling";
import { Connector } from "../src/app/shared/connector";
import type { Message } from "../src/app/shared/wire";
import { FakeConnector, Later, conversation, message, ok, problem } from "./doubles";

const VISIBLE = { isVisible: () => true, subscribe: () => () => undefined };
let store: ConversationStore | undefined;

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  store?.stop();
  vi.useRealTimers();
});

function started(fake: FakeConnector): ConversationStore {
  store = new ConversationStore(new Connector(fake.fetch), "51", VISIBLE);
  store.start();
  return store;
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

function texts(...ids: string[]): Message[] {
  return ids.map((id) => message({ id }));
}

function shown(of: ConversationStore): string[] {
  return of.current().messages.map(({ id }) => id);
}

test("a receipt that comes in shows at the next poll", async () => {
  const fake = new FakeConnector(() => ok(conversation({ messages: [message({ state: "sent", label: "Sent" })] })));
  const card = started(fake);
  await pass(0);
  expect(card.current().messages[0]?.label).toBe("Sent");
  fake.answering = () => ok(conversation());
  await pass(EVERY_MS);
  expect(card.current().messages[0]?.label).toBe("Delivered");
});

test("older pages stay when a new text comes in", async () => {
  let newest = conversation({ messages: texts("m4", "m3"), next: "before-m3" });
  const fake = new FakeConnector(({ path }) =>
    ok(path.includes("before") ? conversation({ messages: texts("m2", "m1"), next: null }) : newest),
  );
  const card = started(fake);
  await pass(0);
  await card.older();
  expect(shown(card)).toEqual(["m4", "m3", "m2", "m1"]);
  newest = conversation({ messages: texts("m5", "m4"), next: "before-m4" });
  await pass(EVERY_MS);
  expect(shown(card)).toEqual(["m5", "m4", "m3", "m2", "m1"]);
  expect(card.current().next).toBeNull();
});

test("so many new texts that there may be a gap drop what is older", async () => {
  let newest = conversation({ messages: texts("m2", "m1"), next: "before-m1" });
  const card = started(new FakeConnector(() => ok(newest)));
  await pass(0);
  newest = conversation({ messages: texts("m9", "m8"), next: "before-m8" });
  await pass(EVERY_MS);
  expect(shown(card)).toEqual(["m9", "m8"]);
  expect(card.current().next).toBe("before-m8");
});

test("an older page that no longer follows what is shown is not joined to it", async () => {
  const later = new Later();
  let newest = conversation({ messages: texts("m4", "m3"), next: "before-m3" });
  const card = started(new FakeConnector(({ path }) => (path.includes("before=") ? later.answer : ok(newest))));
  await pass(0);
  const older = card.older();
  newest = conversation({ messages: texts("m9", "m8"), next: "before-m8" });
  await pass(EVERY_MS);
  later.come(ok(conversation({ messages: texts("m2", "m1"), next: null })));
  await older;
  expect(shown(card)).toEqual(["m9", "m8"]);
});

test("a text just sent does not vanish when an answer from before comes late", async () => {
  const late = new Later();
  const fake = new FakeConnector(() => ok(conversation()));
  const card = started(fake);
  await pass(0);
  fake.answering = () => late.answer;
  await pass(EVERY_MS);
  card.took(message({ id: "new", state: "queued" }));
  expect(shown(card)).toEqual(["new", "m1"]);
  const next = new Later();
  fake.answering = () => next.answer;
  late.come(ok(conversation()));
  await pass(0);
  expect(shown(card)).toEqual(["new", "m1"]);
  next.come(ok(conversation({ messages: [message({ id: "new", state: "sent" }), message()] })));
  await pass(0);
  expect(shown(card)).toEqual(["new", "m1"]);
  expect(card.current().messages[0]?.state).toBe("sent");
});

test("what was shown stays while the connector is away, with the reason", async () => {
  const fake = new FakeConnector(() => ok(conversation()));
  const card = started(fake);
  await pass(0);
  fake.answering = () => "no answer";
  await pass(EVERY_MS);
  expect(card.current().problem?.kind).toBe("offline");
  expect(shown(card)).toEqual(["m1"]);
  fake.answering = () => ok(conversation());
  await pass(EVERY_MS * 3);
  expect(card.current().problem).toBeNull();
});

test("a recorded opt-out shows at once and asks whether a reply may still go", async () => {
  const optedOut = { ...conversation().consent, state: "opted_out" as const, label: "Opted out today" };
  const fake = new FakeConnector(({ method }) => (method === "GET" ? ok(conversation()) : ok({ consent: optedOut })));
  const card = started(fake);
  await pass(0);
  await card.recordConsent("opt_out", "on the phone");
  expect(card.current().page?.consent.state).toBe("opted_out");
  expect(fake.of("POST")[0]?.body).toEqual({ action: "opt_out", wording: "on the phone" });
  expect(fake.of("GET")).toHaveLength(2);
});

test("an older page that is refused is said and can be asked for again", async () => {
  const fake = new FakeConnector(({ path }) =>
    path.includes("before=") ? problem(422, "bad_cursor", "No such page.") : ok(conversation({ next: "x" })),
  );
  const card = started(fake);
  await pass(0);
  await card.older();
  expect(card.current()).toMatchObject({ isLoadingOlder: false, next: "x" });
  expect(card.current().problem?.message).toBe("No such page.");
});
