"""What is written down when an event has been understood?

Contacts, timeline entries, enrollments and wakes: all in the transaction that finishes the inbox rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connector.domain.event import ChangeKind
from connector.domain.event_mapping import EventCatalogue, EventMapping
from connector.domain.timeline import TimelineEntry
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.services.contact_snapshots import ContactKeeper
from connector.services.crm_reading import CONTACT, Reading, Wanted
from connector.services.enrolling import Enroller
from connector.services.event_noting import EventNoter, Occurrence, ignored, received, wake_concerned
from connector.services.happenings import Happening
from connector.services.names import owner_id_of


class LeaseLostError(Exception):
    """Rows were held longer than their lease, and may be another worker's by now."""


class EventRecorder:
    """Writes down a batch of one account's happenings."""

    def __init__(self, catalogue: EventCatalogue, enroller: Enroller, keeper: ContactKeeper) -> None:
        self._noter, self._keeper = EventNoter(catalogue, enroller), keeper

    def record(
        self, uow: UnitOfWork, account: AccountRow, happenings: Sequence[Happening], reading: Reading, now: datetime
    ) -> None:
        """Write everything that follows from these happenings, and finish their rows.

        Raises:
            LeaseLostError: another worker has finished one of them; nothing may be committed.
        """
        contacts = self._keeper.save(uow, account, reading.contacts, now)
        outcomes: dict[str, list[str]] = {}
        for each in happenings:
            self._note_gone(uow, account, each, now)
            noted = [self._record_event(uow, account, each, event, reading, contacts, now) for event in each.events]
            self._wake(uow, account, each, [entry.contact_id for _, entry in noted if entry is not None], now)
            outcome = each.useless or "; ".join(word for word, _ in noted) or "noted: no event is made of it"
            outcomes.setdefault(outcome, []).append(each.row.id)
        for outcome, ids in outcomes.items():
            if uow.inbox.finish(ids, outcome, now, account.id) != len(ids):
                raise LeaseLostError

    def _note_gone(self, uow: UnitOfWork, account: AccountRow, each: Happening, now: datetime) -> None:
        """Take over that a record is no more; a contact whose data must go loses them here too."""
        notice = each.notice
        if notice is None or notice.kind not in {ChangeKind.DELETED, ChangeKind.PRIVACY_DELETED}:
            return
        if notice.ref.object_type != CONTACT:
            name = f"{notice.ref.object_type}.deleted"
            summary = f"{notice.ref} was deleted in the CRM"
            gone = Occurrence(
                name, notice.ref, each.occurred_at or now, each.row.id, each.is_import, {}, None, None, ""
            )
            uow.timeline.add([received(account, gone, summary, now)])
        elif notice.kind is ChangeKind.PRIVACY_DELETED:
            uow.contacts.purge(account.id, notice.ref.object_id, now)
        else:
            uow.contacts.mark_deleted(account.id, notice.ref.object_id, now)

    def _record_event(
        self,
        uow: UnitOfWork,
        account: AccountRow,
        each: Happening,
        mapping: EventMapping,
        reading: Reading,
        contacts: dict[str, ContactRow],
        now: datetime,
    ) -> tuple[str, TimelineEntry | None]:
        """Write one named event down and offer it to the journeys; give a word for what came of it, and its entry."""
        if each.ref is None:
            return "no record is named", None
        wanted = Wanted(mapping, each.ref)
        values = reading.values(wanted)
        if values is None:
            why = f"{each.ref} no longer exists in the CRM"
            uow.timeline.add([ignored(account, each.ref, each.row.id, mapping, why, now)])
            return f"{mapping.name}: the record no longer exists", None
        ids, how = reading.chosen_contacts(wanted)
        contact = contacts.get(ids[0]) if ids else None
        if contact is None and ids:
            how = f"contact {ids[0]} ({how}) no longer exists in the CRM"
        owner = None if contact is None else reading.owners.get(owner_id_of(values, contact) or "")
        occurred_at = each.occurred_at or now
        occurrence = Occurrence(
            mapping.name,
            each.ref,
            occurred_at,
            each.row.id,
            each.is_import,
            values,
            contact,
            owner,
            how,
            reading.begun_at,
        )
        return self._noter.note(uow, account, occurrence, mapping, now)

    def _wake(
        self,
        uow: UnitOfWork,
        account: AccountRow,
        each: Happening,
        contact_ids: Sequence[str | None],
        now: datetime,
    ) -> None:
        """Let everyone look again who waits for something of this record, or of a contact it concerns."""
        if each.ref is None:
            return
        about = {each.ref.object_id, *each.contacts_concerned} if each.ref.object_type == CONTACT else set()
        known = uow.contacts.by_crm_ids(account.id, sorted(about)) if about else {}
        ids = {*(row.id for row in known.values()), *(each_id for each_id in contact_ids if each_id)}
        wake_concerned(uow, account, each.ref, [*ids], now)
