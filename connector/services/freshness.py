"""Is what an enrollment knows of its record and contact still true?

Looked up again, in batches, before a decision that comes minutes or days after the last look: a reminder must not go
out for an invoice that was voided meanwhile without an event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from connector.domain.event import ObjectRef, Owner
from connector.domain.event_mapping import EventCatalogue, EventMapping
from connector.ports.contacts import ContactRow
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import AccountRow, Ledger
from connector.ports.time import Clock
from connector.services.contact_snapshots import ContactKeeper
from connector.services.crm_reading import CRMReader, Reading, Wanted

FRESH_FOR = timedelta(minutes=5)
"""What was read five minutes ago still holds: changes that matter arrive as events within seconds anyway."""


@dataclass(frozen=True, slots=True)
class Known:
    """What an enrollment knows when it is decided about.

    Attributes:
        gone: why its record is no more, or empty.
    """

    row: EnrollmentRow
    contact: ContactRow | None
    owners: Mapping[str, Owner]
    gone: str = ""


class Freshener:
    """Reads again what has become stale."""

    def __init__(
        self, ledger: Ledger, catalogue: EventCatalogue, reader: CRMReader, keeper: ContactKeeper, clock: Clock
    ) -> None:
        self.catalogue = catalogue
        self._ledger, self._reader, self._keeper = ledger, reader, keeper
        self._clock = clock

    def freshen(self, account: AccountRow, rows: Sequence[EnrollmentRow]) -> Sequence[Known]:
        """Give what the enrollments of one account know now; writes the contacts it has read.

        Raises:
            CRMError: the CRM could not be read; the caller decides how long to be patient.
        """
        now = self._clock.now()
        with self._ledger.begin(write=False) as uow:
            contacts = uow.contacts.many(account.id, list({row.contact_id for row in rows}))
        stale = [row for row in rows if now - read_at(row) > FRESH_FOR]
        wanted = {row.id: want for row in stale if (want := self._wanted(account, row)) is not None}
        stale_contacts = {row.contact_id for row in stale} & contacts.keys()
        crm_ids = [contacts[each].crm_id for each in stale_contacts if contacts[each].deleted_at is None]
        reading = self._reader.read_records(account, list(wanted.values()))
        self._reader.read_contacts(account, reading, crm_ids)
        reading.owners = self._reader.owners(account)
        gone = [crm_id for crm_id in crm_ids if crm_id not in reading.contacts]
        if crm_ids:
            with self._ledger.begin() as uow:
                self._keeper.save(uow, account, reading.contacts, now)
                for crm_id in gone:
                    uow.contacts.mark_deleted(account.id, crm_id, now)
                uow.commit()
            with self._ledger.begin(write=False) as uow:
                contacts = uow.contacts.many(account.id, list(contacts))
        return [self._known(row, contacts.get(row.contact_id), reading, wanted.get(row.id), now) for row in rows]

    def _wanted(self, account: AccountRow, row: EnrollmentRow) -> Wanted | None:
        mapping, ref = self._mapping(account, row), ObjectRef.parse(row.subject)
        return None if mapping is None or ref.is_outside else Wanted(mapping, ref)

    def _mapping(self, account: AccountRow, row: EnrollmentRow) -> EventMapping | None:
        return next(iter(self.catalogue.find(str(row.state.get("event")), account.crm)), None)

    def _known(
        self,
        row: EnrollmentRow,
        contact: ContactRow | None,
        reading: Reading,
        wanted: Wanted | None,
        now: datetime,
    ) -> Known:
        if wanted is None:
            # No record but the contact, and that has just been read; or one of a webhook, which stays as it was told
            # until another webhook tells more.
            is_stale = now - read_at(row) > FRESH_FOR and not ObjectRef.parse(row.subject).is_outside
            known = replace(row, state={**row.state, "read_at": now}) if is_stale else row
            return Known(known, contact, reading.owners)
        values = reading.values(wanted)
        if values is None:
            return Known(row, contact, reading.owners, gone=f"{wanted.ref} no longer exists in the CRM")
        state: dict[str, Any] = {**row.state, "values": values, "read_at": now}
        return Known(replace(row, state=state), contact, reading.owners)


def read_at(row: EnrollmentRow) -> datetime:
    """Give when the enrollment's record was last read."""
    at: datetime = row.state["read_at"]
    return at
