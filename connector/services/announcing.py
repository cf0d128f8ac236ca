"""Who must hear that messages moved?

The timeline (why), the enrollments that stand at them, the CRM records that show them, and whoever ordered them: all
in the transaction of the move itself, so that none of them can be forgotten by a crash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connector.domain.message import MessageState
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.queue import JOURNEYS, writeback_lane
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.services.callbacks import tell_move
from connector.services.workflow_telling import tell_workflow_moves

REF_LENGTH = 12
"""Hex digits of a message's random part in its reference: 48 bits tell apart the records of one contact."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A message that moved, and why; `message` is the row before the move."""

    message: MessageRow
    state: MessageState
    reason: str
    data: Mapping[str, Any] = field(default_factory=dict)


def message_record(message: MessageRow, record_id: str, crm: str, contact_crm_id: str, now: datetime) -> CRMRecordRow:
    """Make the row that asks for a message to be shown on its contact's timeline."""
    is_reply = message.state is MessageState.RECEIVED
    return CRMRecordRow(
        id=record_id,
        account_id=message.account_id,
        crm=crm,
        kind=RecordSubject.REPLY if is_reply else RecordSubject.MESSAGE,
        subject=f"message:{message.id}",
        ref=message_ref(message.id),
        at=message.created_at,
        not_before=now,
        contact_id=message.contact_id,
        contact_crm_id=contact_crm_id,
    )


def message_ref(message_id: str) -> str:
    """Give the short reference under which people and the CRM see a message, such as `SMS-4F0A91C2D3E5`."""
    return f"SMS-{message_id.replace('-', '')[-REF_LENGTH:].upper()}"


def announce(uow: UnitOfWork, moves: Sequence[Moved], now: datetime) -> None:
    """Write down moves and wake whoever waits for them."""
    if not moves:
        return
    uow.timeline.add([_entry(move, now) for move in moves])
    waiting: dict[str, list[str]] = {}
    shown: dict[str, list[str]] = {}
    for move in moves:
        if move.message.enrollment_id:
            waiting.setdefault(move.message.account_id, []).append(move.message.enrollment_id)
        if move.message.contact_id:
            shown.setdefault(move.message.account_id, []).append(f"message:{move.message.id}")
    for account_id, enrollment_ids in waiting.items():
        if uow.enrollments.wake(account_id, enrollment_ids=enrollment_ids, now=now):
            uow.nudge(JOURNEYS)
    for account_id, subjects in shown.items():
        for crm in uow.records.changed(account_id, RecordSubject.MESSAGE, subjects, now):
            uow.nudge(writeback_lane(crm))
    for move in moves:
        tell_move(uow, move.message, move.state, move.reason, now)
    tell_workflow_moves(uow, [(move.message, move.state, move.reason) for move in moves], now)


def _entry(move: Moved, now: datetime) -> TimelineEntry:
    message = move.message
    held = move.state is MessageState.HELD
    return TimelineEntry(
        account_id=message.account_id,
        kind=EntryKind.MESSAGE_HELD if held else EntryKind.MESSAGE_MOVED,
        subject=f"message:{message.id}",
        discriminator=f"{move.state}:{message.tries}:{now.isoformat()}",
        at=now,
        summary=f"{move.state}: {move.reason}" if move.reason else str(move.state),
        contact_id=message.contact_id,
        enrollment_id=message.enrollment_id,
        message_id=message.id,
        path=message.step,
        data={"state": move.state.value, **move.data},
    )
