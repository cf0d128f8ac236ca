"""Do transactions that cannot see each other yet still keep the promises? On PostgreSQL; SQLite has one writer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.enrollments import EnrollmentRow
from tests.adapters.store.factories import NOW, NUMBER, an_account, an_event

LATER = NOW + timedelta(days=3)
PATIENCE = 10.0


@pytest.fixture
def database_url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
def enrollment(sql_ledger: SQLLedger) -> EnrollmentRow:
    account = an_account()
    row = EnrollmentRow(
        id="e-1",
        account_id=account.id,
        contact_id="c-1",
        journey="demo-booked",
        journey_version_id="v-1",
        key="7",
        epoch=0,
        subject="deal:7",
        status="live",
        state={},
        started_at=NOW,
        due_at=NOW,
    )
    with sql_ledger.begin() as uow:
        uow.accounts.add(account)
        uow.enrollments.add(row)
        uow.commit()
    return row


def aside(work: Callable[[], None]) -> Future[None]:
    """Run something in a thread of its own."""
    return ThreadPoolExecutor(1).submit(work)


def test_a_wake_that_meets_a_row_already_due_is_not_lost_to_the_claim_that_follows(
    sql_ledger: SQLLedger, enrollment: EnrollmentRow
) -> None:
    woken = sql_ledger.begin()
    with woken as waker:
        waker.enrollments.wake(enrollment.account_id, contact_ids=[enrollment.contact_id], now=NOW)
        with sql_ledger.begin() as uow:
            assert uow.enrollments.claim(10, NOW, LATER) == []  # passed over: it will be due when the fact is visible
            uow.commit()
        waker.commit()
    with sql_ledger.begin() as uow:
        assert [row.id for row in uow.enrollments.claim(10, NOW, LATER)] == [enrollment.id]


def test_a_wake_that_meets_a_claim_under_way_makes_the_row_due_when_it_is_saved(
    sql_ledger: SQLLedger, enrollment: EnrollmentRow
) -> None:
    claimed, asked = threading.Event(), threading.Event()

    def claim() -> None:
        with sql_ledger.begin() as uow:
            (row,) = uow.enrollments.claim(10, NOW, NOW + timedelta(minutes=5))
            claimed.set()
            asked.wait(PATIENCE)
            uow.commit()
        assert row.id == enrollment.id

    claimer = aside(claim)
    assert claimed.wait(PATIENCE)
    asked.set()
    with sql_ledger.begin() as uow:
        uow.enrollments.wake(enrollment.account_id, contact_ids=[enrollment.contact_id], now=NOW)
        uow.commit()
    claimer.result(PATIENCE)
    with sql_ledger.begin() as uow:
        waiting = uow.enrollments.find(enrollment.account_id, enrollment.id)
        assert waiting is not None
        uow.enrollments.save(replace(waiting, due_at=LATER))
        uow.commit()
    with sql_ledger.begin() as uow:
        assert [row.id for row in uow.enrollments.claim(10, NOW, LATER)] == [enrollment.id]


def test_whoever_decides_about_a_number_waits_for_whoever_does_already(sql_ledger: SQLLedger) -> None:
    locked, order = threading.Event(), list[str]()

    def opt_out() -> None:
        with sql_ledger.begin() as uow:
            uow.lock_numbers("a", [NUMBER])
            locked.set()
            order.append("opt-out")
            uow.commit()

    with sql_ledger.begin() as uow:
        uow.lock_numbers("a", [NUMBER, "+12025550199"])
        opting_out = aside(opt_out)
        assert not locked.wait(0.2)
        with sql_ledger.begin() as other:
            other.lock_numbers("another account", [NUMBER])
            other.commit()
        order.append("claim")
        uow.commit()
    opting_out.result(PATIENCE)
    assert order == ["claim", "opt-out"]


def test_an_event_that_two_workers_finish_is_finished_by_one(sql_ledger: SQLLedger) -> None:
    event = an_event("a")
    with sql_ledger.begin() as uow:
        uow.inbox.add([event])
        assert uow.inbox.finish([event.id], "enrolled", NOW) == 1
        uow.commit()
    with sql_ledger.begin() as uow:
        assert uow.inbox.finish([event.id], "enrolled", NOW) == 0
