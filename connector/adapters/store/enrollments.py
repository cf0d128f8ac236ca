"""How are journeys in flight kept, leased and woken?

A claim moves `due_at` to the end of its lease. So a lease that ran out makes the row due again by itself, and a
`due_at` earlier than the lease's end can only have been set by a wake that met the leased row: `save` keeps that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, literal, or_, select, update

from connector.adapters.secrets import Vault
from connector.adapters.store.rows import insert_or_ignore, locked
from connector.adapters.store.tables import enrollment as table
from connector.domain.documents import clean_text, from_document, to_document
from connector.ports.enrollments import EnrollmentRow

_LIVE = "live"


class SQLEnrollmentRepository:
    """Enrollments; see `connector.ports.enrollments.EnrollmentRepository`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def add(self, enrollment: EnrollmentRow) -> bool:
        """Insert; False when this (journey, contact, key, epoch) is there already."""
        statement = insert_or_ignore(self._connection, table).values(_values(enrollment))
        return self._connection.execute(statement.returning(table.c.id)).first() is not None

    def latest(self, account_id: str, journey: str, contact_id: str, key: str) -> EnrollmentRow | None:
        """Read the entry with the highest epoch."""
        query = (
            select(table)
            .where(
                table.c.account_id == account_id,
                table.c.journey == journey,
                table.c.contact_id == contact_id,
                table.c.key == key,
            )
            .order_by(table.c.epoch.desc())
            .limit(1)
        )
        found = self._connection.execute(query).first()
        return None if found is None else _row(found)

    def claim(self, limit: int, now: datetime, lease_until: datetime) -> Sequence[EnrollmentRow]:
        """Lease up to `limit` live enrollments that are due, the longest due first."""
        query = select(table).where(_is_due(now)).order_by(table.c.due_at, table.c.id).limit(limit)
        found = self._connection.execute(locked(self._connection, query, skip=True)).all()
        if found:
            self._connection.execute(
                update(table)
                .where(table.c.id.in_([row.id for row in found]))
                .values(lease_until=lease_until, due_at=lease_until, attempts=table.c.attempts + 1)
            )
        return [replace(_row(row), attempts=row.attempts + 1) for row in found]

    def save(self, enrollment: EnrollmentRow) -> None:
        """Write cursor, state, due time and end, and drop the lease; a wake since the claim stays due."""
        values = _values(enrollment)
        ended = enrollment.status != _LIVE
        self._connection.execute(
            update(table)
            .where(table.c.account_id == enrollment.account_id, table.c.id == enrollment.id)
            .values(
                status=values["status"],
                state=values["state"],
                waits_for=values["waits_for"],
                due_at=None if ended else _woken_or(enrollment.due_at),
                lease_until=None,
                attempts=values["attempts"],
                ended_at=values["ended_at"],
                exit_reason=values["exit_reason"],
            )
        )

    def wake(
        self,
        account_id: str,
        *,
        contact_ids: Sequence[str] = (),
        subjects: Sequence[str] = (),
        enrollment_ids: Sequence[str] = (),
        now: datetime,
    ) -> int:
        """Make live enrollments of these contacts or subjects, or these ones, due now; give how many."""
        named = [
            column.in_(values)
            for column, values in (
                (table.c.contact_id, contact_ids),
                (table.c.subject, subjects),
                (table.c.id, enrollment_ids),
            )
            if values
        ]
        if not named:
            return 0
        result = self._connection.execute(
            update(table)
            .where(
                table.c.account_id == account_id,
                table.c.status == _LIVE,
                or_(*named),
                or_(table.c.due_at.is_(None), table.c.due_at > now),
            )
            .values(due_at=now)
        )
        return result.rowcount

    def find(self, account_id: str | None, enrollment_id: str) -> EnrollmentRow | None:
        """Read one by id; with no account, whichever account it belongs to (for the command line only)."""
        query = select(table).where(table.c.id == enrollment_id)
        if account_id is not None:
            query = query.where(table.c.account_id == account_id)
        found = self._connection.execute(query).first()
        return None if found is None else _row(found)

    def of_contact(self, account_id: str, contact_id: str) -> Sequence[EnrollmentRow]:
        """Read a contact's enrollments, newest first."""
        query = (
            select(table)
            .where(table.c.account_id == account_id, table.c.contact_id == contact_id)
            .order_by(table.c.started_at.desc(), table.c.id.desc())
        )
        return [_row(row) for row in self._connection.execute(query)]

    def due_count(self, now: datetime) -> int:
        """Count live enrollments that are due."""
        return self._connection.execute(select(func.count()).where(_is_due(now))).scalar_one()


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(
        table.c.status == _LIVE,
        table.c.due_at <= now,
        or_(table.c.lease_until.is_(None), table.c.lease_until <= now),
    )


def _woken_or(due_at: datetime | None) -> ColumnElement[datetime | None]:
    """Give `due_at`, or the earlier time a wake has set since the claim."""
    later = literal(due_at, table.c.due_at.type)
    woken = and_(table.c.lease_until.is_not(None), table.c.due_at < table.c.lease_until)
    if due_at is not None:
        woken = and_(woken, table.c.due_at < later)
    return case((woken, table.c.due_at), else_=later)


def _values(enrollment: EnrollmentRow) -> dict[str, Any]:
    return {
        **asdict(enrollment),
        "state": to_document(enrollment.state),
        "waits_for": clean_text(enrollment.waits_for),
        "exit_reason": clean_text(enrollment.exit_reason),
    }


def _row(found: Row[Any]) -> EnrollmentRow:
    values = dict(found._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    del values["lease_until"]
    return EnrollmentRow(**{**values, "state": from_document(values["state"])})
