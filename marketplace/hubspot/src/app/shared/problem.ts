// What went wrong between the card and the connector, and what may be done about it?

/**
 * - `offline`: no answer came; whatever was asked may have been done all the same
 * - `busy`: the connector or HubSpot's proxy asks for patience; as with `offline`, unless it was a 429
 * - `disconnected`: the account's connection to the connector is broken; an admin mends it
 * - `not_found`: this account has no such record there
 * - `refused`: said no, for the reason in `message`
 * - `unreadable`: an answer that no version of the connector gives
 */
export type Kind = "offline" | "busy" | "disconnected" | "not_found" | "refused" | "unreadable";

interface Told {
  readonly kind: Kind;
  readonly message: string;
  readonly code?: string;
  /** Whether what was asked may have been done although no proper answer came. */
  readonly ambiguous?: boolean;
  readonly retryAfterMs?: number | null;
  /** Per field, for settings that were not taken. */
  readonly errors?: Readonly<Record<string, string>>;
}

/** A call that did not end well. `message` is for people and quotes no text and no number of theirs. */
export class Problem extends Error {
  readonly kind: Kind;
  readonly code: string;
  readonly ambiguous: boolean;
  readonly retryAfterMs: number | null;
  readonly errors: Readonly<Record<string, string>>;

  constructor(told: Told) {
    super(told.message);
    this.name = "Problem";
    this.kind = told.kind;
    this.code = told.code ?? "";
    this.ambiguous = told.ambiguous ?? false;
    this.retryAfterMs = told.retryAfterMs ?? null;
    this.errors = told.errors ?? {};
  }
}

/** No answer: HubSpot's proxy could not reach the connector, gave up after 15 seconds, or the rep is offline. */
export function noAnswer(): Problem {
  return new Problem({ kind: "offline", message: "The SMS connector cannot be reached right now.", ambiguous: true });
}

export function unreadable(): Problem {
  return new Problem({
    kind: "unreadable",
    message: "The SMS connector gave an answer that this card does not understand.",
    ambiguous: true,
  });
}

/** Understand an answer that is no success; `body` is its JSON, or null when it is none. */
export function fromAnswer(status: number, body: unknown, retryAfter: string | null): Problem {
  const told = isRecord(body) ? body : {};
  const code = text(told["code"]);
  const detail = text(told["detail"]) || text(told["title"]) || text(told["message"]);
  if (status === 429 || status >= 500) {
    return new Problem({
      kind: "busy",
      message: "The SMS connector is busy. This page keeps trying.",
      code,
      ambiguous: status !== 429,
      retryAfterMs: seconds(retryAfter),
    });
  }
  if (status === 401 || DISCONNECTED.has(code)) {
    return new Problem({
      kind: "disconnected",
      message: detail || "This HubSpot account is not connected to the SMS connector.",
      code,
    });
  }
  if (status === 404) {
    return new Problem({ kind: "not_found", message: detail || "The SMS connector has no such record.", code });
  }
  return new Problem({
    kind: "refused",
    message: detail || "The SMS connector refused this.",
    code,
    errors: texts(told["errors"]),
  });
}

const DISCONNECTED: ReadonlySet<string> = new Set(["disconnected", "not_installed"]);

function seconds(header: string | null): number | null {
  const value = header === null ? Number.NaN : Number(header);
  return Number.isFinite(value) && value >= 0 ? value * 1000 : null;
}

function texts(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, why]) => [name, String(why)]));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
