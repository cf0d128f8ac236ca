"""Can every step of a journey be reached, and does every `at` lie ahead of the steps before it?

Only what can be proved from the file alone is told: a condition that happens never to hold is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from connector.adapters.jinja_syntax import compile_condition
from connector.adapters.mistake_places import at_place, at_step
from connector.adapters.yaml_shapes import quoted
from connector.domain.durations import format_duration
from connector.domain.steps import (
    Branch,
    Confirm,
    Exit,
    If,
    Split,
    Step,
    Verify,
    Wait,
    WaitFor,
    walk,
)
from connector.errors import Mistake

_NO_TIME = timedelta(0)


def flow_mistakes(steps: tuple[Step, ...]) -> Iterator[Mistake]:
    """Give what is wrong with the order of a journey's steps."""
    yield from _unreachable(steps)
    for step in walk(steps):
        if isinstance(step, If):
            yield from _same_conditions(step)
        yield from _asked_too_late(step)
    yield from _past_anchors(steps)


def ends(step: Step) -> bool:
    """Tell whether nothing behind a step can be reached."""
    if step.when is not None:
        return False
    ways = ways_of(step)
    return isinstance(step, Exit) or (bool(ways) and all(any(ends(each) for each in way) for way in ways))


def ways_of(step: Step) -> list[tuple[Step, ...]]:
    """Give the lists of steps one of which is taken at this step; an empty one goes on behind it.

    What is run when a step fails is none of them.
    """
    if isinstance(step, If):
        return [*(branch.then for branch in step.branches), step.otherwise]
    if isinstance(step, WaitFor):
        return [*(case.then for case in step.cases), step.otherwise]
    if isinstance(step, Split):
        return [arm.then for arm in step.arms]
    return [step.then, step.otherwise] if isinstance(step, Verify | Confirm) else []


def _unreachable(steps: tuple[Step, ...]) -> Iterator[Mistake]:
    for step, after in pairwise(steps):
        if ends(step):
            why = "`exit`" if isinstance(step, Exit) else "a step all of whose ways exit"
            yield at_step(after, f"is never reached: it stands behind {why} in line {step.place.line}")
            break
    for step in steps:
        for nested in step.children():
            yield from _unreachable(nested)


def _same_conditions(step: If) -> Iterator[Mistake]:
    seen: dict[str, Branch] = {}
    for branch in step.branches:
        written = " ".join(branch.condition.source.split())
        earlier = seen.setdefault(written, branch)
        if earlier is not branch:
            line = earlier.condition.place.line
            message = f"is never reached: line {line} has the same condition {quoted(written)}"
            yield at_place(branch.condition.place, step.path, message)


def _asked_too_late(step: Step) -> Iterator[Mistake]:
    """Warn of a `when` that asks whether a time is there which `at` has needed by then."""
    moment = step.at.moment if step.at is not None else None
    if step.at is None or moment is None or step.when is None:
        return
    for name in dict.fromkeys(str(use) for use in compile_condition(moment.source).names):
        if re.search(rf"(?<![\w.]){re.escape(name)}\s+is\s+defined\b", step.when.source):
            message = f"`when` is asked once this time has come, so it fails where {quoted(name)} is not defined"
            hint = f"put the step into an `if: {name} is defined`"
            yield at_place(step.at.place, f"{step.path}.at", message, hint, severity="warning")


def _past_anchors(steps: tuple[Step, ...]) -> Iterator[Mistake]:
    found: list[Mistake] = []
    _earliest(steps, _NO_TIME, found)
    yield from found


def _earliest(steps: tuple[Step, ...], start: timedelta, found: list[Mistake]) -> timedelta | None:
    """Give how long after the trigger a list of steps is done at the earliest; None when it always ends in `exit`.

    Only what is surely waited counts: an answer, an event or a business day may come at once. What the failure of a
    step leads to begins with the step itself.
    """
    for step in steps:
        _earliest(step.on_failure, start, found)
        start = _after(step, start, found)
        ways = [_earliest(way, start, found) for way in ways_of(step)]
        open_ways = [at for at in ways if at is not None]
        if ways:
            start = min([*open_ways, *([start] if step.when is not None else [])], default=start)
        if ends(step):
            return None
    return start


def _after(step: Step, start: timedelta, found: list[Mistake]) -> timedelta:
    if step.at is not None and isinstance(step.at.offset, timedelta):
        if step.at.offset < start:
            written, past = format_duration(step.at.offset), format_duration(start)
            message = f"is past when it is reached: `+{written}` lies before {past} after the trigger"
            hint = f"the steps before it take at least {past}"
            found.append(at_place(step.at.place, f"{step.path}.at", message, hint, severity="warning"))
        start = max(start, step.at.offset)  # waited for even when `when` then leaves the step out
    if isinstance(step, Wait) and isinstance(step.duration, timedelta) and step.when is None:
        start += step.duration
    return start
