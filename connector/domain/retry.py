"""After how long, and how often, is a send that certainly did not go out tried again?"""

import random
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
    return longest_wait(tries, base, cap) * rng.random()


def longest_wait(tries: int, base: timedelta, cap: timedelta) -> timedelta:
    """Return `base` doubled per failed try after the first, at most `cap`; `base` is above zero."""
    doublings = min(tries - 1, (cap // base).bit_length())  # more would pass the cap, and in the end timedelta.max
    longest: timedelta = min(cap, base * 2**doublings)
    return longest
