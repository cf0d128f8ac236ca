"""Through which gateway has the share of texts that arrive fallen, for a country or for one carrier?

The latest minutes are held against those before them by the likelihood ratio of two proportions: what both rates by
themselves explain better than one rate for all. Its signed root is as good as normal (Wilks, "The large-sample
distribution of the likelihood ratio", Ann. Math. Stat. 9, 1938), also near 0 and 1 where delivery rates lie. Since
somebody looks every minute, at every way, over several stretches of time, each look is held to its share of the error
that is allowed in a day (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import NormalDist

from connector.domain.tallies import Counts, Key, Tally, age_of, by_level, latencies

STRETCHES = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=3))
"""What counts as the latest: a busy way shows an outage in five minutes, a quiet one gathers texts for hours."""

BEFORE = timedelta(days=1)
"""What the latest is held against: a day has all hours in it, and a route that has been bad for longer is not news."""

LEAST_FALL = 0.05
"""A smaller fall may be certain with millions of texts, and is no reason to wake anybody."""

LEAST_TEXTS = 10.0
"""Of which the latest must consist, and what was before: below it a root of a likelihood is not normal."""

_ERROR = 0.01  # false alarms a day: one in three months
_LOOKS = 24 * 60  # a day


@dataclass(frozen=True, slots=True)
class Fallen:
    """A rate that fell.

    Attributes:
        carrier: empty when the country as a whole is meant.
        before, now_rate: share of texts that arrived.
        texts: of the latest, whose fate should be known.
    """

    gateway: str
    country: str
    carrier: str
    before: float
    now_rate: float
    texts: int


@dataclass(frozen=True, slots=True)
class _Count:
    texts: float = 0.0
    delivered: float = 0.0

    @property
    def rate(self) -> float:
        return self.delivered / self.texts if self.texts else 0.0

    def __add__(self, other: _Count) -> _Count:
        return _Count(self.texts + other.texts, self.delivered + other.delivered)


def fallen(tallies: Iterable[Tally], now: datetime, unreported: frozenset[str] = frozenset()) -> list[Fallen]:
    """Give every country and carrier for which a gateway's rate fell, the most texts first.

    Args:
        tallies: of the last `BEFORE` and the longest of `STRETCHES`; older ones do not count.
        now: aware; to be asked no more than once a minute.
        unreported: gateways that never tell what became of a text.
    """
    counted = {key: counts for key, counts in by_level(tallies, now).items() if key[0] not in unreported}
    patiences = latencies(counted)
    ways = [key for key in counted if key[1] and not key[2]]
    needed = NormalDist().inv_cdf(1 - _ERROR / (_LOOKS * len(STRETCHES) * max(len(ways), 1)))
    found = [_fall(key, counted[key], now, patiences[key[:2]], needed) for key in sorted(ways)]
    return sorted((each for each in found if each is not None), key=lambda each: -each.texts)


def _fall(key: Key, slots: Mapping[datetime, Counts], now: datetime, patience: float, needed: float) -> Fallen | None:
    """Look at a way over each stretch; give the fall that is plainest."""
    plainest = max(_looks(slots, now, patience), default=None, key=lambda look: look[0])
    if plainest is None or plainest[0] < needed:
        return None
    _, before, latest = plainest
    gateway, country, _, carrier = key
    return Fallen(gateway, country, carrier, before.rate, latest.rate, round(latest.texts))


def _looks(slots: Mapping[datetime, Counts], now: datetime, patience: float) -> Iterator[tuple[float, _Count, _Count]]:
    for stretch in STRETCHES:
        latest, before = _Count(), _Count()
        for slot, each in slots.items():
            count = _Count(each.exposure(age_of(slot, now), patience), each.delivered)
            if slot > now - stretch:
                latest += count
            elif slot > now - stretch - BEFORE:
                before += count
        if min(latest.texts, before.texts) >= LEAST_TEXTS and before.rate - latest.rate >= LEAST_FALL:
            yield _signed_root(before, latest), before, latest


def _signed_root(before: _Count, latest: _Count) -> float:
    apart = _log_likelihood(before, before.rate) + _log_likelihood(latest, latest.rate)
    both = before + latest
    together = _log_likelihood(both, both.rate)
    return math.sqrt(max(2 * (apart - together), 0.0))


def _log_likelihood(count: _Count, rate: float) -> float:
    return _log_power(rate, count.delivered) + _log_power(1 - rate, count.texts - count.delivered)


def _log_power(base: float, exponent: float) -> float:
    return exponent * math.log(base) if exponent > 0 and base > 0 else 0.0
