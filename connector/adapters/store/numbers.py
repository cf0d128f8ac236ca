"""How is what is known of numbers kept?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from connector.adapters.secrets import Vault
from connector.adapters.store.ids import new_id
from connector.adapters.store.rows import insert_new, locked
from connector.adapters.store.tables import number_lookup
from connector.ports.lookups import LookupState, NumberRow
from connector.ports.number_lookup import LineType


class SQLNumberRepository:
    """What is known of numbers. See `connector.ports.lookups.NumberRepository`."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def of(self, account_id: str, msisdns: Sequence[str]) -> Mapping[str, NumberRow]:
        """Read what is known, by number."""
        query = select(number_lookup).where(
            number_lookup.c.account_id == account_id, number_lookup.c.msisdn.in_(msisdns)
        )
        return {row.msisdn: _row(row) for row in self._connection.execute(query)}

    def save(self, rows: Sequence[NumberRow]) -> None:
        """Insert or replace; ends the lease."""
        if not rows:
            return
        insert = (postgresql if self._connection.dialect.name == "postgresql" else sqlite).insert(number_lookup)
        new = {column.name: insert.excluded[column.name] for column in number_lookup.c if column.name not in _KEPT}
        new["asked_at"] = func.coalesce(insert.excluded.asked_at, number_lookup.c.asked_at)
        self._connection.execute(
            insert.on_conflict_do_update(index_elements=["account_id", "msisdn"], set_=new),
            [_values(row) for row in rows],
        )

    def want(self, rows: Sequence[NumberRow]) -> int:
        """Insert those nothing is known of."""
        return insert_new(self._connection, number_lookup, [_values(row) for row in rows])

    def claim(self, limit: int, now: datetime, lease_until: datetime) -> Sequence[NumberRow]:
        """Lease up to `limit` wanted rows whose time has come, oldest due first."""
        query = _WANTED.where(number_lookup.c.not_before <= now, _free(now)).order_by(number_lookup.c.not_before)
        rows = self._connection.execute(locked(self._connection, query.limit(limit), skip=True)).all()
        if rows:
            leased = number_lookup.c.id.in_([row.id for row in rows])
            self._connection.execute(update(number_lookup).where(leased).values(lease_until=lease_until))
        return [_row(row) for row in rows]

    def any_wanted(self, now: datetime) -> bool:
        """Tell whether any could be claimed now."""
        query = _WANTED.where(number_lookup.c.not_before <= now, _free(now)).limit(1)
        return self._connection.execute(query).first() is not None

    def asked_since(self, account_id: str, since: datetime) -> int:
        """Count the numbers that lookups have answered about since a time."""
        query = select(func.count()).where(number_lookup.c.account_id == account_id, number_lookup.c.asked_at >= since)
        return int(self._connection.execute(query).scalar_one())


_KEPT = frozenset({"id", "account_id", "msisdn"})
_WANTED = select(number_lookup).where(number_lookup.c.state == "wanted")


def _free(now: datetime) -> Any:
    return or_(number_lookup.c.lease_until.is_(None), number_lookup.c.lease_until <= now)


def _values(row: NumberRow) -> dict[str, Any]:
    return {
        "id": new_id(),
        "account_id": row.account_id,
        "msisdn": row.msisdn,
        "state": row.state.value,
        "line_type": row.line_type.value,
        "is_reachable": row.is_reachable,
        "country": row.country,
        "carrier": row.carrier,
        "source": row.source,
        "price": None if row.price is None else str(row.price),
        "currency": row.currency,
        "known_at": row.known_at,
        "not_before": row.not_before,
        "lease_until": None,
        "attempts": row.attempts,
        "asked_at": row.asked_at,
    }


def _row(row: Row[Any]) -> NumberRow:
    return NumberRow(
        account_id=row.account_id,
        msisdn=row.msisdn,
        state=LookupState(row.state),
        not_before=row.not_before,
        line_type=LineType(row.line_type),
        is_reachable=row.is_reachable,
        country=row.country,
        carrier=row.carrier,
        source=row.source,
        price=None if row.price is None else Decimal(row.price),
        currency=row.currency,
        known_at=row.known_at,
        attempts=row.attempts,
        asked_at=row.asked_at,
    )
