// Which invoices are open and which tickets are raised, and what can a person do about them?

import { choices, h, keyed, say } from "./elements.js";
import { dayAndHour, isoDay, money, words } from "./formats.js";
import { select, selected } from "./selection.js";
import { tabs } from "./tabs.js";
import { act, onState } from "./world.js";

const invoices = document.querySelector("#invoices");
const ticketRows = document.querySelector("#ticket-rows");
const ticketForm = document.querySelector("#ticket-form");
const ticketContact = document.querySelector("#ticket-contact");
const ticketPriority = ticketForm.elements.priority;

let zone = "UTC";
let priorities = [];

onState((state) => {
  zone = state.clock.zone;
  ({ priorities } = state);
  choices(ticketPriority, priorities);
  keyed(invoices, state.invoices, (invoice) => invoice.id, makeInvoice);
  keyed(ticketRows, state.tickets, (ticket) => ticket.id, makeTicket);
  const people = state.contacts.filter((contact) => contact.kind === "contact"); // a lead has no cases
  choices(ticketContact, people.map((contact) => [contact.id, contact.name]));
});

function makeInvoice(first) {
  const title = h("strong");
  const person = h("button", { type: "button", className: "person" });
  const amount = h("span", { className: "amount" });
  const chip = h("span", { className: "chip" });
  const due = h("input", { type: "date", attrs: { "aria-label": "Due date" } });
  due.addEventListener("change", () => due.value && act(`invoices/${first.id}/due`, { due_on: due.value }));
  const pay = h("button", { type: "button", textContent: "Pay", className: "primary small" });
  pay.addEventListener("click", () => act(`invoices/${first.id}/pay`));
  const row = h("article", { className: "row", data: { invoice: first.id } },
    h("div", { className: "row-main" }, title, person),
    h("div", { className: "row-side" }, amount, chip),
    h("div", { className: "row-act" }, due, pay));
  return [row, (invoice) => {
    say(title, [invoice.number, invoice.title].filter(Boolean).join(" · "));
    showPerson(person, invoice.contact);
    say(amount, money(invoice.amount, invoice.currency));
    const [tone, text] = standing(invoice);
    chip.dataset.tone = tone;
    say(chip, text);
    pay.hidden = due.hidden = invoice.status !== "open";
    pay.setAttribute("aria-label", `Pay ${invoice.number}`);
    if (document.activeElement !== due) due.value = invoice.due_at ? isoDay(new Date(invoice.due_at)) : "";
  }];
}

function standing(invoice) {
  if (invoice.status !== "open") return [invoice.status === "paid" ? "good" : "calm", words(invoice.status)];
  if (invoice.days_late >= 1) return ["bad", `${invoice.days_late} ${invoice.days_late === 1 ? "day" : "days"} overdue`];
  if (invoice.days_late >= 0) return ["warn", "Due today"];
  return ["calm", `Due in ${-invoice.days_late} ${invoice.days_late === -1 ? "day" : "days"}`];
}

function makeTicket(first) {
  const title = h("strong");
  const person = h("button", { type: "button", className: "person" });
  const at = h("span", { className: "faint" });
  const priority = h("select", { attrs: { "aria-label": "Priority" } });
  priority.addEventListener("change", () => act(`tickets/${first.id}/priority`, { priority: priority.value }));
  choices(priority, priorities);
  const row = h("article", { className: "row", data: { ticket: first.id } },
    h("div", { className: "row-main" }, title, person),
    h("div", { className: "row-side" }, at),
    h("div", { className: "row-act" }, priority));
  return [row, (ticket) => {
    say(title, ticket.subject);
    showPerson(person, ticket.contact);
    say(at, dayAndHour(new Date(ticket.created_at), zone));
    priority.dataset.tone = { URGENT: "bad", HIGH: "warn" }[ticket.priority.toUpperCase()] ?? "calm";
    if (document.activeElement !== priority) priority.value = ticket.priority;
  }];
}

function showPerson(button, contact) {
  say(button, contact?.name ?? "No contact");
  button.onclick = () => contact && select(contact.id);
}

ticketForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(ticketForm));
  if (await act("tickets", fields)) {
    ticketForm.elements.subject.value = "";
    select(fields.contact);
  }
});

tabs(document.querySelector("#business-tabs"), () => {
  if ([...ticketContact.options].some((option) => option.value === selected())) ticketContact.value = selected();
});
