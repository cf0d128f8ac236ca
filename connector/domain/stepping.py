"""What does each kind of step do when it is taken?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.domain.answers import first_answer, use_up, waited_for
from connector.domain.progress import OUT, OVER, Ended, Halt, Progress, Waiting
from connector.domain.run import Perform, SendSMS
from connector.domain.seen_values import seen_values
from connector.domain.steps import Delay, Exit, If, Send, Step, Task, Wait, WaitFor
from connector.errors import ConditionError

LOOK_AGAIN = timedelta(days=1)
"""A text that is out or over wakes its enrollment. Should that wake be lost, a look a day finds out; more often would
cost a query per waiting text for a case that does not happen."""

BEFORE_RELEASE = timedelta(minutes=2)
"""How long before a held text may go out its journey is looked at again: a window that opens for hundreds of people at
once leaves time to read all their records and to cancel the texts that have lost their reason overnight."""


def take(run: Progress, step: Step) -> Halt | None:
    """Take one step as far as it goes; None when the cursor has moved on."""
    try:
        is_new = run.state.entered_at is None
        if is_new and step.when is not None:
            holds, values = run.holds(step.when)
            if not holds:
                run.note(step.path, step.when.place, "skipped", f"Skipped: {step.when.source} does not hold", values)
                return run.go_on(step)
        if is_new:
            run.enter(step)
        return _KINDS[type(step)](run, step, is_new)
    except ConditionError as error:
        return _fail(run, step, str(error))


def _fail(run: Progress, step: Step, reason: str) -> Halt | None:
    """Go into the step's `on_failure` steps; say that the enrollment is over when it has none."""
    run.note(step.path, step.place, "failed", f"Failed for good: {reason}")
    if step.on_failure:
        return run.go_to(step.on_failure[0].path)
    return Ended(f"{step.path} failed: {reason}")


def _send(run: Progress, step: Send, is_new: bool) -> Halt | None:
    if run.state.send_error:
        return _send_is_over(run, step, run.state.send_error)
    if is_new or run.state.message_id is None:
        what = f"template {step.template}" if step.template else "its own text"
        run.note(step.path, step.place, "send", f"Queues {what} for {_recipient(step)}")
        run.actions.append(SendSMS(step, step, run.state.key(step), names=run.names))
        return _stands_at_send(run, step)
    for fact in run.moves_of(run.state.message_id):
        if fact.name in OUT:
            run.done_at(fact.at)
            run.note(step.path, step.place, "sent", f"The text is {fact.name}; goes on")
            return run.go_on(step)
        if fact.name in OVER:
            run.done_at(fact.at)
            return _send_is_over(run, step, f"the text is {fact.name}")
    return _stands_at_send(run, step)


def _recipient(step: Send) -> str:
    return step.to if isinstance(step.to, str) else f"the number in {step.to.source}"


def _stands_at_send(run: Progress, step: Send) -> Waiting:
    """Wait for the text to go out; look again before a held one is let go, in case its journey has ended by then."""
    held = [fact.until for fact in run.facts if fact.message_id == run.state.message_id and fact.until is not None]
    looks = [until - BEFORE_RELEASE for until in held[-1:] if until - BEFORE_RELEASE > run.now]
    return Waiting(min([*looks, run.now + LOOK_AGAIN]), f"the text of {step.id} to go out")


def _send_is_over(run: Progress, step: Send, reason: str) -> Halt | None:
    if step.on_failure:
        return _fail(run, step, reason)
    run.note(step.path, step.place, "failed", f"Not sent: {reason}; goes on")
    return run.go_on(step)


def _wait(run: Progress, step: Wait, is_new: bool) -> Halt | None:
    target, values = _end_of_wait(run, step)
    if is_new and step.until is not None and target <= run.now:
        if not step.skip_if_past:
            return _fail(run, step, "the time to wait until is past")
        run.note(step.path, step.place, "past", "The time to wait until is past; goes on", values)
        return run.go_on(step)
    if target <= run.now:
        run.done_at(target)
        run.note(step.path, step.place, "waited", f"Waited until {_spoken(target)}", values)
        return run.go_on(step)
    run.note(step.path, step.place, f"waits:{target.isoformat()}", f"Waits until {_spoken(target)}", values)
    return Waiting(target, _spoken(target))


def _end_of_wait(run: Progress, step: Wait) -> tuple[datetime, Mapping[str, Any]]:
    """Give the time a wait ends.

    The expression of an `until` is asked anew at every look, so that a moved appointment moves the wait; `now` means
    in it when the step was entered, or `now + 1 hour` would never come.
    """
    begun = run.state.entered_at or run.state.base_at
    if step.until is None:
        return _later(begun, step.duration or timedelta(0)), {}
    names = {**run.names, "now": begun}
    return _as_time(run.around.evaluate(step.until, names), step.until.source), seen_values(step.until.source, names)


def _later(start: datetime, delay: Delay) -> datetime:
    try:
        return start + (delay if isinstance(delay, timedelta) else delay.count * timedelta(days=1))
    except OverflowError:
        raise ConditionError("the wait is longer than the calendar") from None


def _as_time(value: Any, source: str) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ConditionError(f"{source} gives no time") from None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ConditionError(f"{source} gives no time with a time zone")
    return value


def _wait_for(run: Progress, step: WaitFor, is_new: bool) -> Halt | None:  # noqa: ARG001 - every kind is called alike
    deadline = _later(run.state.entered_at or run.state.base_at, step.within)
    answer = first_answer(run, step, deadline)
    if answer is not None:
        use_up(run, answer)
        run.done_at(answer.fact.at)
        run.note(answer.case.path, answer.case.place, "matched", f"Goes on: {answer.summary}", answer.values)
        return run.go_into(answer.case.then, step)
    if deadline <= run.now:
        run.done_at(deadline)
        run.note(step.path, step.place, "timed out", f"Nothing came until {_spoken(deadline)}")
        return run.go_into(step.otherwise, step)
    waits_for = f"{waited_for(step)}, until {_spoken(deadline)}"
    run.note(step.path, step.place, "waits", f"Waits for {waits_for}")
    return Waiting(deadline, waits_for)


def _if(run: Progress, step: If, is_new: bool) -> Halt | None:  # noqa: ARG001 - every kind is called alike
    for number, branch in enumerate(step.branches):
        holds, values = run.holds(branch.condition)
        verdict = "holds" if holds else "does not hold"
        run.note(step.path, branch.condition.place, f"branch {number}", f"{branch.condition.source} {verdict}", values)
        if holds:
            return run.go_into(branch.then, step)
    return run.go_into(step.otherwise, step)


def _task(run: Progress, step: Task, is_new: bool) -> Halt | None:  # noqa: ARG001 - every kind is called alike
    """Ask for a task; the line of the trace comes with the task itself, which may have more to say."""
    run.actions.append(Perform(step, run.state.key(step), names=run.names))
    return run.go_on(step)


def _exit(run: Progress, step: Exit, is_new: bool) -> Halt | None:  # noqa: ARG001 - every kind is called alike
    run.note(step.path, step.place, "exit", f"Ends: {step.reason}")
    return Ended(step.reason)


def _spoken(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


_KINDS: Mapping[type[Step], Callable[[Progress, Any, bool], Halt | None]] = {
    Send: _send,
    Wait: _wait,
    WaitFor: _wait_for,
    If: _if,
    Task: _task,
    Exit: _exit,
}
