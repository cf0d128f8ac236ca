"""After how long, and how often, is a send that certainly did not go out tried again?"""

import random
from dataclasses import dataclass
from datetime import timedelta


def backoff(tries: int, rng: random.Random, base: timedelta, cap: timedelta) -> timedelta:
    """Return how long to wait after `tries` failed tries: uniform between zero and `base` doubled per try.

    Full jitter, so that a crowd which failed together does not come back together (Marc Brooker, "Exponential
    Backoff and Jitter", AWS Architecture Blog, 2015). Never longer than `cap`.

    Raises:
        ValueError: `tries` is below one: nothing has failed yet.
    """
    if tries < 1:
        raise ValueError(f"backoff follows a failed try, so tries is at least 1, not {tries}")
    if not base:
        return base
    doublings = min(tries - 1, (cap // base).bit_length())  # more would pass the cap, and in the end timedelta.max
    ceiling: timedelta = min(cap, base * 2**doublings)
    return ceiling * rng.random()


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a gateway's transient failures are retried.

    The defaults: 2 s is longer than one rate-limit window of the gateways (one second); 5 min keeps a
    recovered gateway from idling long; 12 tries span about twelve minutes on average (each wait is half its
    ceiling), which outlasts a gateway's deployment; after that a person should look.
    """

    base: timedelta = timedelta(seconds=2)
    cap: timedelta = timedelta(minutes=5)
    max_tries: int = 12

    def may_retry(self, tries: int) -> bool:
        """Say whether another try is allowed after `tries` failed ones."""
        return tries < self.max_tries

    def wait_after(self, tries: int, rng: random.Random) -> timedelta:
        """Return the jittered wait after `tries` failed tries."""
        return backoff(tries, rng, self.base, self.cap)
