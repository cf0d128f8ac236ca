// What has been said by SMS with this contact or lead, kept up to date while somebody looks?
import { LightningElement, api } from "lwc";
import behaviour from "@salesforce/apex/SMSConversationController.behaviour";
import conversation from "@salesforce/apex/SMSConversationController.conversation";
import { ask } from "c/smsApi";
import { isStale, merged, pause } from "c/smsPages";

const POLL_SECONDS = 5; // until the settings have been read

export default class SmsConversation extends LightningElement {
  /** The last answer: `{contact, consent, not_sent, reply, as_of}`; null before the first. */
  known = null;
  messages = [];
  next = null;
  problem = "";
  consoleUrl = "";

  isPlaced = false;
  isSeen = true;
  isAsking = false;
  turn = 0;
  pollSeconds = POLL_SECONDS;
  failures = 0;
  timer = null;
  observer = null;
  hasOlder = false;
  person = "";

  @api
  get recordId() {
    return this.person;
  }

  // A console tab may put another record into the same component.
  set recordId(value) {
    const isOther = this.person !== "" && this.person !== value;
    this.person = value;
    if (isOther) {
      this.forget();
      this.lookAnew();
    }
  }

  get isLoading() {
    return !this.known && !this.problem;
  }

  get isWatched() {
    return this.isPlaced && this.isSeen && document.visibilityState !== "hidden";
  }

  connectedCallback() {
    this.isPlaced = true;
    this.onVisibility = () => this.resume();
    document.addEventListener("visibilitychange", this.onVisibility);
    this.settle();
    this.look();
  }

  renderedCallback() {
    if (this.observer || typeof IntersectionObserver === "undefined") {
      return;
    }
    // A tab of the page that is not in front has no size: nobody looks, so nothing is asked.
    this.observer = new IntersectionObserver((entries) => {
      this.isSeen = entries[entries.length - 1].isIntersecting;
      this.resume();
    });
    this.observer.observe(this.template.host);
  }

  disconnectedCallback() {
    this.isPlaced = false;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.observer?.disconnect();
    this.observer = null;
  }

  async settle() {
    try {
      const settings = await behaviour();
      this.pollSeconds = settings.pollSeconds;
      this.consoleUrl = settings.consoleUrl;
    } catch {
      this.pollSeconds = POLL_SECONDS; // the conversation matters more than how often it is asked for
    }
  }

  forget() {
    this.known = null;
    this.messages = [];
    this.next = null;
    this.hasOlder = false;
    this.problem = "";
    this.failures = 0;
  }

  resume() {
    clearTimeout(this.timer);
    if (this.isWatched) {
      this.look();
    }
  }

  async look() {
    clearTimeout(this.timer);
    if (this.isAsking || !this.person) {
      return;
    }
    const { person, turn } = this;
    this.isAsking = true;
    const answer = await ask(conversation, { recordId: person, before: null });
    this.isAsking = false;
    if (turn !== this.turn) {
      this.look(); // it was asked before the last change, or about another record
      return;
    }
    this.take(answer);
    this.lookLater();
  }

  take(answer) {
    if (!answer.ok) {
      this.failures += 1;
      this.problem = answer.why;
      return;
    }
    this.failures = 0;
    this.problem = "";
    if (isStale(answer.data, this.known?.as_of)) {
      return;
    }
    this.known = answer.data;
    this.messages = merged(this.messages, answer.data.messages);
    this.next = this.hasOlder ? this.next : answer.data.next;
  }

  // An answer that is under way no longer counts.
  lookAnew() {
    this.turn += 1;
    this.look();
  }

  lookLater() {
    clearTimeout(this.timer);
    if (this.isWatched) {
      // eslint-disable-next-line @lwc/lwc/no-async-operation
      this.timer = setTimeout(() => this.look(), pause(this.pollSeconds, this.failures));
    }
  }

  handleReload() {
    this.look();
  }

  async handleOlder() {
    const { person } = this;
    const answer = await ask(conversation, { recordId: person, before: this.next });
    if (person !== this.person) {
      return;
    }
    if (!answer.ok) {
      this.problem = answer.why;
      return;
    }
    this.hasOlder = true;
    this.next = answer.data.next;
    this.messages = merged(this.messages, answer.data.messages);
  }

  handleSent(event) {
    this.messages = merged(this.messages, [event.detail]);
    this.lookAnew();
  }

  handleConsentChange(event) {
    this.known = { ...this.known, consent: event.detail };
    this.lookAnew(); // whether a rep may answer follows from it
  }
}
