"""How are journeys in flight kept, leased and woken?

A claim moves `due_at` to the end of its lease. So a lease that ran out makes the row due again by itself, and a
`due_at` earlier than the lease's end can only have been set by a wake that met the leased row: `save` keeps that one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Row,
    Update,
    and_,
    bindparam,
    case,
    func,
    null,
    or_,
    select,
    update,
)

from connector.adapters.secrets import Vault
from connector.adapters.store.rows import checked, insert_or_ignore, locked
from connector.adapters.store.tables import LIVE_ENROLLMENT
from connector.adapters.store.tables import enrollment as table
from connector.domain.documents import clean_text, from_document, to_document
from connector.ports.enrollments import EnrollmentRow

_LIVE = "live"
_FIELDS = tuple(each.name for each in fields(EnrollmentRow))


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
        return [replace(_row(row), attempts=row.attempts + 1, lease_until=lease_until) for row in found]

    def save(self, enrollment: EnrollmentRow) -> None:
        """Write cursor, state, due time and end, and drop the lease; a wake since the claim stays due."""
        values = {f"new_{name}": value for name, value in _values(enrollment).items() if name in _CHANGING}
        statement = _SAVE_LIVE if enrollment.status == _LIVE else _SAVE_ENDED
        self._connection.execute(statement, {**values, "b_account": enrollment.account_id, "b_id": enrollment.id})

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
        about = {"contact_id": contact_ids, "subject": subjects, "id": enrollment_ids}
        return sum(
            self._connection.execute(
                _WAKE[name], {"b_account": account_id, "b_named": list(values), "b_now": now}
            ).rowcount
            for name, values in about.items()
            if values
        )

    def ended(self, enrollment_ids: Sequence[str]) -> frozenset[str]:
        """Give those of these enrollments that have ended."""
        query = select(table.c.id).where(table.c.id.in_(enrollment_ids), table.c.status != _LIVE)
        return frozenset(self._connection.execute(query).scalars())

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

    def live_of_journey(
        self, account_id: str, journey: str, after: str, limit: int, *, is_locked: bool
    ) -> Sequence[EnrollmentRow]:
        """Read a page of a journey's live enrollments, locked until commit where that is asked and can be."""
        query = (
            select(table)
            .where(table.c.account_id == account_id, table.c.journey == journey, table.c.status == _LIVE)
            .where(table.c.id > after)
            .order_by(table.c.id)
            .limit(limit)
        )
        if is_locked:
            query = locked(self._connection, query, skip=False)
        return [_row(row) for row in self._connection.execute(query)]

    def live_of_account(self, account_id: str, limit: int) -> Sequence[EnrollmentRow]:
        """Read, and lock until commit, up to `limit` live enrollments of an account."""
        query = select(table).where(LIVE_ENROLLMENT, checked(table.c.account_id) == account_id)
        return [_row(row) for row in self._connection.execute(locked(self._connection, query.limit(limit), skip=True))]

    def live_counts(self, account_id: str) -> Mapping[tuple[str, str], int]:
        """Count an account's live enrollments by journey and version id."""
        named = (table.c.journey, table.c.journey_version_id)
        query = select(*named, func.count()).where(LIVE_ENROLLMENT, table.c.account_id == account_id).group_by(*named)
        return {(journey, version): number for journey, version, number in self._connection.execute(query)}

    def any_due(self, now: datetime) -> bool:
        """Tell whether any could be claimed now."""
        return self._connection.execute(select(table.c.id).where(_is_due(now)).limit(1)).first() is not None

    def due_count(self, now: datetime) -> int:
        """Count live enrollments that are due."""
        return self._connection.execute(select(func.count()).where(_is_due(now))).scalar_one()


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(
        LIVE_ENROLLMENT,
        table.c.due_at <= now,
        or_(table.c.lease_until.is_(None), table.c.lease_until <= now),
    )


def _wake(named: Column[str], account: ColumnElement[str]) -> Update:
    """Make rows due, those that are due already too.

    Touching them all is what keeps a wake from being lost: a worker that has claimed one, or is about to, either waits
    for us or we for it, and whatever it saves then keeps the earlier time.
    """
    now: BindParameter[datetime] = bindparam("b_now", type_=table.c.due_at.type)
    ours = and_(account == bindparam("b_account"), table.c.status == _LIVE)
    due_at = case((table.c.due_at < now, table.c.due_at), else_=now)
    return update(table).where(ours, named.in_(bindparam("b_named", expanding=True))).values(due_at=due_at)


# A statement per column: an OR over several would walk all enrollments of the account.
_WAKE = {
    "contact_id": _wake(table.c.contact_id, table.c.account_id),
    "subject": _wake(table.c.subject, table.c.account_id),
    "id": _wake(table.c.id, checked(table.c.account_id)),
}


def _save(due_at: ColumnElement[Any]) -> Update:
    new: dict[str, BindParameter[Any]] = {name: bindparam(f"new_{name}") for name in _CHANGING - {"due_at"}}
    one = and_(table.c.account_id == bindparam("b_account"), table.c.id == bindparam("b_id"))
    return update(table).where(one).values(lease_until=None, due_at=due_at, **new)


def _woken_or_new() -> ColumnElement[Any]:
    """Give the new due time, or the earlier one that a wake has set since the claim."""
    new: BindParameter[Any] = bindparam("new_due_at", type_=table.c.due_at.type)
    woken = and_(table.c.lease_until.is_not(None), table.c.due_at < table.c.lease_until)
    sooner = or_(new.is_(None), table.c.due_at < new)
    return case((and_(woken, sooner), table.c.due_at), else_=new)


_CHANGING = frozenset(
    {"journey_version_id", "status", "state", "waits_for", "due_at", "attempts", "ended_at", "exit_reason"}
)

# Built once: building them costs more than running them.
_SAVE_LIVE = _save(_woken_or_new())
_SAVE_ENDED = _save(null())


def _values(enrollment: EnrollmentRow) -> dict[str, Any]:
    return {
        **{name: getattr(enrollment, name) for name in _FIELDS},
        "state": to_document(enrollment.state),
        "waits_for": clean_text(enrollment.waits_for),
        "exit_reason": clean_text(enrollment.exit_reason),
    }


def _row(found: Row[Any]) -> EnrollmentRow:
    values = dict(found._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    return EnrollmentRow(**{**values, "state": from_document(values["state"])})
