"""How are snapshots of CRM contacts kept in memory?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connector.adapters.memory.documents import kept, kept_text
from connector.adapters.memory.effects import EffectShelf
from connector.adapters.memory.links import MemoryLinkRepository
from connector.adapters.memory.records import RecordShelf
from connector.adapters.memory.shelves import Group, Journal, Shelf
from connector.ports.contacts import ContactRow
from connector.ports.records import RecordSubject

_ERASED = "erased on request of the CRM"
"""What a purged row says where another says which property its number came from."""


class MemoryContactRepository:
    """Contacts; see `connector.ports.contacts.ContactRepository`."""

    def __init__(
        self, journal: Journal, records: RecordShelf, effects: EffectShelf, links: MemoryLinkRepository
    ) -> None:
        self._records, self._effects, self._links = records, effects, links
        self._by_crm_id: Group[ContactRow] = Group(lambda row: (row.account_id, row.crm_id))
        self._by_number: Group[ContactRow] = Group(
            lambda row: None if row.msisdn is None or row.deleted_at else (row.account_id, row.msisdn)
        )
        self._shelf: Shelf[ContactRow] = Shelf(journal, self._by_crm_id, self._by_number)

    def save(self, contact: ContactRow) -> str:
        """Insert, or replace the older snapshot with the same (account, crm, crm_id); give the row's id."""
        before = [row for row in self._with_crm_id(contact.account_id, contact.crm_id) if row.crm == contact.crm]
        if not before:
            self._put(contact)
            return contact.id
        [old] = before
        is_newer = old.read_at <= contact.read_at and (old.deleted_at is None or old.deleted_at < contact.read_at)
        if is_newer and old.msisdn_reason != _ERASED:
            self._put(replace(contact, id=old.id))
        return old.id

    def get(self, account_id: str, contact_id: str) -> ContactRow | None:
        """Read one by our id."""
        row = self._shelf.rows.get(contact_id)
        return row if row is not None and row.account_id == account_id else None

    def many(self, account_id: str, contact_ids: Sequence[str]) -> Mapping[str, ContactRow]:
        """Read several by our ids."""
        return {row.id: row for row in self._shelf.of(contact_ids) if row.account_id == account_id}

    def by_crm_ids(self, account_id: str, crm_ids: Sequence[str]) -> Mapping[str, ContactRow]:
        """Read those known, by the CRM's ids."""
        return {row.crm_id: row for crm_id in crm_ids for row in self._with_crm_id(account_id, crm_id)}

    def with_number(self, account_id: str, msisdn: str) -> Sequence[ContactRow]:
        """Read every live contact that has a number."""
        return sorted(self._shelf.of(self._by_number.of((account_id, msisdn))), key=lambda row: row.id)

    def mark_deleted(self, account_id: str, crm_id: str, now: datetime) -> None:
        """Note that the CRM no longer has the contact."""
        for row in self._with_crm_id(account_id, crm_id):
            if row.deleted_at is None:
                self._shelf.put(row.id, replace(row, deleted_at=now))

    def purge(self, account_id: str, crm_id: str, now: datetime) -> None:
        """Erase a contact whose data must go, what others were or are to be told of it, and where its links lead."""
        self.mark_deleted(account_id, crm_id, now)
        for row in self._with_crm_id(account_id, crm_id):
            erased = replace(
                row,
                msisdn=None,
                msisdn_reason=_ERASED,
                time_zone=None,
                locale=None,
                country=None,
                attributes={},
            )
            self._shelf.put(row.id, erased)
            self._records.erase(self._records.by_contact.of((account_id, row.id)), _ERASED)
            self._effects.erase(account_id, row.id, _ERASED, now)
            self._links.erase(account_id, row.id)
        flag = (account_id, RecordSubject.OPT_OUT_PROPERTY, f"contact:{crm_id}")
        self._records.erase(self._records.by_subject.of(flag), _ERASED)

    def _with_crm_id(self, account_id: str, crm_id: str) -> list[ContactRow]:
        return self._shelf.of(self._by_crm_id.of((account_id, crm_id)))

    def _put(self, contact: ContactRow) -> None:
        reason, attributes = kept_text(contact.msisdn_reason), kept(contact.attributes)
        self._shelf.put(contact.id, replace(contact, msisdn_reason=reason, attributes=attributes))
