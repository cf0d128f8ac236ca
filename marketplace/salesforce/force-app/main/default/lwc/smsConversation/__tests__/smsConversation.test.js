import { createElement } from "lwc";
import behaviour from "@salesforce/apex/SMSConversationController.behaviour";
import conversation from "@salesforce/apex/SMSConversationController.conversation";
import SmsConversation from "c/smsConversation";

jest.mock("@salesforce/apex/SMSConversationController.behaviour", () => ({ default: jest.fn() }), { virtual: true });
jest.mock("@salesforce/apex/SMSConversationController.conversation", () => ({ default: jest.fn() }), {
  virtual: true,
});
jest.mock("@salesforce/apex/SMSConversationController.changeConsent", () => ({ default: jest.fn() }), {
  virtual: true,
});
jest.mock("@salesforce/apex/SMSConversationController.preview", () => ({ default: jest.fn() }), { virtual: true });
jest.mock("@salesforce/apex/SMSConversationController.send", () => ({ default: jest.fn() }), { virtual: true });
jest.mock("@salesforce/apex/SMSConversationController.templates", () => ({ default: jest.fn() }), { virtual: true });

const MAYA = "003000000000001AAA";
const NOOR = "00Q000000000001AAA";

const text = (id, minute, more = {}) => ({
  id,
  direction: "outbound",
  body: `Text ${id}`,
  at: `2026-05-03T10:${minute}:00Z`,
  state: "sent",
  label: "Sent",
  reason: "",
  facts: [],
  segments: 1,
  price: null,
  journey: "",
  sender: "",
  by: "",
  ...more,
});

const page = (messages, more = {}) => ({
  contact: { crm_id: MAYA, name: "Maya", number: "+12025550123", local_time: "14:03" },
  consent: { state: "not_asked", label: "Not asked", purposes: {}, evidence: [] },
  messages,
  next: null,
  not_sent: [],
  reply: { may: true, why: "" },
  as_of: "2026-05-03T10:05:00Z",
  ...more,
});

const ok = (data) => ({ status: 200, body: JSON.stringify(data) });
const silence = { status: 0, body: '{"code":"no_answer","detail":"SMS Connector does not answer."}' };

let hidden = false;
let observers = [];

async function settled() {
  for (let turn = 0; turn < 20; turn += 1) {
    // eslint-disable-next-line no-await-in-loop
    await Promise.resolve();
  }
}

async function after(milliseconds) {
  jest.advanceTimersByTime(milliseconds);
  await settled();
}

async function show(recordId = MAYA) {
  const element = createElement("c-sms-conversation", { is: SmsConversation });
  element.recordId = recordId;
  document.body.appendChild(element);
  await settled();
  return element;
}

async function turnPage(isHidden) {
  hidden = isHidden;
  document.dispatchEvent(new Event("visibilitychange"));
  await settled();
}

const part = (element, selector) => element.shadowRoot.querySelector(selector);
const shownIds = (element) => part(element, "c-sms-messages").messages.map((each) => each.id);

beforeEach(() => {
  jest.useFakeTimers();
  hidden = false;
  observers = [];
  Object.defineProperty(document, "visibilityState", {
    get: () => (hidden ? "hidden" : "visible"),
    configurable: true,
  });
  globalThis.IntersectionObserver = class {
    constructor(heard) {
      this.heard = heard;
      this.observe = jest.fn();
      this.disconnect = jest.fn();
      observers.push(this);
    }
  };
  behaviour.mockResolvedValue({ pollSeconds: 5 });
  conversation.mockResolvedValue(ok(page([text("b", "02"), text("a", "01")])));
});

afterEach(() => {
  document.body.replaceChildren();
  jest.resetAllMocks();
  jest.useRealTimers();
  delete globalThis.IntersectionObserver;
});

