"""Which kinds of step can a journey take, and what does each one say? Those done outside are in `domain.errands`.

Pure data, made by `adapters.step_builder` and its kin from YAML and taken by `domain.stepping`. Every step carries its
path and its place in the file, so that whatever it does can be explained by file, line and path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum

from connector.domain.durations import BusinessDays
from connector.domain.message import Purpose, SendPolicy
from connector.domain.places import Expression, Place, Text

Delay = timedelta | BusinessDays
"""A length of time as admins write it: elapsed time, or days on which people work where the contact lives."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A time counted from the trigger: `at: +3 days`, or one that an expression gives: `at: invoice.due_on + 7 days`.

    Attributes:
        offset: from the trigger on; None when `moment` is given.
        moment: gives a time, or a date, which means the beginning of that day on the recipient's clock.
    """

    place: Place
    offset: Delay | None = None
    moment: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What every step has.

    Attributes:
        id: given by the admin or derived from the path; names the step in traces and reports.
        path: `steps[3].wait_for.cases[0].then[1]`; unique in the journey.
        when: run only if this holds; asked when the step's time has come.
        at: not before this time; None for as soon as the step before is done.
        on_failure: steps run when this one fails for good.
    """

    id: str
    path: str
    place: Place
    when: Expression | None = None
    at: Anchor | None = None
    on_failure: tuple[Step, ...] = ()

    def children(self) -> Iterator[tuple[Step, ...]]:
        """Give every list of steps nested in this one."""
        if self.on_failure:
            yield self.on_failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Send(Step):
    """Queue an SMS.

    Attributes:
        template: `invoice-overdue/first`, or None when `text` is given inline.
        to: `contact`, `owner`, or an expression that gives a phone number.
        window: name of a send window, `anytime`, or None for the journey's or purpose's.
        route: name of a route in `mappings/gateways.yaml`, or None for the purpose's.
    """

    template: str | None = None
    text: Text | None = None
    to: str | Expression = "contact"
    expires_after: timedelta | None = None
    policy: SendPolicy | None = None
    window: str | None = None
    purpose: Purpose | None = None
    sender: str | None = None
    route: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Step):
    """Let time pass, on the recipient's clock. Exactly one of the first four says until when.

    Attributes:
        duration: so long.
        until: until the time an expression gives; asked anew at every look, so that a moved appointment moves the wait.
        next_business_day: until the next day on which people work in the contact's country.
        best_within: until the hour, of those that lie this near, at which the contact is most likely to answer.
        clock: with `until` and `next_business_day`: at this time of day.
        skip_if_past: go on when the time is past already; else the step fails.
    """

    duration: Delay | None = None
    until: Expression | None = None
    next_business_day: bool = False
    best_within: timedelta | None = None
    clock: time | None = None
    skip_if_past: bool = True


class CaseKind(StrEnum):
    """What a `wait_for` can wait for."""

    REPLY = "reply"
    EVENT = "event"
    CLICK = "click"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing a `wait_for` waits for, and what follows.

    Attributes:
        keywords: for a reply; those of its intent included; empty means any reply.
        intent: for a reply, the name in `mappings/keywords.yaml` of the words it waits for; empty when it names none.
        event: for an event, its dotted name.
        where: further condition; sees `event.*` or `last_reply.*`.
        send_id: for delivered and failed, the id of the send step meant; None for the latest one.
        link: for a click, the name of the link; None for any.
    """

    kind: CaseKind
    path: str
    place: Place
    keywords: tuple[str, ...] = ()
    intent: str = ""
    event: str | None = None
    where: Expression | None = None
    send_id: str | None = None
    link: str | None = None
    then: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitFor(Step):
    """Wait for the first of several things, or for the time-out: one of `within` and `until`.

    Attributes:
        within: so long at most.
        until: at most until the time an expression gives, asked anew at every look.
    """

    cases: tuple[Case, ...]
    within: Delay | None = None
    until: Expression | None = None
    otherwise: tuple[Step, ...] = ()

    def children(self) -> Iterator[tuple[Step, ...]]:
        """Give the cases' steps, then the time-out's."""
        yield from Step.children(self)
        yield from (case.then for case in self.cases)
        yield self.otherwise


@dataclass(frozen=True, slots=True)
class Branch:
    """One `if` or `elif` and its steps."""

    condition: Expression
    then: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class If(Step):
    """Take the first branch whose condition holds."""

    branches: tuple[Branch, ...]
    otherwise: tuple[Step, ...] = ()

    def children(self) -> Iterator[tuple[Step, ...]]:
        """Give each branch's steps, then the else's."""
        yield from Step.children(self)
        yield from (branch.then for branch in self.branches)
        yield self.otherwise


class Metric(StrEnum):
    """By what the arms of a split are compared."""

    REPLY_RATE = "reply rate"  # share of people who answered; the highest wins
    CLICK_RATE = "click rate"  # share of people who followed a link; the highest wins
    OPT_OUT_RATE = "opt-out rate"  # share of people who opted out; the lowest wins


@dataclass(frozen=True, slots=True)
class Winner:
    """When a split stops trying.

    Attributes:
        after: people per arm before anything is decided.
        within: how long after entering an arm what a person does still counts; only then is the person counted.
    """

    by: Metric
    after: int
    within: timedelta = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Arm:
    """One variant of a split; a person gets it with a chance of its weight among all weights."""

    name: str
    weight: int
    path: str
    place: Place
    then: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Step):
    """Try several variants; each contact stays with the one it got first."""

    arms: tuple[Arm, ...]
    winner: Winner | None = None

    def children(self) -> Iterator[tuple[Step, ...]]:
        """Give each arm's steps."""
        yield from Step.children(self)
        yield from (arm.then for arm in self.arms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify(Step):
    """Send a one-time code and wait for it.

    Attributes:
        ask: the text with the code; its path, place and id are this step's.
        length: digits of the code.
        lifetime: how long the code is good for.
        tries: wrong codes before it is given up.
        then, otherwise: steps when the right code came, and when it did not.
    """

    ask: Send
    length: int = 6
    lifetime: timedelta = timedelta(minutes=10)
    tries: int = 3
    then: tuple[Step, ...] = ()
    otherwise: tuple[Step, ...] = ()

    def children(self) -> Iterator[tuple[Step, ...]]:
        """Give the steps after the right code, then the others."""
        yield from Step.children(self)
        yield self.then
        yield self.otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm(Step):
    """Ask for a reply that confirms something: words, or a code of its own that the text names.

    Attributes:
        ask: the text; its path, place and id are this step's.
        keywords: the words that confirm; empty when a code does.
        code_length: digits of the code that confirms; 0 when words do.
        grants: `marketing` when the confirmation is a consent to marketing (double opt-in); else empty.
        then, otherwise: steps when it is confirmed, and when it is not, within the time.
    """

    ask: Send
    within: Delay
    keywords: tuple[str, ...] = ()
    code_length: int = 0
    grants: str = ""
    then: tuple[Step, ...] = ()
    otherwise: tuple[Step, ...] = ()

    def children(self) -> Iterator[tuple[Step, ...]]:
        """Give the steps after the confirmation, then the others."""
        yield from Step.children(self)
        yield self.then
        yield self.otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit(Step):
    """End the enrollment."""

    reason: str


def walk(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Give every step of a list, nested ones included, in file order."""
    for step in steps:
        yield step
        for children in step.children():
            yield from walk(children)


def texts_sent(step: Step) -> tuple[Send, ...]:
    """Give the texts that a step may send: its own, or the one it asks with."""
    if isinstance(step, Send):
        return (step,)
    return (step.ask,) if isinstance(step, Verify | Confirm) else ()
