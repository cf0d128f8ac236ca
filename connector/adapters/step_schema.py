"""Which keys and kinds of values does each kind of step have?

Sending, waiting and choosing; `asking_schema` has `verify` and `confirm`, `outside_schema` what is done outside.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from connector.adapters.journey_schema import EVENT, SLUG
from connector.adapters.yaml_shapes import Shape
from connector.adapters.yaml_values import (
    Below,
    Choice,
    Clock,
    Delay,
    Duration,
    Items,
    Named,
    Steps,
    TextList,
    WholeNumber,
    Words,
)
from connector.domain.message import Purpose, SendPolicy
from connector.domain.steps import Metric

IDENTIFIER = r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*"
TEMPLATE = r"[a-z0-9]+([-_][a-z0-9]+)*/[a-z0-9]+([-_][a-z0-9]+)*"
INTENT = r"[a-z]+( [a-z]+)*"

A_TEMPLATE = "a template such as invoice-overdue/first"
_A_WEEK = timedelta(days=7)  # habits repeat by the week: a later hour is no better than one of this week


class StepShape(Shape):
    """What every step may have."""

    what: ClassVar[str] = "a step"

    id = Words(
        pattern=IDENTIFIER,
        expected="an id of letters, digits and hyphens",
        longest=60,
        means="A name for traces and reports.",
    )
    when = Words(means="Run the step only if this holds.")
    at = Words(
        means="Not before this: so long after the trigger, or a time.", examples=["+3 days", "invoice.due_on + 7 days"]
    )
    on_failure = Steps(means="Steps that run when this one fails for good.")


class AskShape(Shape):
    """Where every text goes and how."""

    text = Words(means="The text itself, in place of a template.")
    to = Words(means="contact, owner, or an expression that gives a number.", examples=["contact", "owner"])
    window = Words(means="A send window of mappings/compliance.yaml, or anytime.", examples=["anytime"])
    sender = Words(longest=40, means="A number or name to send from.")
    route = Words(
        pattern=SLUG, expected="a route of mappings/gateways.yaml", means="A route of mappings/gateways.yaml."
    )


class TextShape(AskShape):
    """A text that is sent, and how."""

    expires_after = Duration(means="How long it is worth sending.")
    policy = Choice(
        [policy.value for policy in SendPolicy], means="What to do with a text nobody can tell the fate of."
    )
    purpose = Choice([purpose.value for purpose in Purpose], means="Another purpose than the journey's.")


class SendOptionsShape(TextShape):
    """A text that is sent: a template, or the text itself."""

    what: ClassVar[str] = "a send (template: … or text: …)"

    template = Words(pattern=TEMPLATE, expected=A_TEMPLATE, means="templates/<this>.txt.j2")


class SendShape(StepShape, TextShape):
    """Queue a text."""

    what: ClassVar[str] = "a send step"

    send = Below(
        Words(allow_none=True, pattern=TEMPLATE, expected=A_TEMPLATE),
        SendOptionsShape,
        required=True,
        allow_none=True,
        means="A template, templates/<this>.txt.j2; empty when `text` stands beside it.",
    )


class TemplateShape(Shape):
    """The template of a `send` with its options beside it."""

    send = Words(allow_none=True, pattern=TEMPLATE, expected=A_TEMPLATE)


class WaitUntilShape(Shape):
    """Wait until a time: an expression, `next business day` or `best time`."""

    what: ClassVar[str] = "a duration (3 days), or a time (until: …)"

    until = Words(
        required=True,
        means="A time, next business day, or best time.",
        examples=["next business day", "best time", "invoice.due_at - 24 hours"],
    )
    at = Clock(means='At this time of day on that day, such as "09:00".')
    within = Duration(longest=_A_WEEK, means="For `best time`: how far ahead to look.")
    if_past = Choice(("skip", "fail"), means="What to do when the time is past already; `skip` goes on.")


class WaitShape(StepShape):
    """Let time pass, on the recipient's clock."""

    what: ClassVar[str] = "a wait step"

    wait = Below(Delay(), WaitUntilShape, required=True, means="`3 days`, `5 business days`, or {until: …}.")


