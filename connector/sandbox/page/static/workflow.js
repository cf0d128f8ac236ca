// How does a workflow of the CRM text the person whose record is open, and which branch does it take?

import { h, keyed, say } from "./elements.js";
import { dayAndHour, words } from "./formats.js";
import { onSelect, selected } from "./selection.js";
import { act, onState } from "./world.js";

const tab = document.querySelector("#tab-workflow");
const form = document.querySelector("#workflow-form");
const runs = document.querySelector("#workflow-runs");
const empty = document.querySelector("#workflow-empty");
const TONES = { delivered: "good", replied: "good", queued: "calm", opted_out: "bad", undelivered: "bad", suppressed: "bad", failed: "bad", expired: "bad" };
let state = null;

onState((next) => {
  state = next;
  tab.hidden = state.workflows === null; // Salesforce's flows use the action of its own package
  if (tab.hidden && tab.getAttribute("aria-selected") === "true") document.querySelector("#tab-timeline").click();
  show();
});
onSelect(show);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { body, wait_for } = Object.fromEntries(new FormData(form));
  await act("workflows", { contact: selected(), body, wait_for });
});

function show() {
  const mine = (state?.workflows ?? []).filter((run) => run.contact === selected());
  keyed(runs, mine, (run) => run.id, makeRun);
  empty.hidden = mine.length > 0;
}

function makeRun(first) {
  const chip = h("span", { className: "chip" });
  const told = h("p", { className: "faint" });
  const at = h("span", { className: "faint", textContent: dayAndHour(new Date(first.at), state.clock.zone) });
  return [h("li", { className: "run", data: { run: first.id } }, h("p", {}, chip, " ", at), told), (run) => {
    chip.dataset.tone = TONES[run.result] ?? (run.stands === "failed" ? "bad" : "warn");
    say(chip, run.result ? words(run.result) : words(run.stands));
    say(told, run.reply ? `“${run.reply}”` : run.reason || sentence(run));
  }];
}

function sentence(run) {
  if (run.stands === "waiting") return `The workflow waits until the text is ${run.waits_for === "reply" ? "answered" : "delivered"}.`;
  if (run.stands === "calling") return "The connector has not answered; HubSpot calls again.";
  return run.result ? "The workflow goes on with this branch." : "";
}
