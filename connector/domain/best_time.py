"""At which of the coming hours is a contact most likely to answer?

What is known are counts: how often somebody answered or followed a link in each hour of the week. Counts of one person
are few, so each level leans on a wider one: the contact's own on those of people like them, these on everybody's, and
everybody's on the assumption that all hours are alike. It is a Dirichlet prior at each level, whose weight is written
as a number of answers that were never given. Neighbouring hours and the same hour of other days lend each other weight,
since somebody who answers on Tuesdays at six hardly means six sharp, nor Tuesdays only.

Answers can only come to texts that were sent, so an hour at which nobody is ever texted would look bad for ever: one
choice in ten is drawn by lot to find out. The lot is a hash of the step's key: the same run always draws the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connector.domain.calendar_days import clocks
from connector.domain.habits import Habits, Hour
from connector.domain.send_window import opening
from connector.domain.surroundings import Surroundings

EXPLORATION = 0.1
"""Share of choices drawn by lot: enough to notice within some hundred texts that habits have changed, little enough
that nine of ten people are served well."""

OWN_PRIOR = 10.0
"""From ten answers of their own on, a contact's habits weigh more than those of people like them."""

ALIKE_PRIOR = 50.0
"""From fifty answers on, people like them weigh more than everybody: fewer are too few for 168 hours."""

EVERYONE_PRIOR = 168.0
"""One answer per hour of the week that was never given: some dozens of answers in all are not yet a pattern."""

_NEAR = (1.0, 0.5, 0.25)  # what an answer says about the hours beside it halves with each hour
_OTHER_DAY = 0.2  # what it says about that hour of another day: the six others together weigh about as much as its own
_WEEK = 7 * 24
_HOUR = timedelta(hours=1)
_LONGEST = timedelta(days=7)  # after a week the hours of the week come again
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Choice:
    """The time that was chosen, in UTC, and why; None when there is no open hour."""

    at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class _Slot:
    """An hour, or what of it is open; `hours` is the hour of the week that it is on each clock, the first one first."""

    start: datetime
    end: datetime
    hours: tuple[Hour, ...]


def choose_time(around: Surroundings, start: datetime, end: datetime, key: str) -> Choice:
    """Choose a time from `start` to `end` at which the send window is open wherever the contact can be.

    Args:
        around: whose habits, window and zones.
        start: aware.
        end: aware; more than a week after `start` counts as a week.
        key: of the step; the minute, and the lot, are drawn from it, so that thousands do not go out at once.
    """
    zones = clocks(around.zones)
    slots = list(_slots(around, zones, start.astimezone(UTC), min(end, start + _LONGEST).astimezone(UTC)))
    if not slots:
        return Choice(None, "No open hour in this time; goes on at once")
    explores, which, minute = _lots(key)
    slot, reason = _chosen(around.habits, slots, slots[int(which * len(slots))], explores=explores < EXPLORATION)
    at = slot.start + timedelta(seconds=int((slot.end - slot.start).total_seconds() * minute))
    day, hour = slot.hours[0]
    more = f" and {len(zones) - 1} more" if len(zones) > 1 else ""
    return Choice(at, f"Chose {_WEEKDAYS[day]} {hour:02}:00 ({zones[0].key}{more}): {reason}")


def _lots(key: str) -> tuple[float, float, float]:
    """Draw three numbers from 0 up to 1, always the same for a key."""
    digest = hashlib.sha256(f"best time\0{key}".encode()).digest()
    first, second, third = (int.from_bytes(digest[at : at + 4]) / 2**32 for at in (0, 4, 8))
    return first, second, third


def _slots(around: Surroundings, zones: Sequence[ZoneInfo], start: datetime, end: datetime) -> Iterator[_Slot]:
    for at, closes_at in _open_stretches(around, start, end):
        while at < closes_at:
            local = [at.astimezone(zone) for zone in zones]
            whole = at.replace(microsecond=0) - timedelta(minutes=local[0].minute, seconds=local[0].second)
            stop = min(whole + _HOUR, closes_at)
            yield _Slot(at, stop, tuple((here.weekday(), here.hour) for here in local))
            at = stop  # noqa: PLW2901 - the stretch is walked from hour to hour


def _open_stretches(around: Surroundings, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    at = start
    while at < end:
        now = opening(around.window, around.zones, at)
        if now.is_open:
            closes_at = min(now.closes_at or end, end)
            yield at, closes_at
            at = closes_at
        elif now.opens_at is None:
            return
        else:
            at = now.opens_at


def _chosen(habits: Habits, slots: Sequence[_Slot], lot: _Slot, *, explores: bool) -> tuple[_Slot, str]:
    if not any((habits.own, habits.alike, habits.everyone)):
        return lot, "nobody has answered yet, so an open hour was drawn by lot"
    if explores:
        return lot, f"drawn by lot, as {EXPLORATION:.0%} of all are, to learn about hours that are seldom tried"
    shares = {hour: _share(habits, hour) for slot in slots for hour in slot.hours}
    best = max(slots, key=lambda slot: sum(shares[hour] for hour in slot.hours) / len(slot.hours))
    return best, _evidence(habits, best.hours[0][1])


def _share(habits: Habits, hour: Hour) -> float:
    """Estimate which share of a contact's answers comes in this hour of the week."""
    share = 1 / _WEEK
    levels = ((habits.everyone, EVERYONE_PRIOR), (habits.alike, ALIKE_PRIOR), (habits.own, OWN_PRIOR))
    for counts, prior in levels:
        share = (_smoothed(counts, hour) + prior * share) / (sum(counts.values()) + prior)
    return share


def _smoothed(counts: Mapping[Hour, int], hour: Hour) -> float:
    here = hour[0] * 24 + hour[1]
    return sum(
        weight * counts.get(((here + offset) % _WEEK // 24, (here + offset) % 24), 0) for offset, weight in _KERNEL
    )


def _kernel() -> tuple[tuple[int, float], ...]:
    """Give what an answer so many hours off weighs; all weights together are one, so that no answer counts twice."""
    weights = {
        (day * 24 + side) % _WEEK: (_OTHER_DAY if day else 1) * _NEAR[abs(side)]
        for day in range(7)
        for side in range(1 - len(_NEAR), len(_NEAR))
    }
    return tuple((offset, weight / sum(weights.values())) for offset, weight in weights.items())


_KERNEL = _kernel()


def _evidence(habits: Habits, hour: int) -> str:
    """Say what speaks for an hour: the closest people who have answered about then, on any day."""
    about = f"between {(hour - 1) % 24:02}:00 and {(hour + 2) % 24:02}:00"
    levels = ((habits.own, ""), (habits.alike, "contacts in the same country "), (habits.everyone, "all contacts "))
    for counts, who in levels:
        near = sum(count for (_, at), count in counts.items() if (at - hour) % 24 in {0, 1, 23})
        if near:
            return f"{who}answered {near} of {sum(counts.values())} times {about}"
    return f"nobody has answered {about}, nor nearer to another open hour"
