"""What happens when somebody's way through a journey is over?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from connector.domain.message import MessageState
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow, StateChange
from connector.services.announcing import Moved, announce
from connector.services.enrollment_entries import ended

STILL_HERE = frozenset({MessageState.HELD, MessageState.QUEUED})
"""States of a text that can still be cancelled."""


def end_enrollment(
    uow: UnitOfWork, row: EnrollmentRow, reason: str, now: datetime, *, needs_attention: bool = False
) -> None:
    """End an enrollment: nothing of it that is still with us goes out any more."""
    uow.timeline.add(ended(row, reason, now, needs_attention=needs_attention))
    over = replace(row, status="ended", ended_at=now, exit_reason=reason, due_at=None, waits_for="", attempts=0)
    uow.enrollments.save(over)
    waiting = [found for found in uow.messages.of_enrollment(row.id) if found.state in STILL_HERE]
    # A reminder held overnight must not follow a payment.
    cancel_texts(uow, waiting, f"its journey ended: {reason}", now)


def cancel_texts(uow: UnitOfWork, texts: Iterable[MessageRow], why: str, now: datetime) -> None:
    """Cancel texts that are held or queued, and let everybody hear of it who waits for them."""
    waiting = {text.id: text for text in texts}
    moved = uow.messages.move(
        [StateChange(each.id, each.state, MessageState.CANCELLED, why) for each in waiting.values()], now
    )
    announce(uow, [Moved(waiting[each], MessageState.CANCELLED, why) for each in moved], now)
