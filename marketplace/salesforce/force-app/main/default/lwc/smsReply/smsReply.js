// What does a rep write, what would it cost, and was it sent, once?
import { LightningElement, api } from "lwc";
import preview from "@salesforce/apex/SMSConversationController.preview";
import send from "@salesforce/apex/SMSConversationController.send";
import templates from "@salesforce/apex/SMSConversationController.templates";
import { ask } from "c/smsApi";
import { measure } from "c/smsSegments";

const TYPING_MS = 400; // a pause between words, after which the connector is asked
const OWN_TEXT = { label: "A text of your own", value: "" };

export default class SmsReply extends LightningElement {
  @api recordId;
  /** Whether the connector lets this person be answered now, and why not: `{may, why}`. */
  @api reply = { may: true, why: "" };

  body = "";
  template = "";
  options = [OWN_TEXT];
  previewed = null;
  problem = "";
  isSending = false;
  // Nobody knows whether it was sent. The text then stands as it is: only the same order can be tried again safely.
  isDoubtful = false;

  // What is being sent, with its key. It is kept until there is an answer, so that trying again cannot send twice.
  sending = null;
  timer = null;
  asked = 0;
  hasTemplates = false;

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  get isBarred() {
    return !this.reply.may;
  }

  get hasTemplate() {
    return this.template !== "";
  }

  get isLocked() {
    return this.isSending || this.isDoubtful;
  }

  get isTextLocked() {
    return this.isLocked || this.hasTemplate;
  }

  get shownBody() {
    return this.hasTemplate ? this.previewed?.body || "" : this.body;
  }

  get counter() {
    const size = this.previewed || measure(this.body);
    const price = size.price ? ` · ${size.price.amount} ${size.price.currency}` : "";
    const unit = size.segments === 1 ? "part" : "parts";
    const special = size.encoding === "ucs2" ? " · special characters: 70 instead of 160 to a part" : "";
    return `${size.segments} ${unit}, ${size.left} characters left${price}${special}`;
  }

  get remarks() {
    const { warnings = [], mistakes = [] } = this.previewed || {};
    return [
      ...mistakes.map((text) => ({ text, className: "slds-text-color_error" })),
      ...warnings.map((text) => ({ text, className: "slds-text-color_weak" })),
    ];
  }

  get isEmpty() {
    return !this.hasTemplate && !this.body.trim();
  }

  get cannotSend() {
    if (this.isLocked) {
      return this.isSending; // what was asked once may be asked again, whatever a preview finds by now
    }
    const isUnready = this.hasTemplate && !this.previewed;
    return this.isEmpty || isUnready || (this.previewed?.mistakes || []).length > 0;
  }

  get sendLabel() {
    if (this.isSending) {
      return "Sending…";
    }
    return this.isDoubtful ? "Try again" : "Send";
  }

  async handleOpenTemplates() {
    if (this.hasTemplates) {
      return;
    }
    this.hasTemplates = true;
    const answer = await ask(templates, { recordId: this.recordId });
    if (!answer.ok) {
      this.hasTemplates = false;
      this.problem = answer.why;
      return;
    }
    this.options = [OWN_TEXT, ...answer.data.templates.map(({ id, title }) => ({ label: title, value: id }))];
  }

  handleTemplate(event) {
    if (this.isLocked) {
      return;
    }
    this.template = event.detail.value;
    this.changed();
    this.look();
  }

  handleBody(event) {
    if (this.isLocked) {
      return; // a letter typed just before the box was closed
    }
    this.body = event.detail.value;
    this.changed();
    // eslint-disable-next-line @lwc/lwc/no-async-operation
    this.timer = setTimeout(() => this.look(), TYPING_MS);
  }

  // Another text is another order: it must not go out under the key of the one before.
  changed() {
    if (this.isLocked) {
      return;
    }
    clearTimeout(this.timer);
    this.asked += 1;
    this.previewed = null;
    this.problem = "";
    this.sending = null;
  }

  async look() {
    if (this.isEmpty) {
      return;
    }
    const { asked } = this;
    const answer = await ask(preview, this.order());
    if (asked !== this.asked) {
      return; // the text has changed meanwhile
    }
    if (answer.ok) {
      this.previewed = answer.data;
    } else {
      this.problem = answer.why;
    }
  }

  order() {
    const { recordId, template } = this;
    return { recordId, template, body: this.hasTemplate ? "" : this.body };
  }

  async handleSend() {
    if (this.cannotSend) {
      return;
    }
    this.isSending = true;
    this.problem = "";
    this.sending = this.sending || { ...this.order(), idempotencyKey: newKey() };
    const answer = await ask(send, this.sending);
    this.isSending = false;
    if (answer.ok) {
      this.begin();
      this.dispatchEvent(new CustomEvent("sent", { detail: answer.data.message }));
    } else {
      this.failed(answer);
    }
  }

  // Whether it was sent shows in the conversation.
  handleDiscard() {
    if (!this.isSending) {
      this.begin();
    }
  }

  begin() {
    this.isDoubtful = false;
    this.body = "";
    this.template = "";
    this.changed();
  }

  failed(answer) {
    this.problem = answer.why;
    // A second try that is refused (too many calls, no access) says nothing of the first.
    this.isDoubtful = this.isDoubtful || !answer.isAnswered;
    if (!this.isDoubtful) {
      this.sending = null; // it was refused: trying again is a new order
    }
  }
}

function newKey() {
  if (crypto.randomUUID) {
    return crypto.randomUUID();
  }
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
}
