"""What kinds of things happen to a contact, and how is each one written down so that it can be explained?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class EntryKind(StrEnum):
    """Kinds of timeline entries; dotted, past tense."""

    EVENT_RECEIVED = "event.received"  # a CRM event that concerns the contact
    EVENT_IGNORED = "event.ignored"  # and why no journey took it
    ENROLLED = "enrollment.started"
    NOT_ENROLLED = "enrollment.refused"
    STEP_TAKEN = "step.taken"
    ENROLLMENT_ENDED = "enrollment.ended"
    MESSAGE_CREATED = "message.created"
    MESSAGE_HELD = "message.held"
    MESSAGE_MOVED = "message.moved"  # a change of state; `data.state` says to which
    MESSAGE_ROUTED = "message.routed"  # which gateway, and why; `data.candidates` has the numbers
    REPLY_RECEIVED = "reply.received"
    SENDER_FOUND = "sender.found"  # whose a text is that came from a number nobody here knew
    LINK_CLICKED = "link.clicked"  # `data.link` says which
    OPTED_OUT = "contact.opted_out"
    MARKETING_REFUSED = "contact.marketing_refused"  # opted out of marketing alone: journeys go on
    OPTED_IN = "contact.opted_in"
    REVOCATION_DOUBTED = "contact.maybe_opted_out"
    TASK_WANTED = "task.wanted"
    EFFECT_WANTED = "effect.wanted"  # a note, a notification, a call, a CRM property…
    EFFECT_DONE = "effect.done"
    EFFECT_FAILED = "effect.failed"
    ARM_ASSIGNED = "split.assigned"
    ARM_WON = "split.won"
    ATTENTION_GIVEN = "attention.given"  # a person has looked and decided
    ATTENTION_NEEDED = "attention.needed"  # a person must look: an unknown send, a doubtful revocation


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened, why, and which line of which file decided it. Never holds a body or a number.

    Attributes:
        subject: what it is about, such as `message:0190…` or `event:0190…`.
        discriminator: tells entries of one kind and subject apart; writing the same one twice is a no-op.
        ref: the CRM record concerned, such as `invoice:7`, or empty.
        summary: one English sentence for people.
        path: YAML path of the deciding step or rule, such as `steps[3].wait_for.cases[0]`.
        data: values the decision saw; JSON-able.
    """

    account_id: str
    kind: EntryKind
    subject: str
    discriminator: str
    at: datetime
    summary: str
    contact_id: str | None = None
    enrollment_id: str | None = None
    message_id: str | None = None
    ref: str = ""
    path: str = ""
    file: str = ""
    line: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)
