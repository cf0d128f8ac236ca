import { createElement } from "lwc";
import preview from "@salesforce/apex/SMSConversationController.preview";
import send from "@salesforce/apex/SMSConversationController.send";
import templates from "@salesforce/apex/SMSConversationController.templates";
import SmsReply from "c/smsReply";

jest.mock("@salesforce/apex/SMSConversationController.preview", () => ({ default: jest.fn() }), { virtual: true });
jest.mock("@salesforce/apex/SMSConversationController.send", () => ({ default: jest.fn() }), { virtual: true });
jest.mock("@salesforce/apex/SMSConversationController.templates", () => ({ default: jest.fn() }), { virtual: true });

const RECORD = "003000000000001AAA";
const PREVIEW = {
  body: "Hello",
  encoding: "gsm7",
  segments: 1,
  characters: 5,
  left: 155,
  price: { amount: "0.0079", currency: "USD" },
  warnings: [],
  mistakes: [],
};

const ok = (data, status = 200) => ({ status, body: JSON.stringify(data) });
const refusal = (status, code, detail) => ({ status, body: JSON.stringify({ code, detail }) });
const silence = { status: 0, body: '{"code":"no_answer","detail":"SMS Connector does not answer."}' };

async function settled() {
  for (let turn = 0; turn < 10; turn += 1) {
    // eslint-disable-next-line no-await-in-loop
    await Promise.resolve();
  }
}

function show(reply = { may: true, why: "" }) {
  const element = createElement("c-sms-reply", { is: SmsReply });
  element.recordId = RECORD;
  element.reply = reply;
  document.body.appendChild(element);
  return element;
}

const part = (element, selector) => element.shadowRoot.querySelector(selector);
const button = (element) => part(element, '[data-do="send"]');
const discard = (element) => part(element, '[data-do="discard"]');
const isLocked = (element) => ["lightning-combobox", "lightning-textarea"].map((name) => part(element, name).disabled);

async function write(element, body) {
  part(element, "lightning-textarea").dispatchEvent(new CustomEvent("change", { detail: { value: body } }));
  await settled();
}

async function choose(element, value) {
  part(element, "lightning-combobox").dispatchEvent(new CustomEvent("change", { detail: { value } }));
  await settled();
}

async function pressSend(element) {
  button(element).click();
  await settled();
}

async function pressDiscard(element) {
  discard(element).click();
  await settled();
}

/** Lets sending wait until the test answers. */
function sendingLater() {
  let answer;
  send.mockReturnValueOnce(
    new Promise((resolve) => {
      answer = resolve;
    }),
  );
  return async (told) => {
    answer(told);
    await settled();
  };
}

const keyOf = (call) => send.mock.calls[call][0].idempotencyKey;

beforeEach(() => {
  jest.useFakeTimers();
  Object.defineProperty(globalThis, "crypto", { value: require("node:crypto").webcrypto, configurable: true });
  preview.mockResolvedValue(ok(PREVIEW));
  send.mockResolvedValue(ok({ message: { id: "m-1" } }, 202));
  templates.mockResolvedValue(ok({ templates: [{ id: "demo/confirmation", title: "Demo: confirmation" }] }));
});

afterEach(() => {
  document.body.replaceChildren();
  jest.clearAllMocks();
  jest.useRealTimers();
});

