// What does the record card in the CRM show of a person's texts?
//
// It is the connector's own card API, asked as the CRM's card asks it: signed, through the page's server.

import { makeReply } from "./card_reply.js";
import { showConsent } from "./card_consent.js";
import { h, keyed, say } from "./elements.js";
import { dayAndHour, money, words } from "./formats.js";
import { onSelect, selected } from "./selection.js";
import { ask, onState, shownCRM } from "./world.js";

const LOOK_EVERY = 5000; // milliseconds; as often as the CRMs' own cards ask
const SETTLES_AFTER = 350; // milliseconds after a change in the world, which the connector has to hear of first
const TONES = {
  delivered: "good", received: "good", held: "warn", unknown: "warn",
  undelivered: "bad", failed: "bad", expired: "bad", suppressed: "bad", dead_letter: "bad", cancelled: "bad",
};

const panel = document.querySelector("#record-card");
const sorry = document.querySelector("#card-sorry");
const whole = document.querySelector("#card-whole");
const thread = document.querySelector("#card-thread");
const older = document.querySelector("#card-older");
const notSent = document.querySelector("#card-not-sent");
const reply = makeReply(document.querySelector("#card-reply"), refresh);
let zone = "UTC";
let crm = null;
let shownFor = null;
let earlier = [];
let olderThan = null;
let timer = 0;

onState((state) => {
  zone = state.clock.zone;
  ({ crm } = state);
  clearTimeout(timer);
  timer = setTimeout(refresh, SETTLES_AFTER);
});
onSelect(refresh);
document.querySelector("#record-tabs").addEventListener("tabshown", refresh);
setInterval(refresh, LOOK_EVERY);
older.addEventListener("click", showOlder);

async function refresh() {
  if (panel.hidden || document.hidden || !selected()) return;
  if (crm !== shownCRM()) return; // just switched: whoever is selected belongs to the other CRM still
  const contact = selected();
  if (contact !== shownFor) startAnew(contact);
  const { said, refusal } = await ask(`card/${encodeURIComponent(contact)}`);
  if (contact !== selected()) return;
  panel.setAttribute("aria-busy", "false");
  sorry.hidden = !refusal;
  say(sorry, refusal ?? "");
  whole.hidden = !said;
  if (said) show(contact, said);
}

function startAnew(contact) {
  shownFor = contact;
  earlier = [];
  panel.setAttribute("aria-busy", "true");
  whole.hidden = true;
  thread.kept = new Map();
  thread.replaceChildren();
  reply.open(contact);
}

function show(contact, card) {
  showConsent(contact, card, zone, refresh);
  if (!earlier.length) olderThan = card.next;
  older.hidden = !olderThan;
  const messages = [...card.messages, ...earlier.filter((each) => !card.messages.some((one) => one.id === each.id))];
  const wasAtEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 60;
  const before = thread.kept?.size ?? 0;
  keyed(thread, messages.toReversed(), (each) => each.id, makeMessage);
  if (messages.length > before && wasAtEnd) requestAnimationFrame(() => { thread.scrollTop = thread.scrollHeight; });
  showNotSent(card.not_sent);
  reply.may(card.reply, card.contact);
}

async function showOlder() {
  const { said } = await ask(`card/${encodeURIComponent(shownFor)}?before=${encodeURIComponent(olderThan)}`);
  if (!said) return;
  earlier = [...earlier, ...said.messages];
  olderThan = said.next;
  refresh();
}

function makeMessage(first) {
  const chip = h("span", { className: "chip" });
  const facts = h("span", { className: "faint" });
  const reason = h("p", { className: "reason" });
  const bubble = h("div", { className: `said ${first.direction}`, data: { message: first.id } },
    h("p", { className: "said-body", textContent: first.body }),
    h("footer", {},
      h("time", { textContent: dayAndHour(new Date(first.at), zone), dateTime: first.at }), chip, facts), reason);
  return [bubble, (row) => {
    chip.hidden = row.direction === "inbound";
    chip.dataset.tone = TONES[row.state] ?? "calm";
    say(chip, row.label);
    say(facts, [size(row), from(row), ...row.facts.map(words)].filter(Boolean).join(" · "));
    reason.hidden = !row.reason || row.state === "delivered";
    say(reason, row.reason);
  }];
}

function size(row) {
  if (row.direction === "inbound") return "";
  return `${row.segments} SMS${row.price ? ` · ${money(row.price.amount, row.price.currency)}` : ""}`;
}

/** Who wrote it: a rep, by name where the CRM says an address, or a journey. */
function from(row) {
  const who = row.direction === "inbound" ? "" : row.by.split("@")[0] || row.journey;
  return who ? `by ${who}` : "";
}

function showNotSent(rows) {
  notSent.hidden = rows.length === 0;
  say(notSent.querySelector("summary"), `Not sent (${rows.length})`);
  keyed(notSent.querySelector("ol"), rows, (row) => `${row.at} ${row.journey} ${row.why}`, (row) => [
    h("li", {},
      h("p", {}, h("b", { textContent: row.journey }), ` ${row.why}`),
      h("p", { className: "faint" }, dayAndHour(new Date(row.at), zone), " ", h("code", { textContent: row.where }))),
    () => {},
  ]);
}
