"""What does one contact's way through one journey look like, and what can be decided about it?

The values that go into and come out of `domain.enrollment.decide`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from connector.domain.documents import from_document, to_document
from connector.domain.places import Place
from connector.domain.steps import Confirm, Send, Split, Step
from connector.domain.timeline import EntryKind


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, as far as a decision needs it; made from a timeline entry.

    Attributes:
        id: tells facts apart; a `wait_for` uses up a reply or an event by it.
        name: an event's dotted name, the state a message moved to, what a reply means for consent (`help`), the name of
            the link that was followed, or why a step's effect failed.
        text: a reply's text; it is read from the message and never kept in a state or a trace.
        names: what `event.*` or `last_reply.*` mean while this fact is looked at; of an effect that is done, its
            `answer`, where it has one.
        enrollment_id: of a reply or a click, the enrollment whose text it answers; None when that is not known.
        is_from_asked: of a reply, whether it came from the number that the text it stands at went to; an owner's word
            is no answer to what the contact was asked.
        until: of a text that is held now, when it may go out.
        key: of an effect that is done or failed, the key of the action that asked for it.
        ref: of an event, the CRM record it is about, such as `deal:9001`.
    """

    id: str
    kind: EntryKind
    at: datetime
    name: str = ""
    message_id: str | None = None
    text: str = field(default="", repr=False)
    names: Mapping[str, Any] = field(default_factory=dict, repr=False)
    enrollment_id: str | None = None
    is_from_asked: bool = True
    until: datetime | None = None
    key: str = ""
    ref: str = ""

    def concerns(self, enrollment_id: str) -> bool:
        """Tell whether this enrollment may see it: an answer to another enrollment's text says nothing to this one."""
        answers = {EntryKind.REPLY_RECEIVED, EntryKind.LINK_CLICKED}
        return self.kind not in answers or self.enrollment_id in {None, enrollment_id}

    def reply_names(self, keyword: str | None) -> dict[str, Any]:
        """Give what `last_reply.*` means for this reply, once it is known which keyword it answered with."""
        return {**self.names, "last_reply": {**self.names.get("last_reply", {}), "keyword": keyword}}


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a send step made."""

    step_id: str
    path: str
    message_id: str


@dataclass(frozen=True, slots=True)
class RunState:
    """Where an enrollment stands.

    Attributes:
        since: facts from this time on count: when the trigger happened.
        base_at: when the step before was done; waits count from it.
        cursor: path of the step it stands at; empty before the first.
        entered_at: when that step was entered; None when it is still to be entered.
        sent: messages made so far, in order.
        send_error: why the message of the step it stands at could not be made, or empty.
        used: ids of the replies and events that a `wait_for` has answered to.
        keywords: by the id of such a reply the keyword it was taken for.
        trigger: id of the fact that started the enrollment; it is no answer to anything.
        vars: the journey's variables; None before they were computed.
        target: until when the step it stands at waits, as it was last decided; best time decides once and for all.
        asked: the key under which the step it stands at asks for what it wants; a move to another version of the
            journey does not change it, or an answer would not be known again.
        arms: by the id of a split step, the arm it was sent into.
        revision: how often it was moved to another version of its journey; part of every key from the first move on.
    """

    enrollment_id: str
    since: datetime
    base_at: datetime
    cursor: str = ""
    entered_at: datetime | None = None
    sent: tuple[Sent, ...] = ()
    send_error: str = ""
    used: tuple[str, ...] = ()
    keywords: Mapping[str, str] = field(default_factory=dict)
    trigger: str = ""
    vars: Mapping[str, Any] | None = None
    target: datetime | None = None
    asked: str = ""
    arms: Mapping[str, str] = field(default_factory=dict)
    revision: int = 0

    @property
    def message_id(self) -> str | None:
        """The message of the send step it stands at, if that was made."""
        return next((sent.message_id for sent in reversed(self.sent) if sent.path == self.cursor), None)

    def key(self, step: Step) -> str:
        """Name what a step does, once and for all; a path means another step after a move to another version."""
        revision = f"r{self.revision}:" if self.revision else ""
        return f"{self.enrollment_id}:{revision}{step.path}"

    def with_message(self, step: Step, message_id: str) -> Self:
        """Note the message that the send step it stands at has made."""
        return replace(self, sent=(*self.sent, Sent(step.id, step.path, message_id)))

    def with_send_error(self, reason: str) -> Self:
        """Note that the send step it stands at cannot make its message, ever."""
        return replace(self, send_error=reason)

    def to_json(self) -> dict[str, Any]:
        """Give a JSON-able document."""
        return {
            "enrollment_id": self.enrollment_id,
            "since": self.since.isoformat(),
            "base_at": self.base_at.isoformat(),
            "cursor": self.cursor,
            "entered_at": None if self.entered_at is None else self.entered_at.isoformat(),
            "sent": [[sent.step_id, sent.path, sent.message_id] for sent in self.sent],
            "send_error": self.send_error,
            "used": list(self.used),
            "keywords": dict(self.keywords),
            "trigger": self.trigger,
            "vars": to_document(self.vars),
            "target": None if self.target is None else self.target.isoformat(),
            "asked": self.asked,
            "arms": dict(self.arms),
            "revision": self.revision,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read a state back from `to_json`'s document."""
        entered_at, target = document["entered_at"], document.get("target")  # absent before revision 0002
        return cls(
            enrollment_id=document["enrollment_id"],
            since=datetime.fromisoformat(document["since"]),
            base_at=datetime.fromisoformat(document["base_at"]),
            cursor=document["cursor"],
            entered_at=None if entered_at is None else datetime.fromisoformat(entered_at),
            sent=tuple(Sent(*sent) for sent in document["sent"]),
            send_error=document["send_error"],
            used=tuple(document["used"]),
            keywords=dict(document["keywords"]),
            trigger=document["trigger"],
            vars=from_document(document["vars"]),
            target=None if target is None else datetime.fromisoformat(target),
            asked=document.get("asked", ""),
            arms=dict(document.get("arms", {})),
            revision=document.get("revision", 0),
        )


