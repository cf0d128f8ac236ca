// How is the conversation shown in the window of a quick action?
import { LightningElement, api } from "lwc";

export default class SmsQuickAction extends LightningElement {
  @api recordId;
}
