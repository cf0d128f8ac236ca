"""How is it written down what an enrollment decided, made and came to?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connector.domain.enrollment import TraceLine
from connector.domain.journey import Journey
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.enrollments import EnrollmentRow
from connector.services.message_making import Made
from connector.services.wishes import Wish, bounded


def step_taken(row: EnrollmentRow, journey: Journey, line: TraceLine, now: datetime) -> TimelineEntry:
    """Write down one line of a decision's trace."""
    return TimelineEntry(
        account_id=row.account_id,
        kind=EntryKind.STEP_TAKEN,
        subject=f"enrollment:{row.id}",
        discriminator=bounded(f"{line.path}:{line.word}"),
        at=now,
        summary=line.summary,
        contact_id=row.contact_id,
        enrollment_id=row.id,
        ref=row.subject,
        path=line.path,
        file=line.place.file or journey.file,
        line=line.place.line,
        data={"values": line.values},
    )


def ended(row: EnrollmentRow, reason: str, now: datetime, *, needs_attention: bool = False) -> list[TimelineEntry]:
    """Write down that an enrollment is over, and, where a person must look, that too."""
    entry = TimelineEntry(
        account_id=row.account_id,
        kind=EntryKind.ENROLLMENT_ENDED,
        subject=f"enrollment:{row.id}",
        discriminator="ended",
        at=now,
        summary=f"Ended {row.journey}: {reason}",
        contact_id=row.contact_id,
        enrollment_id=row.id,
        ref=row.subject,
        data={"journey": row.journey, "reason": reason},
    )
    return [entry, replace(entry, kind=EntryKind.ATTENTION_NEEDED)] if needs_attention else [entry]


def message_created(wish: Wish, made: Made) -> TimelineEntry:
    """Write down that a step has made a message."""
    message = made.message
    said = f"Queued for the {message.recipient} by {wish.setting.journey.id}, step {wish.step.id}"
    return replace(
        wish.entry(EntryKind.MESSAGE_CREATED, said),
        subject=f"message:{message.id}",
        discriminator="created",
        ref="",
        message_id=message.id,
        data={**made.shown, "purpose": message.purpose.value, "recipient": message.recipient},
    )
