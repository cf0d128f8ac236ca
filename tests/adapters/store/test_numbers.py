"""Is what is known of numbers kept, and is a number looked up by one worker at a time?"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.ledger import Ledger
from connector.ports.lookups import LookupState, NumberRow
from connector.ports.number_lookup import LineType
from tests.adapters.store.factories import NOW, NUMBER

A = "account-1"
OTHER = "+12025550144"
LATER = NOW + timedelta(minutes=2)
WANTED = NumberRow(A, NUMBER, LookupState.WANTED, NOW)
KNOWN = NumberRow(
    A,
    NUMBER,
    LookupState.KNOWN,
    NOW,
    line_type=LineType.MOBILE,
    is_reachable=True,
    country="US",
    carrier="Acme Mobile",
    source="lookup:twilio",
    price=Decimal("0.005"),
    currency="USD",
    known_at=NOW,
    attempts=1,
)


def test_what_is_known_reads_back_as_it_was_written(ledger: Ledger) -> None:
    unsure = replace(KNOWN, msisdn=OTHER, is_reachable=None, price=None, currency=None, known_at=None)
    with ledger.begin() as uow:
        uow.numbers.save([KNOWN, unsure])
        assert uow.numbers.of(A, [NUMBER, OTHER, "+12025550199"]) == {NUMBER: KNOWN, OTHER: unsure}
        uow.commit()


def test_what_is_known_later_takes_the_place_of_what_was_known(ledger: Ledger) -> None:
    dead = replace(KNOWN, line_type=LineType.INVALID, source="receipt:twilio", carrier="", attempts=2)
    with ledger.begin() as uow:
        uow.numbers.save([KNOWN])
        uow.numbers.save([dead])
        assert uow.numbers.of(A, [NUMBER]) == {NUMBER: dead}
        uow.commit()


def test_accounts_know_nothing_of_each_others_numbers(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        uow.numbers.save([KNOWN])
        assert uow.numbers.of("account-2", [NUMBER]) == {}
        assert uow.numbers.of(A, []) == {}
        uow.commit()


def test_only_numbers_nothing_is_known_of_are_wanted_anew(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        uow.numbers.save([KNOWN])
        assert uow.numbers.want([WANTED, replace(WANTED, msisdn=OTHER)]) == 1
        assert uow.numbers.want([replace(WANTED, msisdn=OTHER)]) == 0
        assert uow.numbers.want([]) == 0
        assert uow.numbers.of(A, [NUMBER])[NUMBER] == KNOWN
        uow.commit()


def test_wanted_numbers_are_leased_in_the_order_of_their_time_and_not_before_it(ledger: Ledger) -> None:
    rows = [replace(WANTED, msisdn=f"+1202555010{n}", not_before=NOW - timedelta(seconds=n)) for n in range(3)]
    tomorrow = replace(WANTED, msisdn=OTHER, not_before=LATER)
    with ledger.begin() as uow:
        uow.numbers.want([*rows, tomorrow])
        uow.numbers.save([KNOWN])
        assert uow.numbers.any_wanted(NOW)
        assert uow.numbers.claim(2, NOW, LATER) == [rows[2], rows[1]]
        assert uow.numbers.claim(9, NOW, LATER) == [rows[0]]
        assert uow.numbers.claim(9, NOW, LATER) == []
        assert not uow.numbers.any_wanted(NOW)
        uow.commit()


def test_a_number_whose_worker_died_is_looked_up_by_another_one_when_the_lease_is_over(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        uow.numbers.want([WANTED])
        uow.numbers.claim(1, NOW, LATER)
        assert not uow.numbers.any_wanted(LATER - timedelta(seconds=1))
        assert uow.numbers.any_wanted(LATER)
        assert uow.numbers.claim(1, LATER, LATER) == [WANTED]
        uow.commit()


def test_whoever_saves_ends_the_lease(ledger: Ledger) -> None:
    again = replace(WANTED, attempts=1)
    with ledger.begin() as uow:
        uow.numbers.want([WANTED])
        uow.numbers.claim(1, NOW, LATER)
        uow.numbers.save([again])
        assert uow.numbers.claim(1, NOW, LATER) == [again]
        uow.commit()


@pytest.mark.parametrize("state", [LookupState.KNOWN, LookupState.SKIPPED])
def test_a_number_that_is_known_or_skipped_is_not_claimed(ledger: Ledger, state: LookupState) -> None:
    with ledger.begin() as uow:
        uow.numbers.save([replace(KNOWN, state=state)])
        assert not uow.numbers.any_wanted(LATER)
        assert uow.numbers.claim(1, LATER, LATER) == []
        uow.commit()


def test_lookups_of_a_day_are_counted_whatever_is_known_by_now(ledger: Ledger) -> None:
    asked = replace(KNOWN, asked_at=NOW)
    rows = [
        asked,
        replace(asked, msisdn="+12025550101", asked_at=NOW - timedelta(days=2)),
        replace(KNOWN, msisdn="+12025550102", source="receipt:twilio"),
        replace(KNOWN, msisdn="+12025550103", state=LookupState.SKIPPED, source=""),
        replace(asked, msisdn="+12025550104", account_id="account-2"),
        replace(WANTED, msisdn="+12025550105"),
        replace(asked, msisdn="+12025550106", source="receipt:telesign"),
    ]
    with ledger.begin() as uow:
        uow.numbers.save(rows)
        assert uow.numbers.asked_since(A, NOW - timedelta(days=1)) == 2
        uow.commit()


def test_when_a_lookup_was_paid_for_is_never_forgotten(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        uow.numbers.save([replace(KNOWN, asked_at=NOW)])
        uow.numbers.save([replace(KNOWN, source="receipt:twilio")])
        assert uow.numbers.of(A, [NUMBER])[NUMBER].asked_at == NOW
        uow.numbers.save([replace(KNOWN, asked_at=LATER)])
        assert uow.numbers.of(A, [NUMBER])[NUMBER].asked_at == LATER
        uow.commit()


def test_two_workers_that_want_the_same_numbers_lease_each_once(sql_ledger: SQLLedger) -> None:
    rows = [replace(WANTED, msisdn=f"+120255501{n:02d}") for n in range(40)]
    with sql_ledger.begin() as uow:
        uow.numbers.want(rows)
        uow.commit()
    at_once, claimed = threading.Barrier(2), list[str]()

    def claim() -> None:
        at_once.wait(10)
        for _ in range(8):
            with sql_ledger.begin() as uow:
                found = uow.numbers.claim(5, NOW, LATER)
                uow.commit()
            claimed.extend(row.msisdn for row in found)

    workers = [threading.Thread(target=claim) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert sorted(claimed) == sorted(row.msisdn for row in rows)


def test_a_number_is_in_no_repr() -> None:
    assert NUMBER not in repr(KNOWN)
