// Which CRM does the page show, and what are its records called there?

import { h, say } from "./elements.js";
import { onState, showCRM, shownCRM } from "./world.js";

const choice = document.querySelector("#crms");
const NAMES = {
  hubspot: { deals: "Deals", tickets: "Tickets", raise: "Raise ticket" },
  salesforce: { deals: "Opportunities", tickets: "Cases", raise: "Open case" },
};

onState((state) => {
  if (!choice.kept) {
    choice.kept = new Map(state.crms.map((each) => [each.slug, makeOption(each)]));
    choice.append(...[...choice.kept.values()].map(([line]) => line));
  }
  for (const [slug, [, input]] of choice.kept) input.checked = slug === shownCRM();
  document.documentElement.dataset.crm = state.crm;
  const names = NAMES[state.crm];
  say(document.querySelector("#deals-title"), names.deals);
  say(document.querySelector("#tab-tickets"), names.tickets);
  say(document.querySelector("#ticket-raise"), names.raise);
});

function makeOption(crm) {
  const input = h("input", { type: "radio", name: "crm", value: crm.slug, on: { change: () => showCRM(crm.slug) } });
  return [h("label", { data: { crm: crm.slug } }, input, h("span", { textContent: crm.label })), input];
}