@dataclass(frozen=True, slots=True)
class SendSMS:
    """Make the message of a step; repeating it under the same key changes nothing.

    Attributes:
        step: the step that stands for it in traces: the text itself, or the `verify` or `confirm` that asks with it.
        text: what is to be sent.
        code: the code that the text may name as `code`; empty when there is none.
        names: what the text sees, as it was when the step was taken: a later `set` changes nothing any more.
    """

    step: Step
    text: Send
    key: str
    code: str = field(default="", repr=False)
    names: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Perform:
    """Have done what a step asks for: a task, a note, a notification…; repeating it under the same key changes nothing.

    Attributes:
        is_awaited: whether the enrollment waits to hear how it ended (`EntryKind.EFFECT_DONE`, `EFFECT_FAILED`).
        names: what its texts and expressions see, as it was when the step was taken.
    """

    step: Step
    key: str
    is_awaited: bool = False
    names: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class AssignArm:
    """Note that a contact is in an arm of a split, from now on and for good."""

    step: Split
    arm: str


@dataclass(frozen=True, slots=True)
class GrantConsent:
    """Record that a reply has given a consent.

    Attributes:
        message_id: the reply's.
    """

    step: Confirm
    message_id: str


Action = SendSMS | Perform | AssignArm | GrantConsent


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One thing that was decided, and what decided it.

    Attributes:
        word: tells lines about one path apart; the same line comes with the same word again.
        values: what the expression saw, by dotted name; no bodies, no phone numbers.
    """

    path: str
    place: Place
    word: str
    summary: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done now, and what is waited for then.

    Attributes:
        actions: to be done in order; a `SendSMS` comes last, since nothing follows before its text is out.
        due_at: when to decide again at the latest; None only when ended.
        waits_for: for people; empty only when ended.
    """

    actions: tuple[Action, ...]
    state: RunState
    trace: tuple[TraceLine, ...]
    ended: bool
    exit_reason: str = ""
    due_at: datetime | None = None
    waits_for: str = ""
