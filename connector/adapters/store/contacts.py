"""How are snapshots of CRM contacts kept?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from connector.adapters.secrets import Vault
from connector.adapters.store.rows import insert_or_ignore
from connector.adapters.store.tables import contact as table
from connector.domain.documents import clean_text, from_document, to_document
from connector.ports.contacts import ContactRow

_IDENTITY = frozenset({"id", "account_id", "crm", "crm_id"})


class SQLContactRepository:
    """Contacts; see `connector.ports.contacts.ContactRepository`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def save(self, contact: ContactRow) -> str:
        """Insert, or replace the snapshot with the same (account, crm, crm_id); give the row's id."""
        values = _values(contact)
        inserted = self._connection.execute(
            insert_or_ignore(self._connection, table).values(values).returning(table.c.id)
        ).scalar()
        if inserted is not None:
            return contact.id
        changed = {name: value for name, value in values.items() if name not in _IDENTITY}
        query = (
            update(table)
            .where(
                table.c.account_id == contact.account_id,
                table.c.crm == contact.crm,
                table.c.crm_id == contact.crm_id,
            )
            .values(changed)
            .returning(table.c.id)
        )
        return str(self._connection.execute(query).scalar_one())

    def get(self, account_id: str, contact_id: str) -> ContactRow | None:
        """Read one by our id."""
        return self.many(account_id, [contact_id]).get(contact_id)

    def many(self, account_id: str, contact_ids: Sequence[str]) -> Mapping[str, ContactRow]:
        """Read several by our ids."""
        found = self._read(table.c.account_id == account_id, table.c.id.in_(contact_ids))
        return {row.id: row for row in found}

    def by_crm_ids(self, account_id: str, crm_ids: Sequence[str]) -> Mapping[str, ContactRow]:
        """Read those known, by the CRM's ids."""
        found = self._read(table.c.account_id == account_id, table.c.crm_id.in_(crm_ids))
        return {row.crm_id: row for row in found}

    def with_number(self, account_id: str, msisdn: str) -> Sequence[ContactRow]:
        """Read every live contact that has a number."""
        return self._read(table.c.account_id == account_id, table.c.msisdn == msisdn, table.c.deleted_at.is_(None))

    def mark_deleted(self, account_id: str, crm_id: str, now: datetime) -> None:
        """Note that the CRM no longer has the contact."""
        self._connection.execute(
            update(table)
            .where(table.c.account_id == account_id, table.c.crm_id == crm_id, table.c.deleted_at.is_(None))
            .values(deleted_at=now)
        )

    def purge(self, account_id: str, crm_id: str, now: datetime) -> None:
        """Erase number and attributes of a contact whose data must go; the row stays as a tombstone."""
        self.mark_deleted(account_id, crm_id, now)
        self._connection.execute(
            update(table)
            .where(table.c.account_id == account_id, table.c.crm_id == crm_id)
            .values(
                msisdn=None,
                msisdn_reason="erased on request of the CRM",
                time_zone=None,
                locale=None,
                country=None,
                attributes={},
            )
        )

    def _read(self, *conditions: Any) -> Sequence[ContactRow]:
        query = select(table).where(*conditions).order_by(table.c.id)
        return [_row(found) for found in self._connection.execute(query)]


def _values(contact: ContactRow) -> dict[str, Any]:
    return {
        **asdict(contact),
        "msisdn_reason": clean_text(contact.msisdn_reason),
        "attributes": to_document(contact.attributes),
    }


def _row(found: Row[Any]) -> ContactRow:
    values = dict(found._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    return ContactRow(**{**values, "attributes": from_document(values["attributes"])})
