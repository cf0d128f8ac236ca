"""When may the next text go to a number that has had some already?"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.domain.durations import format_duration, parse_duration

_CAP = re.compile(r"\s*([0-9]{1,6})\s+per\s+(.+?)\s*", re.ASCII | re.IGNORECASE)
_EXPECTED = 'a number of texts and a duration, such as "3 per 7 days" or "1 per day"'


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `count` texts in any stretch of time as long as `per`.

    The stretch is half-open: a text sent exactly `per` ago no longer counts.
    """

    count: int
    per: timedelta

    def __post_init__(self) -> None:
        if self.count < 1 or self.per <= timedelta(0):
            raise ValueError("a cap allows at least one text per a time longer than zero")

    def __str__(self) -> str:
        return f"{self.count} per {format_duration(self.per)}"


def parse_cap(text: str) -> Cap:
    """Read a cap such as "3 per 7 days"; "per day" is short for "per 1 day".

    Raises:
        ValueError: says what was written and what was expected.
    """
    found = _CAP.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a cap: expected {_EXPECTED}")
    span = found[2] if found[2][0].isdigit() else f"1 {found[2]}"
    try:
        return Cap(int(found[1]), parse_duration(span))
    except ValueError as exc:
        raise ValueError(f"{text!r} is not a cap: {exc}") from exc


def next_free(caps: Iterable[Cap], sent_at: Sequence[datetime], now: datetime) -> datetime | None:
    """Return when the next text is inside every cap, or None when it is now.

    Args:
        caps: all of them hold together.
        sent_at: aware times of the texts that count, in any order; planned ones may lie ahead.
        now: aware.
    """
    newest_first = sorted(sent_at, reverse=True)
    waits = [newest_first[cap.count - 1] + cap.per for cap in caps if len(newest_first) >= cap.count]
    free_at = max(waits, default=now)
    return free_at if free_at > now else None


@dataclass(frozen=True, slots=True)
class Contender:
    """Another text of higher priority that waits to go to the same number.

    Attributes:
        wants_at: when it may go at the earliest, as far as is known.
    """

    message_id: str
    journey: str
    priority: int
    wants_at: datetime


@dataclass(frozen=True, slots=True)
class Limit:
    """A cap on the texts to one number, and how full it is.

    Attributes:
        rule: for people: what holds, such as `cap of 3 per 1 day for marketing texts`.
        sent_at: aware times of the earlier texts that count against it.
        wanted_by: texts that count against it too and come first, the most important one first.
    """

    cap: Cap
    rule: str
    sent_at: Sequence[datetime] = ()
    wanted_by: tuple[Contender, ...] = ()

    def used(self, now: datetime) -> int:
        """Count the texts that fill it now."""
        return sum(at > now - self.cap.per for at in self.sent_at)

    def opens_at(self, now: datetime) -> datetime | None:
        """Give when the next text fits under it, or None when it is now."""
        return next_free((self.cap,), self.sent_at, now)

    def reopens_at(self, now: datetime) -> datetime:
        """Give when the next place under it becomes free, if one more text is sent now."""
        return min((at for at in self.sent_at if at > now - self.cap.per), default=now) + self.cap.per

    def crowded_out_by(self, now: datetime) -> Contender | None:
        """Give whom the last room under it is for, when those who come first need all of it before more opens."""
        if not self.wanted_by:
            return None
        reopens_at = self.reopens_at(now)
        rivals = [each for each in self.wanted_by if each.wants_at < reopens_at]
        return rivals[0] if rivals and len(rivals) >= self.cap.count - self.used(now) else None
