"""Which keys and kinds of values do `verify` and `confirm` have?"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from connector.adapters.step_schema import A_TEMPLATE, INTENT, TEMPLATE, AskShape, StepShape
from connector.adapters.yaml_values import Below, Choice, Delay, Duration, Steps, TextList, WholeNumber, Words

_A_DAY = timedelta(days=1)  # a code that is good for longer is a password


class VerifyOptionsShape(AskShape):
    """A one-time code, sent and waited for."""

    what: ClassVar[str] = "a verify (send: … or text: …, then, else)"

    send = Words(pattern=TEMPLATE, expected=A_TEMPLATE, means="A template that names `{{ code }}`.")
    length = WholeNumber(4, 10, means="Digits of the code; 6 when left out.")
    lifetime = Duration(longest=_A_DAY, means="How long the code is good for; 10 minutes when left out.")
    tries = WholeNumber(1, 10, means="Wrong codes before it is given up; 3 when left out.")
    then = Steps(means="What follows when the right code came.")
    otherwise = Steps(data_key="else", means="What follows when it did not.")


class VerifyShape(StepShape):
    """Send a one-time code and wait for it."""

    what: ClassVar[str] = "a verify step"

    verify = Below(VerifyOptionsShape, required=True, means="The text with the code, and what follows.")


class ConfirmOptionsShape(AskShape):
    """A question, and the reply that confirms."""

    what: ClassVar[str] = "a confirm (send: … or text: …, reply, intent or code, within, then, else)"

    send = Words(pattern=TEMPLATE, expected=A_TEMPLATE, means="A template; with `code` it names `{{ code }}`.")
    expires_after = Duration(means="How long the question is worth sending.")
    reply = TextList(means="The words that confirm.")
    intent = Words(
        pattern=INTENT,
        expected="an intent of mappings/keywords.yaml, such as yes",
        means="What the reply must mean, in any language of mappings/keywords.yaml.",
    )
    code = WholeNumber(3, 8, means="Digits of a code that the text names and the reply repeats.")
    within = Delay(required=True, means="How long the reply is waited for.")
    grants = Choice(("marketing",), means="The confirmation is a consent to this: double opt-in.")
    then = Steps(means="What follows when it is confirmed.")
    otherwise = Steps(data_key="else", means="What follows when it is not.")


class ConfirmShape(StepShape):
    """Ask for a reply that confirms something."""

    what: ClassVar[str] = "a confirm step"

    confirm = Below(ConfirmOptionsShape, required=True, means="The question, and what follows.")
