"""What is each claimed record to say, by the present state of the ledger?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connector.domain.event import ObjectRef
from connector.domain.message import Direction, MessageState
from connector.ports.crm_writing import RecordKind, RecordWrite, SMSFacts
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.services.shown_texts import shown_body
from connector.services.writeback_text import consent_text, message_text, note_text, reply_text, task_text

_SHOWN_MESSAGE = frozenset({RecordSubject.MESSAGE, RecordSubject.REPLY})
RECORDS = _SHOWN_MESSAGE | {RecordSubject.OPT_OUT, RecordSubject.TASK, RecordSubject.NOTE}
"""What becomes a record of its own in the CRM; the rest are properties and searches."""

_UNOWNED = "The CRM did not take the owner this task was meant for, so nobody is assigned."


@dataclass(frozen=True, slots=True)
class Said:
    """A claimed record and what it is to say."""

    row: CRMRecordRow
    write: RecordWrite

    def without_owner(self) -> Said:
        """Give the same task to nobody in particular, and say so in it."""
        body = "\n\n".join(part for part in (self.row.payload.get("body"), _UNOWNED) if part)
        row = replace(self.row, payload={**self.row.payload, "owner_id": None, "body": body})
        return Said(row, _task(row, self.write))


def what_to_say(uow: UnitOfWork, account_id: str, rows: Sequence[CRMRecordRow]) -> Mapping[str, Said | str]:
    """Give, by record id, what a record says, or why it can say nothing."""
    messages = uow.messages.many([_message_id(row) for row in rows if row.kind in _SHOWN_MESSAGE])
    beside = _records_beside(uow, account_id, rows, messages)
    return {row.id: _said(row, messages.get(_message_id(row)), beside.get(row.id, ())) for row in rows}


def _said(row: CRMRecordRow, message: MessageRow | None, beside: tuple[ObjectRef, ...]) -> Said | str:
    if row.kind in _SHOWN_MESSAGE and message is None:
        return "the message is no longer in the ledger"
    if row.kind is not RecordSubject.TASK and not row.contact_crm_id:
        return "there is no contact in the CRM to show it on"
    return Said(row, _write(row, message if row.kind in _SHOWN_MESSAGE else None, beside))


def _message_id(row: CRMRecordRow) -> str:
    return row.subject.partition(":")[2]


def _records_beside(
    uow: UnitOfWork, account_id: str, rows: Sequence[CRMRecordRow], messages: Mapping[str, MessageRow]
) -> Mapping[str, tuple[ObjectRef, ...]]:
    """Give, for records about to be created, the CRM record their journey was started by."""
    enrollments = {
        row.id: message.enrollment_id
        for row in rows
        if not row.crm_record_id
        and (message := messages.get(_message_id(row))) is not None
        and message.enrollment_id is not None
    }
    subjects = {each: uow.enrollments.find(account_id, each) for each in set(enrollments.values())}
    return {
        row_id: _of_the_crm([found.subject])
        for row_id, each in enrollments.items()
        if (found := subjects[each]) is not None and found.subject
    }


def _write(row: CRMRecordRow, message: MessageRow | None, beside: tuple[ObjectRef, ...]) -> RecordWrite:
    write = RecordWrite(
        ref=row.ref,
        kind=RecordKind.COMMUNICATION,
        contact_crm_id=row.contact_crm_id,
        body="",
        at=row.at,
        associations=beside,
        crm_record_id=row.crm_record_id,
    )
    if row.kind is RecordSubject.TASK:
        return _task(row, write)
    if row.kind is RecordSubject.NOTE:
        said = row.payload
        body, beside = note_text(str(said["text"]), row.ref), _refs(said)
        return replace(write, kind=RecordKind.NOTE, body=body, associations=beside)
    if message is None:
        return replace(write, body=consent_text(row.payload, row.ref))
    write = replace(write, sms=_sms(message))
    if row.kind is RecordSubject.REPLY:
        return replace(write, body=reply_text(message, str(row.payload.get("note", "")), row.ref))
    return replace(write, body=message_text(message, row.ref), at=message.sent_at or row.at)


def _sms(message: MessageRow) -> SMSFacts:
    is_inbound = message.direction is Direction.IN
    ours, theirs = message.sender or "", message.msisdn
    return SMSFacts(
        is_inbound=is_inbound,
        state=message.state.value,
        body=shown_body(message),
        sender=theirs if is_inbound else ours,
        recipient=ours if is_inbound else theirs,
        segments=message.segments,
        error="" if message.state is MessageState.DELIVERED else message.state_reason,
        sent_at=message.created_at if is_inbound else message.sent_at,
        delivered_at=message.updated_at if message.state is MessageState.DELIVERED else None,
    )


def _task(row: CRMRecordRow, write: RecordWrite) -> RecordWrite:
    said = row.payload
    return replace(
        write,
        kind=RecordKind.TASK,
        title=said["title"],
        body=task_text(said, row.ref),
        priority=said.get("priority") or "",
        owner_id=said.get("owner_id"),
        queue_id=said.get("queue_id") or "",
        is_call=bool(said.get("is_call")),
        associations=_refs(said),
    )


def _refs(said: Mapping[str, Any]) -> tuple[ObjectRef, ...]:
    return _of_the_crm(said.get("associations") or ())


def _of_the_crm(subjects: Iterable[str]) -> tuple[ObjectRef, ...]:
    """Give the records that the CRM has: it refuses to put a note beside what only a webhook has told of."""
    return tuple(ref for ref in map(ObjectRef.parse, subjects) if not ref.is_outside)
