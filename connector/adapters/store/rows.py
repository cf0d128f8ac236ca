"""Which statements do the repositories share?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Select, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_or_ignore(connection: Connection, table: Table) -> Insert:
    """Make an INSERT that skips rows meeting any unique constraint; with RETURNING, skipped rows are absent."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows, skipping those that meet a unique constraint; give how many were new.

    Counted by RETURNING, since a driver's row count of a batch cannot be relied on.
    """
    if not rows:
        return 0
    statement = insert_or_ignore(connection, table).returning(table.c.id)
    return len(connection.execute(statement, [dict(row) for row in rows]).all())


def locked(connection: Connection, query: Select[Any], *, skip: bool) -> Select[Any]:
    """Lock the rows of a query until commit; `skip` passes over rows another worker holds.

    SQLite needs neither: its writers run one at a time (`BEGIN IMMEDIATE`).
    """
    if connection.dialect.name == "postgresql":
        return query.with_for_update(skip_locked=skip)
    return query
