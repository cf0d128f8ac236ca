import { createElement } from "lwc";
import SmsMessages from "c/smsMessages";

const SENT = {
  id: "m-1",
  direction: "outbound",
  body: "Your order is ready.",
  at: "2026-05-03T10:00:00Z",
  state: "delivered",
  label: "Delivered",
  reason: "",
  facts: ["replied", "opted_out"],
  segments: 2,
  price: { amount: "0.0158", currency: "USD" },
  journey: "order-ready",
  sender: "+12025550100",
  by: "",
};

function show(...messages) {
  const element = createElement("c-sms-messages", { is: SmsMessages });
  element.messages = messages;
  document.body.appendChild(element);
  return element.shadowRoot;
}

afterEach(() => document.body.replaceChildren());

describe("c-sms-messages", () => {
  it("shows the text, its state, its facts, parts and price", () => {
    const root = show(SENT);
    expect(root.querySelector(".body").textContent).toBe("Your order is ready.");
    expect(root.querySelector("[data-state]").textContent).toBe(
      "Delivered · replied · opted out · 2 parts · 0.0158 USD",
    );
    expect(root.querySelector("li").className).toContain("outbound");
    expect(root.querySelector("[data-reason]")).toBeNull();
  });

  it("says why a text failed, without a click", () => {
    const root = show({ ...SENT, state: "undelivered", label: "Undelivered", reason: "The number is not in use." });
    expect(root.querySelector("[data-reason]").textContent).toBe("The number is not in use.");
    expect(root.querySelector("lightning-icon").iconName).toBe("utility:warning");
  });

  it("puts replies on the other side, without parts", () => {
    const root = show({ ...SENT, direction: "inbound", state: "received", label: "Received", facts: [], price: null });
    expect(root.querySelector("li").className).toContain("inbound");
    expect(root.querySelector("[data-state]").textContent).toBe("Received");
    expect(root.querySelector("lightning-icon")).toBeNull();
  });

  it("shows markup in a text as text", () => {
    const root = show({ ...SENT, body: "<b>hi</b>" });
    expect(root.querySelector(".body").textContent).toBe("<b>hi</b>");
    expect(root.querySelector("b")).toBeNull();
  });

  it("says so when there are none", () => {
    expect(show().textContent).toContain("No texts yet.");
  });
});
