// What does a rep see and do on the card?

import {
  Accordion,
  Alert,
  Button,
  EmptyState,
  ErrorState,
  Input,
  Link,
  LoadingButton,
  LoadingSpinner,
  Select,
  StatusTag,
  Text,
  TextArea,
  Tile,
} from "@hubspot/ui-extensions";
import { createRenderer } from "@hubspot/ui-extensions/testing";
import { useState } from "react";
import { expect, test } from "vitest";
import { Conversation } from "../src/app/cards/conversation/Conversation";
import { Connector } from "../src/app/shared/connector";
import { FakeConnector, Later, conversation, message, ok, preview, problem, words } from "./doubles";

type Screen = ReturnType<typeof createRenderer<"crm.record.tab">>;

const TEMPLATES = {
  templates: [{ id: "demo-booked/confirmation", title: "demo-booked/confirmation", locales: ["de"] }],
};

/** A connector that knows one conversation, templates, previews, and takes every text. */
function knowing(told = conversation()): FakeConnector {
  return new FakeConnector(({ method, path }) => {
    if (path.startsWith("/templates")) return ok(TEMPLATES);
    if (path.endsWith("/preview")) return ok(preview());
    if (method === "GET") return ok(told);
    return { status: 202, body: { message: message({ id: "new", state: "queued", label: "Waiting to be sent" }) } };
  });
}

function rendered(fake: FakeConnector): Screen {
  const screen = createRenderer("crm.record.tab");
  const connector = new Connector(fake.fetch);
  screen.render(<Conversation connector={connector} crmId="51" locale="en-US" />);
  return screen;
}

async function shown(fake: FakeConnector): Promise<Screen> {
  const screen = rendered(fake);
  await screen.waitFor(() => screen.find(TextArea));
  await screen.waitFor(() => expect(fake.of("GET", "/templates")).toHaveLength(1));
  return screen;
}

function said(screen: Screen): string {
  return words(screen.getRootNode());
}

function send(screen: Screen) {
  return screen.find(LoadingButton, (node) => node.text === "Send");
}

test("until the first answer a spinner is shown", () => {
  const screen = rendered(new FakeConnector(() => new Later().answer));
  expect(screen.find(LoadingSpinner).props.label).toBe("Loading texts");
});

test("each text is shown with its state, cost, reason and what came of it", async () => {
  const told = conversation({
    messages: [
      message({ id: "m3", direction: "inbound", body: "Yes please", label: "Received", state: "received" }),
      message({ id: "m2", state: "undelivered", label: "Not delivered", reason: "The number is switched off." }),
      message({ id: "m1", facts: ["clicked"] }),
    ],
  });
  const screen = await shown(knowing(told));
  const tiles = screen.findAll(Tile);
  const [reply, failed, clicked] = tiles.map(words);
  expect(tiles.map((tile) => tile.find(StatusTag).text)).toEqual(["Received", "Not delivered", "Delivered"]);
  expect(tiles[1]?.find(StatusTag).props.variant).toBe("danger");
  expect(reply).toContain("From the contact");
  expect(failed).toContain("The number is switched off.");
  expect(clicked).toContain("1 segment, $0.0079");
  expect(clicked).toContain("demo-booked: followed the link");
});

test("the counter shows an estimate while typing and the price when the connector has answered", async () => {
  const fake = knowing();
  const screen = await shown(fake);
  screen.find(TextArea).trigger("onInput", "See you there" as never);
  await screen.waitFor(() => expect(screen.findByTestId(Text, "counter").text).toBe("1 segment, 147 characters left"));
  await screen.waitFor(() => expect(screen.findByTestId(Text, "counter").text).toContain("$0.0079"));
});

test("a rep answers, and the text stands in the conversation at once", async () => {
  const fake = knowing();
  const screen = await shown(fake);
  screen.find(TextArea).trigger("onInput", "See you there" as never);
  await screen.waitFor(() => expect(send(screen).props.disabled).toBe(false));
  send(screen).trigger("onClick");
  await screen.waitFor(() => expect(fake.of("POST", "/messages")).toHaveLength(1));
  await screen.waitFor(() => expect(screen.find(TextArea).props.value).toBe(""));
  expect(fake.of("POST", "/messages")[0]?.body).toMatchObject({ body: "See you there" });
});

test("two quick clicks send one text", async () => {
  const later = new Later();
  const fake = knowing();
  const screen = await shown(fake);
  screen.find(TextArea).trigger("onInput", "See you there" as never);
  await screen.waitFor(() => expect(send(screen).props.disabled).toBe(false));
  const before = fake.answering;
  fake.answering = (asked) => (asked.path.endsWith("/messages") ? later.answer : before(asked));
  const button = send(screen);
  button.trigger("onClick");
  button.trigger("onClick");
  await screen.waitFor(() => expect(send(screen).props.loading).toBe(true));
  later.come({ status: 202, body: { message: message({ id: "new" }) } });
  await screen.waitFor(() => expect(screen.find(TextArea).props.value).toBe(""));
  expect(fake.of("POST", "/messages")).toHaveLength(1);
});

