"""A caller with little patience gets an answer in time, and its work is done all the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import structlog

from connector.adapters.store.group_commit import GroupCommit
from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.ledger import UnitOfWork
from tests.adapters.store.factories import an_account


@pytest.fixture
def commit(sql_ledger: SQLLedger) -> Iterator[GroupCommit]:
    commit = GroupCommit(sql_ledger)
    yield commit
    commit.close()


def names(ledger: SQLLedger) -> list[str]:
    with ledger.begin(write=False) as uow:
        return [account.name for account in uow.accounts.all()]


def test_work_that_is_committed_in_time_is_said_to_be(commit: GroupCommit, sql_ledger: SQLLedger) -> None:
    assert commit.run_within(lambda uow: uow.accounts.add(an_account(name="Acme")), 30)
    assert names(sql_ledger) == ["Acme"]


def test_work_that_is_not_committed_in_time_stays_in_line(commit: GroupCommit, sql_ledger: SQLLedger) -> None:
    free = threading.Event()

    def slow(_uow: UnitOfWork) -> None:
        free.wait(30)

    assert not commit.run_within(slow, 0.01)
    assert not commit.run_within(lambda uow: uow.accounts.add(an_account(name="Later")), 0.01)
    free.set()
    commit.close()
    assert names(sql_ledger) == ["Later"]


def test_work_that_fails_in_time_raises_and_leaves_nothing(commit: GroupCommit, sql_ledger: SQLLedger) -> None:
    def fail(uow: UnitOfWork) -> None:
        uow.accounts.add(an_account(name="Half"))
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        commit.run_within(fail, 30)
    assert names(sql_ledger) == []


def test_work_nobody_waits_for_any_more_tells_the_log_when_it_fails(commit: GroupCommit) -> None:
    free = threading.Event()

    def fail(_uow: UnitOfWork) -> None:
        free.wait(30)
        raise ValueError("about +12025550143")

    with structlog.testing.capture_logs() as lines:
        assert not commit.run_within(fail, 0.01)
        free.set()
        commit.close()
    assert lines == [{"event": "group_commit.lost", "error": "ValueError", "log_level": "error"}]
