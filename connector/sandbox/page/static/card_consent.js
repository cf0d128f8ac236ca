// How does a person stand with texts, what is the evidence, and how does a rep record what they were told?

import { h, keyed, say } from "./elements.js";
import { dayAndHour, words } from "./formats.js";
import { ask, notice } from "./world.js";

const chip = document.querySelector("#card-consent-chip");
const label = document.querySelector("#card-consent-label");
const purposes = document.querySelector("#card-purposes");
const evidence = document.querySelector("#card-evidence");
const form = document.querySelector("#card-consent-form");
const STATES = {
  opted_out: ["Opted out", "bad"], opted_in: ["Opted in", "good"],
  not_asked: ["Not asked", "calm"], doubtful: ["Doubtful", "warn"],
};
let contact = null;
let changed = () => {};

/** Show the consent part of a card; `refresh` is called after it was changed. */
export function showConsent(shown, card, zone, refresh) {
  [contact, changed] = [shown, refresh];
  const [text, tone] = STATES[card.consent.state] ?? [words(card.consent.state), "calm"];
  chip.dataset.tone = tone;
  say(chip, text);
  say(label, card.consent.label);
  const rows = Object.entries(card.consent.purposes);
  keyed(purposes, rows, ([purpose]) => purpose, ([purpose]) => {
    const may = h("b");
    const why = h("span", { className: "faint" });
    return [h("li", {}, h("span", { textContent: `${words(purpose)}: ` }), may, " ", why), ([, row]) => {
      say(may, row.may ? "may be texted" : "may not be texted");
      may.dataset.tone = row.may ? "good" : "bad";
      say(why, row.why);
    }];
  });
  keyed(evidence, card.consent.evidence, (each) => `${each.at} ${each.what} ${each.how}`, (each) => [
    h("li", {},
      h("p", {}, h("b", { textContent: words(each.what) }), `, ${each.how}`),
      each.wording ? h("blockquote", { textContent: each.wording }) : null,
      h("p", { className: "faint", textContent: `${dayAndHour(new Date(each.at), zone)} · ${each.source}` })),
    () => {},
  ]);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const action = event.submitter?.value ?? "opt_out";
  const wording = form.elements.wording.value.trim();
  const { refusal } = await ask(`card/${encodeURIComponent(contact)}/consent`, { action, wording });
  if (refusal) notice(refusal);
  else form.reset();
  changed();
});
