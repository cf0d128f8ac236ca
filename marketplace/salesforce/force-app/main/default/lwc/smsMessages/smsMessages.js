// How does each text of a conversation look, and what has become of it?
import { LightningElement, api } from "lwc";

// Final and bad: the reason is shown without a click.
const FAILED = new Set(["undelivered", "expired", "failed", "dead_letter", "suppressed", "cancelled"]);

export default class SmsMessages extends LightningElement {
  /** The texts, oldest first, as the connector tells them. */
  @api messages = [];

  get isEmpty() {
    return this.messages.length === 0;
  }

  get shown() {
    return this.messages.map((message) => ({
      ...message,
      className: message.direction === "inbound" ? "message inbound" : "message outbound",
      status: status(message),
      icon: icon(message),
      variant: FAILED.has(message.state) ? "error" : "success",
      explained: FAILED.has(message.state) && Boolean(message.reason),
    }));
  }
}

function status(message) {
  const facts = (message.facts || []).map((fact) => fact.replace("_", " "));
  const parts = message.direction === "outbound" && message.segments > 1 ? [`${message.segments} parts`] : [];
  const price = message.price ? [`${message.price.amount} ${message.price.currency}`] : [];
  return [message.label || message.state, ...facts, ...parts, ...price].join(" · ");
}

function icon(message) {
  if (FAILED.has(message.state)) {
    return "utility:warning";
  }
  return message.state === "delivered" ? "utility:check" : "";
}