test("a sending without an answer is said so, a refusal of asking again too, and each repeats its key", async () => {
  const fake = knowing();
  const screen = await shown(fake);
  screen.find(TextArea).trigger("onInput", "See you there" as never);
  await screen.waitFor(() => expect(send(screen).props.disabled).toBe(false));
  const before = fake.answering;
  fake.answering = (asked) => (asked.path.endsWith("/messages") ? "no answer" : before(asked));
  send(screen).trigger("onClick");
  await screen.waitFor(() => screen.findByTestId(Alert, "unanswered"));
  expect(screen.find(TextArea).props.readOnly).toBe(true);
  const askAgain = () => screen.find(Button, (node) => node.text === "Ask again").trigger("onClick");
  fake.answering = (asked) =>
    asked.path.endsWith("/messages") ? problem(409, "opted_out", "They opted out.") : before(asked);
  askAgain();
  await screen.waitFor(() =>
    expect(words(screen.findByTestId(Alert, "unanswered"))).toContain("Asking again was refused: They opted out."),
  );
  fake.answering = before;
  askAgain();
  await screen.waitFor(() => expect(screen.maybeFindByTestId(Alert, "unanswered")).toBeNull());
  const [first, ...later] = fake.of("POST", "/messages").map(({ body }) => body?.["idempotency_key"]);
  expect(first).toMatch(/^[0-9a-f-]{36}$/u);
  expect(later).toEqual([first, first]);
});

test("a refused text says why and stays in the box", async () => {
  const fake = knowing();
  const screen = await shown(fake);
  screen.find(TextArea).trigger("onInput", "See you there" as never);
  await screen.waitFor(() => expect(send(screen).props.disabled).toBe(false));
  const before = fake.answering;
  const refusal = problem(409, "opted_out", "Maya has just opted out.");
  fake.answering = (asked) => (asked.path.endsWith("/messages") ? refusal : before(asked));
  send(screen).trigger("onClick");
  await screen.waitFor(() =>
    expect(words(screen.findByTestId(Alert, "refused"))).toContain("Maya has just opted out."),
  );
  expect(screen.find(TextArea).props.value).toBe("See you there");
});

test("a template is previewed in the box and may be gone on with", async () => {
  const fake = knowing();
  const screen = await shown(fake);
  await screen.waitFor(() => screen.find(Select));
  expect(screen.find(Select).props.options[1]?.label).toBe("demo-booked/confirmation (de)");
  screen.find(Select).trigger("onChange", "demo-booked/confirmation" as never);
  await screen.waitFor(() => expect(screen.find(TextArea).props.value).toBe("See you there"));
  expect(screen.find(TextArea).props.readOnly).toBe(true);
  screen.find(Button, (node) => node.text === "Edit as my own words").trigger("onClick");
  await screen.waitFor(() => expect(screen.find(TextArea).props.readOnly).toBe(false));
  expect(screen.find(TextArea).props.value).toBe("See you there");
});

test("a contact who opted out cannot be answered, and the card says why", async () => {
  const why = "Maya opted out on 3 May 2026 by a keyword.";
  const screen = await shown(knowing(conversation({ reply: { may: false, why } })));
  expect(words(screen.findByTestId(Alert, "may-not"))).toContain(why);
  expect(screen.find(TextArea).props.readOnly).toBe(true);
  expect(send(screen).props.disabled).toBe(true);
});

test("a contact without a number cannot be texted, and the card says what is there", async () => {
  const contact = { ...conversation().contact, number: null, number_reason: "Mobile phone holds “call me”." };
  const screen = await shown(knowing(conversation({ contact })));
  expect(said(screen)).toContain("Mobile phone holds “call me”.");
  expect(screen.find(TextArea).props.readOnly).toBe(true);
});

test("consent is shown with its evidence", async () => {
  const screen = await shown(knowing());
  expect(screen.findByTestId(StatusTag, "consent").text).toBe("Opted in on 2 May 2026 by form");
  expect(said(screen)).toContain("marketing: may be sent. They agreed on a form.");
  const evidence = screen.find(Accordion, (node) => node.props.title === "Evidence (1)");
  expect(words(evidence)).toContain("opted in, web form (form): “Yes, text me offers”");
});

test("why not sent names the journey and the line that decided it", async () => {
  const why = {
    at: "2026-05-03T01:00:00Z",
    journey: "review-request",
    why: "Outside the send window.",
    where: "x.yaml:12",
  };
  const screen = await shown(knowing(conversation({ not_sent: [why] })));
  const list = screen.find(Accordion, (node) => node.props.title === "Why not sent (1)");
  expect(words(list)).toContain("Outside the send window. (review-request, x.yaml:12)");
});

