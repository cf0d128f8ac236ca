"""How do services read and write what the CRM is to show?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol


class RecordSubject(StrEnum):
    """Kinds of things written back."""

    MESSAGE = "message"  # one communication per message, updated as its state moves
    REPLY = "reply"  # one communication per reply
    OPT_OUT = "opt_out"  # one communication per opt-out
    TASK = "task"  # one task per task step
    NOTE = "note"  # one note per note step
    PROPERTY = "property"  # one property of one record, as journeys want it
    OPT_OUT_PROPERTY = "opt_out_property"  # the flag on one contact
    FIND_CONTACTS = "find_contacts"  # look up every contact with a number, to set the flag on each
    FIND_SENDER = "find_sender"  # look up, or make, the contact of a number that wrote and that nobody here knows


@dataclass(frozen=True, slots=True)
class CRMRecordRow:
    """One thing the CRM is to show.

    Attributes:
        subject: what it shows, unique per kind: `message:<id>` (message, reply), `task:<enrollment>:<path>`,
            `note:<enrollment>:<path>`, `property:deal:9001:dealstage` (one row per record and property, so that the
            newest value wins), `opt-out:<consent event>:<contact's crm id>`, `contact:<crm id>` (opt-out property: one
            row per contact, so that changes of the flag follow each other), `number:<consent event>` (find contacts),
            `sender:<hash of account and number>` (find sender: one row per number, so that it is looked for by one).
        ref: our short reference, in the record's body.
        at: its place on the timeline; for a task, when it is due.
        not_before: from when on it is due to be written.
        wanted: counts changes to be shown; `written` is the change the CRM shows.
        payload: what the record says where no other row says it; encrypted at rest. By kind: task `title`, `body`,
            `owner_id`, `queue_id`, `is_call`, `priority`, `associations` (`["deal:9001"]`); note `text`,
            `associations`; property `value`; reply `note`; opt_out `headline`, `how`, `effect`; opt_out_property and
            find_contacts `msisdn`, `mechanism`; find_sender `msisdn`, `may_create`.
        create_sent_at: set before a create leaves, so that after a crash we look before creating again.
        state: `waiting`, `creating`, `written` or `refused`.
    """

    id: str
    account_id: str
    crm: str
    kind: RecordSubject
    subject: str
    ref: str
    at: datetime
    not_before: datetime
    contact_id: str | None = None
    contact_crm_id: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)
    crm_record_id: str | None = None
    wanted: int = 1
    written: int = 0
    state: str = "waiting"
    create_sent_at: datetime | None = None
    attempts: int = 0
    error: str = ""
    written_back_at: datetime | None = None


class CRMRecordRepository(Protocol):
    """What the CRM is to show."""

    def want(self, records: Sequence[CRMRecordRow]) -> None:
        """Insert each record, or count one more change on the one with the same (account, kind, subject).

        A newer payload replaces the older one. A refused record stays refused, but for properties and senders, which
        every change tries again. Of a waiting record the earlier `not_before` is kept; one that waits
        because of a failure keeps its wait.
        """
        ...

    def changed(
        self, account_id: str, kind: RecordSubject, subjects: Sequence[str], not_before: datetime
    ) -> Sequence[str]:
        """Count one more change on those records that exist; give the CRMs that are to show them."""
        ...

    def claim(
        self,
        crm: str,
        limit: int,
        now: datetime,
        lease_until: datetime,
        patience: timedelta = timedelta(0),
    ) -> Sequence[CRMRecordRow]:
        """Lease up to `limit` records of one active account that wait to be written (the one with the oldest).

        With `patience`, an account's records are left alone until one of them has been due for that long or `limit`
        of them are due: calls are filled, and changes that follow each other closely become one write.
        """
        ...

    def mark_creating(self, record_ids: Sequence[str], now: datetime) -> None:
        """Note that a create is about to leave."""
        ...

    def mark_written(self, written: Sequence[tuple[str, int, str | None]], now: datetime) -> None:
        """Note (record id, change now shown, CRM id); a record with newer changes stays waiting."""
        ...

    def mark_refused(self, record_id: str, error: str, now: datetime) -> None:
        """Note that the CRM refuses it for good, and why."""
        ...

    def mark_refused_in_part(self, record_id: str, error: str) -> None:
        """Note why the CRM refuses a part of a written record for good, such as the text that its task shows.

        The record goes on following its changes; each one written says anew whether something was refused.
        """
        ...

    def postpone(self, record_ids: Sequence[str], error: str, not_before: datetime, *, certain: bool) -> None:
        """Give records back; `certain` says that a create certainly did not happen."""
        ...

    def put_off(self, account_id: str, now: datetime, not_before: datetime) -> None:
        """Let every record of an account that could be claimed now wait until `not_before`: its CRM is away."""
        ...

    def waiting(self, now: datetime) -> Mapping[str, int]:
        """Count records by CRM that could be written now."""
        ...

    def flags(self, account_id: str, crm_ids: Sequence[str]) -> Mapping[str, CRMRecordRow]:
        """Read the records that set the opt-out flag on contacts, by the CRM's id of the contact."""
        ...

    def put_off_because(self, limit: int) -> Mapping[str, int]:
        """Count, by reason, the records that wait because writing them failed; the most frequent reasons first."""
        ...

    def of_messages(self, account_id: str, message_ids: Sequence[str]) -> Mapping[str, CRMRecordRow]:
        """Read the records that show messages, by message id."""
        ...

    def refused(
        self, account_id: str | None, limit: int, in_part_since: datetime | None = None
    ) -> Sequence[CRMRecordRow]:
        """Read records the CRM refused, newest first, then those of which it refused a part, newest first.

        Args:
            account_id: whose, or None for everybody's.
            limit: how many at most.
            in_part_since: those refused in part that were written before are left out.
        """
        ...
