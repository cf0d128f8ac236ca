"""What does a step do that sends a text?"""

from __future__ import annotations

from datetime import timedelta

from connector.domain.progress import OUT, OVER, Halt, Progress, Waiting
from connector.domain.run import Fact, SendSMS
from connector.domain.steps import Send, Step

LOOK_AGAIN = timedelta(days=1)
"""A text that is out or over wakes its enrollment. Should that wake be lost, a look a day finds out; more often would
cost a query per waiting text for a case that does not happen."""

BEFORE_RELEASE = timedelta(minutes=2)
"""How long before a held text may go out its journey is looked at again: a window that opens for hundreds of people at
once leaves time to read all their records and to cancel the texts that have lost their reason overnight."""


def send(run: Progress, step: Send, is_new: bool) -> Halt | None:
    """Queue the text, stand there until it is out or over, and go on."""
    if run.state.send_error:
        return _send_is_over(run, step, run.state.send_error)
    if is_new or run.state.message_id is None:
        return queue(run, step, step)
    fate = fate_of_text(run)
    if fate is None:
        return stand_at_text(run, step)
    run.done_at(fate.at)
    if fate.name in OVER:
        return _send_is_over(run, step, f"the text is {fate.name}")
    run.note(step.path, step.place, "sent", f"The text is {fate.name}; goes on")
    return run.go_on(step)


def queue(run: Progress, step: Step, text: Send, code: str = "") -> Waiting:
    """Ask for the message of a step, and stand there."""
    what = f"template {text.template}" if text.template else "its own text"
    run.note(step.path, step.place, "send", f"Queues {what} for {_recipient(text)}")
    run.actions.append(SendSMS(step, text, run.key(step), code, names=run.names))
    return stand_at_text(run, step)


def fate_of_text(run: Progress) -> Fact | None:
    """Tell the first that is known of the text of the step it stands at: that it is out, or that it is over."""
    return next((fact for fact in run.moves_of(run.state.message_id) if fact.name in OUT | OVER), None)


def stand_at_text(run: Progress, step: Step) -> Waiting:
    """Wait for the text to go out; look again before a held one is let go, in case its journey has ended by then."""
    held = [fact.until for fact in run.facts if fact.message_id == run.state.message_id and fact.until is not None]
    looks = [until - BEFORE_RELEASE for until in held[-1:] if until - BEFORE_RELEASE > run.now]
    return Waiting(min([*looks, run.now + LOOK_AGAIN]), f"the text of {step.id} to go out")


def _recipient(step: Send) -> str:
    return step.to if isinstance(step.to, str) else f"the number in {step.to.source}"


def _send_is_over(run: Progress, step: Send, reason: str) -> Halt | None:
    if step.on_failure:
        return run.fail(step, reason)
    run.note(step.path, step.place, "failed", f"Not sent: {reason}; goes on")
    return run.go_on(step)