describe("the counter", () => {
  it("counts at once and takes over the connector's price after a pause", async () => {
    const element = show();
    await write(element, "Hello");
    expect(part(element, "[data-counter]").textContent).toBe("1 part, 155 characters left");
    expect(preview).not.toHaveBeenCalled();
    jest.advanceTimersByTime(400);
    await settled();
    expect(preview).toHaveBeenCalledWith({ recordId: RECORD, template: "", body: "Hello" });
    expect(part(element, "[data-counter]").textContent).toBe("1 part, 155 characters left · 0.0079 USD");
  });

  it("says what special characters cost", async () => {
    const element = show();
    await write(element, "ж".repeat(71));
    expect(part(element, "[data-counter]").textContent).toContain("2 parts, 63 characters left · special characters");
  });

  it("asks once for a burst of typing, and never for nothing", async () => {
    const element = show();
    await write(element, "H");
    jest.advanceTimersByTime(200);
    await write(element, "He");
    jest.advanceTimersByTime(200);
    await write(element, "   ");
    jest.advanceTimersByTime(5000);
    await settled();
    expect(preview).not.toHaveBeenCalled();
  });

  it("forgets an answer about a text that has changed meanwhile", async () => {
    let answer;
    preview.mockReturnValueOnce(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    const element = show();
    await write(element, "Hello");
    jest.advanceTimersByTime(400);
    await write(element, "Hello you");
    answer(ok({ ...PREVIEW, segments: 9 }));
    await settled();
    expect(part(element, "[data-counter]").textContent).toBe("1 part, 151 characters left");
  });
});

describe("templates", () => {
  it("are read when they are wanted, once, and shown as they would arrive", async () => {
    preview.mockResolvedValue(ok({ ...PREVIEW, body: "Hi Maya, see you at 10." }));
    const element = show();
    expect(templates).not.toHaveBeenCalled();
    part(element, "lightning-combobox").dispatchEvent(new CustomEvent("focus"));
    part(element, "lightning-combobox").dispatchEvent(new CustomEvent("focus"));
    await settled();
    expect(templates).toHaveBeenCalledTimes(1);
    expect(part(element, "lightning-combobox").options.map((each) => each.value)).toEqual(["", "demo/confirmation"]);
    await choose(element, "demo/confirmation");
    expect(part(element, "lightning-textarea").value).toBe("Hi Maya, see you at 10.");
    expect(part(element, "lightning-textarea").disabled).toBe(true);
    await pressSend(element);
    expect(send.mock.calls[0][0]).toMatchObject({ template: "demo/confirmation", body: "" });
  });

  it("with mistakes cannot be sent", async () => {
    preview.mockResolvedValue(ok({ ...PREVIEW, mistakes: ["deal.name is not known"], warnings: ["long"] }));
    const element = show();
    await choose(element, "demo/confirmation");
    expect(button(element).disabled).toBe(true);
    expect([...element.shadowRoot.querySelectorAll("[data-remark]")].map((each) => each.textContent)).toEqual([
      "deal.name is not known",
      "long",
    ]);
  });

  it("are asked for again after a failure", async () => {
    templates.mockResolvedValueOnce(silence);
    const element = show();
    part(element, "lightning-combobox").dispatchEvent(new CustomEvent("focus"));
    await settled();
    expect(part(element, "[data-problem]").textContent).toBe("SMS Connector does not answer.");
    part(element, "lightning-combobox").dispatchEvent(new CustomEvent("focus"));
    await settled();
    expect(templates).toHaveBeenCalledTimes(2);
  });
});

describe("sending", () => {
  it("hands the text on, clears the box and tells the conversation", async () => {
    const element = show();
    const heard = jest.fn();
    element.addEventListener("sent", heard);
    await write(element, "Hello");
    await pressSend(element);
    expect(send.mock.calls[0][0]).toMatchObject({ recordId: RECORD, body: "Hello", template: "" });
    expect(keyOf(0)).toMatch(/^[0-9a-f-]{36}$/);
    expect(heard.mock.calls[0][0].detail).toEqual({ id: "m-1" });
    expect(part(element, "lightning-textarea").value).toBe("");
    expect(button(element).disabled).toBe(true);
  });

  it("keeps the key when nobody answered, so that trying again cannot send twice", async () => {
    send.mockResolvedValueOnce(silence);
    const element = show();
    await write(element, "Hello");
    await pressSend(element);
    expect(part(element, "[data-problem]").textContent).toBe("SMS Connector does not answer.");
    expect(button(element).label).toBe("Try again");
    await pressSend(element);
    expect(keyOf(1)).toBe(keyOf(0));
  });

  it("sends once what is edited while it is under way and then not answered", async () => {
    const answer = sendingLater();
    const element = show();
    await write(element, "Hello");
    await pressSend(element);
    expect(isLocked(element)).toEqual([true, true]);
    await write(element, "Hello!");
    await choose(element, "demo/confirmation");
    await answer(silence);
    expect(isLocked(element)).toEqual([true, true]);
    await write(element, "Hello?");
    expect(part(element, "lightning-textarea").value).toBe("Hello");
    expect(button(element).label).toBe("Try again");
    await pressSend(element);
    expect(send.mock.calls[1][0]).toEqual(send.mock.calls[0][0]);
    expect(isLocked(element)).toEqual([false, false]);
    expect(discard(element)).toBeNull();
  });

  it("says that it may have been sent, while nobody knows", async () => {
    send.mockResolvedValueOnce(silence);
    const element = show();
    await write(element, "Hello");
    expect(part(element, "[data-doubt]")).toBeNull();
    await pressSend(element);
    expect(part(element, "[data-doubt]").textContent).toContain("It may have been sent.");
    await pressSend(element);
    expect(part(element, "[data-doubt]")).toBeNull();
  });

  it("takes a new key for another text after discarding", async () => {
    send.mockResolvedValueOnce(silence);
    const element = show();
    await write(element, "Hello");
    await pressSend(element);
    await pressDiscard(element);
    expect(part(element, "lightning-textarea").value).toBe("");
    expect(part(element, "[data-problem]")).toBeNull();
    expect(isLocked(element)).toEqual([false, false]);
    await write(element, "Hello again");
    await pressSend(element);
    expect(send.mock.calls[1][0].body).toBe("Hello again");
    expect(keyOf(1)).not.toBe(keyOf(0));
  });

  it("discards nothing while it is tried again", async () => {
    send.mockResolvedValueOnce(silence);
    const element = show();
    await write(element, "Hello");
    await pressSend(element);
    const answer = sendingLater();
    await pressSend(element);
    expect(discard(element).disabled).toBe(true);
    await pressDiscard(element);
    expect(part(element, "lightning-textarea").value).toBe("Hello");
    await answer(silence);
    await pressSend(element);
    expect(keyOf(2)).toBe(keyOf(0));
  });

  it("keeps the key when a second try is refused, which says nothing of the first", async () => {
    send.mockResolvedValueOnce(silence).mockResolvedValueOnce(refusal(429, "too_many", "Too many calls."));
    const element = show();
    await write(element, "Hello");
    await pressSend(element);
    await pressSend(element);
    expect(part(element, "[data-problem]").textContent).toBe("Too many calls.");
    expect(isLocked(element)).toEqual([true, true]);
    await pressSend(element);
    expect(keyOf(2)).toBe(keyOf(0));
  });

  it("can be tried again whatever a late preview finds", async () => {
    preview.mockResolvedValue(ok({ ...PREVIEW, mistakes: ["Too long."] }));
    send.mockResolvedValueOnce(silence);
    const element = show();
    await write(element, "Hello");
    await pressSend(element);
    jest.advanceTimersByTime(400);
    await settled();
    expect(preview).toHaveBeenCalledTimes(1);
    expect(button(element).disabled).toBe(false);
  });

  it("is in no doubt about a call that never left Salesforce", async () => {
    send.mockResolvedValueOnce({ status: 0, body: '{"code":"no_access","detail":"You lack a permission set."}' });
    const element = show();
    await write(element, "Hello");
    await pressSend(element);
    expect(part(element, "[data-problem]").textContent).toBe("You lack a permission set.");
    expect(part(element, "[data-doubt]")).toBeNull();
    expect(isLocked(element)).toEqual([false, false]);
  });

  it("takes a new key after a refusal, which was an answer", async () => {
    send.mockResolvedValueOnce(refusal(409, "no_consent", "Not at this hour."));
    const element = show();
    await write(element, "Hello");
    await pressSend(element);
    expect(part(element, "[data-problem]").textContent).toBe("Not at this hour.");
    expect(part(element, "lightning-textarea").value).toBe("Hello");
    await pressSend(element);
    expect(keyOf(1)).not.toBe(keyOf(0));
  });

  it("ignores a second click while the first is under way", async () => {
    send.mockReturnValue(new Promise(() => {}));
    const element = show();
    await write(element, "Hello");
    await pressSend(element);
    await pressSend(element);
    expect(send).toHaveBeenCalledTimes(1);
    expect(button(element).disabled).toBe(true);
  });

  it("makes a key where the browser is old", async () => {
    Object.defineProperty(globalThis, "crypto", {
      value: { getRandomValues: (bytes) => bytes.fill(7) },
      configurable: true,
    });
    const element = show();
    await write(element, "Hello");
    await pressSend(element);
    expect(keyOf(0)).toBe("07".repeat(16));
  });

  it("asks nothing more once the page is left", async () => {
    const element = show();
    await write(element, "Hello");
    element.remove();
    jest.advanceTimersByTime(5000);
    expect(preview).not.toHaveBeenCalled();
  });
});

describe("who may not be answered", () => {
  it("has the reason in place of the box", () => {
    const element = show({ may: false, why: "Opted out on 3 May 2026 by a keyword" });
    expect(part(element, "[data-barred]").textContent).toBe("Opted out on 3 May 2026 by a keyword");
    expect(part(element, "lightning-textarea")).toBeNull();
    expect(button(element)).toBeNull();
  });
});
