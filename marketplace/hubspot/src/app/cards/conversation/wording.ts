// How are amounts, times and states said to a rep?

import type { Consent, Message, Price } from "../../shared/wire";
import type { Estimate } from "./segments";

/** Variants of HubSpot's StatusTag. */
export type Tone = "danger" | "warning" | "info" | "success" | "default";

/** "$0.0079": a text costs fractions of a cent, so up to six digits are shown. */
export function saidPrice(price: Price, locale?: string): string {
  if (price.currency === null) return price.amount;
  const options = { style: "currency", currency: price.currency, minimumFractionDigits: 2, maximumFractionDigits: 6 };
  try {
    return new Intl.NumberFormat(locale, options as Intl.NumberFormatOptions).format(Number(price.amount));
  } catch {
    return `${price.amount} ${price.currency}`; // a currency that Intl does not take
  }
}

/** A time in the rep's own zone and language; what is no time stays as it came. */
export function saidTime(at: string, locale?: string, timeZone?: string): string {
  const moment = new Date(at);
  if (Number.isNaN(moment.getTime())) return at;
  const zone = timeZone === undefined ? {} : { timeZone };
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", ...zone }).format(moment);
}

/** "1 segment, 148 characters left"; in UCS-2 also why that is so few. */
export function saidLength({ encoding, segments, left }: Pick<Estimate, "encoding" | "segments" | "left">): string {
  const count = `${segments} ${segments === 1 ? "segment" : "segments"}`;
  const room = `${left} ${left === 1 ? "character" : "characters"} left`;
  return `${count}, ${room}${encoding === "ucs2" ? " (special characters: 70 to a segment)" : ""}`;
}

const TONES: Readonly<Record<string, Tone>> = {
  held: "default",
  queued: "default",
  dispatching: "default",
  accepted: "info",
  sent: "info",
  delivered: "success",
  unknown: "warning",
  undelivered: "danger",
  expired: "danger",
  failed: "danger",
  dead_letter: "danger",
  suppressed: "danger",
  cancelled: "warning",
};

export function toneOfMessage(message: Message): Tone {
  return message.direction === "inbound" ? "default" : (TONES[message.state] ?? "default");
}

const CONSENT_TONES: Readonly<Record<Consent["state"], Tone>> = {
  opted_out: "danger",
  opted_in: "success",
  not_asked: "default",
  doubtful: "warning",
};

export function toneOfConsent(consent: Consent): Tone {
  return CONSENT_TONES[consent.state] ?? "default";
}

const FACTS: Readonly<Record<string, string>> = {
  replied: "replied",
  clicked: "followed the link",
  opted_out: "opted out",
  escalated: "handed to a person",
};

/** "Demo-booked, by Ann: replied, followed the link": who wrote a message and what came of it; "" for nothing known. */
export function saidOrigin(message: Message): string {
  const from = [message.journey, message.by && `by ${message.by}`].filter(Boolean).join(", ");
  const facts = message.facts.map((fact) => FACTS[fact] ?? fact).join(", ");
  return [from, facts].filter(Boolean).join(": ");
}
