// How does a rep answer: type or choose a template, see its size and price, send it once?

import { choices, h, say } from "./elements.js";
import { money } from "./formats.js";
import { ask } from "./world.js";

const PAUSE = 250; // milliseconds between two keys after which a text is measured

/** Bring the reply form to life; `sent` is called when a text was queued. */
export function makeReply(form, sent) {
  const box = form.elements.body;
  const pick = form.elements.template;
  const button = form.querySelector("[type=submit]");
  const count = form.querySelector("#card-count");
  const warnings = form.querySelector("#card-warnings");
  const why = form.querySelector("#card-why-not");
  const own = form.querySelector("#card-own-words");
  let contact = null;
  let isAllowed = false;
  let isWhole = true; // nothing is wrong with the draft
  let isSending = false;
  let key = newKey();
  let timer = 0;

  const draft = () => (pick.value ? { template: pick.value } : { body: box.value });
  const isEmpty = () => !pick.value && !box.value.trim();

  function ready() {
    button.disabled = !isAllowed || !isWhole || isSending || isEmpty();
  }

  async function measure() {
    const asked = JSON.stringify(draft());
    if (isEmpty()) return forget();
    const { said, refusal } = await ask(`card/${encodeURIComponent(contact)}/preview`, draft());
    if (asked !== JSON.stringify(draft())) return undefined;
    if (refusal) return wrong([refusal]);
    if (pick.value) box.value = said.body;
    isWhole = said.mistakes.length === 0;
    count.replaceChildren(
      part(`${said.characters} characters`), part(`${said.segments} SMS`, said.segments > 1 ? "warn" : ""),
      part(`${said.left} left`), part(said.encoding === "gsm7" ? "GSM-7" : "Unicode", said.encoding === "gsm7" ? "" : "warn"),
      ...(said.price ? [part(money(said.price.amount, said.price.currency))] : []));
    tell([...said.mistakes.map((text) => [text, "bad"]), ...said.warnings.map((text) => [text, "warn"])]);
    return ready();
  }

  function part(textContent, tone = "") {
    return h("span", { textContent, data: { tone } });
  }

  function wrong(texts) {
    isWhole = false;
    count.replaceChildren();
    tell(texts.map((text) => [text, "bad"]));
    ready();
  }

  function forget() {
    isWhole = true;
    count.replaceChildren(part("0 characters"));
    tell([]);
    ready();
  }

  function tell(rows) {
    warnings.replaceChildren(...rows.map(([textContent, tone]) => h("li", { textContent, data: { tone } })));
  }

  function writeOneself() {
    pick.value = "";
    box.readOnly = false;
    own.hidden = true;
    box.focus();
    measure();
  }

  box.addEventListener("input", () => {
    ready();
    clearTimeout(timer);
    timer = setTimeout(measure, PAUSE);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  pick.addEventListener("change", () => {
    box.readOnly = Boolean(pick.value);
    own.hidden = !pick.value;
    box.value = "";
    measure();
  });
  own.addEventListener("click", writeOneself);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    isSending = true;
    ready();
    // The key stays the same until the connector has taken the text: an answer that got lost sends nothing twice.
    const { said, refusal } = await ask(`card/${encodeURIComponent(contact)}/messages`, { ...draft(), idempotency_key: key });
    isSending = false;
    if (refusal) return wrong([refusal]);
    clear();
    return sent(said);
  });

  function clear() {
    key = newKey();
    box.value = "";
    pick.value = "";
    box.readOnly = false;
    own.hidden = true;
    forget();
  }

  return {
    /** Begin a draft to another person. */
    async open(crmId) {
      contact = crmId;
      clear();
      const { said } = await ask("card-templates");
      if (said) choices(pick, [["", "No template"], ...said.templates.map((each) => [each.id, each.title])]);
    },
    /** Take over whether an answer may go out now, and why not. */
    may(reply, person) {
      isAllowed = reply.may;
      box.disabled = pick.disabled = !reply.may;
      box.placeholder = reply.may ? `Answer ${person.name}` : "No text may be sent";
      why.hidden = !reply.why;
      why.dataset.tone = reply.may ? "warn" : "bad";
      say(why, reply.why);
      ready();
    },
  };
}

function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
