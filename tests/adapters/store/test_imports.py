"""Does an import know how far it has come, and what was wrong with its rows?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from connector.ports.imports import ImportRunRow, ImportState, ImportTroubleRow
from connector.ports.ledger import Ledger
from tests.adapters.store.factories import NOW


def a_run(run_id: str = "run-1", **changes: Any) -> ImportRunRow:
    columns, options = {"number": "Mobile"}, {"purpose": "marketing"}
    return replace(ImportRunRow(run_id, "acme", "people.csv", "f" * 64, columns, options, "kim", NOW), **changes)


def a_trouble(row: int = 5, column: str = "number", why: str = "too short", run_id: str = "run-1") -> ImportTroubleRow:
    return ImportTroubleRow("acme", run_id, row, column, why)


def kept(ledger: Ledger, *runs: ImportRunRow) -> None:
    with ledger.begin() as uow:
        for run in runs:
            uow.imports.add(run)
        uow.commit()


def test_a_run_is_read_back_as_it_was_begun(ledger: Ledger) -> None:
    kept(ledger, a_run())
    with ledger.begin(write=False) as uow:
        run = uow.imports.get("acme", "run-1")
    assert run == a_run(counts={})


def test_a_run_of_another_account_is_none(ledger: Ledger) -> None:
    kept(ledger, a_run())
    with ledger.begin() as uow:
        uow.imports.add_troubles([a_trouble()])
        assert uow.imports.get("bmce", "run-1") is None
        assert uow.imports.of_file("bmce", "f" * 64) == []
        assert uow.imports.of_account("bmce", 10) == []
        assert uow.imports.troubles("bmce", "run-1", 10) == []
        assert not uow.imports.advance("bmce", "run-1", 2, 3, {})
        assert not uow.imports.finish("bmce", "run-1", NOW)


def test_runs_are_listed_newest_first(ledger: Ledger) -> None:
    later = NOW + timedelta(minutes=1)
    kept(ledger, a_run(), a_run("run-2", started_at=later), a_run("run-3", started_at=later, file_hash="e" * 64))
    with ledger.begin(write=False) as uow:
        assert [run.id for run in uow.imports.of_account("acme", 2)] == ["run-3", "run-2"]
        assert [run.id for run in uow.imports.of_file("acme", "f" * 64)] == ["run-2", "run-1"]


def test_a_run_advances_from_where_it_stands_and_from_nowhere_else(ledger: Ledger) -> None:
    kept(ledger, a_run())
    with ledger.begin() as uow:
        assert uow.imports.advance("acme", "run-1", 2, 102, {"rows": 100})
        assert not uow.imports.advance("acme", "run-1", 2, 102, {"rows": 200})
        uow.commit()
    with ledger.begin(write=False) as uow:
        run = uow.imports.get("acme", "run-1")
    assert run is not None
    assert (run.next_row, run.counts) == (102, {"rows": 100})


def test_what_was_not_committed_did_not_advance(ledger: Ledger) -> None:
    kept(ledger, a_run())
    with ledger.begin() as uow:
        uow.imports.advance("acme", "run-1", 2, 102, {"rows": 100})
        uow.imports.add_troubles([a_trouble()])
    with ledger.begin(write=False) as uow:
        run = uow.imports.get("acme", "run-1")
        assert run is not None
        assert run.next_row == 2
        assert uow.imports.troubles("acme", "run-1", 10) == []


def test_a_run_that_is_done_is_done_once_and_advances_no_more(ledger: Ledger) -> None:
    kept(ledger, a_run())
    with ledger.begin() as uow:
        assert uow.imports.finish("acme", "run-1", NOW)
        assert not uow.imports.finish("acme", "run-1", NOW + timedelta(minutes=1))
        assert not uow.imports.advance("acme", "run-1", 2, 3, {})
        uow.commit()
    with ledger.begin(write=False) as uow:
        run = uow.imports.get("acme", "run-1")
    assert run is not None
    assert (run.state, run.finished_at) == (ImportState.DONE, NOW)


def test_troubles_come_in_the_order_of_the_file_page_by_page_and_once_per_cell(ledger: Ledger) -> None:
    kept(ledger, a_run())
    troubles = [a_trouble(9), a_trouble(5), a_trouble(5, "when"), a_trouble(7), a_trouble(run_id="run-2")]
    with ledger.begin() as uow:
        uow.imports.add_troubles(troubles)
        uow.imports.add_troubles([a_trouble(5, why="another word")])
        uow.imports.add_troubles([])
        uow.commit()
    with ledger.begin(write=False) as uow:
        first = uow.imports.troubles("acme", "run-1", 3)
        assert [(each.row_number, each.column) for each in first] == [(5, "number"), (5, "when"), (7, "number")]
        assert first[0].why == "too short"
        assert [each.row_number for each in uow.imports.troubles("acme", "run-1", 3, after_row=7)] == [9]
