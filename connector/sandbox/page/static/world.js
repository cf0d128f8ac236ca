// What does the server say the world looks like, and how is it told what a person does?

import { h } from "./elements.js";

const listeners = [];
const KEPT_AS = "sandbox-crm";
let snapshot = null;
let clockReadAt = 0;
let events = null;
let crm = localStorage.getItem(KEPT_AS) ?? "hubspot";

/** Which CRM the page shows. */
export function shownCRM() {
  return crm;
}

/** Show another CRM; what was open of the last one closes. */
export function showCRM(slug) {
  crm = slug;
  localStorage.setItem(KEPT_AS, slug);
  listen();
}

/** An address below the page's, about the CRM that is shown. */
function at(path) {
  return `${path}${path.includes("?") ? "&" : "?"}crm=${encodeURIComponent(crm)}`;
}

/** Call `listener` with every snapshot. */
export function onState(listener) {
  listeners.push(listener);
  if (snapshot) listener(snapshot);
}

/** The sandbox's time now; it runs on between two snapshots. */
export function now() {
  if (!snapshot) return new Date();
  return new Date(Date.parse(snapshot.clock.now) + (performance.now() - clockReadAt));
}

/** Listen to the server; the browser reconnects by itself when it goes away. */
export function listen() {
  events?.close();
  events = new EventSource(at("events"));
  events.onmessage = (event) => {
    snapshot = JSON.parse(event.data);
    clockReadAt = performance.now();
    document.documentElement.dataset.stream = "open";
    for (const listener of listeners) listener(snapshot);
  };
  events.onerror = () => {
    document.documentElement.dataset.stream = "lost";
  };
}

/** Do something in the world; a refusal is shown and answered with false. */
export async function act(path, body = {}) {
  try {
    const answer = await post(path, body);
    if (answer.ok) return true;
    notice((await answer.json()).error ?? "That did not work.");
  } catch {
    notice("The sandbox cannot be reached. Is it still running?");
  }
  return false;
}

/** Read JSON; an error is {error}. */
export async function read(path) {
  try {
    const answer = await fetch(at(path));
    return await answer.json();
  } catch {
    return { error: "The sandbox cannot be reached. Is it still running?" };
  }
}

/** Ask the connector as the CRM's card does: {said} when it agrees, {refusal} with a sentence when it does not. */
export async function ask(path, body) {
  try {
    const answer = await (body === undefined ? fetch(at(path)) : post(path, body));
    const said = await answer.json();
    return answer.ok ? { said } : { refusal: said.error ?? said.detail ?? said.title ?? "That did not work." };
  } catch {
    return { refusal: "The sandbox cannot be reached. Is it still running?" };
  }
}

function post(path, body) {
  return fetch(at(path), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** A line at the bottom of the page for a few seconds; `go` makes it a button. */
export function notice(text, go = null) {
  const line = go
    ? h("button", { type: "button", textContent: text, on: { click: () => { go(); line.remove(); } } })
    : h("p", { textContent: text });
  document.querySelector("#notices").append(line);
  setTimeout(() => line.remove(), 6000);
}
