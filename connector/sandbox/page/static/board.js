// Which deal is in which stage, and how does a person move it: by dragging, or with the menu on the card?

import { choices, h, keyed, say } from "./elements.js";
import { money } from "./formats.js";
import { select } from "./selection.js";
import { act, onState } from "./world.js";

const board = document.querySelector("#board");
let stages = [];
let deals = [];

onState((state) => {
  ({ stages, deals } = state);
  keyed(board, stages, (stage) => stage.id, makeColumn);
  for (const [id, [column]] of board.kept) {
    const here = deals.filter((deal) => deal.stage === id);
    keyed(column.querySelector(".cards"), here, (deal) => deal.id, makeCard);
    say(column.querySelector(".count"), String(here.length));
  }
});

function makeColumn(stage) {
  const column = h("section", { className: "column", attrs: { "aria-label": stage.label }, data: { stage: stage.id } },
    h("h3", {}, h("span", { textContent: stage.label }), h("b", { className: "count" })),
    h("div", { className: "cards" }));
  column.addEventListener("dragover", (event) => {
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
    column.classList.add("is-over");
  });
  column.addEventListener("dragleave", (event) => {
    if (!column.contains(event.relatedTarget)) column.classList.remove("is-over");
  });
  column.addEventListener("drop", (event) => {
    event.preventDefault();
    column.classList.remove("is-over");
    move(event.dataTransfer.getData("text/plain"), stage.id);
  });
  return [column, () => {}];
}

function makeCard(first) {
  const name = h("strong");
  const amount = h("span", { className: "amount" });
  const person = h("button", { type: "button", className: "person" });
  const menu = h("select", { on: { change: () => move(first.id, menu.value) } });
  const card = h("article", { className: "deal", draggable: true, data: { deal: first.id } },
    name, amount, h("footer", {}, person, h("label", { className: "move" }, menu)));
  card.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData("text/plain", first.id);
    event.dataTransfer.effectAllowed = "move";
    card.classList.add("is-dragged");
  });
  card.addEventListener("dragend", () => card.classList.remove("is-dragged"));
  return [card, (deal) => {
    say(name, deal.name);
    say(amount, money(deal.amount, deal.currency));
    say(person, deal.contact?.name ?? "No contact");
    person.onclick = () => deal.contact && select(deal.contact.id);
    menu.setAttribute("aria-label", `Move ${deal.name} to`);
    choices(menu, stages.map((stage) => [stage.id, stage.label]));
    if (document.activeElement !== menu) menu.value = deal.stage;
  }];
}

function move(deal, stage) {
  const card = board.querySelector(`[data-deal="${CSS.escape(deal)}"]`);
  if (!card || card.closest(".column").dataset.stage === stage) return;
  const contact = deals.find((each) => each.id === deal)?.contact;
  if (contact) select(contact.id); // what follows shows on this record
  act(`deals/${encodeURIComponent(deal)}/stage`, { stage });
}
