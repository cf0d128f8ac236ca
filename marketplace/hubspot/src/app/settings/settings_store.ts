// What is set up for this account, what has the admin changed, and was it saved?

import { type Connector, asProblem } from "../shared/connector";
import type { Problem } from "../shared/problem";
import { Store } from "../shared/store";
import type { Settings } from "../shared/wire";

export interface SettingsState {
  /** As the connector last told; null before the first answer. */
  readonly saved: Settings | null;
  /** What the admin has changed and not saved. */
  readonly draft: Readonly<Record<string, unknown>>;
  /** What went wrong with the latest question or saving. */
  readonly problem: Problem | null;
  readonly isBusy: boolean;
  /** Whether the latest change was saved, until the next one. */
  readonly isSaved: boolean;
  /** The journey that is being switched, or "". */
  readonly switching: string;
}

const NOTHING: SettingsState = {
  saved: null,
  draft: {},
  problem: null,
  isBusy: false,
  isSaved: false,
  switching: "",
};

export class SettingsStore extends Store<SettingsState> {
  constructor(private readonly connector: Connector) {
    super(NOTHING);
  }

  async load(): Promise<void> {
    this.change({ isBusy: true, problem: null });
    await this.settle(async () => this.change({ saved: await this.connector.settings() }));
    this.change({ isBusy: false });
  }

  /** Change one field of the draft; back to what is saved means unchanged. */
  edit(name: string, value: unknown): void {
    const draft = { ...this.current().draft, [name]: value };
    if (isSame(value, this.current().saved?.settings[name])) delete draft[name];
    this.change({ draft, isSaved: false });
  }

  /** Save what has changed and nothing else, so that two admins do not undo each other. */
  async save(): Promise<void> {
    const { draft, isBusy } = this.current();
    if (isBusy || Object.keys(draft).length === 0) return;
    this.change({ isBusy: true, problem: null, isSaved: false });
    await this.settle(async () => {
      const saved = await this.connector.changeSettings({ ...draft });
      this.change({ saved, draft: {}, isSaved: true });
    });
    this.change({ isBusy: false });
  }

  async switchJourney(id: string, enabled: boolean): Promise<void> {
    if (this.current().switching !== "") return;
    this.change({ switching: id, problem: null });
    await this.settle(async () => {
      await this.connector.switchJourney(id, enabled);
      this.change({ saved: await this.connector.settings() });
    });
    this.change({ switching: "" });
  }

  private async settle(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.change({ problem: asProblem(error) });
    }
  }
}

/** Compare values as JSON has them; an absent one and an empty text are the same to an admin. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one ?? "") === JSON.stringify(other ?? "");
}
