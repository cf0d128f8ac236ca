"""How do services keep how far an import of contacts and consent has come, and what was wrong with its rows?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class ImportState(StrEnum):
    """How an import stands."""

    RUNNING = "running"  # or killed: started again with the same file it goes on
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ImportRunRow:
    """One import of one file.

    Attributes:
        file_hash: SHA-256, hex: a run goes on with the same file only.
        columns: our names → the file's headings.
        options: everything else that decides what a row means.
        next_row: the first that was not worked, as a spreadsheet counts: the heading is row 1.
        counts: rows by what became of them.
        started_by: who, in words.
    """

    id: str
    account_id: str
    file_name: str
    file_hash: str
    columns: Mapping[str, str]
    options: Mapping[str, Any]
    started_by: str
    started_at: datetime
    state: ImportState = ImportState.RUNNING
    next_row: int = 2
    counts: Mapping[str, int] | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ImportTroubleRow:
    """What was wrong in one cell, or in a whole row when `column` is empty; never the value itself."""

    account_id: str
    run_id: str
    row_number: int
    column: str
    why: str


class ImportRepository(Protocol):
    """Imports, each scoped by its account."""

    def add(self, run: ImportRunRow) -> None:
        """Insert a run."""
        ...

    def get(self, account_id: str, run_id: str) -> ImportRunRow | None:
        """Read one by our id."""
        ...

    def of_account(self, account_id: str, limit: int) -> Sequence[ImportRunRow]:
        """Read the latest runs, newest first."""
        ...

    def of_file(self, account_id: str, file_hash: str) -> Sequence[ImportRunRow]:
        """Read the runs of a file, newest first."""
        ...

    def advance(self, account_id: str, run_id: str, from_row: int, to_row: int, counts: Mapping[str, int]) -> bool:
        """Say that the rows before `to_row` were worked.

        False when the run is not at `from_row` any more, or done: another process works it, and nothing may be
        committed.
        """
        ...

    def finish(self, account_id: str, run_id: str, now: datetime) -> bool:
        """Say that it is done; False when it was."""
        ...

    def add_troubles(self, troubles: Sequence[ImportTroubleRow]) -> None:
        """Insert what was wrong; a second trouble of the same cell changes nothing."""
        ...

    def troubles(self, account_id: str, run_id: str, limit: int, after_row: int = 0) -> Sequence[ImportTroubleRow]:
        """Read what was wrong in rows behind one, in the order of the file."""
        ...