test("a consent is recorded with the contact's words only", async () => {
  const told = conversation({ consent: { ...conversation().consent, state: "not_asked", label: "Never asked" } });
  const fake = knowing(told);
  const screen = await shown(fake);
  const before = fake.answering;
  const answer = { consent: conversation().consent };
  fake.answering = (asked) => (asked.path.endsWith("/consent") ? ok(answer) : before(asked));
  screen.find(Button, (node) => node.text === "Record a consent").trigger("onClick");
  const save = () => screen.find(LoadingButton, (node) => node.text === "Record the consent");
  await screen.waitFor(() => expect(save().props.disabled).toBe(true));
  screen.find(Input).trigger("onInput", " Sure, text me " as never);
  await screen.waitFor(() => expect(save().props.disabled).toBe(false));
  save().trigger("onClick");
  await screen.waitFor(() => expect(screen.maybeFind(Input)).toBeNull());
  expect(fake.of("POST", "/consent")[0]?.body).toEqual({ action: "opt_in", wording: "Sure, text me" });
});

test.each([
  ["marketing alone", true],
  ["all texts, by a program that may lift it", false],
])("a spoken opt-out is recorded of somebody opted out of %s", async (_, may) => {
  const purposes = { transactional: { may, why: "" }, marketing: { may: false, why: "They opted out." } };
  const consent = { ...conversation().consent, state: "opted_out" as const, purposes };
  const screen = await shown(knowing(conversation({ consent })));
  expect(screen.findAll(Button, (node) => node.text === "Record an opt-out")).toHaveLength(1);
});

test("an opt-out that is refused stays open with the reason", async () => {
  const fake = knowing();
  const screen = await shown(fake);
  const before = fake.answering;
  const refusal = problem(403, "forbidden", "You may not do that.");
  fake.answering = (asked) => (asked.path.endsWith("/consent") ? refusal : before(asked));
  screen.find(Button, (node) => node.text === "Record an opt-out").trigger("onClick");
  await screen.waitFor(() => screen.find(Input));
  screen.find(LoadingButton, (node) => node.text === "Record the opt-out").trigger("onClick");
  await screen.waitFor(() => expect(said(screen)).toContain("You may not do that."));
  screen.find(Button, (node) => node.text === "Cancel").trigger("onClick");
  await screen.waitFor(() => expect(screen.maybeFind(Input)).toBeNull());
});

test("older texts are fetched on demand", async () => {
  const fake = knowing(conversation({ next: "before-m1" }));
  const screen = await shown(fake);
  const before = fake.answering;
  const older = conversation({ messages: [message({ id: "m0", body: "The oldest" })] });
  fake.answering = (asked) => (asked.path.includes("before=") ? ok(older) : before(asked));
  screen.find(Button, (node) => node.text === "Older texts").trigger("onClick");
  await screen.waitFor(() => expect(said(screen)).toContain("The oldest"));
  expect(screen.maybeFind(Button, (node) => node.text === "Older texts")).toBeNull();
});

test("an account that is not connected leads to connecting it again", async () => {
  const screen = rendered(new FakeConnector(() => problem(401, "signature", "")));
  await screen.waitFor(() => expect(screen.find(ErrorState).props.type).toBe("lock"));
  expect(screen.find(Link).props.href).toEqual({ url: "https://sms.example.com/install/hubspot", external: true });
});

test("a contact the connector does not know is no error", async () => {
  const screen = rendered(new FakeConnector(() => problem(404, "", "The connector has no such contact.")));
  await screen.waitFor(() => expect(words(screen.find(EmptyState))).toContain("The connector has no such contact."));
});

test("a connector that is away is said, and trying again heals the card", async () => {
  const fake = new FakeConnector(() => "no answer");
  const screen = rendered(fake);
  await screen.waitFor(() => screen.find(ErrorState));
  fake.answering = knowing().answering;
  screen.find(Button, (node) => node.text === "Try again").trigger("onClick");
  await screen.waitFor(() => screen.find(TextArea));
});

test("a card that lost the connector keeps the texts and lets nothing be sent", async () => {
  const fake = knowing(conversation({ next: "before-m1" }));
  const screen = await shown(fake);
  fake.answering = () => "no answer";
  screen.find(Button, (node) => node.text === "Older texts").trigger("onClick");
  await screen.waitFor(() => screen.find(Alert, { title: "Not up to date" }));
  expect(screen.findAll(Tile)).toHaveLength(1);
  expect(screen.find(TextArea).props.readOnly).toBe(true);
});

test("an unmounted card lets go of the page", async () => {
  let followers = 0;
  const visibility = {
    isVisible: () => true,
    subscribe: () => {
      followers += 1;
      return () => (followers -= 1);
    },
  };
  const connector = new Connector(knowing().fetch);
  function Host() {
    const [isOpen, setIsOpen] = useState(true);
    return (
      <>
        <Button onClick={() => setIsOpen(false)}>Close</Button>
        {isOpen && <Conversation connector={connector} crmId="51" visibility={visibility} />}
      </>
    );
  }
  const screen = createRenderer("crm.record.tab");
  screen.render(<Host />);
  await screen.waitFor(() => expect(followers).toBe(1));
  screen.find(Button, (node) => node.text === "Close").trigger("onClick");
  await screen.waitFor(() => expect(followers).toBe(0));
});
