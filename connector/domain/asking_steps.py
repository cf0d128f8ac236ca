"""What does a step do that asks with a text and waits for the answer: a one-time code, or a confirmation?

The time for the answer runs from when the text went out. A reply counts from when it was asked: what somebody said
before the question is no answer to it. An answer that names the code shows that the text arrived, whatever its
receipts say, so replies are looked at before a text that is over is given up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from connector.domain.answers import some_of
from connector.domain.calendar_days import later, spoken
from connector.domain.consent import consents, matches_keyword
from connector.domain.message import Purpose
from connector.domain.progress import OUT, Halt, Progress, Waiting
from connector.domain.run import Fact, GrantConsent
from connector.domain.sending_steps import fate_of_text, queue, stand_at_text
from connector.domain.steps import Confirm, Delay, Send, Verify

_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])[\s\u2010-\u2015-]+(?=[0-9])")
_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class _Question:
    """A question whose text is out, or over.

    Attributes:
        text: what became of the text.
        until: the last moment of an answer.
    """

    text: Fact
    until: datetime

    @property
    def is_out(self) -> bool:
        return self.text.name in OUT


def verify(run: Progress, step: Verify, is_new: bool) -> Halt | None:
    """Send a code and wait until it comes back, in so many tries and while it is good.

    A reply is right when the code is the only number in it; one without a number is no try.
    """
    code = run.around.code_for(run.key(step), step.length)
    question = _ask(run, step, replace(step.ask, purpose=Purpose.OTP), step.lifetime, code, is_new=is_new)
    if not isinstance(question, _Question):
        return question
    wrong: list[Fact] = []
    for reply in run.replies(question.until):
        numbers = _numbers(reply.text)
        if numbers == [code]:
            run.use_up(wrong)
            return _answered(run, step, question, reply, None)
        if numbers:
            wrong.append(reply)
            run.note(step.path, step.place, f"wrong:{reply.id}", f"Wrong code, try {len(wrong)} of {step.tries}")
        if len(wrong) == step.tries:
            return _unanswered(run, step, reply.at, wrong, f"{step.tries} wrong codes")
    return _still_asked(run, step, question, wrong, f"the code of {step.id}")


def confirm(run: Progress, step: Confirm, is_new: bool) -> Halt | None:
    """Ask, and wait for the reply that confirms; any other reply is passed over.

    A consent is given by a reply that says so and nothing else, or it is none.
    """
    code = run.around.code_for(run.key(step), step.code_length) if step.code_length else ""
    question = _ask(run, step, step.ask, step.within, code, is_new=is_new)
    if not isinstance(question, _Question):
        return question
    for reply in run.replies(question.until):
        is_code, keyword = _confirmed(run, step, reply, code)
        if not is_code and keyword is None:
            continue
        if step.grants and reply.message_id is not None:
            run.actions.append(GrantConsent(step, reply.message_id))
        return _answered(run, step, question, reply, keyword)
    wanted = some_of(step.keywords) or "its code"
    return _still_asked(run, step, question, (), f"the confirmation of {step.id} ({wanted})")


def _confirmed(run: Progress, step: Confirm, reply: Fact, code: str) -> tuple[bool, str | None]:
    """Tell whether a reply confirms by the code, and by which keyword."""
    if step.grants:
        is_code = bool(code) and consents(_plain_digits(reply.text), (code,), run.around.courtesies) is not None
        return is_code, consents(reply.text, step.keywords, run.around.courtesies)
    is_code = bool(code) and _numbers(reply.text) == [code]
    return is_code, matches_keyword(reply.text, step.keywords, run.around.courtesies)


def _ask(
    run: Progress, step: Verify | Confirm, text: Send, good_for: Delay, code: str, *, is_new: bool
) -> _Question | Halt | None:
    """Have the text sent; give the question once that is out or over."""
    if run.state.send_error:
        return _not_asked(run, step, run.state.send_error)
    if is_new or run.state.message_id is None:
        run.asks_now()
        return queue(run, step, text, code)
    fate = fate_of_text(run)
    if fate is None:
        return stand_at_text(run, step)
    return _Question(fate, later(fate.at, good_for, run.around) if fate.name in OUT else fate.at)


def _answered(
    run: Progress, step: Verify | Confirm, question: _Question, reply: Fact, keyword: str | None
) -> Halt | None:
    run.hear(reply, keyword)
    run.done_at(max(question.text.at, reply.at) if question.is_out else reply.at)
    said = "the code" if keyword is None else keyword
    run.note(step.path, step.place, "answered", f"Goes on: the reply says {said}")
    return run.go_into(step.then, step)


def _still_asked(
    run: Progress, step: Verify | Confirm, question: _Question, looked_at: Sequence[Fact], wanted: str
) -> Halt | None:
    if not question.is_out:
        run.use_up(looked_at)
        run.done_at(question.text.at)
        return _not_asked(run, step, f"the text is {question.text.name}")
    if question.until <= run.now:
        return _unanswered(run, step, question.until, looked_at, f"no answer until {spoken(question.until)}")
    waits_for = f"{wanted}, until {spoken(question.until)}"
    run.note(step.path, step.place, "waits", f"Waits for {waits_for}")
    return Waiting(question.until, waits_for)


def _unanswered(
    run: Progress, step: Verify | Confirm, at: datetime, looked_at: Sequence[Fact], reason: str
) -> Halt | None:
    run.use_up(looked_at)
    run.done_at(at)
    run.note(step.path, step.place, "unanswered", f"Not answered: {reason}")
    return run.go_into(step.otherwise, step)


def _not_asked(run: Progress, step: Verify | Confirm, reason: str) -> Halt | None:
    if step.on_failure:
        return run.fail(step, reason)
    run.note(step.path, step.place, "not asked", f"Not asked: {reason}")
    return run.go_into(step.otherwise, step)


def _numbers(text: str) -> list[str]:
    """Give the numbers in a reply; spaces and dashes within one are left out: "12 34-56" is one number."""
    return _NUMBER.findall(_BETWEEN_DIGITS.sub("", _plain_digits(text)))


def _plain_digits(text: str) -> str:
    """Write digits plainly, in whatever script they are typed (NFKC for full-width ones, decimal values for others)."""
    return "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else char for char in unicodedata.normalize("NFKC", text)
    )
