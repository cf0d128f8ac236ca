import { createElement } from "lwc";
import SmsNotSent from "c/smsNotSent";

function show(entries) {
  const element = createElement("c-sms-not-sent", { is: SmsNotSent });
  element.entries = entries;
  document.body.appendChild(element);
  return element.shadowRoot;
}

afterEach(() => document.body.replaceChildren());

describe("c-sms-not-sent", () => {
  it("says why, and which line of which journey decided", () => {
    const root = show([
      { at: "2026-05-03T10:00:00Z", journey: "cart", why: "Opted out.", where: "mappings/journeys/cart.yaml:12" },
    ]);
    expect(root.querySelector("summary").textContent).toBe("Not sent (1)");
    expect(root.querySelector("li").textContent).toContain("Opted out.");
    expect(root.querySelector("li").textContent).toContain("mappings/journeys/cart.yaml:12");
  });

  it("shows nothing when everything was sent", () => {
    expect(show([]).querySelector("details")).toBeNull();
  });
});
