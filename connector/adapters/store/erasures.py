"""How is kept what was erased?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, or_, select, update

from connector.adapters.store.rows import locked
from connector.adapters.store.tables import erasure as table
from connector.ports.erasing import ErasureRow, ErasureScope


class SQLErasureRepository:
    """Erasures; see `connector.ports.erasing.ErasureRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, erasure: ErasureRow) -> None:
        """Insert one."""
        self._connection.execute(
            insert(table).values(
                id=erasure.id,
                account_id=erasure.account_id,
                crm=erasure.crm,
                external_id=erasure.external_id,
                scope=erasure.scope.value,
                subject=erasure.subject,
                reason=erasure.reason,
                requested_by=erasure.requested_by,
                requested_at=erasure.requested_at,
                counts=dict(erasure.counts),
                completed_at=erasure.completed_at,
                seal=erasure.seal,
            )
        )

    def get(self, erasure_id: str) -> ErasureRow | None:
        """Read one."""
        row = self._connection.execute(select(table).where(table.c.id == erasure_id)).one_or_none()
        return None if row is None else _erasure(row)

    def of_account(self, account_id: str) -> Sequence[ErasureRow]:
        """Read an account's erasures, oldest first."""
        query = select(table).where(table.c.account_id == account_id)
        return [_erasure(row) for row in self._connection.execute(query.order_by(table.c.requested_at, table.c.id))]

    def any_due(self, now: datetime) -> bool:
        """Tell whether one is under way and nobody is at it."""
        return self._connection.execute(select(table.c.id).where(_is_due(now)).limit(1)).first() is not None

    def claim(self, now: datetime, lease_until: datetime, erasure_id: str | None = None) -> ErasureRow | None:
        """Lease one that is under way and nobody is at, the oldest or the named one."""
        query = select(table).where(_is_due(now))
        if erasure_id is not None:
            query = query.where(table.c.id == erasure_id)
        query = query.order_by(table.c.requested_at, table.c.id).limit(1)
        row = self._connection.execute(locked(self._connection, query, skip=True)).one_or_none()
        if row is None:
            return None
        self._connection.execute(update(table).where(table.c.id == row.id).values(lease_until=lease_until))
        return _erasure(row)

    def count(self, erasure_id: str, counts: Mapping[str, int], lease_until: datetime) -> None:
        """Add to what went, and keep the lease until a time."""
        query = select(table.c.counts).where(table.c.id == erasure_id)
        so_far = self._connection.execute(locked(self._connection, query, skip=False)).scalar_one()
        values = {"counts": added(so_far, counts), "lease_until": lease_until}
        self._connection.execute(update(table).where(table.c.id == erasure_id).values(values))

    def complete(self, sealed: ErasureRow) -> None:
        """Write how one ended."""
        self._connection.execute(
            update(table)
            .where(table.c.id == sealed.id, table.c.account_id == sealed.account_id)
            .values(subject=sealed.subject, completed_at=sealed.completed_at, seal=sealed.seal, lease_until=None)
        )


def added(so_far: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Give the sums of two counts by table; what is nothing is left out."""
    names = sorted({*so_far, *more})
    return {name: total for name in names if (total := so_far.get(name, 0) + more.get(name, 0))}


def _is_due(now: datetime) -> ColumnElement[bool]:
    is_free = or_(table.c.lease_until.is_(None), table.c.lease_until <= now)
    return and_(table.c.completed_at.is_(None), is_free)


def _erasure(row: Row[Any]) -> ErasureRow:
    return ErasureRow(
        id=row.id,
        account_id=row.account_id,
        crm=row.crm,
        external_id=row.external_id,
        scope=ErasureScope(row.scope),
        subject=row.subject,
        reason=row.reason,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        counts=row.counts,
        completed_at=row.completed_at,
        seal=row.seal,
    )
