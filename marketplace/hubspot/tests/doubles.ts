// A connector that answers what a test says, and counts what it was asked.

import { type RenderedNode, type RenderedParentNode } from "@hubspot/ui-extensions/testing";
import type { Fetch, Method } from "../src/app/shared/connector";
import type { Conversation, Message, Preview, Settings } from "../src/app/shared/wire";

export interface Asked {
  readonly method: Method;
  /** Below the card API's base. */
  readonly path: string;
  readonly body: Record<string, unknown> | undefined;
}

type Answer = { status: number; body: unknown; headers?: Record<string, string> };
type Answering = (asked: Asked) => Answer | "no answer" | Promise<Answer | "no answer">;

const BASE = "https://sms.example.com/hubspot/card";

/** `fetch` for a Connector, with everything asked of it in `asked`. */
export class FakeConnector {
  readonly asked: Asked[] = [];

  constructor(public answering: Answering) {}

  readonly fetch: Fetch = async (url, { method, body }) => {
    if (!url.startsWith(BASE)) throw new Error(`not permitted: ${url}`);
    const asked = { method, path: url.slice(BASE.length), body };
    this.asked.push(asked);
    const answer = await this.answering(asked);
    if (answer === "no answer") throw new TypeError("fetch failed");
    return new Response(JSON.stringify(answer.body), { status: answer.status, headers: answer.headers ?? {} });
  };

  /** What was asked by a method, oldest first. */
  of(method: Method, part = ""): readonly Asked[] {
    return this.asked.filter((asked) => asked.method === method && asked.path.includes(part));
  }
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function problem(status: number, code: string, detail: string, more: Record<string, unknown> = {}): Answer {
  return { status, body: { type: "about:blank", title: "Refused", status, code, detail, ...more } };
}

/** An answer that the test gives when it wants to. */
export class Later {
  private readonly gate: { resolve: (answer: Answer | "no answer") => void };
  readonly answer: Promise<Answer | "no answer">;

  constructor() {
    const gate: { resolve: (answer: Answer | "no answer") => void } = { resolve: () => undefined };
    this.answer = new Promise((resolve) => (gate.resolve = resolve));
    this.gate = gate;
  }

  come(answer: Answer | "no answer"): void {
    this.gate.resolve(answer);
  }
}

export function message(more: Partial<Message> = {}): Message {
  return {
    id: "m1",
    direction: "outbound",
    body: "Your demo is on Tuesday.",
    at: "2026-05-03T10:11:12Z",
    state: "delivered",
    label: "Delivered",
    reason: "",
    facts: [],
    segments: 1,
    price: { amount: "0.0079", currency: "USD" },
    journey: "demo-booked",
    sender: "+12025550110",
    by: "",
    ...more,
  };
}

export function conversation(more: Partial<Conversation> = {}): Conversation {
  return {
    contact: {
      crm_id: "51",
      name: "Maya Lindqvist",
      number: "+12025550123",
      number_reason: "",
      time_zone: "America/New_York",
      local_time: "14:03",
    },
    consent: {
      state: "opted_in",
      label: "Opted in on 2 May 2026 by form",
      purposes: { transactional: { may: true, why: "" }, marketing: { may: true, why: "They agreed on a form." } },
      evidence: [
        {
          at: "2026-05-02T09:00:00Z",
          what: "opted in",
          how: "web form",
          source: "form",
          wording: "Yes, text me offers",
        },
      ],
    },
    messages: [message()],
    next: null,
    not_sent: [],
    reply: { may: true, why: "" },
    as_of: "2026-05-03T10:12:00Z",
    ...more,
  };
}

export function preview(more: Partial<Preview> = {}): Preview {
  return {
    body: "See you there",
    encoding: "gsm7",
    segments: 1,
    characters: 13,
    left: 147,
    price: { amount: "0.0079", currency: "USD" },
    warnings: [],
    mistakes: [],
    ...more,
  };
}

export function settings(more: Partial<Settings> = {}): Settings {
  return {
    settings: { default_region: "US", time_zone: "America/New_York", phone_fields: { contact: ["mobilephone", "phone"] } },
    schema: [
      {
        name: "default_region",
        label: "Region",
        kind: "choice",
        options: ["US", "GB"],
        help: "Of numbers without a prefix",
      },
      { name: "time_zone", label: "Time zone", kind: "text", options: [], help: "" },
      { name: "phone_fields", label: "Phone properties", kind: "map", options: [], help: "The best one first." },
    ],
    journeys: [{ id: "demo-booked", title: "Demo booked", enabled: true, status: "live" }],
    account: { name: "Northgate", status: "active", crm: "hubspot", external_id: "62515" },
    may_change: true,
    ...more,
  };
}

/** All words below a node, in the order read; the library's own `text` gives direct ones only. */
export function words(node: RenderedParentNode | RenderedNode): string {
  if (!("childNodes" in node)) return node.text ?? "";
  return node.childNodes.map(words).join("");
}
