"""What does a named event, once its record and contact are known, leave in the ledger?

The entry that enrollments take for a fact, the offer to every journey it may start, and the wake of those who wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connector.domain.event import ObjectRef, Owner
from connector.domain.event_mapping import EventCatalogue, EventMapping
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.ports.queue import JOURNEYS
from connector.services.enrolling import Enroller
from connector.services.enrollment_facts import fact_id
from connector.services.entry_rules import Arrival
from connector.services.heard_events import FOUND_BY
from connector.services.names import Values, event_names, names_of


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A named event with what was read of its record.

    Attributes:
        source_id: the inbox row it was made of; the same name and row are noted once.
        contact: whom it concerns; None when nobody could be found.
        how: how the contact was chosen, or why there is none.
        read_at: when the record was read; None for just now.
        told: what the entry keeps of how we heard of it.
        too_late: why it starts nothing any more, or empty.
    """

    name: str
    ref: ObjectRef
    occurred_at: datetime
    source_id: str
    is_import: bool
    values: Values
    contact: ContactRow | None
    owner: Owner | None
    how: str
    read_at: datetime | None = None
    told: Mapping[str, str] = field(default_factory=dict)
    too_late: str = ""


class EventNoter:
    """Notes occurrences."""

    def __init__(self, catalogue: EventCatalogue, enroller: Enroller) -> None:
        self._catalogue, self._enroller = catalogue, enroller

    def note(
        self, uow: UnitOfWork, account: AccountRow, each: Occurrence, mapping: EventMapping, now: datetime
    ) -> tuple[str, TimelineEntry]:
        """Write an event down and offer it to the journeys; give a word for what came of it, and its entry."""
        contact = each.contact
        who = each.how if contact is None else f"contact {contact.crm_id}, {each.how}"
        found = "; found by a poll, no webhook told us" if FOUND_BY in each.told else ""
        entry = received(account, each, f"{each.name} of {each.ref}: {who}{found}", now)
        uow.timeline.add([entry])
        if contact is None:
            uow.timeline.add([ignored(account, each.ref, each.source_id, mapping, each.how, now)])
            return f"{each.name}: {each.how}", entry
        if each.too_late:
            uow.timeline.add([ignored(account, each.ref, each.source_id, mapping, each.too_late, now)])
            return f"{each.name}: {each.too_late}", entry
        taken = self._enroller.consider(uow, account, self._arrival(account, each, entry, contact, now), now)
        return f"{each.name}: {', '.join(taken) or 'no journey takes it'}", entry

    def _arrival(
        self, account: AccountRow, each: Occurrence, entry: TimelineEntry, contact: ContactRow, now: datetime
    ) -> Arrival:
        event = event_names(each.name, entry.at, each.values, each.ref.object_id)
        mapping = self._catalogue.by_crm[account.crm].contact
        return Arrival(
            name=each.name,
            subject=f"event:{each.source_id}",
            ref=entry.ref,
            occurred_at=entry.at,
            is_import=each.is_import,
            fact=fact_id(entry.kind, entry.subject, entry.discriminator),
            contact=contact,
            values=each.values,
            names={**names_of(account, mapping, contact, each.owner, each.values, event), "now": now},
            read_at=each.read_at or now,
        )


def received(account: AccountRow, each: Occurrence, summary: str, now: datetime) -> TimelineEntry:
    """Make the entry that says that an event came."""
    return TimelineEntry(
        account_id=account.id,
        kind=EntryKind.EVENT_RECEIVED,
        subject=str(each.ref),
        discriminator=f"{each.name}:{each.source_id}",
        at=min(each.occurred_at, now),
        summary=summary,
        contact_id=None if each.contact is None else each.contact.id,
        ref=str(each.ref),
        data={"event": each.name, "values": each.values, "is_import": each.is_import, **each.told},
    )


def ignored(
    account: AccountRow, ref: ObjectRef, source_id: str, mapping: EventMapping, why: str, now: datetime
) -> TimelineEntry:
    """Make the entry that says why an event starts nothing."""
    return TimelineEntry(
        account_id=account.id,
        kind=EntryKind.EVENT_IGNORED,
        subject=f"event:{source_id}",
        discriminator=mapping.name,
        at=now,
        summary=f"{mapping.name} of {ref} starts nothing: {why}",
        ref=str(ref),
        path=f"events.{mapping.name}.contact",
        file=mapping.file,
        line=mapping.line,
        data={"event": mapping.name},
    )


def wake_concerned(uow: UnitOfWork, account: AccountRow, ref: ObjectRef, contact_ids: list[str], now: datetime) -> None:
    """Let everyone look again who waits for something of a record, or of a contact."""
    if uow.enrollments.wake(account.id, contact_ids=sorted(set(contact_ids)), subjects=[str(ref)], now=now):
        uow.nudge(JOURNEYS)
