"""What does a step do that has something done outside: in the CRM, through a channel, in another journey?"""

from __future__ import annotations

from typing import Any

from connector.domain.calendar_days import later, spoken
from connector.domain.errands import Call, SetValues
from connector.domain.progress import Halt, Progress, Waiting
from connector.domain.run import Fact, Perform
from connector.domain.sending_steps import LOOK_AGAIN
from connector.domain.steps import Step
from connector.domain.timeline import EntryKind


def ask_for(run: Progress, step: Step, is_new: bool) -> Halt | None:
    """Ask for something; wait to hear how it ended where the journey says what to do when it fails.

    What the CRM is to show has ended well as soon as it could be worked out; `run.end_of` then knows it at once. The
    line of the trace comes with what was asked for, and may have more to say.
    """
    if not step.on_failure:
        _perform(run, step)
        return run.go_on(step)
    if is_new:
        _perform(run, step, is_awaited=True)
    end = run.end_of(run.key(step))
    if end is None:
        return Waiting(run.now + LOOK_AGAIN, f"what {step.id} asked for to be done")
    run.done_at(end.at)
    if end.kind is EntryKind.EFFECT_FAILED:
        return run.fail(step, end.name or "it could not be done")
    run.note(step.path, step.place, "done", "It is done; goes on")
    return run.go_on(step)


def set_values(run: Progress, step: SetValues, is_new: bool) -> Halt | None:
    """Set the journey's variables here, and have the CRM's properties written."""
    if is_new:
        _set_variables(run, step)
    return ask_for(run, step, is_new) if step.properties else run.go_on(step)


def _set_variables(run: Progress, step: SetValues) -> None:
    values: dict[str, Any] = {}
    for name, expression in step.variables.items():
        seen = {**run.names, "vars": {**(run.state.vars or {}), **values}}
        values[name] = run.around.evaluate(expression, seen)
    if values:
        run.set_variables(values)
        run.note(step.path, step.place, "set", f"Sets {', '.join(f'vars.{name}' for name in values)}")


def call(run: Progress, step: Call, is_new: bool) -> Halt | None:
    """Ask another system and wait for its answer, so long; without one the variable is there and has no value."""
    if is_new:
        run.asks_now()
        _perform(run, step, is_awaited=True)
    deadline = later(run.begun, step.within, run.around)
    end = run.end_of(run.key(step))
    if end is not None and end.at <= deadline:
        return _answered(run, step, end)
    if is_new or deadline > run.now:
        return Waiting(deadline, f"the answer of {step.endpoint}, until {spoken(deadline)}")
    run.done_at(deadline)
    return _without_answer(run, step, f"no answer until {spoken(deadline)}")


def _perform(run: Progress, step: Step, *, is_awaited: bool = False) -> None:
    run.actions.append(Perform(step, run.key(step), is_awaited, names=run.names))


def _answered(run: Progress, step: Call, end: Fact) -> Halt | None:
    run.done_at(end.at)
    if end.kind is EntryKind.EFFECT_FAILED:
        return _without_answer(run, step, end.name or "it could not be asked")
    _keep(run, step, end.names.get("answer"))
    run.note(step.path, step.place, "answered", f"{step.endpoint} has answered; goes on")
    return run.go_on(step)


def _without_answer(run: Progress, step: Call, reason: str) -> Halt | None:
    _keep(run, step, None)
    if step.on_failure:
        return run.fail(step, reason)
    run.note(step.path, step.place, "unanswered", f"{step.endpoint} gave no answer: {reason}; goes on")
    return run.go_on(step)


def _keep(run: Progress, step: Call, answer: Any) -> None:
    if step.into:
        run.set_variables({step.into: answer})
