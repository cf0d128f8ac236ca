"""How good is each gateway of late, per country, sender and carrier, and how sure is that?

What is known are counts per minute. Four things are made of them:

- **Decay.** What happened weighs half after `HALF_LIFE`. Older days are remembered too, but as a few texts only.
- **Silence.** A text without a receipt is no failure yet when it is a few seconds old, and almost certainly one when it
  is much older than receipts usually are. So the texts of a minute count as far as their receipts should have come by
  now, with the gateway's own delivery times (exponential, by their mean). A gateway that stops delivering without a
  word therefore loses its rate within minutes.
- **A prior at each level.** Carrier leans on sender, sender on country, country on gateway, and the gateway on what
  gateways usually do: a new route is neither trusted nor condemned, and a gateway's trouble is seen in countries to
  which it has just sent nothing.
- **A bound.** Wilson's interval on the weighed counts: what ten texts showed is worth less than what thousands did.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connector.domain.falls import BEFORE, STRETCHES, Fallen, fallen
from connector.domain.tallies import (
    LEANS,
    LONGEST_DELIVERY,
    USUAL_DELIVERY,
    Counts,
    Key,
    Tally,
    age_of,
    by_level,
    latencies,
    leaning,
    levels,
)

__all__ = ["LONGEST_DELIVERY", "LOOK_BACK", "Estimate", "Fallen", "Scores", "Tally", "fallen", "score", "wilson"]

HALF_LIFE = timedelta(minutes=10)
"""After which evidence weighs half: a gateway that goes silent then loses a tenth of its rate in two minutes, and a bad
quarter of an hour is forgiven within an hour. In the play of `bench/routing.py` twice as long leaves a silent gateway
nearly twice as late, and saves nothing."""

LONG_HALF_LIFE = timedelta(days=1)
"""Of what is remembered beside it, so that a shop with five texts an hour learns something too."""

REMEMBERED = 20.0
"""So many texts is all that older days weigh: half a minute of evidence at one text a second outweighs them."""

LOOK_BACK = BEFORE + STRETCHES[-1]
"""Tallies older than this are of no use: that is what falls are looked for in, and more than a few texts' worth."""

USUAL_RATE, USUAL_WEIGHT = 0.9, 5.0
"""What a gateway nobody knows delivers: most reach 90 to 98 of 100. Five texts of its own already weigh as much."""

Z = 1.2816
"""Width of the interval: one true rate in ten lies below it. Wider ones would leave good newcomers out for hours."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How good a way is held to be.

    Attributes:
        delivery_rate: share of the texts it takes that arrive.
        lower, upper: bounds of it.
        texts: on how many texts of its own that stands, older ones counting less.
        latency_seconds: from request to delivery, on average.
        error_rate: share of requests that it does not take.
    """

    delivery_rate: float
    lower: float
    upper: float
    texts: float
    latency_seconds: float
    error_rate: float


@dataclass(slots=True)
class _Sums:
    """Weighed counts.

    Attributes:
        requests: all that were made of the gateway.
        tried: texts whose fate should be known by now.
    """

    requests: float = 0.0
    failed: float = 0.0
    tried: float = 0.0
    delivered: float = 0.0
    delivery_seconds: float = 0.0

    def add(self, counts: Counts, tried: float, weight: float) -> None:
        self.requests += max(counts.sent + counts.failed, 0) * weight
        self.failed += counts.failed * weight
        self.tried += tried * weight
        self.delivered += counts.delivered * weight
        self.delivery_seconds += counts.delivery_seconds * weight

    def with_a_few_of(self, older: _Sums) -> _Sums:
        """Add older days, as far as they may weigh."""
        texts = max(older.tried, older.requests)
        few = min(1.0, REMEMBERED / texts) if texts else 0.0
        return _Sums(
            self.requests + older.requests * few,
            self.failed + older.failed * few,
            self.tried + older.tried * few,
            self.delivered + older.delivered * few,
            self.delivery_seconds + older.delivery_seconds * few,
        )


_NOTHING = _Sums()


@dataclass(frozen=True, slots=True)
class Scores:
    """What is known of all ways at one moment; made by `score`."""

    _sums: Mapping[Key, _Sums] = field(default_factory=dict)

    def of(self, gateway: str, country: str | None, sender: str = "", carrier: str = "") -> Estimate:
        """Estimate a way, at the deepest level that is asked for."""
        rate, weight = USUAL_RATE, USUAL_WEIGHT
        latency, errors, own = USUAL_DELIVERY, 0.0, _NOTHING
        for key in levels(gateway, country or "", sender, carrier):
            own = self._sums.get(key, _NOTHING)
            rate = leaning(own.delivered, own.tried, rate, weight)
            latency = leaning(own.delivery_seconds, own.delivered, latency, weight)
            errors = leaning(own.failed, own.requests, errors, weight)
            last, weight = own.tried + weight, LEANS
        lower, upper = wilson(rate, last)
        return Estimate(rate, lower, upper, own.tried, latency, errors)


def score(tallies: Iterable[Tally], now: datetime, unreported: frozenset[str] = frozenset()) -> Scores:
    """Estimate every way from what was counted.

    Args:
        tallies: of the last `LOOK_BACK`, in any order.
        now: aware.
        unreported: gateways that never tell what became of a text: their silence means nothing.
    """
    ways = by_level(tallies, now)
    patiences = latencies(ways)
    return Scores(
        {
            key: _sums(counts, now, math.inf if key[0] in unreported else patiences[key[:2]])
            for key, counts in ways.items()
        }
    )


def _sums(counts: Mapping[datetime, Counts], now: datetime, patience: float) -> _Sums:
    recent, older = _Sums(), _Sums()
    for slot, each in counts.items():
        age = age_of(slot, now)
        tried = each.exposure(age, patience)
        recent.add(each, tried, _weight(age, HALF_LIFE))
        older.add(each, tried, _weight(age, LONG_HALF_LIFE))
    return recent.with_a_few_of(older)


def wilson(rate: float, texts: float, z: float = Z) -> tuple[float, float]:
    """Bound a rate that was seen in so many texts (Wilson, "Probable inference", J. Am. Stat. Assoc. 22, 1927)."""
    spread = z * math.sqrt(rate * (1 - rate) / texts + z * z / (4 * texts * texts))
    scale = 1 + z * z / texts
    middle = rate + z * z / (2 * texts)
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def _weight(age: float, half_life: timedelta) -> float:
    weight: float = 0.5 ** (age / half_life.total_seconds())
    return weight
