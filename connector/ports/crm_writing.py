"""What is written to a CRM, and what became of it?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from connector.domain.event import ObjectRef
from connector.errors import CRMError, CRMRefusedError


class RecordKind(StrEnum):
    """Kinds of CRM record we write."""

    COMMUNICATION = "communication"
    TASK = "task"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class SMSFacts:
    """What a text is, apart from how it reads on a timeline: for CRMs that keep texts as records of their own.

    Attributes:
        is_inbound: it came from the person.
        state: our word for how it stands, such as `delivered`.
        body: the text itself, as it may be shown.
        sender: number or sender id it went out from; the person's number for one that came in.
        recipient: number it went to.
        error: why it failed, in words, or empty.
        sent_at: when a gateway took it, or when it came in.
        delivered_at: when it arrived on the phone.
    """

    is_inbound: bool
    state: str
    body: str = field(repr=False)
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    segments: int
    error: str = ""
    sent_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """One CRM record as it should stand.

    Attributes:
        ref: our short reference, unique per account; appears in the body so that a lost answer can be looked up.
        crm_record_id: the CRM's id when the record exists already.
        contact_crm_id: the contact on whose timeline it stands.
        associations: further records it belongs to, such as the deal.
        title: for tasks.
        body: plain text; the adapter escapes it.
        at: its place on the timeline; for a task, when it is due.
        queue_id: for a task, the CRM's id of the queue it waits in.
        is_call: for a task, that somebody is to ring the contact up.
        sms: for a communication that stands for a text, what that text is; None for one about consent.
    """

    ref: str
    kind: RecordKind
    contact_crm_id: str
    body: str
    at: datetime
    title: str = ""
    priority: str = ""
    owner_id: str | None = None
    associations: tuple[ObjectRef, ...] = ()
    crm_record_id: str | None = None
    queue_id: str = ""
    is_call: bool = False
    sms: SMSFacts | None = None


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one row of a batch: an id, or the error that refused it.

    Attributes:
        refused_beside: why what should stand beside a record that was written never will, such as the text it shows.
    """

    ref: str
    crm_record_id: str | None = None
    error: CRMError | None = None
    refused_beside: CRMRefusedError | None = None