describe("what is shown", () => {
  it("is the conversation, the number, consent and what was not sent", async () => {
    conversation.mockResolvedValue(ok(page([text("a", "01")], { not_sent: [{ at: "x", why: "Opted out." }] })));
    const element = await show();
    expect(conversation).toHaveBeenCalledWith({ recordId: MAYA, before: null });
    expect(part(element, "[data-number]").textContent).toBe("+12025550123 · 14:03 there");
    expect(shownIds(element)).toEqual(["a"]);
    expect(part(element, "c-sms-consent").consent.label).toBe("Not asked");
    expect(part(element, "c-sms-not-sent").entries).toHaveLength(1);
    expect(part(element, "c-sms-reply").reply.may).toBe(true);
  });

  it("is the reason where there is no number", async () => {
    const contact = { crm_id: MAYA, name: "Maya", number: null, number_reason: "No mobile phone is filled in." };
    conversation.mockResolvedValue(ok(page([], { contact })));
    expect(part(await show(), "[data-number]").textContent).toBe("No mobile phone is filled in.");
  });

  it("is the reason when the connector refuses", async () => {
    conversation.mockResolvedValue({ status: 404, body: '{"detail":"No such contact."}' });
    const element = await show();
    expect(part(element, "[data-problem]").textContent).toBe("No such contact.");
    expect(part(element, "c-sms-messages")).toBeNull();
  });

  it("links to the console where the settings have one", async () => {
    behaviour.mockResolvedValue({ pollSeconds: 5, consoleUrl: "https://sms.example.com" });
    expect(part(await show(), "a").href).toBe("https://sms.example.com/");
  });
});

describe("keeping up", () => {
  it("looks every five seconds and shows the newer state", async () => {
    const element = await show();
    const newer = page([text("b", "02", { state: "delivered" })], { as_of: "2026-05-03T10:05:05Z" });
    conversation.mockResolvedValue(ok(newer));
    await after(4999);
    expect(conversation).toHaveBeenCalledTimes(1);
    await after(1);
    expect(conversation).toHaveBeenCalledTimes(2);
    expect(part(element, "c-sms-messages").messages[1].state).toBe("delivered");
    expect(shownIds(element)).toEqual(["a", "b"]);
  });

  it("looks as seldom as the settings want", async () => {
    behaviour.mockResolvedValue({ pollSeconds: 30 });
    await show();
    await after(29999);
    expect(conversation).toHaveBeenCalledTimes(1);
    await after(1);
    expect(conversation).toHaveBeenCalledTimes(2);
  });

  it("works without the settings", async () => {
    behaviour.mockRejectedValue(new Error("x"));
    await show();
    await after(5000);
    expect(conversation).toHaveBeenCalledTimes(2);
  });

  it("rests while the page is hidden and looks at once when it comes back", async () => {
    await show();
    await turnPage(true);
    await after(60000);
    expect(conversation).toHaveBeenCalledTimes(1);
    await turnPage(false);
    expect(conversation).toHaveBeenCalledTimes(2);
  });

  it("rests while another tab of the record is in front", async () => {
    const element = await show();
    observers[0].heard([{ isIntersecting: false }]);
    await after(60000);
    expect(conversation).toHaveBeenCalledTimes(1);
    observers[0].heard([{ isIntersecting: true }]);
    await settled();
    expect(conversation).toHaveBeenCalledTimes(2);
    element.remove();
    expect(observers[0].disconnect).toHaveBeenCalled();
  });

  it("stops when the page is left", async () => {
    const element = await show();
    element.remove();
    await after(60000);
    await turnPage(false);
    expect(conversation).toHaveBeenCalledTimes(1);
  });

  it("asks more seldom while nobody answers, keeps what it shows, and recovers", async () => {
    const element = await show();
    conversation.mockResolvedValue(silence);
    await after(5000);
    expect(part(element, "[data-problem]").textContent).toBe("SMS Connector does not answer.");
    expect(shownIds(element)).toEqual(["a", "b"]);
    await after(9999);
    expect(conversation).toHaveBeenCalledTimes(2);
    conversation.mockResolvedValue(ok(page([])));
    await after(1);
    expect(part(element, "[data-problem]")).toBeNull();
    await after(5000);
    expect(conversation).toHaveBeenCalledTimes(4);
  });

  it("looks again when a person asks it to", async () => {
    conversation.mockResolvedValueOnce(silence);
    const element = await show();
    part(element, '[data-do="reload"]').click();
    await settled();
    expect(shownIds(element)).toEqual(["a", "b"]);
  });

  it("is not taken back by an answer that is older than what is shown", async () => {
    const element = await show();
    const older = page([text("a", "01", { state: "queued" })], { as_of: "2026-05-03T10:04:00Z" });
    conversation.mockResolvedValue(ok(older));
    await after(5000);
    expect(part(element, "c-sms-messages").messages[0].state).toBe("sent");
  });
});

