// When is the connector asked again?

import type { Problem } from "../../shared/problem";
import type { Visibility } from "./visibility";

/** Soon enough for a rep who waits for "delivered"; an account's cards stay far below HubSpot's 20 requests at once. */
export const EVERY_MS = 5_000;

/** A connector that is away is asked once a minute at least, so that a card heals soon after it is back. */
export const LONGEST_MS = 60_000;

/** A card that nobody touches for ten minutes is one of many forgotten tabs. */
export const IDLE_MS = 600_000;

interface Parts {
  /** Asks once; gives what went wrong, or null. Never rejects. */
  readonly ask: () => Promise<Problem | null>;
  readonly visibility: Visibility;
  /** Told when polling pauses because nobody touches the card, and when it goes on. */
  readonly onPause: (isPaused: boolean) => void;
  /** 0 to 1, so that cards which failed together do not come back together. */
  readonly random?: () => number;
}

/** Asks at once, then again some time after each answer: one question at a time, none while nobody looks. */
export class Poller {
  private isRunning = false;
  private isAsking = false;
  private askAgain = false;
  private isPaused = false;
  private failures = 0;
  private touchedAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private unsubscribe: () => void = () => undefined;

  constructor(private readonly parts: Parts) {}

  start(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    this.touchedAt = Date.now();
    this.unsubscribe = this.parts.visibility.subscribe(() => this.lookAgain());
    this.lookAgain();
  }

  stop(): void {
    this.isRunning = false;
    this.askAgain = false;
    clearTimeout(this.timer);
    this.unsubscribe();
  }

  /** Ask now: something has just changed. A question under way is followed by another one. */
  poke(): void {
    this.touch();
    if (this.isAsking) this.askAgain = true;
    else this.lookAgain();
  }

  /** Somebody uses the card. */
  touch(): void {
    this.touchedAt = Date.now();
    if (!this.isPaused) return;
    this.setPaused(false);
    this.lookAgain();
  }

  private lookAgain(): void {
    clearTimeout(this.timer);
    if (this.isRunning && !this.isAsking && this.parts.visibility.isVisible()) void this.askOnce();
  }

  private async askOnce(): Promise<void> {
    this.isAsking = true;
    const problem = await this.parts.ask();
    this.isAsking = false;
    if (!this.isRunning) return;
    this.failures = problem === null ? 0 : this.failures + 1;
    if (this.askAgain) {
      this.askAgain = false;
      this.lookAgain();
    } else {
      this.plan(problem);
    }
  }

  private plan(problem: Problem | null): void {
    if (Date.now() - this.touchedAt >= IDLE_MS) {
      this.setPaused(true);
    } else if (this.parts.visibility.isVisible()) {
      this.timer = setTimeout(() => this.lookAgain(), this.delay(problem));
    }
  }

  private delay(problem: Problem | null): number {
    if (problem === null) return EVERY_MS;
    const doubled = Math.min(EVERY_MS * 2 ** this.failures, LONGEST_MS);
    const spread = doubled * (0.75 + 0.5 * (this.parts.random ?? Math.random)());
    return Math.max(spread, problem.retryAfterMs ?? 0);
  }

  private setPaused(isPaused: boolean): void {
    this.isPaused = isPaused;
    this.parts.onPause(isPaused);
  }
}
