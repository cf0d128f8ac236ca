"""What happens when a step is taken: has its time come, does it apply, and what does its kind do?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from connector.domain.asking_steps import confirm, verify
from connector.domain.calendar_days import as_time, later, spoken
from connector.domain.choosing_steps import choose_branch, split
from connector.domain.errands import Call, EnrollIn, Handoff, Note, Notify, SetValues, Task
from connector.domain.outside_steps import ask_for, call, set_values
from connector.domain.progress import Ended, Halt, Progress, Waiting
from connector.domain.seen_values import seen_values
from connector.domain.sending_steps import BEFORE_RELEASE, LOOK_AGAIN, send
from connector.domain.steps import Anchor, Confirm, Exit, If, Send, Split, Step, Verify, Wait, WaitFor
from connector.domain.waiting_steps import wait, wait_for
from connector.errors import ConditionError

__all__ = ["BEFORE_RELEASE", "LOOK_AGAIN", "take"]


def take(run: Progress, step: Step) -> Halt | None:
    """Take one step as far as it goes; None when the cursor has moved on."""
    try:
        is_new = run.state.entered_at is None
        if is_new and step.at is not None:
            not_yet = _not_before(run, step, step.at)
            if not_yet is not None:
                return not_yet
        if is_new and step.when is not None:
            holds, values = run.holds(step.when)
            if not holds:
                run.note(step.path, step.when.place, "skipped", f"Skipped: {step.when.source} does not hold", values)
                return run.go_on(step)
        if is_new:
            run.enter(step)
        return _KINDS[type(step)](run, step, is_new)
    except ConditionError as error:
        return run.fail(step, str(error))


def _not_before(run: Progress, step: Step, anchor: Anchor) -> Waiting | None:
    """Wait at the door of a step for its time; a time that has come is when what follows counts from."""
    at, values = _time_of(run, anchor)
    if at <= run.now:
        run.done_at(at)
        return None
    run.state = replace(run.state, cursor=step.path)
    run.note(step.path, anchor.place, f"at:{at.isoformat()}", f"Not before {spoken(at)}", values)
    return Waiting(at, spoken(at))


def _time_of(run: Progress, anchor: Anchor) -> tuple[datetime, Mapping[str, Any]]:
    """Give the time of an anchor, and the values it rests on.

    It is asked anew at every look, so that it follows an appointment that moves. An offset counts from the trigger and
    from no step before it; `now` means when the step before was done, or `now + 1 hour` would never come.
    """
    if anchor.moment is None:
        return (run.state.since if anchor.offset is None else later(run.state.since, anchor.offset, run.around)), {}
    names = {**run.names, "now": run.state.base_at}
    value = run.around.evaluate(anchor.moment, names)
    return as_time(value, None, anchor.moment.source, run.around), seen_values(anchor.moment.source, names)


def _exit(run: Progress, step: Exit, is_new: bool) -> Halt | None:  # noqa: ARG001 - every kind is called alike
    run.note(step.path, step.place, "exit", f"Ends: {step.reason}")
    return Ended(step.reason)


_KINDS: Mapping[type[Step], Callable[[Progress, Any, bool], Halt | None]] = {
    Send: send,
    Wait: wait,
    WaitFor: wait_for,
    If: choose_branch,
    Split: split,
    Verify: verify,
    Confirm: confirm,
    Task: ask_for,
    Note: ask_for,
    EnrollIn: ask_for,
    SetValues: set_values,
    Notify: ask_for,
    Handoff: ask_for,
    Call: call,
    Exit: _exit,
}
