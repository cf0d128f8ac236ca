// What does the CRM hold about a contact: phone, opt-out, and the timeline?

import { choices, h, icon, keyed, say } from "./elements.js";
import { city, day, dayAndHour, hour } from "./formats.js";
import { onSelect, select, selected } from "./selection.js";
import { tabs } from "./tabs.js";
import { openWhy } from "./why.js";
import { now, onState } from "./world.js";

const pick = document.querySelector("#record-pick");
const facts = document.querySelector("#record-facts");
const timeline = document.querySelector("#timeline");
const empty = document.querySelector("#timeline-empty");
let state = null;

tabs(document.querySelector("#record-tabs"));
pick.addEventListener("change", () => select(pick.value));
document.querySelector("#record-why").addEventListener("click", () => {
  const name = pick.selectedOptions[0]?.textContent ?? "this contact";
  openWhy(`why/contact/${selected()}`, { title: `What was decided about ${name}` });
});
onSelect(() => show());
onState((next) => {
  const before = state?.contacts.find((each) => each.id === selected());
  state = next;
  if (!state.contacts.some((each) => each.id === selected())) select(samePerson(before)?.id ?? null);
  show();
});

/** The person a rep looked at in the other CRM, else the first there is. */
function samePerson(before) {
  return state.contacts.find((each) => before?.email && each.email === before.email) ?? state.contacts[0];
}

setInterval(() => state && show(), 10_000); // the contact's local time goes on

function show() {
  const contact = state?.contacts.find((each) => each.id === selected());
  if (!contact) return;
  choices(pick, state.contacts.map((each) => [each.id, each.name]));
  pick.value = contact.id;
  showFacts(contact);
  if (timeline.contact !== contact.id) {
    timeline.contact = contact.id;
    timeline.kept = new Map();
    timeline.replaceChildren();
  }
  keyed(timeline, contact.timeline, (entry) => entry.id, makeEntry);
  empty.hidden = contact.timeline.length > 0;
}

function showFacts(contact) {
  const rows = [
    { name: "mobile", label: "Mobile", value: contact.mobile || "None on file", tone: contact.mobile ? "" : "warn" },
    { name: "zone", label: "Local time", value: `${hour(now(), contact.zone)} in ${city(contact.zone)}` },
    { name: "owner", label: "Owner", value: contact.owner || "Nobody" },
    ...contact.properties.map(ownProperty),
  ];
  keyed(facts, rows, (row) => row.name, () => {
    const label = h("span");
    const value = h("b");
    const fact = h("p", { className: "fact" }, label, value);
    return [fact, (row) => {
      fact.dataset.tone = row.tone ?? "";
      fact.dataset.property = row.name;
      say(label, row.label);
      say(value, row.value);
    }];
  });
}

function ownProperty({ name, label, type, value }) {
  const isOptOut = /opt(ed)?_?out/i.test(name) && type === "bool";
  if (type === "bool") return { name, label, value: value === "true" ? "Yes" : "No", tone: isOptOut && value === "true" ? "bad" : "" };
  if (type === "datetime") return { name, label, value: dayAndHour(new Date(value), state.clock.zone) };
  return { name, label, value };
}

function makeEntry(first) {
  const body = h("p", { className: "entry-body" });
  const at = h("time");
  const why = h("button", { type: "button", className: "why-link", textContent: "why?" });
  const entry = h("li", { className: "entry", data: { kind: first.kind, record: first.id } },
    h("span", { className: "entry-icon" }, icon({ task: "task", note: "note" }[first.kind] ?? "text")),
    h("div", {}, body, h("footer", {}, at, why)));
  why.addEventListener("click", () => openWhy(`why/entry/${selected()}/${first.id}`, {}));
  let changedAt = first.changed_at;
  return [entry, (row) => {
    say(body, [row.title, row.body].filter(Boolean).join("\n"));
    say(at, `${row.kind === "task" ? "Due " : ""}${when(row.at)}`);
    if (row.changed_at !== changedAt) {
      changedAt = row.changed_at;
      entry.classList.remove("is-changed");
      void entry.offsetWidth; // starts the animation anew
      entry.classList.add("is-changed");
    }
  }];
}

/** A moment, or a day that has no hour, as Salesforce's tasks have. */
function when(text) {
  return text.includes("T") ? dayAndHour(new Date(text), state.clock.zone) : day(new Date(text), "UTC");
}
