import { createElement } from "lwc";
import changeConsent from "@salesforce/apex/SMSConversationController.changeConsent";
import SmsConsent from "c/smsConsent";

jest.mock("@salesforce/apex/SMSConversationController.changeConsent", () => ({ default: jest.fn() }), {
  virtual: true,
});

const OPTED_OUT = {
  state: "opted_out",
  label: "Opted out on 3 May 2026 by a keyword",
  purposes: {
    transactional: { may: false, why: "They opted out." },
    marketing: { may: false, why: "They opted out." },
  },
  evidence: [
    { at: "2026-05-03T10:11:12Z", what: "opted out", how: "text STOP", source: "reply", wording: "Stop please" },
  ],
};
const NOT_ASKED = {
  state: "not_asked",
  label: "Not asked",
  purposes: { transactional: { may: true, why: "No consent needed." }, marketing: { may: false, why: "Not asked." } },
  evidence: [],
};

const settled = () => new Promise(process.nextTick);

function show(consent) {
  const element = createElement("c-sms-consent", { is: SmsConsent });
  element.recordId = "003000000000001AAA";
  element.consent = consent;
  document.body.appendChild(element);
  return element;
}

const button = (element, name) => element.shadowRoot.querySelector(`[data-do="${name}"]`);

async function write(element, words) {
  const area = element.shadowRoot.querySelector("lightning-textarea");
  area.dispatchEvent(new CustomEvent("change", { detail: { value: words } }));
  await settled();
}

async function press(element, name) {
  button(element, name).click();
  await settled();
}

afterEach(() => {
  document.body.replaceChildren();
  jest.clearAllMocks();
});

describe("c-sms-consent", () => {
  it("shows the state, what follows from it, and the evidence with its wording", () => {
    const { shadowRoot } = show(OPTED_OUT);
    expect(shadowRoot.querySelector("lightning-badge").label).toBe("Opted out on 3 May 2026 by a keyword");
    expect(shadowRoot.querySelector('[data-purpose="marketing"]').textContent).toContain("They opted out.");
    expect(shadowRoot.querySelector("[data-evidence]").textContent).toContain("text STOP");
    expect(shadowRoot.querySelector("blockquote").textContent).toBe("Stop please");
  });

  it("offers a consent only where there is none", () => {
    expect(button(show({ ...NOT_ASKED, state: "opted_in" }), "opt_in")).toBeNull();
  });

  // What stands may be of marketing alone, or be lifted by the program that made it.
  it("offers to record an opt-out whatever stands", () => {
    expect(button(show(OPTED_OUT), "opt_out")).not.toBeNull();
    document.body.replaceChildren();
    expect(button(show({ ...NOT_ASKED, state: "opted_in" }), "opt_out")).not.toBeNull();
  });

  it("records no consent without the words it was given in", async () => {
    const element = show(NOT_ASKED);
    await press(element, "opt_in");
    expect(button(element, "record").disabled).toBe(true);
    await write(element, "   ");
    expect(button(element, "record").disabled).toBe(true);
    await write(element, "Yes please, by phone");
    expect(button(element, "record").disabled).toBe(false);
  });

  it("records and tells the conversation", async () => {
    changeConsent.mockResolvedValue({ status: 200, body: JSON.stringify({ consent: OPTED_OUT }) });
    const element = show(NOT_ASKED);
    const heard = jest.fn();
    element.addEventListener("consentchange", heard);
    await press(element, "opt_out");
    await write(element, " On the phone ");
    await press(element, "record");
    expect(changeConsent).toHaveBeenCalledWith({
      recordId: "003000000000001AAA",
      action: "opt_out",
      wording: "On the phone",
    });
    expect(heard.mock.calls[0][0].detail).toEqual(OPTED_OUT);
    expect(button(element, "record")).toBeNull();
  });

  it("keeps the words when recording failed, and says why", async () => {
    changeConsent.mockResolvedValue({ status: 422, body: '{"detail":"Not with this number."}' });
    const element = show(NOT_ASKED);
    await press(element, "opt_out");
    await write(element, "By letter");
    await press(element, "record");
    expect(element.shadowRoot.querySelector('[role="alert"]').textContent).toBe("Not with this number.");
    expect(element.shadowRoot.querySelector("lightning-textarea").value).toBe("By letter");
  });

  it("can be called off", async () => {
    const element = show(NOT_ASKED);
    await press(element, "opt_out");
    await press(element, "cancel");
    expect(button(element, "record")).toBeNull();
    expect(changeConsent).not.toHaveBeenCalled();
  });
});
