// Does anybody see the card?

export interface Visibility {
  readonly isVisible: () => boolean;
  /** Calls back on every change; gives what ends that. */
  readonly subscribe: (listener: () => void) => () => void;
}

interface Page {
  readonly visibilityState: string;
  addEventListener(type: "visibilitychange", listener: () => void): void;
  removeEventListener(type: "visibilitychange", listener: () => void): void;
}

/**
 * The page's own word where there is one. HubSpot runs cards in a web worker, which has no document: there a card
 * counts as visible until it is unmounted or nobody has touched it for a while (see `Poller`).
 */
export function pageVisibility(page = (globalThis as { document?: Page }).document): Visibility {
  return {
    isVisible: () => page?.visibilityState !== "hidden",
    subscribe: (listener) => {
      page?.addEventListener("visibilitychange", listener);
      return () => page?.removeEventListener("visibilitychange", listener);
    },
  };
}
