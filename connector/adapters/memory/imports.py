"""How is kept in memory how far an import has come, and what was wrong with its rows?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connector.adapters.memory.shelves import Group, Journal, Shelf
from connector.ports.imports import ImportRunRow, ImportState, ImportTroubleRow


class MemoryImportRepository:
    """Imports; see `connector.ports.imports.ImportRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._by_account: Group[ImportRunRow] = Group(lambda run: run.account_id)
        self._runs: Shelf[ImportRunRow] = Shelf(journal, self._by_account)
        self._by_run: Group[ImportTroubleRow] = Group(lambda trouble: (trouble.account_id, trouble.run_id))
        self._troubles: Shelf[ImportTroubleRow] = Shelf(journal, self._by_run)

    def add(self, run: ImportRunRow) -> None:
        """Insert a run."""
        self._runs.put(run.id, replace(run, counts=dict(run.counts or {})))

    def get(self, account_id: str, run_id: str) -> ImportRunRow | None:
        """Read one by our id."""
        run = self._runs.rows.get(run_id)
        return run if run is not None and run.account_id == account_id else None

    def of_account(self, account_id: str, limit: int) -> Sequence[ImportRunRow]:
        """Read the latest runs, newest first."""
        runs = self._runs.of(self._by_account.of(account_id))
        return sorted(runs, key=lambda run: (run.started_at, run.id), reverse=True)[:limit]

    def of_file(self, account_id: str, file_hash: str) -> Sequence[ImportRunRow]:
        """Read the runs of a file, newest first."""
        runs = self.of_account(account_id, len(self._runs.rows))
        return [run for run in runs if run.file_hash == file_hash]

    def advance(self, account_id: str, run_id: str, from_row: int, to_row: int, counts: Mapping[str, int]) -> bool:
        """Say that the rows before `to_row` were worked; False when the run is not at `from_row` any more."""
        run = self.get(account_id, run_id)
        if run is None or run.next_row != from_row or run.state is not ImportState.RUNNING:
            return False
        self._runs.put(run_id, replace(run, next_row=to_row, counts=dict(counts)))
        return True

    def finish(self, account_id: str, run_id: str, now: datetime) -> bool:
        """Say that it is done; False when it was."""
        run = self.get(account_id, run_id)
        if run is None or run.state is not ImportState.RUNNING:
            return False
        self._runs.put(run_id, replace(run, state=ImportState.DONE, finished_at=now))
        return True

    def add_troubles(self, troubles: Sequence[ImportTroubleRow]) -> None:
        """Insert what was wrong; a second trouble of the same cell changes nothing."""
        for trouble in troubles:
            key = (trouble.run_id, trouble.row_number, trouble.column)
            if key not in self._troubles.rows:
                self._troubles.put(key, trouble)

    def troubles(self, account_id: str, run_id: str, limit: int, after_row: int = 0) -> Sequence[ImportTroubleRow]:
        """Read what was wrong in rows behind one, in the order of the file."""
        found = [
            each for each in self._troubles.of(self._by_run.of((account_id, run_id))) if each.row_number > after_row
        ]
        return sorted(found, key=lambda each: each.row_number)[:limit]
