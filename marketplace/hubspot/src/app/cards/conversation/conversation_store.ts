// What does the card know about a contact's texts, and how does it stay up to date?

import { type Connector, asProblem } from "../../shared/connector";
import type { Problem } from "../../shared/problem";
import { Store } from "../../shared/store";
import type { Consent, ConsentAction, Conversation, Message } from "../../shared/wire";
import { Poller } from "./polling";
import { type Visibility, pageVisibility } from "./visibility";

export interface ConversationState {
  /** The newest page as last answered; null before the first answer. Its messages are in `messages`. */
  readonly page: Conversation | null;
  /** Newest first: the newest page and the older ones fetched so far. */
  readonly messages: readonly Message[];
  /** Cursor of what is older than `messages`; null when that is all. */
  readonly next: string | null;
  /** What went wrong with the latest question; null after an answer. */
  readonly problem: Problem | null;
  readonly isLoadingOlder: boolean;
  /** Nobody has touched the card for a while, so it does not ask. */
  readonly isPaused: boolean;
}

const NOTHING: ConversationState = {
  page: null,
  messages: [],
  next: null,
  problem: null,
  isLoadingOlder: false,
  isPaused: false,
};

/** One contact's conversation, polled between `start` and `stop`. */
export class ConversationStore extends Store<ConversationState> {
  private readonly poller: Poller;
  /** Counts what we changed ourselves: an answer to a question from before would take it back. */
  private changes = 0;

  constructor(
    private readonly connector: Connector,
    private readonly crmId: string,
    visibility: Visibility = pageVisibility(),
  ) {
    super(NOTHING);
    const onPause = (isPaused: boolean): void => this.change({ isPaused });
    this.poller = new Poller({ ask: () => this.ask(), visibility, onPause });
  }

  start(): void {
    this.poller.start();
  }

  stop(): void {
    this.poller.stop();
  }

  refresh(): void {
    this.poller.poke();
  }

  touch(): void {
    this.poller.touch();
  }

  /** Fetch the page before the oldest message known. */
  async older(): Promise<void> {
    const { next, isLoadingOlder } = this.current();
    if (next === null || isLoadingOlder) return;
    this.touch();
    this.change({ isLoadingOlder: true });
    try {
      const page = await this.connector.conversation(this.crmId, next);
      // A poll may have begun anew meanwhile; then this page no longer follows what is shown.
      if (this.current().next === next) {
        this.change({ messages: joined(this.current().messages, page.messages), next: page.next });
      }
    } catch (error) {
      this.change({ problem: asProblem(error) });
    } finally {
      this.change({ isLoadingOlder: false });
    }
  }

  /** Show a message that was just taken, before the next poll tells of it. */
  took(message: Message): void {
    this.changes += 1;
    this.change({ messages: joined([message], this.current().messages) });
    this.poller.poke();
  }

  /** Record an opt-out or a consent; rejects with a `Problem`. */
  async recordConsent(action: ConsentAction, wording: string): Promise<void> {
    const consent: Consent = await this.connector.recordConsent(this.crmId, action, wording);
    this.changes += 1;
    const { page } = this.current();
    if (page !== null) this.change({ page: { ...page, consent } });
    this.poller.poke(); // whether a rep may answer has changed with it
  }

  private async ask(): Promise<Problem | null> {
    const asked = this.changes;
    try {
      const page = await this.connector.conversation(this.crmId);
      if (asked === this.changes) this.change({ ...merged(this.current(), page), page, problem: null });
      return null;
    } catch (error) {
      const problem = asProblem(error);
      this.change({ problem });
      return problem;
    }
  }
}

/** Put a newer page before what is known; where they do not meet there may be a gap, and the known is dropped. */
function merged(known: ConversationState, page: Conversation): Pick<ConversationState, "messages" | "next"> {
  const meets = known.messages.findIndex((message) => message.id === lastId(page));
  if (meets === -1 || page.next === null) return { messages: page.messages, next: page.next };
  const older = known.messages.slice(meets + 1);
  return { messages: joined(page.messages, older), next: older.length === 0 ? page.next : known.next };
}

function lastId(page: Conversation): string {
  return page.messages[page.messages.length - 1]?.id ?? "";
}

function joined(newer: readonly Message[], older: readonly Message[]): readonly Message[] {
  const ids = new Set(newer.map((message) => message.id));
  return [...newer, ...older.filter((message) => !ids.has(message.id))];
}
