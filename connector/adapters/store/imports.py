"""How is kept how far an import has come, and what was wrong with its rows?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from connector.adapters.store.ids import new_id
from connector.adapters.store.rows import insert_new
from connector.adapters.store.tables import import_run, import_trouble
from connector.ports.imports import ImportRunRow, ImportState, ImportTroubleRow


class SQLImportRepository:
    """Imports; see `connector.ports.imports.ImportRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, run: ImportRunRow) -> None:
        """Insert a run."""
        self._connection.execute(
            insert(import_run).values(
                id=run.id,
                account_id=run.account_id,
                file_name=run.file_name,
                file_hash=run.file_hash,
                columns=dict(run.columns),
                options=dict(run.options),
                state=run.state,
                next_row=run.next_row,
                counts=dict(run.counts or {}),
                started_by=run.started_by,
                started_at=run.started_at,
                finished_at=run.finished_at,
            )
        )

    def get(self, account_id: str, run_id: str) -> ImportRunRow | None:
        """Read one by our id."""
        query = select(import_run).where(import_run.c.id == run_id, import_run.c.account_id == account_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _run(row)

    def of_account(self, account_id: str, limit: int) -> Sequence[ImportRunRow]:
        """Read the latest runs, newest first."""
        query = select(import_run).where(import_run.c.account_id == account_id)
        newest = import_run.c.started_at.desc(), import_run.c.id.desc()
        return [_run(row) for row in self._connection.execute(query.order_by(*newest).limit(limit))]

    def of_file(self, account_id: str, file_hash: str) -> Sequence[ImportRunRow]:
        """Read the runs of a file, newest first."""
        table = import_run.c
        query = select(import_run).where(table.account_id == account_id, table.file_hash == file_hash)
        return [_run(row) for row in self._connection.execute(query.order_by(table.started_at.desc(), table.id.desc()))]

    def advance(self, account_id: str, run_id: str, from_row: int, to_row: int, counts: Mapping[str, int]) -> bool:
        """Say that the rows before `to_row` were worked; False when the run is not at `from_row` any more."""
        table = import_run.c
        statement = (
            update(import_run)
            .where(table.id == run_id, table.account_id == account_id)
            .where(table.next_row == from_row, table.state == ImportState.RUNNING)
            .values(next_row=to_row, counts=dict(counts))
        )
        return self._connection.execute(statement).rowcount > 0

    def finish(self, account_id: str, run_id: str, now: datetime) -> bool:
        """Say that it is done; False when it was."""
        table = import_run.c
        statement = (
            update(import_run)
            .where(table.id == run_id, table.account_id == account_id, table.state == ImportState.RUNNING)
            .values(state=ImportState.DONE, finished_at=now)
        )
        return self._connection.execute(statement).rowcount > 0

    def add_troubles(self, troubles: Sequence[ImportTroubleRow]) -> None:
        """Insert what was wrong; a second trouble of the same cell changes nothing."""
        insert_new(self._connection, import_trouble, [_values(trouble) for trouble in troubles])

    def troubles(self, account_id: str, run_id: str, limit: int, after_row: int = 0) -> Sequence[ImportTroubleRow]:
        """Read what was wrong in rows behind one, in the order of the file."""
        table = import_trouble.c
        query = (
            select(import_trouble)
            .where(table.run_id == run_id, table.account_id == account_id, table.row_number > after_row)
            .order_by(table.row_number, table.id)
            .limit(limit)
        )
        return [_trouble(row) for row in self._connection.execute(query)]


def _values(trouble: ImportTroubleRow) -> dict[str, Any]:
    return {
        "id": new_id(),
        "account_id": trouble.account_id,
        "run_id": trouble.run_id,
        "row_number": trouble.row_number,
        "column": trouble.column,
        "why": trouble.why,
    }


def _trouble(row: Row[Any]) -> ImportTroubleRow:
    return ImportTroubleRow(row.account_id, row.run_id, row.row_number, row.column, row.why)


def _run(row: Row[Any]) -> ImportRunRow:
    return ImportRunRow(
        id=row.id,
        account_id=row.account_id,
        file_name=row.file_name,
        file_hash=row.file_hash,
        columns=row.columns,
        options=row.options,
        started_by=row.started_by,
        started_at=row.started_at,
        state=ImportState(row.state),
        next_row=row.next_row,
        counts=row.counts,
        finished_at=row.finished_at,
    )
