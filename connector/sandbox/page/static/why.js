// Why was this text sent, or none? The connector's trace, in the order it decided.

import { h, say } from "./elements.js";
import { day, dayAndHour, second, words } from "./formats.js";
import { onState, read } from "./world.js";

const dialog = document.querySelector("#why");
const title = document.querySelector("#why-title");
const content = document.querySelector("#why-body");
const REFRESH_AFTER = 800; // milliseconds: a trace grows while one reads it
let open = null;
let shown = "";
let zone = "UTC";
let timer = 0;

/** Open the drawer on the answer at `path`; `known` is what the page knows before the answer is there. */
export function openWhy(path, known) {
  open = { path, known };
  shown = "";
  say(title, known.title ?? (known.direction === "written" ? "What came of this reply?" : "Why this text?"));
  content.replaceChildren(h("p", { className: "empty", textContent: "Asking the connector…" }));
  dialog.showModal();
  refresh();
}

async function refresh() {
  const asked = open;
  const answer = await read(asked.path);
  if (asked !== open || !dialog.open) return;
  const signature = JSON.stringify(answer);
  if (signature === shown) return;
  shown = signature;
  content.replaceChildren(...(answer.error ? sorry(answer.error) : story(answer)));
}

onState((state) => {
  zone = state.clock.zone;
  if (!dialog.open) return;
  clearTimeout(timer);
  timer = setTimeout(refresh, REFRESH_AFTER);
});

document.querySelector("#why-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

function sorry(text) {
  const body = open.known.body ? [h("blockquote", { textContent: open.known.body })] : [];
  return [...body, h("p", { className: "sorry", textContent: text })];
}

function story({ contact, message, waiting, trace }) {
  const parts = [];
  if (message) parts.push(...head(message));
  if (!message && contact?.opted_out) {
    parts.push(h("p", { className: "chips" }, chip("Opted out", "bad")));
  }
  for (const each of waiting) parts.push(...head(each), steps(each.trace));
  if (trace.length) parts.push(steps(trace));
  else if (!waiting.length) {
    parts.push(h("p", { className: "empty", textContent: "No journey has decided anything about this contact yet." }));
  }
  return parts;
}

function head(message) {
  const states = [chip(words(message.state), TONES[message.state] ?? "calm")];
  for (const fact of message.engagement ?? []) states.push(chip(words(fact), fact === "opted_out" ? "bad" : "good"));
  const parts = [h("blockquote", { textContent: message.body ?? "" }), h("p", { className: "chips" }, ...states)];
  if (message.state_reason) parts.push(h("p", { className: "reason", textContent: message.state_reason }));
  parts.push(h("dl", { className: "facts-list" }, ...facts(message).flatMap(([name, value]) =>
    [h("dt", { textContent: name }), h("dd", { textContent: value })])));
  return parts;
}

const TONES = {
  delivered: "good", received: "good", sent: "calm", accepted: "calm", queued: "calm", held: "warn",
  unknown: "warn", undelivered: "bad", failed: "bad", expired: "bad", suppressed: "bad", dead_letter: "bad",
};

function facts(message) {
  const at = (text) => (text ? dayAndHour(new Date(text), zone) : "");
  return [
    ["From", message.from], ["To", message.to],
    ["Journey", [message.journey, message.step].filter(Boolean).join(" › ")],
    ["Purpose", words(message.purpose)],
    ["Segments", message.segments ? String(message.segments) : ""],
    ["Not before", at(message.not_before)], ["Expires", at(message.expires_at)],
    ["Gateway id", message.provider_message_id], ["CRM record", message.crm_record_id],
  ].filter(([, value]) => value);
}

function chip(textContent, tone) {
  return h("span", { className: "chip", textContent, data: { tone } });
}

function steps(trace) {
  let last = "";
  return h("ol", { className: "trace" }, ...(trace ?? []).map((each) => {
    const at = new Date(each.at);
    const isNewDay = day(at, zone) !== last;
    last = day(at, zone);
    return step(each, at, isNewDay ? `${last}, ${second(at, zone)}` : second(at, zone));
  }));
}

function step(each, at, textContent) {
  const place = each.file ? `${each.file}${each.line ? `:${each.line}` : ""}` : "";
  return h("li", { data: { family: String(each.kind ?? "").split(".")[0] } },
    h("time", { textContent, dateTime: at.toISOString() }),
    h("p", { className: "summary", textContent: each.summary }),
    place || each.path ? h("p", { className: "place" }, h("code", { textContent: place }), each.path ? ` ${each.path}` : "") : null,
    values(each.values ?? {}));
}

function values(seen) {
  const rows = Object.entries(seen);
  if (!rows.length) return null;
  return h("details", {}, h("summary", { textContent: "What it saw" }),
    h("dl", { className: "facts-list" }, ...rows.flatMap(([name, value]) => [
      h("dt", { textContent: name }),
      h("dd", { textContent: typeof value === "string" ? value : JSON.stringify(value) }),
    ])));
}
