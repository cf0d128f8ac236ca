"""What does a step do that lets time pass, or waits for something to happen?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from connector.domain.answers import first_answer, use_up, waited_for
from connector.domain.best_time import choose_time
from connector.domain.calendar_days import as_time, later, next_business_day, spoken
from connector.domain.places import Expression
from connector.domain.progress import Halt, Progress, Waiting
from connector.domain.seen_values import seen_values
from connector.domain.steps import Wait, WaitFor


def wait(run: Progress, step: Wait, is_new: bool) -> Halt | None:
    """Wait until a time; it is asked anew at every look, so that the wait follows an appointment that moves."""
    if step.best_within is not None:
        return _wait_for_best_time(run, step, step.best_within)
    target, values = _end_of_wait(run, step)
    if target > run.now:
        run.aim(target)
        run.note(step.path, step.place, f"waits:{target.isoformat()}", f"Waits until {spoken(target)}", values)
        return Waiting(target, spoken(target))
    was_expected = not is_new and run.state.target in {None, target}
    if step.until is not None and not was_expected:
        return _past(run, step, values, is_new=is_new)
    run.done_at(target)
    run.note(step.path, step.place, "waited", f"Waited until {spoken(target)}", values)
    return run.go_on(step)


def _past(run: Progress, step: Wait, values: Mapping[str, Any], *, is_new: bool) -> Halt | None:
    """Deal with a time that was past when it was first asked for, or that has moved into the past meanwhile."""
    if not step.skip_if_past:
        return run.fail(step, "the time to wait until is past")
    if not is_new:
        run.done_at(run.now)  # it has waited for the earlier time until it heard of the change
    run.note(step.path, step.place, "past", "The time to wait until is past; goes on", values)
    return run.go_on(step)


def _end_of_wait(run: Progress, step: Wait) -> tuple[datetime, Mapping[str, Any]]:
    """Give the time a wait ends, and the values it rests on.

    `now` means in an `until` when the step was entered, or `now + 1 hour` would never come.
    """
    if step.next_business_day:
        return next_business_day(run.begun, step.clock, run.around), {}
    if step.until is None:
        return later(run.begun, step.duration or timedelta(0), run.around), {}
    return _moment(run, step.until, step.clock)


def _moment(run: Progress, until: Expression, clock: time | None = None) -> tuple[datetime, Mapping[str, Any]]:
    names = {**run.names, "now": run.begun}
    value = run.around.evaluate(until, names)
    return as_time(value, clock, until.source, run.around), seen_values(until.source, names)


def _wait_for_best_time(run: Progress, step: Wait, within: timedelta) -> Halt | None:
    """Choose an hour once, and wait for it; go on at once when there is none to choose."""
    target = run.state.target or _chosen(run, step, within)
    if target is None:
        return run.go_on(step)
    if target > run.now:
        run.aim(target)
        return Waiting(target, f"{spoken(target)}, the best time")
    run.done_at(target)
    run.note(step.path, step.place, "waited", f"Waited until {spoken(target)}")
    return run.go_on(step)


def _chosen(run: Progress, step: Wait, within: timedelta) -> datetime | None:
    end = later(run.begun, within, run.around)
    choice = choose_time(run.around, max(run.begun, run.now), end, run.key(step))
    run.note(step.path, step.place, "best time", choice.reason)
    return choice.at


def wait_for(run: Progress, step: WaitFor, is_new: bool) -> Halt | None:  # noqa: ARG001 - every kind is called alike
    """Go on with the first case that something answers, or with the time-out."""
    deadline = _deadline(run, step)
    answer = first_answer(run, step, deadline)
    if answer is not None:
        use_up(run, answer)
        run.done_at(answer.fact.at)
        run.note(answer.case.path, answer.case.place, "matched", f"Goes on: {answer.summary}", answer.values)
        return run.go_into(answer.case.then, step)
    if deadline <= run.now:
        run.done_at(deadline)
        run.note(step.path, step.place, "timed out", f"Nothing came until {spoken(deadline)}")
        return run.go_into(step.otherwise, step)
    waits_for = f"{waited_for(step)}, until {spoken(deadline)}"
    run.note(step.path, step.place, "waits", f"Waits for {waits_for}")
    return Waiting(deadline, waits_for)


def _deadline(run: Progress, step: WaitFor) -> datetime:
    if step.until is None:
        return later(run.begun, step.within or timedelta(0), run.around)
    return _moment(run, step.until)[0]
