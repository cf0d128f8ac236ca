"""What does a journey file say, once it has been read and found correct?

Pure data, made by `adapters.journey_files` from YAML and run by `domain.enrollment.decide`. Every step carries its
path and its place in the file, so that whatever it does can be explained by file, line and path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from connector.domain.caps import Cap
from connector.domain.message import Purpose, SendPolicy


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file an admin wrote; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition or value in Jinja's expression language, such as `invoice.balance_due > 500`."""

    source: str
    place: Place


@dataclass(frozen=True, slots=True)
class Text:
    """A Jinja template written in the journey file itself, such as a task's title."""

    source: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What every step has.

    Attributes:
        id: given by the admin or derived from the path; names the step in traces and reports.
        path: `steps[3].wait_for.cases[0].then[1]`; unique in the journey.
        when: run only if this holds.
        on_failure: steps run when this one fails for good.
    """

    id: str
    path: str
    place: Place
    when: Expression | None = None
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
    """

    template: str | None = None
    text: Text | None = None
    to: str | Expression = "contact"
    expires_after: timedelta | None = None
    policy: SendPolicy | None = None
    window: str | None = None
    purpose: Purpose | None = None
    sender: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Step):
    """Let time pass: a duration, or until the time an expression gives."""

    duration: timedelta | None = None
    until: Expression | None = None
    skip_if_past: bool = True


class CaseKind(StrEnum):
    """What a `wait_for` can wait for."""

    REPLY = "reply"
    EVENT = "event"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing a `wait_for` waits for, and what follows.

    Attributes:
        keywords: for a reply; empty means any reply.
        event: for an event, its dotted name.
        where: further condition; sees `event.*` or `last_reply.*`.
        send_id: for delivered and failed, the id of the send step meant; None for the latest one.
    """

    kind: CaseKind
    path: str
    place: Place
    keywords: tuple[str, ...] = ()
    event: str | None = None
    where: Expression | None = None
    send_id: str | None = None
    then: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitFor(Step):
    """Wait for the first of several things, or for the time-out."""

    cases: tuple[Case, ...]
    within: timedelta
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Step):
    """Ask a person to do something, as a CRM task.

    Attributes:
        assignee: `owner`, or an owner's e-mail address in the CRM.
        due_after: how long from now the task is due.
    """

    assignee: str
    title: Text
    body: Text | None = None
    due_after: timedelta = timedelta(0)
    priority: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit(Step):
    """End the enrollment."""

    reason: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts the journey."""

    event: str
    place: Place
    where: Expression | None = None
    takes_imports: bool = False


class Again(StrEnum):
    """When the same key may enter again."""

    NEVER = "never"
    AFTER_EXIT = "after exit"
    AFTER_PERIOD = "after period"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Enroll:
    """What makes an enrollment unique, and when the same key may enter again."""

    key: Expression
    again: Again = Again.NEVER
    again_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ExitRule:
    """Something that ends the enrollment: an event (with `where`), or a condition alone."""

    path: str
    place: Place
    event: str | None = None
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class Journey:
    """One journey, checked.

    Attributes:
        hash: SHA-256 of the journey's source and its templates; names the version.
        source: the YAML and its templates as written: `{"journey": text, "templates": {path: text}, "file": path}`;
            `adapters.journey_files.journey_from_source` makes the journey from it again.
        window: named send window for every send, or None for the purpose's.
        time_zone: whose clock: `contact`, `account` or an IANA name.
    """

    id: str
    title: str
    purpose: Purpose
    trigger: Trigger
    enroll: Enroll
    steps: tuple[Step, ...]
    file: str
    hash: str
    source: Mapping[str, object] = field(hash=False, compare=False)
    owner: str = ""
    enabled: bool = True
    labels: tuple[str, ...] = ()
    crm: str | None = None
    exit_when: tuple[ExitRule, ...] = ()
    window: str | None = None
    caps: tuple[Cap, ...] = ()
    time_zone: str = "contact"
    variables: Mapping[str, Expression] = field(default_factory=dict)

    @property
    def templates(self) -> Mapping[str, str]:
        """Sources of its SMS templates, by file name under `templates/`."""
        found = self.source.get("templates")
        return found if isinstance(found, Mapping) else {}


def walk(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Give every step of a list, nested ones included, in file order."""
    for step in steps:
        yield step
        for children in step.children():
            yield from walk(children)
