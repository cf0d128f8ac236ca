// May this person be texted, how do we know, and how is a change recorded?
import { LightningElement, api } from "lwc";
import changeConsent from "@salesforce/apex/SMSConversationController.changeConsent";
import { ask } from "c/smsApi";

const BADGES = {
  opted_out: "slds-theme_error",
  opted_in: "slds-theme_success",
  doubtful: "slds-theme_warning",
  not_asked: "",
};
const TITLES = { transactional: "Service texts", marketing: "Marketing" };

export default class SmsConsent extends LightningElement {
  @api recordId;
  /** As the connector tells it: `{state, label, purposes, evidence}`. */
  @api consent;

  action = "";
  wording = "";
  problem = "";
  isSaving = false;

  get label() {
    return this.consent.label;
  }

  get badgeClass() {
    return BADGES[this.consent.state] || "";
  }

  get purposes() {
    return Object.entries(this.consent.purposes || {}).map(([name, purpose]) => ({
      name,
      title: TITLES[name] || name,
      why: purpose.why,
      may: purpose.may ? "May be sent" : "May not be sent",
      icon: purpose.may ? "utility:success" : "utility:ban",
    }));
  }

  get evidence() {
    return (this.consent.evidence || []).map((entry, index) => ({ ...entry, key: `${entry.at} ${index}` }));
  }

  get hasEvidence() {
    return this.evidence.length > 0;
  }

  get canOptIn() {
    return this.consent.state !== "opted_in";
  }

  get isAsking() {
    return this.action !== "";
  }

  get question() {
    return this.action === "opt_in" ? "How did they agree?" : "How did they say so?";
  }

  // Consent without the words it was given in is no evidence; an opt-out counts however it came.
  get cannotRecord() {
    return this.isSaving || (this.action === "opt_in" && !this.wording.trim());
  }

  handleAsk(event) {
    this.action = event.target.dataset.action;
    this.wording = "";
    this.problem = "";
  }

  handleCancel() {
    this.action = "";
  }

  handleWording(event) {
    this.wording = event.detail.value;
  }

  async handleRecord() {
    this.isSaving = true;
    const { recordId, action, wording } = this;
    const answer = await ask(changeConsent, { recordId, action, wording: wording.trim() });
    this.isSaving = false;
    if (!answer.ok) {
      this.problem = answer.why;
      return;
    }
    this.action = "";
    this.dispatchEvent(new CustomEvent("consentchange", { detail: answer.data.consent }));
  }
}
