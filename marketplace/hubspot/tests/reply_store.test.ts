// Is a text sent once, counted while it is typed, and never lost in doubt?

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DEBOUNCE_MS, ReplyStore, hindrance } from "../src/app/cards/conversation/reply_store";
import { Connector } from "../src/app/shared/connector";
import type { Message } from "../src/app/shared/wire";
import { FakeConnector, Later, message, ok, preview, problem } from "./doubles";

let taken: Message[];
let keys: number;

beforeEach(() => {
  vi.useFakeTimers();
  [taken, keys] = [[], 0];
});
afterEach(() => vi.useRealTimers());

function box(fake: FakeConnector): ReplyStore {
  const newKey = (): string => `key-${(keys += 1)}`;
  return new ReplyStore({
    connector: new Connector(fake.fetch),
    crmId: "51",
    onTaken: (each) => taken.push(each),
    newKey,
  });
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

const accepting = (): FakeConnector =>
  new FakeConnector(({ path }) =>
    path.endsWith("/preview") ? ok(preview()) : { status: 202, body: { message: message({ id: "new" }) } },
  );

function keysSent(fake: FakeConnector): unknown[] {
  return fake.of("POST", "/messages").map(({ body }) => body?.["idempotency_key"]);
}

test("every letter is counted at once and asked about once, when the typing rests", async () => {
  const fake = accepting();
  const reply = box(fake);
  for (const text of ["S", "Se", "See you there"]) reply.write(text);
  expect(reply.current().estimate).toMatchObject({ segments: 1, left: 147 });
  expect(fake.asked).toEqual([]);
  await pass(DEBOUNCE_MS);
  expect(fake.of("POST", "/preview").map(({ body }) => body)).toEqual([{ body: "See you there" }]);
  expect(reply.current().preview?.price?.amount).toBe("0.0079");
});

test("a curly quote is counted as the connector writes it", () => {
  const reply = box(accepting());
  reply.write("It’s on");
  expect(reply.current().estimate.encoding).toBe("gsm7");
});

test("the preview of an earlier wording is not shown beside a later one", async () => {
  const late = new Later();
  const fake = new FakeConnector(() => late.answer);
  const reply = box(fake);
  reply.write("one");
  await pass(DEBOUNCE_MS);
  reply.write("another");
  late.come(ok(preview({ segments: 9 })));
  await pass(0);
  expect(reply.current().preview).toBeNull();
});

test("a second click while the first is under way sends nothing", async () => {
  const later = new Later();
  const fake = new FakeConnector(() => later.answer);
  const reply = box(fake);
  reply.write("See you there");
  const first = reply.send();
  await reply.send();
  later.come({ status: 202, body: { message: message({ id: "new" }) } });
  await first;
  expect(keysSent(fake)).toEqual(["key-1"]);
  expect(taken.map(({ id }) => id)).toEqual(["new"]);
  expect(reply.current()).toMatchObject({ phase: "composing", text: "" });
});

test("a sending without an answer is asked for again under the same key", async () => {
  const fake = new FakeConnector(() => "no answer");
  const reply = box(fake);
  reply.write("See you there");
  await reply.send();
  expect(reply.current()).toMatchObject({ phase: "unanswered", text: "See you there" });
  fake.answering = () => problem(503, "", "later");
  await reply.send();
  fake.answering = () => ({ status: 202, body: { message: message({ id: "new" }) } });
  await reply.send();
  expect(keysSent(fake)).toEqual(["key-1", "key-1", "key-1"]);
  expect(taken).toHaveLength(1);
});

test("a text in doubt cannot be changed under its key", async () => {
  const fake = new FakeConnector(() => "no answer");
  const reply = box(fake);
  reply.write("See you there");
  await reply.send();
  reply.write("Another text");
  reply.choose("demo-booked/confirmation");
  expect(reply.current()).toMatchObject({ text: "See you there", template: null });
});

test("the next text has a key of its own", async () => {
  const fake = accepting();
  const reply = box(fake);
  for (const text of ["one", "two"]) {
    reply.write(text);
    await reply.send();
  }
  expect(keysSent(fake)).toEqual(["key-1", "key-2"]);
});

test("a refused text stays for the rep to change, and is a new one afterwards", async () => {
  const fake = new FakeConnector(() => problem(422, "too_long", "Longer than ten segments."));
  const reply = box(fake);
  reply.write("See you there");
  await reply.send();
  expect(reply.current()).toMatchObject({ phase: "composing", text: "See you there" });
  expect(reply.current().problem?.code).toBe("too_long");
  await reply.send();
  expect(keysSent(fake)).toEqual(["key-1", "key-2"]);
});

test("a text in doubt that is left is forgotten, and only then", async () => {
  const fake = new FakeConnector(() => "no answer");
  const reply = box(fake);
  reply.write("See you there");
  reply.discard();
  expect(reply.current().text).toBe("See you there");
  await reply.send();
  reply.discard();
  expect(reply.current()).toMatchObject({ phase: "composing", text: "" });
});

test("nothing is sent for an empty box", async () => {
  const fake = accepting();
  const reply = box(fake);
  reply.write("   ");
  await reply.send();
  await pass(DEBOUNCE_MS);
  expect(fake.asked).toEqual([]);
  expect(hindrance(reply.current())).toBe("Write a text or choose a template.");
});

test("a template is shown filled in before it may be sent", async () => {
  const fake = accepting();
  const reply = box(fake);
  reply.choose("demo-booked/confirmation");
  expect(hindrance(reply.current())).toBe("The template is being filled in.");
  await pass(0);
  expect(hindrance(reply.current())).toBe("");
  await reply.send();
  expect(fake.of("POST", "/messages")[0]?.body).toEqual({
    template: "demo-booked/confirmation",
    idempotency_key: "key-1",
  });
});

test("a template that cannot be filled in is not sent, and the reason is said", async () => {
  const mistakes = ["`deal.amount` is empty."];
  const reply = box(new FakeConnector(() => ok(preview({ mistakes }))));
  reply.choose("demo-booked/confirmation");
  await pass(0);
  expect(hindrance(reply.current())).toBe("`deal.amount` is empty.");
});

test("a template that the connector refuses says why it stays unsent", async () => {
  const reply = box(new FakeConnector(() => problem(422, "template_incomplete", "It needs a deal.")));
  reply.choose("demo-booked/confirmation");
  await pass(0);
  expect(hindrance(reply.current())).toBe("It needs a deal.");
});

test("a filled-in template can be gone on with in one's own words", async () => {
  const reply = box(accepting());
  reply.choose("demo-booked/confirmation");
  await pass(0);
  reply.edit();
  expect(reply.current()).toMatchObject({ template: null, text: "See you there" });
});

test("previews that fail leave the card's own count", async () => {
  const reply = box(new FakeConnector(() => "no answer"));
  reply.write("See you there");
  await pass(DEBOUNCE_MS);
  expect(reply.current()).toMatchObject({ preview: null, problem: null });
  expect(hindrance(reply.current())).toBe("");
});

test("a card that goes away asks for no preview any more", async () => {
  const fake = accepting();
  const reply = box(fake);
  reply.write("See you there");
  reply.stop();
  await pass(DEBOUNCE_MS * 2);
  expect(fake.asked).toEqual([]);
});

test("without templates texts of one's own still work", async () => {
  const reply = box(new FakeConnector(() => "no answer"));
  await reply.loadTemplates();
  expect(reply.current().templates).toEqual([]);
});

test("a second asking that is refused says nothing of the first, so the key stays", async () => {
  const fake = new FakeConnector(() => "no answer");
  const reply = box(fake);
  reply.write("See you there");
  await reply.send();
  fake.answering = () => problem(429, "too_many", "");
  await reply.send();
  expect(reply.current()).toMatchObject({ phase: "unanswered", text: "See you there" });
  fake.answering = () => ({ status: 202, body: { message: message({ id: "new" }) } });
  await reply.send();
  expect(keysSent(fake)).toEqual(["key-1", "key-1", "key-1"]);
});
