import { createElement } from "lwc";
import SmsQuickAction from "c/smsQuickAction";

jest.mock(
  "@salesforce/apex/SMSConversationController.behaviour",
  () => ({ default: jest.fn().mockResolvedValue({ pollSeconds: 5 }) }),
  { virtual: true },
);
jest.mock(
  "@salesforce/apex/SMSConversationController.conversation",
  () => ({ default: jest.fn().mockReturnValue(new Promise(() => {})) }),
  { virtual: true },
);
jest.mock("@salesforce/apex/SMSConversationController.changeConsent", () => ({ default: jest.fn() }), {
  virtual: true,
});
jest.mock("@salesforce/apex/SMSConversationController.preview", () => ({ default: jest.fn() }), { virtual: true });
jest.mock("@salesforce/apex/SMSConversationController.send", () => ({ default: jest.fn() }), { virtual: true });
jest.mock("@salesforce/apex/SMSConversationController.templates", () => ({ default: jest.fn() }), { virtual: true });

afterEach(() => document.body.replaceChildren());

it("shows the conversation once Salesforce has said of whom", async () => {
  const element = createElement("c-sms-quick-action", { is: SmsQuickAction });
  document.body.appendChild(element);
  expect(element.shadowRoot.querySelector("c-sms-conversation")).toBeNull();
  element.recordId = "003000000000001AAA";
  await Promise.resolve();
  expect(element.shadowRoot.querySelector("c-sms-conversation").recordId).toBe("003000000000001AAA");
});
