// What is on each phone's screen, and what does its owner write?

import { h, icon, initials, keyed, say } from "./elements.js";
import { city, day, hour } from "./formats.js";
import { select } from "./selection.js";
import { openWhy } from "./why.js";
import { act, notice, now, onState } from "./world.js";

const shelf = document.querySelector("#phones");
const QUICK = ["YES", "RESCHEDULE", "PAID", "STOP"];
const QUICK_FOR_STAFF = ["ON IT", "ACK", "STOP"]; // a phone that is no contact's belongs to staff
let isFirst = true;

onState((state) => {
  keyed(shelf, state.phones, (phone) => phone.number, makePhone);
  isFirst = false;
});

function makePhone(first) {
  const time = h("time");
  const avatar = h("span", { className: "avatar", attrs: { "aria-hidden": "true" } });
  const name = h("button", { type: "button", className: "phone-name" });
  const where = h("span", { className: "faint" });
  const power = h("button", { type: "button", className: "power" }, icon("power"));
  const thread = h("div", { className: "thread", attrs: { role: "log", "aria-label": `Texts on ${first.number}`, tabindex: "0" } });
  const input = h("input", { name: "body", maxLength: 1600, placeholder: "Text message", autocomplete: "off", attrs: { "aria-label": `Text from ${first.number}` } });
  const form = h("form", {}, input, h("button", { type: "submit", attrs: { "aria-label": "Send" } }, icon("send")));
  const quick = h("div", { className: "quick" }, ...(first.contacts.length ? QUICK : QUICK_FOR_STAFF).map((word) =>
    h("button", { type: "button", textContent: word, on: { click: () => send(word) } })));
  const off = h("p", { className: "off", textContent: "Switched off" });
  const phone = h("section", { className: "phone", data: { number: first.number }, attrs: { "aria-label": `Phone ${first.number}` } },
    h("div", { className: "screen" },
      h("div", { className: "status-bar", attrs: { "aria-hidden": "true" } }, time, h("span", { className: "battery" })),
      h("header", {}, avatar, h("div", {}, name, where), power),
      thread, off, quick, form));

  function send(body) {
    return act(`phones/${encodeURIComponent(first.number)}/texts`, { body });
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = input.value.trim();
    if (!body) return;
    input.value = "";
    if (!(await send(body))) input.value = body;
  });
  const showTime = () => say(time, hour(now(), thread.zone ?? "UTC"));
  setInterval(showTime, 1000);

  return [phone, (row) => {
    thread.zone = row.zone;
    showTime();
    say(avatar, initials(row.name));
    say(name, row.name);
    name.onclick = () => row.contacts.length && select(row.contacts[0]);
    say(where, row.shown_number);
    phone.title = `In ${city(row.zone)}`;
    power.setAttribute("aria-label", row.is_on ? `Switch ${row.name}'s phone off` : `Switch ${row.name}'s phone on`);
    power.setAttribute("aria-pressed", String(!row.is_on));
    power.onclick = () => act(`phones/${encodeURIComponent(first.number)}/power`, { is_on: !row.is_on });
    phone.classList.toggle("is-off", !row.is_on);
    fill(phone, thread, row);
  }];
}

function fill(phone, thread, row) {
  const before = thread.kept?.size ?? 0;
  const wasAtEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 60;
  const items = withDays(row);
  keyed(thread, items, (item) => item.key, (item) => (item.day ? makeDay(item) : makeBubble(item, row)));
  const fresh = items.length > before;
  // In the next frame: a phone just made is not on the page yet and has no height.
  if (fresh && (wasAtEnd || before === 0)) requestAnimationFrame(() => { thread.scrollTop = thread.scrollHeight; });
  if (fresh && !isFirst && before + 1 <= items.length && items.at(-1).direction === "received") ring(phone, row);
}

function withDays(row) {
  const items = [];
  let last = "";
  for (const bubble of row.bubbles) {
    const text = day(new Date(bubble.at), row.zone);
    if (text !== last) items.push({ key: `day ${text}`, day: text });
    last = text;
    items.push({ ...bubble, key: bubble.id });
  }
  return items;
}

function makeDay(item) {
  return [h("p", { className: "day", textContent: item.day }), () => {}];
}

function makeBubble(first, phone) {
  const why = h("button", { type: "button", className: "why-link", textContent: "why?" });
  why.addEventListener("click", () =>
    openWhy(`why/text/${first.id}?number=${encodeURIComponent(phone.number)}`, { body: first.body, direction: first.direction }));
  const at = h("time", { textContent: hour(new Date(first.at), phone.zone) });
  const bubble = h("div", { className: `bubble ${first.direction}`, data: { sid: first.id } },
    h("p", { textContent: first.body }), h("footer", {}, at, why));
  if (!isFirst) bubble.classList.add("is-new");
  return [bubble, () => {}];
}

function ring(phone, row) {
  phone.classList.remove("rings");
  void phone.offsetWidth; // starts the animation anew
  phone.classList.add("rings");
  const box = phone.getBoundingClientRect();
  const frame = shelf.getBoundingClientRect();
  const isHidden = box.bottom > Math.min(frame.bottom, innerHeight) + 40 || box.top < Math.max(frame.top, 0) - 40;
  if (isHidden) notice(`New text for ${row.name}`, () => phone.scrollIntoView({ behavior: "smooth", block: "center" }));
}
