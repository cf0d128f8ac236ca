"""Which keys and kinds of values does each part of a journey file have?

One schema per mapping, one level deep: nested lists of steps are read by `journey_builder`, step by step, so that a
mistake in one step hides none in another.
"""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import ValidationError

from connector.adapters.yaml_shapes import Anything, Choice, Complaint, Duration, Items, Shape, TextList, Words, YesNo
from connector.domain.caps import parse_cap
from connector.domain.message import Purpose, SendPolicy

SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
IDENTIFIER = r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*"
TEMPLATE = r"[a-z0-9]+([-_][a-z0-9]+)*/[a-z0-9]+([-_][a-z0-9]+)*"
VARIABLE = r"[a-z][a-z0-9_]*"
EVENT = r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+"
EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"

STEPS = "a list of steps (- send: …)"


class Caps(TextList):
    """One cap such as `3 per 7 days`, or several that hold together."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return tuple(parse_cap(text) for text in super()._deserialize(value, *args, **kwargs))
        except ValueError as exc:
            raise exc if isinstance(exc, ValidationError) else ValidationError(str(exc)) from exc


class JourneyShape(Shape):
    """The file itself."""

    what: ClassVar[str] = "a journey"

    journey = Words(required=True, pattern=SLUG, expected="an id of lower-case letters, digits and hyphens", longest=60)
    title = Words(longest=120)
    purpose = Choice([purpose.value for purpose in Purpose], required=True)
    owner = Words(longest=120)
    enabled = YesNo()
    labels = TextList()
    crm = Words()
    window = Words()
    cap = Caps()
    timezone = Words()
    variables = Anything()
    trigger = Anything(required=True)
    enroll = Anything()
    exit_when = Items("a list of events or conditions (- event: …)")
    steps = Items(STEPS, required=True)


class TriggerShape(Shape):
    """`trigger`."""

    what: ClassVar[str] = "a trigger (event: …)"
    later: ClassVar[frozenset[str]] = frozenset({"audience", "schedule"})

    event = Words(required=True)
    where = Words()
    imports = YesNo()


class EnrollShape(Shape):
    """`enroll`."""

    what: ClassVar[str] = "an enroll rule (key: …, again: …)"

    key = Words()
    again = Words()


class ExitRuleShape(Shape):
    """One entry of `exit_when`."""

    what: ClassVar[str] = "an event (event: …, where: …) or a condition (where: …)"

    event = Words()
    where = Words()


class StepShape(Shape):
    """What every step may have."""

    what: ClassVar[str] = "a step"
    later: ClassVar[frozenset[str]] = frozenset({"at"})

    id = Words(pattern=IDENTIFIER, expected="an id of letters, digits and hyphens", longest=60)
    when = Words()
    on_failure = Items(STEPS)


class SendShape(StepShape):
    """`send` with its options beside it."""

    what: ClassVar[str] = "a send step"
    later: ClassVar[frozenset[str]] = StepShape.later | {"route"}

    send = Words(allow_none=True, pattern=TEMPLATE, expected="a template such as invoice-overdue/first")
    text = Words()
    to = Words()
    expires_after = Duration()
    policy = Choice([policy.value for policy in SendPolicy])
    window = Words()
    purpose = Choice([purpose.value for purpose in Purpose])
    sender = Words(longest=40)


class SendOptionsShape(Shape):
    """`send` with its options below it."""

    what: ClassVar[str] = "a send (template: … or text: …)"
    later: ClassVar[frozenset[str]] = frozenset({"route"})

    template = Words(pattern=TEMPLATE, expected="a template such as invoice-overdue/first")
    text = Words()
    to = Words()
    expires_after = Duration()
    policy = Choice([policy.value for policy in SendPolicy])
    window = Words()
    purpose = Choice([purpose.value for purpose in Purpose])
    sender = Words(longest=40)


class WaitShape(StepShape):
    """`wait`."""

    what: ClassVar[str] = "a wait step"

    wait = Anything(required=True)


class WaitDurationShape(Shape):
    """`wait` for a length of time."""

    wait = Duration(required=True)


class WaitUntilShape(Shape):
    """`wait` until a time."""

    what: ClassVar[str] = "a duration (3 days), or a time (until: …)"
    later: ClassVar[frozenset[str]] = frozenset({"at", "within"})

    until = Words(required=True)
    if_past = Choice(("skip", "fail"))


class WaitForShape(StepShape):
    """The step that holds `wait_for`."""

    what: ClassVar[str] = "a wait_for step"

    wait_for = Anything(required=True)


class WaitForOptionsShape(Shape):
    """`wait_for`."""

    what: ClassVar[str] = "a wait_for (within, cases, else)"

    within = Duration(required=True)
    cases = Items("a list of cases (- reply: …)", required=True)
    otherwise = Items(STEPS, data_key="else")


class CaseShape(Shape):
    """One case of a `wait_for`."""

    what: ClassVar[str] = "a case (reply, event, delivered or failed; where; then)"
    later: ClassVar[frozenset[str]] = frozenset({"click", "intent"})

    reply = TextList()
    event = Words()
    delivered = Words(allow_none=True)
    failed = Words(allow_none=True)
    where = Words()
    then = Items(STEPS)


class IfShape(StepShape):
    """`if`."""

    what: ClassVar[str] = "an if step (if, then, elif, else)"

    condition = Words(data_key="if", required=True)
    then = Items(STEPS, required=True)
    elifs = Items("a list of {if, then}", data_key="elif")
    otherwise = Items(STEPS, data_key="else")


class BranchShape(Shape):
    """One entry of `elif`."""

    what: ClassVar[str] = "a branch (if: …, then: …)"

    condition = Words(data_key="if", required=True)
    then = Items(STEPS, required=True)


class TaskShape(StepShape):
    """The step that holds `task`."""

    what: ClassVar[str] = "a task step"

    task = Anything(required=True)


class Due(Duration):
    """When a task is due: a duration from now."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, str) and value.strip().lower() in {"today", "tomorrow", "next business day"}:
            raise ValidationError(Complaint(f"`{value}` is not available in this version", 'write a duration: "1 day"'))
        return super()._deserialize(value, *args, **kwargs)


class TaskOptionsShape(Shape):
    """`task`."""

    what: ClassVar[str] = "a task (for, title, body, due, priority)"

    assignee = Words(
        data_key="for", required=True, pattern=f"owner|{EMAIL}", expected="owner, or an owner's e-mail address"
    )
    title = Words(required=True)
    body = Words()
    due = Due()
    priority = Choice(("low", "medium", "high"))


class ExitShape(StepShape):
    """`exit`."""

    what: ClassVar[str] = "an exit step"

    exit = Words(required=True, expected="a reason, such as `says paid`", longest=200)
