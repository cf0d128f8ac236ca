"""Which instant is meant by a day and a time of day on somebody's clock, and when have so many business days passed?

With several candidate zones it is the latest instant of all of them, so that the time has come wherever the reader is.
With none, the clock of UTC stands in: a text still waits for a send window, which is closed to a reader without a zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.domain.durations import BusinessDays
from connector.domain.steps import Delay
from connector.domain.surroundings import Surroundings
from connector.errors import ConditionError

OPENING_HOUR = time(9)
"""When a business day begins where a journey does not say: offices are open at nine everywhere."""

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
_LONGEST_REST = 60
"""Days. No country rests so long; a calendar that says so has no business days at all."""

_TOO_FAR = "the wait is longer than the calendar"


def clocks(zones: Sequence[str]) -> tuple[ZoneInfo, ...]:
    """Give the clocks of IANA zones; names that are none are passed over, and UTC stands in for no zone at all."""
    known = (_clock(name) for name in dict.fromkeys(zones))
    return tuple(clock for clock in known if clock is not None) or (ZoneInfo("UTC"),)


def first_instant(day: date, at: time, clock: ZoneInfo) -> datetime:
    """Give the first instant, in UTC, at which a clock shows this time of this day.

    An hour that clocks double in autumn is meant the first time; one that they skip in spring means the first instant
    after the gap (PEP 495 gives both readings of such a time; they differ by the gap).
    """
    local = datetime.combine(day, at, clock)
    early, late = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    return _change_of_clocks(late, early, clock) if late < early else early


def on_day(day: date, at: time, around: Surroundings) -> datetime:
    """Give when this time of this day has come for the recipient, in UTC.

    Raises:
        ConditionError: the calendar does not reach that far.
    """
    try:
        return max(first_instant(day, at, clock) for clock in clocks(around.zones))
    except OverflowError:
        raise ConditionError(_TOO_FAR) from None


def on_day_of(moment: datetime, at: time, around: Surroundings) -> datetime:
    """Give when the clock shows `at` on the recipient's day of a moment, in UTC.

    Raises:
        ConditionError: the calendar does not reach that far.
    """
    try:
        return max(first_instant(moment.astimezone(clock).date(), at, clock) for clock in clocks(around.zones))
    except OverflowError:
        raise ConditionError(_TOO_FAR) from None


def later(start: datetime, delay: Delay, around: Surroundings) -> datetime:
    """Give when a delay from `start` on is over: elapsed time, or the same time of day after so many business days.

    Raises:
        ConditionError: the calendar does not reach that far, or has no business days.
    """
    if isinstance(delay, BusinessDays):
        return _after_business_days(start, delay.count, None, around)
    try:
        return start + delay
    except OverflowError:
        raise ConditionError(_TOO_FAR) from None


def next_business_day(start: datetime, at: time | None, around: Surroundings) -> datetime:
    """Give a time of day, else nine o'clock, on the recipient's first business day after the day of `start`.

    Raises:
        ConditionError: as `later`.
    """
    return _after_business_days(start, 1, at or OPENING_HOUR, around)


def as_time(value: Any, at: time | None, source: str, around: Surroundings) -> datetime:
    """Read what an expression gave as a time: an aware time, or a date, either of them as a value or in ISO 8601.

    Args:
        value: what it gave.
        at: the time of that day which is meant; None for the time itself, and for the beginning of a date.
        source: the expression, for the error.
        around: whose day it is.

    Raises:
        ConditionError: it is neither.
    """
    if isinstance(value, str):
        value = _parsed(value, source)
    if isinstance(value, date) and not isinstance(value, datetime):
        return on_day(value, at or time(0), around)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ConditionError(f"{source} gives no time with a time zone")
    return _in_utc(value) if at is None else on_day_of(value, at, around)


def spoken(at: datetime) -> str:
    """Write an instant for a person who reads a trace."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _parsed(text: str, source: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass  # most often a time
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ConditionError(f"{source} gives no time") from None


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ConditionError(_TOO_FAR) from None


def _clock(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown, not a relative path, a directory
        return None


def _change_of_clocks(low: datetime, high: datetime, clock: ZoneInfo) -> datetime:
    """Find the second from which on a clock goes by the offset that it has at `high`; at `low` it has another."""
    low, high = low.replace(microsecond=0), high.replace(microsecond=0)  # clocks change on whole seconds
    offset = high.astimezone(clock).utcoffset()
    while high - low > _SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(clock).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high


def _after_business_days(start: datetime, count: int, at: time | None, around: Surroundings) -> datetime:
    """Count on each candidate clock, since their dates may differ; the latest of them counts."""
    try:
        local = [start.astimezone(clock) for clock in clocks(around.zones)]
        days = [_business_day(here.date(), count, around) for here in local]
        found = zip(local, days, clocks(around.zones), strict=True)
        return max(first_instant(day, at or here.time(), clock) for here, day, clock in found)
    except OverflowError:
        raise ConditionError(_TOO_FAR) from None


def _business_day(day: date, count: int, around: Surroundings) -> date:
    rested = 0
    while count:
        day += _DAY
        rested += 1
        if around.is_business_day(day, around.country):
            count, rested = count - 1, 0
        if rested > _LONGEST_REST:
            raise ConditionError(f"there is no business day within {_LONGEST_REST} days")
    return day
