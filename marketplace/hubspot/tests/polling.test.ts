// When is the connector asked, and when is it left alone?

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EVERY_MS, IDLE_MS, LONGEST_MS, Poller } from "../src/app/cards/conversation/polling";
import { type Visibility, pageVisibility } from "../src/app/cards/conversation/visibility";
import { Problem } from "../src/app/shared/problem";

class Tab implements Visibility {
  private listeners = new Set<() => void>();
  private visible = true;

  readonly isVisible = (): boolean => this.visible;
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  show(visible: boolean): void {
    this.visible = visible;
    this.listeners.forEach((listener) => listener());
  }

  get followers(): number {
    return this.listeners.size;
  }
}

const AWAY = new Problem({ kind: "offline", message: "away" });
let tab: Tab;
let asks: number;
let outcome: Problem | null;
let pauses: boolean[];
let poller: Poller;

beforeEach(() => {
  vi.useFakeTimers();
  tab = new Tab();
  [asks, outcome, pauses] = [0, null, []];
  const ask = (): Promise<Problem | null> => {
    asks += 1;
    return Promise.resolve(outcome);
  };
  poller = new Poller({ ask, visibility: tab, onPause: (isPaused) => pauses.push(isPaused), random: () => 0.5 });
});

afterEach(() => {
  poller.stop();
  vi.useRealTimers();
});

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

test("the connector is asked at once and then every five seconds", async () => {
  poller.start();
  await pass(0);
  expect(asks).toBe(1);
  await pass(EVERY_MS * 3);
  expect(asks).toBe(4);
});

test("a hidden card asks nothing and asks at once when it is seen again", async () => {
  poller.start();
  await pass(0);
  tab.show(false);
  await pass(EVERY_MS * 100);
  expect(asks).toBe(1);
  tab.show(true);
  await pass(0);
  expect(asks).toBe(2);
});

test("a card that begins hidden waits until it is seen", async () => {
  tab.show(false);
  poller.start();
  await pass(EVERY_MS * 2);
  expect(asks).toBe(0);
  tab.show(true);
  expect(asks).toBe(1);
});

test("a stopped card asks nothing and follows nothing", async () => {
  poller.start();
  await pass(0);
  poller.stop();
  tab.show(true);
  await pass(EVERY_MS * 10);
  expect([asks, tab.followers]).toEqual([1, 0]);
});

test("a card unmounted while it asks does not go on after the answer", async () => {
  let answer: (problem: null) => void = () => undefined;
  const ask = vi.fn(() => new Promise<null>((resolve) => (answer = resolve)));
  const other = new Poller({ ask, visibility: tab, onPause: () => undefined });
  other.start();
  other.stop();
  answer(null);
  await pass(EVERY_MS * 10);
  expect(ask).toHaveBeenCalledTimes(1);
});

test("a connector that is away is asked ever less often, once a minute at least", async () => {
  outcome = AWAY;
  poller.start();
  await pass(0);
  const gaps: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const before = asks;
    let gap = 0;
    while (asks === before) {
      await pass(1000);
      gap += 1000;
    }
    gaps.push(gap);
  }
  expect(gaps).toEqual([10_000, 20_000, 40_000, LONGEST_MS, LONGEST_MS]);
});

test("after an answer the pace is the usual one again", async () => {
  outcome = AWAY;
  poller.start();
  await pass(31_000);
  outcome = null;
  await pass(LONGEST_MS);
  const before = asks;
  await pass(EVERY_MS * 2);
  expect(asks - before).toBe(2);
});

test("what the connector asks for is waited", async () => {
  outcome = new Problem({ kind: "busy", message: "busy", retryAfterMs: 45_000 });
  poller.start();
  await pass(44_000);
  expect(asks).toBe(1);
  await pass(1_000);
  expect(asks).toBe(2);
});

test("a slow answer is not asked for twice, but a poke is not forgotten", async () => {
  const answers: ((problem: null) => void)[] = [];
  const ask = vi.fn(() => new Promise<null>((resolve) => answers.push(resolve)));
  const slow = new Poller({ ask, visibility: tab, onPause: () => undefined });
  slow.start();
  await pass(EVERY_MS * 4);
  expect(ask).toHaveBeenCalledTimes(1);
  slow.poke();
  expect(ask).toHaveBeenCalledTimes(1);
  answers[0]?.(null);
  await pass(0);
  expect(ask).toHaveBeenCalledTimes(2);
  slow.stop();
});

test("a card that nobody touches rests, and goes on when somebody does", async () => {
  poller.start();
  await pass(IDLE_MS + EVERY_MS);
  expect(pauses).toEqual([true]);
  const before = asks;
  await pass(IDLE_MS);
  expect(asks).toBe(before);
  poller.touch();
  expect(pauses).toEqual([true, false]);
  expect(asks).toBe(before + 1);
});

test("a card in use never rests", async () => {
  poller.start();
  for (let round = 0; round < 4; round += 1) {
    await pass(IDLE_MS / 2);
    poller.touch();
  }
  expect(pauses).toEqual([]);
});

test("a page tells whether it is seen; a worker without a page counts as seen", () => {
  const told: string[] = [];
  const page = {
    visibilityState: "hidden",
    addEventListener: () => told.push("followed"),
    removeEventListener: () => told.push("left"),
  };
  const visibility = pageVisibility(page);
  visibility.subscribe(() => undefined)();
  expect([visibility.isVisible(), told]).toEqual([false, ["followed", "left"]]);
  expect(pageVisibility(undefined).isVisible()).toBe(true);
});
