"""Which statements do the repositories share?"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Insert, Select, Table, func
from sqlalchemy.dialects import postgresql, sqlite


def insert_or_ignore(connection: Connection, table: Table) -> Insert:
    """Make an INSERT that skips rows meeting any unique constraint; with RETURNING, skipped rows are absent."""
    return _insert_or_ignore(connection.dialect.name, table)


@functools.cache
def _insert_or_ignore(dialect: str, table: Table) -> Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows, skipping those that meet a unique constraint; give how many were new.

    SQLite's driver adds up what a batch changed. On PostgreSQL rows travel many to a statement and are counted by
    RETURNING.
    """
    if not rows:
        return 0
    statement = insert_or_ignore(connection, table)
    if connection.dialect.name == "sqlite":
        return max(connection.execute(statement, [dict(row) for row in rows]).rowcount, 0)
    return len(connection.execute(statement.returning(table.c.id), [dict(row) for row in rows]).all())


def checked(column: Column[str]) -> ColumnElement[str]:
    """Give a column to compare with after an index on another one has found the row.

    SQLite without statistics takes any index to narrow a table to ten rows, also one that begins with the account,
    and would walk all rows of the account instead of fetching a few by id.
    """
    return func.coalesce(column, "")


def locked(connection: Connection, query: Select[Any], *, skip: bool) -> Select[Any]:
    """Lock the rows of a query until commit; `skip` passes over rows another worker holds.

    SQLite needs neither: its writers run one at a time (`BEGIN IMMEDIATE`).
    """
    if connection.dialect.name == "postgresql":
        return query.with_for_update(skip_locked=skip)
    return query
