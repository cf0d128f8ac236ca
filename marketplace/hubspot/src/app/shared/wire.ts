// What does the connector say to the card and the settings page?
//
// One JSON for every CRM's card. Times are ISO 8601 in UTC with a Z; amounts are decimal texts, never numbers.

export interface Price {
  readonly amount: string;
  readonly currency: string | null;
}

export interface Contact {
  readonly crm_id: string;
  readonly name: string;
  /** E.164, or null: `number_reason` then says why there is none. */
  readonly number: string | null;
  readonly number_reason?: string;
  readonly time_zone: string | null;
  /** "14:03" at the contact's place, or null when the zone is unknown. */
  readonly local_time: string | null;
}

export type ConsentState = "opted_out" | "opted_in" | "not_asked" | "doubtful";

export interface Evidence {
  readonly at: string;
  readonly what: string;
  readonly how: string;
  readonly source: string;
  readonly wording: string;
}

export interface Permission {
  readonly may: boolean;
  readonly why: string;
}

export interface Consent {
  readonly state: ConsentState;
  /** A sentence for people, such as "Opted out on 3 May 2026 by a keyword". */
  readonly label: string;
  readonly purposes: Readonly<Record<string, Permission>>;
  readonly evidence: readonly Evidence[];
}

export interface Message {
  readonly id: string;
  readonly direction: "outbound" | "inbound";
  readonly body: string;
  readonly at: string;
  /** One of the connector's message states; `label` says it to people. */
  readonly state: string;
  readonly label: string;
  readonly reason: string;
  /** What happened beside the state: replied, clicked, opted_out. */
  readonly facts: readonly string[];
  readonly segments: number;
  readonly price: Price | null;
  readonly journey: string;
  readonly sender: string;
  readonly by: string;
}

export interface NotSent {
  readonly at: string;
  readonly journey: string;
  readonly why: string;
  /** File and line of the decision. */
  readonly where: string;
}

/** One page of a conversation, newest message first; `next` is the cursor of the older page. */
export interface Conversation {
  readonly contact: Contact;
  readonly consent: Consent;
  readonly messages: readonly Message[];
  readonly next: string | null;
  readonly not_sent: readonly NotSent[];
  readonly reply: Permission;
  readonly as_of: string;
}

export interface Template {
  readonly id: string;
  readonly title: string;
  readonly locales: readonly string[];
}

/** What a text is made of: words of the rep's own, or a template that the connector fills in. */
export type Wording = { readonly body: string } | { readonly template: string };

export interface Preview {
  readonly body: string;
  readonly encoding: "gsm7" | "ucs2";
  readonly segments: number;
  readonly characters: number;
  readonly left: number;
  readonly price: Price | null;
  readonly warnings: readonly string[];
  readonly mistakes: readonly string[];
}

export type ConsentAction = "opt_out" | "opt_in";

/**
 * `kind` is text, number, switch, choice, list or map (names to texts or lists); one from a later connector is shown
 * and not edited. `options` is empty where anything may be written.
 */
export interface SettingField {
  readonly name: string;
  readonly label: string;
  readonly kind: string;
  readonly options: readonly string[];
  readonly help: string;
}

export interface Journey {
  readonly id: string;
  readonly title: string;
  readonly enabled: boolean;
  readonly status: string;
}

export interface Account {
  readonly name: string;
  readonly status: string;
  readonly crm: string;
  readonly external_id: string;
}

export interface Settings {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly schema: readonly SettingField[];
  readonly journeys: readonly Journey[];
  readonly account: Account;
  /** Whether the person who looks may change them. */
  readonly may_change: boolean;
}
