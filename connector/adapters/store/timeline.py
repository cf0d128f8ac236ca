"""How is what happened written down once, and read back in order?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, bindparam, select, union_all

from connector.adapters.secrets import Vault
from connector.adapters.store.ids import new_id
from connector.adapters.store.rows import insert_new
from connector.adapters.store.tables import timeline_entry as table
from connector.domain.documents import clean_text, from_document, to_document
from connector.domain.timeline import EntryKind, TimelineEntry

_FIELDS = tuple(each.name for each in fields(TimelineEntry))


def _facts() -> Select[Any]:
    wanted = (
        table.c.account_id == bindparam("account_id"),
        table.c.at >= bindparam("since"),
        table.c.kind.in_(bindparam("kinds", expanding=True)),
    )
    about_contact = select(table).where(*wanted, table.c.contact_id == bindparam("contact_id"))
    about_record = select(table).where(
        *wanted,
        table.c.subject == bindparam("subject"),
        table.c.contact_id.is_distinct_from(bindparam("contact_id")),
    )
    both = union_all(about_contact, about_record).subquery()
    return select(both).order_by(both.c.at, both.c.id)


_MOST_SUBJECTS = 200  # in one query; SQLite takes some hundreds of values
_EVENTS_OF = (
    select(table)
    .where(
        table.c.account_id == bindparam("account_id"),
        table.c.subject.in_(bindparam("subjects", expanding=True)),
        table.c.kind == EntryKind.EVENT_RECEIVED.value,
    )
    .order_by(table.c.at, table.c.id)
)


def _in_order(column: Column[Any]) -> Select[Any]:
    ours = table.c.account_id == bindparam("account_id")
    return select(table).where(ours, column == bindparam("id")).order_by(table.c.at, table.c.id)


# Built once: building them costs three times what running them does.
_FACTS = _facts()
_OF_MESSAGE = _in_order(table.c.message_id)
_OF_ENROLLMENT = _in_order(table.c.enrollment_id)
_OF_CONTACT = (
    select(table)
    .where(table.c.account_id == bindparam("account_id"), table.c.contact_id == bindparam("id"))
    .order_by(table.c.at.desc(), table.c.id.desc())
    .limit(bindparam("limit"))
)


class SQLTimelineRepository:
    """Timeline entries; see `connector.ports.enrollments.TimelineRepository`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def add(self, entries: Sequence[TimelineEntry]) -> int:
        """Append entries not written before; give how many were new."""
        return insert_new(self._connection, table, [_values(entry) for entry in entries])

    def facts(
        self, account_id: str, contact_id: str, subject_ref: str, since: datetime, kinds: Sequence[EntryKind]
    ) -> Sequence[TimelineEntry]:
        """Read entries about a contact or a CRM record since a time, oldest first, for `decide`.

        About a record are those whose subject it is, such as the events of `invoice:7`. The two are read by one index
        each: an OR over both would walk the whole table.
        """
        names = {"account_id": account_id, "contact_id": contact_id, "subject": subject_ref, "since": since}
        rows = self._connection.execute(_FACTS, {**names, "kinds": [kind.value for kind in kinds]})
        return [entry_from_row(row) for row in rows]

    def events_of(self, account_id: str, subjects: Sequence[str]) -> Mapping[str, Sequence[TimelineEntry]]:
        """Read the received events of CRM records, oldest first, by record."""
        found: dict[str, list[TimelineEntry]] = {}
        for first in range(0, len(subjects), _MOST_SUBJECTS):
            names = {"account_id": account_id, "subjects": list(subjects[first : first + _MOST_SUBJECTS])}
            for row in self._connection.execute(_EVENTS_OF, names):
                found.setdefault(row.subject, []).append(entry_from_row(row))
        return found

    def of_message(self, account_id: str, message_id: str) -> Sequence[TimelineEntry]:
        """Read a message's entries, oldest first."""
        rows = self._connection.execute(_OF_MESSAGE, {"account_id": account_id, "id": message_id})
        return [entry_from_row(row) for row in rows]

    def of_enrollment(self, account_id: str, enrollment_id: str) -> Sequence[TimelineEntry]:
        """Read an enrollment's entries, oldest first."""
        rows = self._connection.execute(_OF_ENROLLMENT, {"account_id": account_id, "id": enrollment_id})
        return [entry_from_row(row) for row in rows]

    def of_contact(self, account_id: str, contact_id: str, limit: int) -> Sequence[TimelineEntry]:
        """Read a contact's latest entries, oldest first."""
        rows = self._connection.execute(_OF_CONTACT, {"account_id": account_id, "id": contact_id, "limit": limit})
        return [entry_from_row(row) for row in reversed(rows.all())]


def _values(entry: TimelineEntry) -> dict[str, Any]:
    plain = {name: getattr(entry, name) for name in _FIELDS}
    return {
        **plain,
        "id": new_id(),
        "kind": entry.kind.value,
        "summary": clean_text(entry.summary),
        "data": to_document(entry.data),
    }


def entry_from_row(found: Row[Any]) -> TimelineEntry:
    """Give the entry of a row."""
    values = {name: getattr(found, name) for name in _FIELDS}
    return TimelineEntry(**{**values, "kind": EntryKind(values["kind"]), "data": from_document(values["data"])})
