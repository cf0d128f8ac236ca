"""Can the send window of a text ever open while the text is good?

Proved from the file and `mappings/compliance.yaml` alone: a window without hours; one that lies outside the hours that
a purpose has in a country; a text that is queued at a known time of day and expires before its window opens.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from connector.adapters.flow_checks import ways_of
from connector.adapters.mistake_places import at_place, at_step
from connector.adapters.purpose_checks import purpose_of
from connector.adapters.yaml_shapes import listed, quoted
from connector.domain.compliance import Compliance
from connector.domain.durations import format_duration
from connector.domain.errands import EnrollIn, Note, SetValues, Task
from connector.domain.journey import Journey
from connector.domain.message import Purpose
from connector.domain.send_window import ANYTIME, SendWindow, opening
from connector.domain.steps import Exit, If, Send, Step, Verify, Wait, texts_sent, walk
from connector.errors import Mistake

_WEEK = [datetime(2026, 11, 16, tzinfo=UTC) + timedelta(days=day) for day in range(7)]
"""A Monday and the six days behind it, in a zone whose clocks never change."""

_AT_ONCE = (Task, SetValues, Note, EnrollIn, If, Exit)
"""Steps that take no time, so that the time of day behind them is the one before them."""

_USUAL_CLOCK = time(9)
"""When `next business day` begins without an `at`."""


def window_mistakes(journey: Journey, compliance: Compliance) -> Iterator[Mistake]:
    """Give the windows of a journey's texts that stay closed."""
    for step in walk(journey.steps):
        for text in texts_sent(step):
            yield from _hours(step, text, journey, compliance)
    found: list[Mistake] = []
    _follow(journey.steps, None, journey, compliance, found)
    yield from found


def clock_mistakes(journey: Journey) -> Iterator[Mistake]:
    """Warn of a clock that seems to decide when marketing goes out; one that a schedule needs is no such sign."""
    if journey.time_zone == "contact" or journey.trigger.schedule:
        return
    sent = ((step, text) for step in walk(journey.steps) for text in texts_sent(step))
    if any(purpose_of(step, text, journey.purpose) is Purpose.MARKETING for step, text in sent):
        message = "the send window of marketing is counted by the recipient's own clock, whatever stands here"
        hint = "write timezone: contact, so that times of day are the recipient's too"
        yield at_place(journey.trigger.place, "timezone", message, hint, severity="warning")


def has_hours(window: SendWindow) -> bool:
    """Tell whether a window is ever open."""
    return any(window.days.values())


def _hours(step: Step, text: Send, journey: Journey, compliance: Compliance) -> Iterator[Mistake]:
    name = text.window or journey.window
    window = ANYTIME if name == ANYTIME.name else compliance.windows.get(name or "")
    if window is None:
        return
    if not has_hours(window):
        yield at_step(step, f"the window {quoted(window.name)} has no hours: the text never goes out", option="window")
        return
    if isinstance(step, Verify) and not window.is_always_open:
        message = f"a code that is asked for outside the window {quoted(window.name)} waits for it, and expires"
        yield at_step(step, message, "write window: anytime", option="window", severity="warning")
        return
    purpose = purpose_of(step, text, journey.purpose)
    closed = [row for row, hours in _rows(compliance, purpose) if has_hours(hours) and not _share(window, hours)]
    if closed:
        where = _countries(closed)
        message = f"the window {quoted(window.name)} shares no hour with those of {purpose} texts in {where}"
        yield at_step(step, message, "see mappings/compliance.yaml", option="window", severity="warning")
    elif window is ANYTIME and purpose is Purpose.MARKETING and text.to == "contact":
        message = "lets marketing go out by night, in countries that allow it by day only"
        yield at_step(step, message, "leave `window: anytime` out", option="window", severity="warning")


def _rows(compliance: Compliance, purpose: Purpose) -> list[tuple[str, SendWindow]]:
    return [(country, row.window) for country, row in compliance.purposes[purpose].rows.items()]


def _countries(names: list[str]) -> str:
    return listed(["countries without a row of their own" if name == "default" else name for name in names])


def _share(one: SendWindow, other: SendWindow) -> bool:
    """Tell whether two windows are ever open at once on the same clock."""
    return any(opening(other, ["UTC"], at).is_open for at in _openings(one)) or any(
        opening(one, ["UTC"], at).is_open for at in _openings(other)
    )


def _openings(window: SendWindow) -> Iterator[datetime]:
    for day in _WEEK:
        for start, _ in window.days.get(day.weekday(), ()):
            yield datetime.combine(day.date(), start, UTC)


def _follow(
    steps: tuple[Step, ...], clock: time | None, journey: Journey, compliance: Compliance, found: list[Mistake]
) -> None:
    """Follow the time of day at which steps are taken, where it is known, and look at each text queued then."""
    for step in steps:
        before = clock if step.at is None else None
        if before is not None:
            for text in texts_sent(step):
                found.extend(_expiry(step, text, before, journey, compliance))
        for nested in ways_of(step) or [()]:
            _follow(nested, before if isinstance(step, If) else None, journey, compliance, found)
        clock = _clock_behind(step, before)


def _clock_behind(step: Step, before: time | None) -> time | None:
    """Give the time of day behind a step; a time that may be past already, and is then passed over, tells none."""
    if isinstance(step, Wait) and step.when is None and step.at is None:
        is_sure = step.next_business_day or not step.skip_if_past
        return (step.clock or (_USUAL_CLOCK if step.next_business_day else None)) if is_sure else None
    changes = isinstance(step, If) and not all(_is_at_once(way) for way in ways_of(step))
    return before if isinstance(step, _AT_ONCE) and not changes else None


def _is_at_once(way: tuple[Step, ...]) -> bool:
    return all(isinstance(step, _AT_ONCE) and all(_is_at_once(inner) for inner in ways_of(step)) for step in way)


def _expiry(step: Step, text: Send, clock: time, journey: Journey, compliance: Compliance) -> Iterator[Mistake]:
    """Look at a text that is queued at a known time of day, and good for a known time from then on."""
    if text.expires_after is None:
        return
    name = text.window or journey.window
    purpose = purpose_of(step, text, journey.purpose)
    rows = _rows(compliance, purpose)
    if name == ANYTIME.name or (name and name not in compliance.windows):
        return
    if name:
        rows = [(name, compliance.windows[name])]
    never = [row for row, window in rows if has_hours(window) and not _opens_within(window, clock, text.expires_after)]
    if not never:
        return
    is_all = len(never) == len(rows)
    whose = f"the window {quoted(name)}" if name else f"the hours of {purpose} texts"
    where = "" if is_all else f" in {_countries(never)}"
    message = f"never goes out{where}: queued at {clock:%H:%M}, it expires before {whose} open"
    message = message if not name else message.replace(" open", " opens")
    option = "lifetime" if isinstance(step, Verify) else "expires_after"
    hint = f"lengthen {option} ({format_duration(text.expires_after)}), or wait until another time of day"
    yield at_step(step, message, hint, option=option, severity="error" if is_all else "warning")


def _opens_within(window: SendWindow, clock: time, period: timedelta) -> bool:
    for day in _WEEK:
        queued = datetime.combine(date(day.year, day.month, day.day), clock, UTC)
        state = opening(window, ["UTC"], queued)
        if state.is_open or (state.opens_at is not None and state.opens_at < queued + period):
            return True
    return False