describe("older texts", () => {
  it("are put before those shown and stay there", async () => {
    conversation.mockResolvedValueOnce(ok(page([text("c", "03")], { next: "cursor" })));
    const element = await show();
    conversation.mockResolvedValueOnce(ok(page([text("a", "01")], { next: null })));
    part(element, '[data-do="older"]').click();
    await settled();
    expect(conversation).toHaveBeenLastCalledWith({ recordId: MAYA, before: "cursor" });
    expect(shownIds(element)).toEqual(["a", "c"]);
    expect(part(element, '[data-do="older"]')).toBeNull();
    conversation.mockResolvedValue(ok(page([text("c", "03")], { next: "cursor" })));
    await after(5000);
    expect(shownIds(element)).toEqual(["a", "c"]);
    expect(part(element, '[data-do="older"]')).toBeNull();
  });

  it("that do not come are said to", async () => {
    conversation.mockResolvedValueOnce(ok(page([text("c", "03")], { next: "cursor" })));
    const element = await show();
    conversation.mockResolvedValueOnce(silence);
    part(element, '[data-do="older"]').click();
    await settled();
    expect(part(element, "[data-problem]").textContent).toBe("SMS Connector does not answer.");
  });
});

describe("changes made here", () => {
  it("shows a text that was sent at once, and looks what becomes of it", async () => {
    const element = await show();
    part(element, "c-sms-reply").dispatchEvent(new CustomEvent("sent", { detail: text("z", "04") }));
    await settled();
    expect(shownIds(element)).toEqual(["a", "b", "z"]);
    expect(conversation).toHaveBeenCalledTimes(2);
  });

  it("does not let an answer from before an opt-out take it back", async () => {
    const element = await show();
    let late;
    conversation.mockReturnValueOnce(
      new Promise((resolve) => {
        late = resolve;
      }),
    );
    await after(5000);
    const optedOut = { state: "opted_out", label: "Opted out", purposes: {}, evidence: [] };
    const afterwards = { consent: optedOut, reply: { may: false, why: "Opted out" }, as_of: "2026-05-03T10:06:00Z" };
    conversation.mockResolvedValue(ok(page([], afterwards)));
    part(element, "c-sms-consent").dispatchEvent(new CustomEvent("consentchange", { detail: optedOut }));
    late(ok(page([], { as_of: "2026-05-03T10:05:30Z" })));
    await settled();
    expect(part(element, "c-sms-consent").consent.label).toBe("Opted out");
    expect(part(element, "c-sms-reply").reply.may).toBe(false);
  });

  it("shows nothing of one person on the page of another", async () => {
    const element = await show();
    let late;
    conversation.mockReturnValueOnce(
      new Promise((resolve) => {
        late = resolve;
      }),
    );
    await after(5000);
    conversation.mockResolvedValue(ok(page([text("n", "01")])));
    element.recordId = NOOR;
    await settled();
    expect(part(element, "c-sms-messages")).toBeNull();
    late(ok(page([text("b", "02")])));
    await settled();
    expect(conversation).toHaveBeenLastCalledWith({ recordId: NOOR, before: null });
    expect(shownIds(element)).toEqual(["n"]);
  });
});
