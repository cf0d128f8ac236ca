"""Which statements do the repositories share?"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Dialect, Insert, Select, Table, func
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
    if connection.dialect.name == "sqlite":
        return sum(_insert_together(connection, table, chunk) for chunk in _chunks(rows))
    statement = insert_or_ignore(connection, table)
    return len(connection.execute(statement.returning(table.c.id), [dict(row) for row in rows]).all())


_Encode = Callable[[Any], Any]
_MOST_TOGETHER = 64  # rows in one INSERT; more gain nothing and come near old SQLite's limit of 999 values


def _chunks(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Cut rows into lots of 64, 32 … 1, so that a handful of prepared statements serve every batch."""
    first, size = 0, _MOST_TOGETHER
    while first < len(rows):
        while size > len(rows) - first:
            size //= 2
        yield rows[first : first + size]
        first += size


def _insert_together(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    statement, columns = _driver_insert(connection.dialect, table, tuple(rows[0]), len(rows))
    values = tuple(encode(row[name]) for row in rows for name, encode in columns)
    return connection.exec_driver_sql(statement, values).rowcount


@functools.cache
def _driver_insert(
    dialect: Dialect, table: Table, names: tuple[str, ...], rows: int
) -> tuple[str, list[tuple[str, _Encode]]]:
    """Give an INSERT of some rows in the driver's words, and each column with what encodes its values.

    What the library does for every row of every batch is done once here, and SQLite takes all rows in one step: per
    step the interpreter is let go of and fought for again.
    """
    insert = _insert_or_ignore(dialect.name, table)
    columns: list[tuple[str, _Encode]] = []
    for name in insert.compile(dialect=dialect, column_keys=names).positiontup or ():
        encode = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        columns.append((name, encode or _as_it_is))
    in_order = {name: None for name, _ in columns}
    return str(insert.values([in_order] * rows).compile(dialect=dialect)), columns


def _as_it_is(value: Any) -> Any:
    return value


def insert_adding(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str], added: Sequence[str]
) -> None:
    """Insert rows; where one with the same `key` is there, add the columns `added` to it instead."""
    if rows:
        connection.execute(
            _insert_adding(connection.dialect.name, table, tuple(key), tuple(added)), list(map(dict, rows))
        )


@functools.cache
def _insert_adding(dialect: str, table: Table, key: tuple[str, ...], added: tuple[str, ...]) -> Insert:
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    sums = {name: table.c[name] + statement.excluded[name] for name in added}
    return statement.on_conflict_do_update(index_elements=key, set_=sums)


def insert_or_replace(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str]
) -> None:
    """Insert rows; where one with the same `key` is there, give it these values and let it keep its id."""
    if not rows:
        return
    statement = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)
    new = {name: statement.excluded[name] for name in rows[0] if name not in {*key, "id"}}
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=new), [dict(row) for row in rows])


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