class DelayShape(Shape):
    """`wait` for a length of time."""

    wait = Delay(required=True)


class CaseShape(Shape):
    """One thing that is waited for, and what follows."""

    what: ClassVar[str] = "a case (reply, intent, event, click, delivered or failed; where; then)"

    reply = TextList(means="A reply with one of these words, or `any`.", examples=["any"])
    intent = Words(
        pattern=INTENT,
        expected="an intent of mappings/keywords.yaml, such as yes",
        means="A reply that means this, in any language of mappings/keywords.yaml.",
    )
    event = Words(pattern=EVENT, expected="an event, such as invoice.paid", means="An event of mappings/events/.")
    click = Words(means="A click on the link of this name, or `any`.", examples=["any"])
    delivered = Words(allow_none=True, means="The text of this step has arrived; empty for the latest one.")
    failed = Words(allow_none=True, means="The text of this step did not arrive; empty for the latest one.")
    where = Words(means="A condition on it; sees `event.*` or `last_reply.*`.")
    then = Steps(means="What follows.")


class WaitForOptionsShape(Shape):
    """What is waited for, how long, and what follows."""

    what: ClassVar[str] = "a wait_for (within or until, cases, else)"

    within = Delay(means="How long at most; or `until`.")
    until = Words(
        means="Until when at most: an expression that gives a time; followed when it moves.",
        examples=["appointment.starts_at - 24 hours"],
    )
    cases = Items("a list of cases (- reply: …)", CaseShape, required=True, means="The first that happens is taken.")
    otherwise = Steps(data_key="else", means="What follows when none of them happened.")


class WaitForShape(StepShape):
    """Wait for the first of several things."""

    what: ClassVar[str] = "a wait_for step"

    wait_for = Below(WaitForOptionsShape, required=True, means="What is waited for, and for how long.")


class BranchShape(Shape):
    """A further branch of an `if`."""

    what: ClassVar[str] = "a branch (if: …, then: …)"

    condition = Words(data_key="if", required=True, means="A condition.")
    then = Steps(required=True, means="What follows when it holds.")


class IfShape(StepShape):
    """Take the first branch whose condition holds."""

    what: ClassVar[str] = "an if step (if, then, elif, else)"

    condition = Words(data_key="if", required=True, means="A condition, such as `invoice.balance_due > 500`.")
    then = Steps(required=True, means="What follows when it holds.")
    elifs = Items("a list of {if, then}", BranchShape, data_key="elif", means="Further branches, the first that holds.")
    otherwise = Steps(data_key="else", means="What follows when none holds.")


class ArmShape(Shape):
    """One variant of a split."""

    what: ClassVar[str] = "an arm (weight: …, then: …)"

    weight = WholeNumber(1, 1_000, means="Its share among all weights; 1 when left out.")
    then = Steps(required=True, means="What is done in this arm.")


class WinnerShape(Shape):
    """When the better arm is taken for everybody."""

    what: ClassVar[str] = "a winner rule (by: …, after: …)"

    by = Choice([metric.value for metric in Metric], required=True, means="What the arms are compared by.")
    after = WholeNumber(1, 1_000_000, required=True, means="People per arm before anything is decided.")
    within = Duration(means="How long after entering an arm what somebody does still counts; 3 days when left out.")


class SplitOptionsShape(Shape):
    """The variants, and when the better one wins."""

    what: ClassVar[str] = "a split (arms: {name: {weight: …, then: …}}, winner: …)"

    arms = Named(ArmShape, name=IDENTIFIER, least=2, required=True, means="The variants by name.")
    winner = Below(WinnerShape, means="When the better one is taken for everybody; never when left out.")


class SplitShape(StepShape):
    """Try several variants; each contact stays with the one it got first."""

    what: ClassVar[str] = "a split step"

    split = Below(SplitOptionsShape, required=True, means="The variants.")
