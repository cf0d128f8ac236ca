"""What is written down when an event has been understood?

Contacts, timeline entries, enrollments and wakes: all in the transaction that finishes the inbox rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connector.domain.event import ChangeKind
from connector.domain.event_mapping import EventCatalogue, EventMapping
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.services.contact_snapshots import ContactKeeper
from connector.services.crm_reading import CONTACT, Reading, Wanted
from connector.services.enrolling import Enroller
from connector.services.erasing import begin_contact
from connector.services.event_noting import EventNoter, Occurrence, ignored, received, wake_concerned
from connector.services.happenings import Happening
from connector.services.heard_events import HeardEvents, said_of_change
from connector.services.names import owner_id_of

UNKNOWN_PEOPLE = "unknown_webhook_people"
"""Setting of an account: what follows when a webhook concerns nobody the CRM has; `ignore`, unless it says otherwise.
That nothing was started is in the inbox and on the timeline in any case."""

ATTENTION = "attention"
"""A person is asked to look: for systems that should know the customers of the CRM, and only those."""


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
        contacts = self._keeper.save(uow, account, self._keeper.worth_keeping(uow, account, reading), now)
        heard = _heard(uow, account, happenings)
        outcomes: dict[str, list[str]] = {}
        for each in happenings:
            self._note_gone(uow, account, each, now)
            read = reading, contacts
            noted = [self._record_event(uow, account, each, event, *read, heard, now) for event in each.events]
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
            asked = "the CRM, on a privacy deletion"
            begin_contact(uow, each.row.id, account.id, notice.ref.object_id, asked, "privacy deletion", now)
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
        heard: HeardEvents,
        now: datetime,
    ) -> tuple[str, TimelineEntry | None]:
        """Write one named event down and offer it to the journeys; give a word for what came of it, and its entry."""
        wanted = each.wanted(mapping)
        if wanted is None:
            return "no record is named", None
        if each.notice is not None and heard.knows(mapping.name, each.notice, is_found=each.is_found):
            return f"{mapping.name}: known already", None
        values = reading.values(wanted)
        if values is None:
            why = f"{wanted.ref} no longer exists in the CRM"
            uow.timeline.add([ignored(account, wanted.ref, each.row.id, mapping, why, now)])
            return f"{mapping.name}: the record no longer exists", None
        ids, how = reading.chosen_contacts(wanted)
        contact = contacts.get(ids[0]) if ids else None
        if contact is None and ids:
            how = f"contact {ids[0]} ({how}) no longer exists in the CRM"
        if contact is None and wanted.told is not None and account.settings.get(UNKNOWN_PEOPLE) == ATTENTION:
            uow.timeline.add([_concerns_nobody(account, wanted, each.row.id, how, now)])
        owner = None if contact is None else reading.owners.get(owner_id_of(values, contact) or "")
        occurred_at = each.occurred_at or now
        occurrence = Occurrence(
            mapping.name,
            wanted.ref,
            occurred_at,
            each.row.id,
            each.is_import,
            values,
            contact,
            owner,
            how,
            reading.begun_at if wanted.told is None else occurred_at,  # a webhook says how it was when it was sent
        )
        occurrence = replace(
            occurrence,
            told=said_of_change(each.notice, is_found=each.is_found),
            too_late=_too_late(account, each, occurred_at, now),
        )
        word, entry = self._noter.note(uow, account, occurrence, mapping, now)
        heard.add(entry)
        return word, entry

    def _wake(
        self,
        uow: UnitOfWork,
        account: AccountRow,
        each: Happening,
        contact_ids: Sequence[str | None],
        now: datetime,
    ) -> None:
        """Let everyone look again who waits for something of this record, or of a contact it concerns."""
        if not each.refs:
            return
        itself = {ref.object_id for ref in each.refs if ref.object_type == CONTACT}
        about = {*itself, *each.contacts_concerned} if itself else set()
        known = uow.contacts.by_crm_ids(account.id, sorted(about)) if about else {}
        ids = {*(row.id for row in known.values()), *(each_id for each_id in contact_ids if each_id)}
        for ref in each.refs:
            wake_concerned(uow, account, ref, [*ids], now)


def _concerns_nobody(account: AccountRow, wanted: Wanted, row_id: str, why: str, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        account_id=account.id,
        kind=EntryKind.ATTENTION_NEEDED,
        subject=f"event:{row_id}",
        discriminator=f"nobody:{wanted.mapping.name}",
        at=now,
        summary=f"{wanted.mapping.name} of {wanted.ref} concerns nobody: {why}",
        ref=str(wanted.ref),
        file=wanted.mapping.file,
        line=wanted.mapping.line,
        data={"event": wanted.mapping.name},
    )


LATE_AFTER_HOURS = 24
"""Default of an account's setting `backfill_hours`: a text about what happened yesterday does more harm than none."""


def _heard(uow: UnitOfWork, account: AccountRow, happenings: Sequence[Happening]) -> HeardEvents:
    """Read what was heard of the records that changed, and hold them: two workers must not both find it new."""
    refs = {each.notice.ref for each in happenings if each.notice is not None and each.events}
    uow.lock_numbers(account.id, sorted(str(ref) for ref in refs))
    return HeardEvents(uow, account.id, refs)


def _too_late(account: AccountRow, each: Happening, occurred_at: datetime, now: datetime) -> str:
    """Say why something that a poll found starts nothing any more: it happened too long ago."""
    hours = account.settings.get("backfill_hours")
    limit = hours if isinstance(hours, (int, float)) and hours > 0 else LATE_AFTER_HOURS
    if not each.is_found or now - occurred_at <= timedelta(hours=limit):
        return ""
    return f"a poll found it too late; only what happened in the last {limit:g} hours starts something"
