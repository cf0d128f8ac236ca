// Which texts did this person not get, and why?
import { LightningElement, api } from "lwc";

export default class SmsNotSent extends LightningElement {
  /** `{at, journey, why, where}`, newest first; `where` is the line of the journey that decided. */
  @api entries = [];

  get hasAny() {
    return this.entries.length > 0;
  }

  get count() {
    return this.entries.length;
  }

  get shown() {
    return this.entries.map((entry, index) => ({ ...entry, key: `${entry.at} ${index}` }));
  }
}
