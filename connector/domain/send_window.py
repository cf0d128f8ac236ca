"""May a text go out at this hour where its reader is, and if not, when?

Hours are wall-clock hours in the reader's IANA zone. With several candidate zones a text waits for an hour that is
allowed in all of them. Nights when clocks change are read strictly: a window opens at the later and closes at the
earlier of the two instants a doubled or skipped hour can mean.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import reduce
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HORIZON = timedelta(days=8)
"""How far ahead an opening is looked for: every weekday once, and a day for the widest zone difference."""

MIDNIGHT = time(0)
_DAY = timedelta(days=1)
_Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class SendWindow:
    """Named hours in which a text may go out.

    Attributes:
        name: what journeys call it.
        days: weekday (Monday is 0) to (start, end) pairs of local time, end excluded. An end at or before its
            start lies on the next day, so (22:00, 02:00) crosses midnight and (00:00, 00:00) is the whole day.
            A weekday left out is closed.
    """

    name: str
    days: Mapping[int, tuple[tuple[time, time], ...]]

    @property
    def is_always_open(self) -> bool:
        """Whether every day is whole, so that no zone needs to be known."""
        return all((MIDNIGHT, MIDNIGHT) in self.days.get(weekday, ()) for weekday in range(7))


ANYTIME = SendWindow("anytime", MappingProxyType(dict.fromkeys(range(7), ((MIDNIGHT, MIDNIGHT),))))
"""The window without hours, for one-time codes and for steps that say so."""


class OpeningReason(StrEnum):
    """Why a window is open or not."""

    OPEN = "open"
    CLOSED = "closed"  # opens at `opens_at`
    NO_ZONE = "no_zone"  # nobody knows the reader's clock, or its name is no IANA zone: fails closed
    NEVER = "never"  # the candidate zones share no open hour within eight days


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether a window is open now.

    Attributes:
        is_open: a text may go out now.
        opens_at: aware UTC; None when open, and when `reason` is `no_zone` or `never`.
        closes_at: aware UTC end of the open stretch; None when closed or when it does not close within eight days.
        zones: the candidate zones that were asked.
        reason: why.
    """

    is_open: bool
    opens_at: datetime | None
    closes_at: datetime | None
    zones: tuple[str, ...]
    reason: OpeningReason


def opening(window: SendWindow, zones: Sequence[str], now: datetime) -> Opening:
    """Decide whether a window is open in all zones the reader can be in, and when it opens or closes.

    A window that is always open needs no zone; any other is closed to a reader without one.

    Raises:
        ValueError: `now` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now must be an aware time")
    asked = tuple(dict.fromkeys(zones))
    if window.is_always_open:
        return Opening(True, None, None, asked, OpeningReason.OPEN)
    clocks = [_clock(name) for name in asked]
    known = [clock for clock in clocks if clock is not None]
    if not known or len(known) < len(clocks):
        return Opening(False, None, None, asked, OpeningReason.NO_ZONE)
    now = now.astimezone(UTC)
    spans = reduce(_intersect, (_spans(window, clock, now) for clock in known))
    return _from_span(next((span for span in spans if span[1] > now), None), now, asked)


def _from_span(span: _Span | None, now: datetime, asked: tuple[str, ...]) -> Opening:
    if span is None or span[0] > now + HORIZON:
        return Opening(False, None, None, asked, OpeningReason.NEVER)
    opens_at, closes_at = span
    if opens_at > now:
        return Opening(False, opens_at, None, asked, OpeningReason.CLOSED)
    return Opening(True, None, closes_at if closes_at <= now + HORIZON else None, asked, OpeningReason.OPEN)


def _clock(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown, not a relative path, a directory
        return None


def _spans(window: SendWindow, clock: ZoneInfo, now: datetime) -> list[_Span]:
    """Return the open stretches around the horizon as instants, ascending and merged where they touch."""
    today = now.astimezone(clock).date()
    found: list[_Span] = []
    for opens_at, closes_at in sorted(_daily(window, clock, today)):
        if found and opens_at <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], closes_at))
        else:
            found.append((opens_at, closes_at))
    return found


def _daily(window: SendWindow, clock: ZoneInfo, today: date) -> Iterator[_Span]:
    for days_ahead in range(-1, HORIZON.days + 3):  # yesterday's window may cross midnight; the merge needs an edge
        day = today + days_ahead * _DAY
        for start, end in window.days.get(day.weekday(), ()):
            opens_at = max(_instants(day, start, clock))
            closes_at = min(_instants(day if start < end else day + _DAY, end, clock))
            if opens_at < closes_at:
                yield opens_at, closes_at


def _instants(day: date, at: time, clock: ZoneInfo) -> Iterable[datetime]:
    """Return the two readings of a local time; they differ only in an hour that clocks double or skip (PEP 495)."""
    local = datetime.combine(day, at, clock)
    return local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def _intersect(left: list[_Span], right: list[_Span]) -> list[_Span]:
    both = [(max(a[0], b[0]), min(a[1], b[1])) for a in left for b in right]
    return sorted(span for span in both if span[0] < span[1])
