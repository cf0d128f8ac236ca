"""How are snapshots of CRM contacts kept?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, case, null, or_, select, update

from connector.adapters.secrets import Vault
from connector.adapters.store.effects import EFFECT_PAYLOAD
from connector.adapters.store.links import LINK_URL
from connector.adapters.store.rows import insert_or_ignore
from connector.adapters.store.tables import contact as table
from connector.adapters.store.tables import crm_record, effect, short_link
from connector.domain.documents import clean_text, from_document, to_document
from connector.ports.contacts import ContactRow
from connector.ports.records import RecordSubject

_IDENTITY = frozenset({"id", "account_id", "crm", "crm_id"})

_FIELDS = tuple(each.name for each in fields(ContactRow))
_ERASED = "erased on request of the CRM"
"""What a purged row says where another says which property its number came from."""

_READ_AT = bindparam("b_read_at", type_=table.c.read_at.type)
_SAME = [table.c[name] == bindparam(f"b_{name}") for name in ("account_id", "crm", "crm_id")]
_REPLACE = (
    update(table)
    .where(
        *_SAME,
        # A snapshot may have been read before the CRM said that the contact is no more, and be saved after it.
        table.c.read_at <= _READ_AT,
        or_(table.c.deleted_at.is_(None), table.c.deleted_at < _READ_AT),
        table.c.msisdn_reason != _ERASED,
    )
    .values({column.name: bindparam(column.name) for column in table.c if column.name not in _IDENTITY})
    .returning(table.c.id)
)
_FIND = select(table.c.id).where(*_SAME)


class SQLContactRepository:
    """Contacts; see `connector.ports.contacts.ContactRepository`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def save(self, contact: ContactRow) -> str:
        """Insert, or replace the older snapshot with the same (account, crm, crm_id); give the row's id."""
        values = _values(contact)
        inserted = self._connection.execute(
            insert_or_ignore(self._connection, table).values(values).returning(table.c.id)
        ).scalar()
        if inserted is not None:
            return contact.id
        names = {f"b_{name}" if name in _IDENTITY else name: value for name, value in values.items()}
        names["b_read_at"] = contact.read_at
        replaced = self._connection.execute(_REPLACE, names).scalar()
        return str(replaced or self._connection.execute(_FIND, names).scalar_one())

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
        """Erase a contact whose data must go, what others were or are to be told of it, and where its links lead."""
        self.mark_deleted(account_id, crm_id, now)
        self._connection.execute(
            update(table)
            .where(table.c.account_id == account_id, table.c.crm_id == crm_id)
            .values(
                msisdn=None,
                msisdn_reason=_ERASED,
                time_zone=None,
                locale=None,
                country=None,
                attributes={},
            )
        )
        self._purge_records(account_id, crm_id)
        self._purge_effects(account_id, crm_id, now)

    def _purge_records(self, account_id: str, crm_id: str) -> None:
        """Erase what the contact's records in the CRM were to say; what was not written yet never is."""
        ids = select(table.c.id).where(table.c.account_id == account_id, table.c.crm_id == crm_id)
        flag = and_(
            crm_record.c.kind == RecordSubject.OPT_OUT_PROPERTY.value, crm_record.c.subject == f"contact:{crm_id}"
        )
        is_open = crm_record.c.state.in_(["waiting", "creating"])
        for those in (crm_record.c.contact_id.in_(ids), flag):
            self._connection.execute(
                update(crm_record)
                .where(crm_record.c.account_id == account_id, those)
                .values(
                    payload_sealed=null(),
                    state=case((is_open, "refused"), else_=crm_record.c.state),
                    error=case((is_open, _ERASED), else_=crm_record.c.error),
                )
            )

    def _purge_effects(self, account_id: str, crm_id: str, now: datetime) -> None:
        """Erase what other systems were told and answered, and where links lead; what was not done yet never is."""
        ids = self._connection.execute(
            select(table.c.id).where(table.c.account_id == account_id, table.c.crm_id == crm_id)
        ).scalars()
        nothing = self._vault.seal("{}", account=account_id, column=EFFECT_PAYLOAD)
        nowhere = self._vault.seal("", account=account_id, column=LINK_URL)
        is_open = effect.c.state.in_(["waiting", "sending"])
        for contact_id in ids.all():
            self._connection.execute(
                update(effect)
                .where(effect.c.account_id == account_id, effect.c.contact_id == contact_id)
                .values(
                    payload_sealed=nothing,
                    answer_sealed=null(),
                    state=case((is_open, "failed"), else_=effect.c.state),
                    error=case((is_open, _ERASED), else_=effect.c.error),
                    ended_at=case(
                        (is_open, bindparam("b_now", now, type_=effect.c.ended_at.type)), else_=effect.c.ended_at
                    ),
                    lease_until=null(),
                )
            )
            self._connection.execute(
                update(short_link)
                .where(short_link.c.account_id == account_id, short_link.c.contact_id == contact_id)
                .values(url_sealed=nowhere)
            )

    def _read(self, *conditions: Any) -> Sequence[ContactRow]:
        query = select(table).where(*conditions).order_by(table.c.id)
        return [_row(found) for found in self._connection.execute(query)]


def _values(contact: ContactRow) -> dict[str, Any]:
    return {
        **{name: getattr(contact, name) for name in _FIELDS},
        "msisdn_reason": clean_text(contact.msisdn_reason),
        "attributes": to_document(contact.attributes),
    }


def _row(found: Row[Any]) -> ContactRow:
    values = dict(found._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    return ContactRow(**{**values, "attributes": from_document(values["attributes"])})
