// What is the rep about to send, what would it cost, and was it sent?

import { type Connector, asProblem } from "../../shared/connector";
import { Problem } from "../../shared/problem";
import { Store } from "../../shared/store";
import type { Message, Preview, Template, Wording } from "../../shared/wire";
import { type Estimate, measure } from "./segments";
import { replaceSmartCharacters } from "./smart_characters";

/** A preview is asked for when the typing rests this long: a person's pause between words is shorter. */
export const DEBOUNCE_MS = 400;

/**
 * - `composing`: the rep may change everything
 * - `sending`: asked, no answer yet
 * - `unanswered`: asked, and no proper answer came: it may have been sent, so nothing but asking again is offered
 */
export type Phase = "composing" | "sending" | "unanswered";

export interface ReplyState {
  readonly phase: Phase;
  readonly text: string;
  /** Id of the template chosen instead of a text of the rep's own, or null. */
  readonly template: string | null;
  readonly templates: readonly Template[];
  /** Of the text as the connector would write it; while a template is chosen, of nothing. */
  readonly estimate: Estimate;
  /** The connector's word on exactly this wording, or null while there is none. */
  readonly preview: Preview | null;
  /** Why the latest preview or sending was refused. */
  readonly problem: Problem | null;
}

const EMPTY: ReplyState = {
  phase: "composing",
  text: "",
  template: null,
  templates: [],
  estimate: measure(""),
  preview: null,
  problem: null,
};

interface Parts {
  readonly connector: Connector;
  readonly crmId: string;
  /** Told of a message that the connector has taken. */
  readonly onTaken: (message: Message) => void;
  /** Makes idempotency keys. */
  readonly newKey?: () => string;
}

/** The reply box of one contact. */
export class ReplyStore extends Store<ReplyState> {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private previews = 0;
  /** Names one sending until it is answered, however often it is asked for: so it happens once. */
  private key: string | null = null;
  /** Whether an asking under this key went without an answer. A later refusal says nothing of that one. */
  private inDoubt = false;

  constructor(private readonly parts: Parts) {
    super(EMPTY);
  }

  /** Fetch the list of templates; without one, texts of the rep's own still work. */
  async loadTemplates(): Promise<void> {
    try {
      this.change({ templates: await this.parts.connector.templates(this.parts.crmId) });
    } catch {
      this.change({ templates: [] });
    }
  }

  write(text: string): void {
    if (this.current().phase !== "composing") return;
    const estimate = measure(replaceSmartCharacters(text));
    this.change({ text, template: null, estimate, preview: null, problem: null });
    this.previewSoon(DEBOUNCE_MS);
  }

  /** Choose a template, or none. */
  choose(template: string | null): void {
    if (this.current().phase !== "composing") return;
    this.change({ text: "", template, estimate: measure(""), preview: null, problem: null });
    this.previewSoon(0);
  }

  /** Go on with the filled-in template as a text of one's own. */
  edit(): void {
    const { preview, template } = this.current();
    if (template !== null && preview !== null) this.write(preview.body);
  }

  /** Send, or ask again whether it was sent. A second call while one is under way does nothing. */
  async send(): Promise<void> {
    const wording = this.wording();
    if (this.current().phase === "sending" || wording === null) return;
    this.key ??= (this.parts.newKey ?? (() => crypto.randomUUID()))();
    this.change({ phase: "sending", problem: null });
    try {
      const message = await this.parts.connector.send(this.parts.crmId, wording, this.key);
      this.begin();
      this.parts.onTaken(message);
    } catch (error) {
      this.unsent(asProblem(error));
    }
  }

  /** Give an unanswered text up: whether it was sent shows in the conversation. */
  discard(): void {
    if (this.current().phase === "unanswered") this.begin();
  }

  /** Stop what is planned; the card is going away. */
  stop(): void {
    clearTimeout(this.timer);
    this.previews += 1;
  }

  private begin(): void {
    this.stop();
    this.key = null;
    this.inDoubt = false;
    this.change({ ...EMPTY, templates: this.current().templates });
  }

  private unsent(problem: Problem): void {
    this.inDoubt ||= problem.ambiguous;
    if (!this.inDoubt) this.key = null;
    this.change({ phase: this.inDoubt ? "unanswered" : "composing", problem });
  }

  private wording(): Wording | null {
    const { text, template } = this.current();
    if (template !== null) return { template };
    return text.trim() === "" ? null : { body: text };
  }

  private previewSoon(delay: number): void {
    this.stop();
    if (this.wording() !== null) this.timer = setTimeout(() => void this.preview(), delay);
  }

  private async preview(): Promise<void> {
    const wording = this.wording();
    const asked = this.previews;
    if (wording === null) return;
    try {
      const preview = await this.parts.connector.preview(this.parts.crmId, wording);
      if (asked === this.previews) this.change({ preview });
    } catch (error) {
      const problem = asProblem(error);
      // Without a connector the estimate has to do; the conversation says that it is away.
      if (asked === this.previews && problem.kind === "refused") this.change({ problem });
    }
  }
}

/** Why this may not be sent as it stands, or "". */
export function hindrance({ text, template, preview, problem }: ReplyState): string {
  if (template === null && text.trim() === "") return "Write a text or choose a template.";
  if (preview !== null && preview.mistakes.length > 0) return preview.mistakes.join(" ");
  if (template !== null && preview === null) return problem?.message ?? "The template is being filled in.";
  return "";
}
