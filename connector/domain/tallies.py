"""What became of the texts of each minute, by gateway, country, sender and carrier, and which of them are overdue?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

FINE = timedelta(hours=4)
"""Minutes of the last hours are told apart; before, nothing happens from one minute to the next that still matters."""

LONGEST_DELIVERY = timedelta(minutes=5)
"""A delivery that took longer is to be counted as this long: phones that were off say nothing of the gateway."""

USUAL_DELIVERY = 20.0
"""Seconds until a receipt comes, where nothing is known."""

LEANS = 10.0
"""So many texts of its own weigh as much as what is known one level above."""

_SLOT = 60.0
Key = tuple[str, str, str, str]
"""Gateway, country, sender, carrier; empty where all of them are meant."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the attempts that were requested in one minute through one gateway.

    What is the number's or the text's own fault (no such number, opted out, refused content) says nothing of the
    gateway: it is not counted at all, or taken back by a tally with negative counts.

    Attributes:
        country: ISO 3166, or empty when not known.
        sender: ours, or empty for the gateway's own choice.
        carrier: as the gateway names it, or empty while not known; a text may be counted as sent under no carrier and
            as delivered under its own.
        slot: the minute, aware UTC.
        sent: texts that the gateway took.
        delivered, undelivered: of these, what receipts said.
        failed: requests beside these that came to nothing: refused connections, time-outs, errors of its own.
        answer_seconds: until it answered, added up over `sent`.
        delivery_seconds: from request to delivery, added up over `delivered`, at most `LONGEST_DELIVERY` each.
    """

    gateway: str
    country: str
    sender: str
    carrier: str
    slot: datetime
    sent: int = 0
    delivered: int = 0
    undelivered: int = 0
    failed: int = 0
    answer_seconds: float = 0.0
    delivery_seconds: float = 0.0


@dataclass(slots=True)
class Counts:
    """What was counted one way in one minute, or in one hour of long ago; grows while tallies are added up."""

    sent: int = 0
    delivered: int = 0
    undelivered: int = 0
    failed: int = 0
    delivery_seconds: float = 0.0

    def add(self, tally: Tally) -> None:
        """Take one more tally in."""
        self.sent += tally.sent
        self.delivered += tally.delivered
        self.undelivered += tally.undelivered
        self.failed += tally.failed
        self.delivery_seconds += tally.delivery_seconds

    def exposure(self, age: float, latency: float) -> float:
        """Give how many of the texts should have been heard of by now; at least those that have been.

        Counting all texts of a minute in part, rather than the silent ones only, keeps the rate unbiased: of a young
        minute as many are missing among the delivered as among the counted.

        Args:
            age: of the texts, in seconds.
            latency: of receipts, in seconds, on average; infinite when there are none.
        """
        heard = max(self.delivered + self.undelivered, 0)
        return max(float(heard), max(self.sent, heard) * -math.expm1(-age / latency))


Ways = Mapping[Key, Mapping[datetime, Counts]]
"""What was counted each way, by the beginning of the minute or hour."""


def by_level(tallies: Iterable[Tally], now: datetime) -> Ways:
    """Add up what went each way, at every level: by minute as far as minutes matter, by hour before."""
    found: dict[Key, dict[datetime, Counts]] = {}
    known: dict[Key, list[dict[datetime, Counts]]] = {}
    fine_from = now - FINE
    for tally in tallies:
        slot = tally.slot if tally.slot > fine_from else tally.slot.replace(minute=0)
        way = tally.gateway, tally.country, tally.sender, tally.carrier
        if way not in known:
            known[way] = [found.setdefault(key, {}) for key in _keys(*way)]
        for counts in known[way]:
            if slot not in counts:
                counts[slot] = Counts()
            counts[slot].add(tally)
    return found


def _keys(gateway: str, country: str, sender: str, carrier: str) -> set[Key]:
    """Name every level that a tally belongs to."""
    return {key for each in ("", sender) for key in levels(gateway, country, each, carrier)}


def levels(gateway: str, country: str, sender: str, carrier: str) -> list[Key]:
    """Name the levels of a way, the widest first; a part that is empty makes no level of its own."""
    found = [(gateway, "", "", "")]
    if country:
        found.append((gateway, country, "", ""))
    if sender:
        found.append((gateway, country, sender, ""))
    if carrier:
        found.append((gateway, country, sender, carrier))
    return found


def latencies(ways: Ways) -> Mapping[tuple[str, ...], float]:
    """Give how long receipts take to come, by gateway and country; all of the time that is looked at counts alike."""
    found: dict[tuple[str, ...], float] = {}
    for key in sorted(key for key in ways if not any(key[2:])):
        delivered = sum(counts.delivered for counts in ways[key].values())
        seconds = sum(counts.delivery_seconds for counts in ways[key].values())
        wider = found.get((key[0], ""), USUAL_DELIVERY)
        found[key[:2]] = max(leaning(seconds, delivered, wider, LEANS), 1.0)  # no receipt comes sooner than in a second
    return found


def age_of(slot: datetime, now: datetime) -> float:
    """Give the mean age in seconds of the texts of a minute, which may not be over yet."""
    since = max((now - slot).total_seconds(), 0.0)
    return since - _SLOT / 2 if since > _SLOT else since / 2


def leaning(hits: float, trials: float, wider: float, weight: float) -> float:
    """Give a mean that leans on what is known one level above, as on so many trials."""
    return (hits + weight * wider) / (trials + weight)
