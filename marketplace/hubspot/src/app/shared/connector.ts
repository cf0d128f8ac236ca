// How are the connector's calls made, and what does each give?

import { CARD_API } from "./address";
import { Problem, fromAnswer, isRecord, noAnswer, unreadable } from "./problem";
import type {
  Consent,
  ConsentAction,
  Conversation,
  Journey,
  Message,
  Preview,
  Settings,
  Template,
  Wording,
} from "./wire";

export type Method = "GET" | "POST" | "PATCH";

/** `hubspot.fetch`, or a double. HubSpot signs what it sends and adds portalId, userId and userEmail to the query. */
export type Fetch = (
  url: string,
  options: { method: Method; timeout: number; body?: Record<string, unknown> },
) => Promise<Response>;

/** HubSpot's proxy waits 15 seconds at most; a rep does not look at a spinner for that long. */
const TIMEOUT_MS = 10_000;

/** The connector as this account's card and settings page see it. Every method rejects with a `Problem` only. */
export class Connector {
  constructor(
    private readonly fetch: Fetch,
    private readonly base: string = CARD_API,
  ) {}

  /** The newest page, or the one older than `before`. */
  async conversation(crmId: string, before: string | null = null): Promise<Conversation> {
    const query = before === null ? "" : `?before=${encodeURIComponent(before)}`;
    return checked(await this.call("GET", `/contacts/${encodeURIComponent(crmId)}${query}`), CONVERSATION);
  }

  async templates(crmId: string): Promise<readonly Template[]> {
    const answer = await this.call("GET", `/templates?crm_id=${encodeURIComponent(crmId)}`);
    return checked<{ templates: readonly Template[] }>(answer, { templates: "array" }).templates;
  }

  /** What a text would be: filled in, cut into segments, priced. Nothing is sent. */
  async preview(crmId: string, wording: Wording): Promise<Preview> {
    return checked(await this.call("POST", `/contacts/${encodeURIComponent(crmId)}/preview`, { ...wording }), PREVIEW);
  }

  /** Send a text. Asked again with the same key, the connector gives the message of the first time. */
  async send(crmId: string, wording: Wording, idempotencyKey: string): Promise<Message> {
    const body = { ...wording, idempotency_key: idempotencyKey };
    const answer = await this.call("POST", `/contacts/${encodeURIComponent(crmId)}/messages`, body);
    return checked<Message>(checked<{ message: unknown }>(answer, { message: "object" }).message, MESSAGE);
  }

  /** Record an opt-out or a renewed consent that the rep was told of; `wording` is kept as evidence. */
  async recordConsent(crmId: string, action: ConsentAction, wording: string): Promise<Consent> {
    const answer = await this.call("POST", `/contacts/${encodeURIComponent(crmId)}/consent`, { action, wording });
    return checked<Consent>(checked<{ consent: unknown }>(answer, { consent: "object" }).consent, CONSENT);
  }

  async settings(): Promise<Settings> {
    return checked(await this.call("GET", "/settings"), SETTINGS);
  }

  /** Change the settings named; the others stay. */
  async changeSettings(settings: Record<string, unknown>): Promise<Settings> {
    return checked(await this.call("PATCH", "/settings", { settings }), SETTINGS);
  }

  async switchJourney(id: Journey["id"], enabled: boolean): Promise<void> {
    await this.call("PATCH", `/journeys/${encodeURIComponent(id)}`, { enabled });
  }

  private async call(method: Method, path: string, body?: Record<string, unknown>): Promise<unknown> {
    let response: Response;
    try {
      const options = { method, timeout: TIMEOUT_MS, ...(body === undefined ? {} : { body }) };
      response = await this.fetch(`${this.base}${path}`, options);
    } catch {
      throw noAnswer();
    }
    const json = await readJson(response);
    if (response.ok && json !== null) return json;
    throw response.ok ? unreadable() : fromAnswer(response.status, json, header(response, "Retry-After"));
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

/** Headers may be missing from what HubSpot hands through. */
function header(response: Response, name: string): string | null {
  return response.headers?.get(name) ?? null;
}

type Shape = Readonly<Record<string, "array" | "object" | "string" | "number" | "boolean">>;

// What the screens would break without. The rest of an answer may grow without asking the card.
const MESSAGE: Shape = { id: "string", direction: "string", body: "string", at: "string", state: "string" };
const CONSENT: Shape = { state: "string", label: "string", purposes: "object", evidence: "array" };
const CONVERSATION: Shape = {
  contact: "object",
  consent: "object",
  messages: "array",
  not_sent: "array",
  reply: "object",
};
const PREVIEW: Shape = { body: "string", segments: "number", left: "number", warnings: "array", mistakes: "array" };
const SETTINGS: Shape = { settings: "object", schema: "array", journeys: "array", account: "object" };

function checked<T>(answer: unknown, shape: Shape): T {
  if (!isRecord(answer)) throw unreadable();
  for (const [name, kind] of Object.entries(shape)) {
    if (!is(answer[name], kind)) throw unreadable();
  }
  return answer as T;
}

function is(value: unknown, kind: Shape[string]): boolean {
  if (kind === "array") return Array.isArray(value);
  if (kind === "object") return isRecord(value);
  return typeof value === kind;
}

/** Whatever was thrown, as a `Problem`. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : unreadable();
}
