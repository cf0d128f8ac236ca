"""Do tallies, health and spending add up in every ledger, however many write at once?"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.adapters.memory.ledger import MemoryLedger
from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.domain.circuit import CircuitState, GatewayHealth, healthy
from connector.domain.scoring import Tally
from connector.ports.ledger import Ledger
from connector.ports.traffic import Spending
from tests.adapters.store.factories import NOW

MINUTE = timedelta(minutes=1)
SLOT = NOW.replace(second=0, microsecond=0)
TALLY = Tally("twilio", "GB", "+12025550100", "23410", SLOT)
SPENDING = Spending("a", "2026-11-20", "twilio", "tips", "USD", 1, Decimal("0.0075"), "2026-11-20")


def note(ledger: Ledger, *tallies: Tally) -> None:
    with ledger.begin() as uow:
        uow.traffic.note(tallies)
        uow.commit()


def spend(ledger: Ledger, *spendings: Spending) -> None:
    with ledger.begin() as uow:
        uow.traffic.spend(spendings)
        uow.commit()


def tallies(ledger: Ledger) -> list[Tally]:
    with ledger.begin(write=False) as uow:
        return list(uow.traffic.tallies(SLOT - timedelta(days=1)))


def spent(ledger: Ledger, *days: str) -> list[Spending]:
    with ledger.begin(write=False) as uow:
        found = uow.traffic.spent(days or ["2026-11-20"])
    return sorted(found, key=lambda each: (each.day, each.gateway, each.journey))


# ---- tallies


def test_what_is_noted_of_one_way_in_one_minute_is_added_up(ledger: Ledger) -> None:
    note(ledger, replace(TALLY, sent=2, answer_seconds=0.5), replace(TALLY, sent=1, failed=1, answer_seconds=0.25))
    note(ledger, replace(TALLY, delivered=1, undelivered=1, delivery_seconds=4.5))
    note(ledger)
    assert tallies(ledger) == [
        replace(TALLY, sent=3, failed=1, delivered=1, undelivered=1, answer_seconds=0.75, delivery_seconds=4.5)
    ]


def test_what_was_counted_can_be_taken_back(ledger: Ledger) -> None:
    note(ledger, replace(TALLY, sent=1))
    note(ledger, replace(TALLY, sent=-1))
    assert tallies(ledger) == [TALLY]


@pytest.mark.parametrize(
    "other",
    [
        replace(TALLY, gateway="plivo"),
        replace(TALLY, country="US"),
        replace(TALLY, sender=""),
        replace(TALLY, carrier=""),
        replace(TALLY, slot=SLOT + MINUTE),
    ],
)
def test_two_ways_or_minutes_are_kept_apart(ledger: Ledger, other: Tally) -> None:
    note(ledger, replace(TALLY, sent=1), replace(other, sent=1))
    assert sorted(tallies(ledger), key=repr) == sorted([replace(TALLY, sent=1), replace(other, sent=1)], key=repr)


def test_tallies_are_read_from_a_time_on_and_forgotten_before_one(ledger: Ledger) -> None:
    minutes = [replace(TALLY, slot=SLOT + n * MINUTE, sent=n) for n in (1, 2, 3)]
    note(ledger, *reversed(minutes))
    with ledger.begin() as uow:
        assert list(uow.traffic.tallies(SLOT + 2 * MINUTE)) == minutes[1:]
        assert uow.traffic.forget_tallies(SLOT + 2 * MINUTE) == 1
        assert list(uow.traffic.tallies(SLOT)) == minutes[1:]
        uow.commit()


def test_what_was_noted_and_not_committed_is_not_there(ledger: Ledger) -> None:
    note(ledger, replace(TALLY, sent=1))
    with ledger.begin() as uow:
        uow.traffic.note([replace(TALLY, sent=5)])
        uow.traffic.spend([SPENDING])
        uow.traffic.save_health(healthy("twilio", NOW))
    assert tallies(ledger) == [replace(TALLY, sent=1)]
    assert spent(ledger) == []
    with ledger.begin(write=False) as uow:
        assert uow.traffic.all_health() == {}


COUNTS = st.fixed_dictionaries(
    {name: st.integers(-3, 9) for name in ("sent", "delivered", "undelivered", "failed")}
    | {"answer_seconds": st.sampled_from([0.0, 0.5, 4.0])}
)
NOTES = st.lists(st.tuples(st.sampled_from(["twilio", "plivo"]), st.sampled_from(["GB", ""]), COUNTS), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notes=NOTES)
def test_a_database_adds_up_as_memory_does(
    tmp_path_factory: pytest.TempPathFactory, notes: list[tuple[str, str, dict[str, Any]]]
) -> None:
    rows = [replace(TALLY, gateway=gateway, country=country, **counts) for gateway, country, counts in notes]
    found = []
    url = f"sqlite:///{tmp_path_factory.mktemp('sums')}/ledger.sqlite3"
    database = SQLLedger(make_engine(url), Vault(["k" * 32]), _nobody)
    metadata.create_all(database.engine)
    for ledger in (database, MemoryLedger(_nobody)):
        note(ledger, *rows[:5])
        note(ledger, *rows[5:])
        found.append(sorted(tallies(ledger), key=repr))
    database.close()
    assert found[0] == found[1]


def _nobody(_lane: str) -> None:
    """Hear nothing."""


# ---- health


def test_how_a_gateway_fares_reads_back_as_it_was_written(ledger: Ledger) -> None:
    known = GatewayHealth(
        gateway="twilio",
        since=NOW,
        updated_at=NOW + MINUTE,
        state=CircuitState.OPEN,
        share=0.0,
        reason="60% of its latest requests came to nothing",
        until=NOW + 5 * MINUTE,
        openings=3,
        good_probes=1,
        usual_seconds=0.31,
        error_rate=0.6,
        weight=71.5,
    )
    better = replace(known, state=CircuitState.LIMITED, share=0.25, until=None, reason="")
    with ledger.begin() as uow:
        assert uow.traffic.health("twilio") is None
        uow.traffic.save_health(known)
        uow.traffic.save_health(healthy("plivo", NOW))
        assert uow.traffic.health("twilio") == known
        uow.traffic.save_health(better)
        uow.commit()
    with ledger.begin(write=False) as uow:
        assert uow.traffic.all_health() == {"twilio": better, "plivo": healthy("plivo", NOW)}


# ---- spending


def test_what_is_spent_is_added_up_exactly(ledger: Ledger) -> None:
    for _ in range(30):
        spend(ledger, replace(SPENDING, amount=Decimal("0.1")))
    assert spent(ledger) == [replace(SPENDING, texts=30, amount=Decimal(3))]


def test_what_was_expected_is_corrected_and_given_back(ledger: Ledger) -> None:
    spend(ledger, SPENDING, SPENDING)
    spend(ledger, replace(SPENDING, texts=0, amount=Decimal("-0.0011")))
    spend(ledger, replace(SPENDING, texts=-1, amount=Decimal("-0.0075")))
    spend(ledger)
    assert spent(ledger) == [replace(SPENDING, texts=1, amount=Decimal("0.0064"))]


@pytest.mark.parametrize(
    "other",
    [
        replace(SPENDING, account_id="b"),
        replace(SPENDING, gateway="plivo"),
        replace(SPENDING, journey=""),
        replace(SPENDING, currency="EUR"),
    ],
)
def test_sums_of_two_owners_gateways_journeys_or_currencies_are_kept_apart(ledger: Ledger, other: Spending) -> None:
    spend(ledger, SPENDING, other, SPENDING)
    both = [replace(SPENDING, texts=2, amount=Decimal("0.015")), other]
    assert sorted(spent(ledger), key=repr) == sorted(both, key=repr)


def test_what_counts_for_a_day_by_one_clock_only_is_read_with_it_and_kept_apart(ledger: Ledger) -> None:
    late = replace(SPENDING, day="2026-11-19")  # before midnight in New York, after it by UTC
    spend(ledger, SPENDING, late, SPENDING)
    assert spent(ledger, "2026-11-19") == [late]
    assert spent(ledger, "2026-11-20") == [late, replace(SPENDING, texts=2, amount=2 * SPENDING.amount)]


def test_only_the_days_asked_for_are_read(ledger: Ledger) -> None:
    tomorrow = replace(SPENDING, day="2026-11-21", utc_day="2026-11-21")
    spend(ledger, SPENDING, tomorrow, replace(SPENDING, day="2026-11-19", utc_day="2026-11-19"))
    assert spent(ledger, "2026-11-20", "2026-11-21") == [SPENDING, tomorrow]
    assert spent(ledger, "2026-01-01") == []


# ---- many at once


def test_what_many_note_and_spend_at_once_adds_up_exactly_and_nobody_waits_for_ever(sql_ledger: SQLLedger) -> None:
    ways = [replace(TALLY, gateway=gateway, sent=1, answer_seconds=0.25) for gateway in ("a", "b", "c")]
    sums = [replace(SPENDING, gateway=gateway, currency=currency) for gateway in "ab" for currency in ("USD", "EUR")]
    at_once, failures = threading.Barrier(4), list[Exception]()

    def write(number: int) -> None:
        at_once.wait(20)
        try:
            for turn in range(20):
                is_backwards = (number + turn) % 2 == 1  # what comes in any order is written in one
                with sql_ledger.begin() as uow:
                    uow.traffic.spend(sums[::-1] if is_backwards else sums)
                    uow.traffic.note(ways[::-1] if is_backwards else ways)
                    uow.commit()
        except Exception as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert failures == []
    assert [(each.sent, each.answer_seconds) for each in tallies(sql_ledger)] == [(80, 20.0)] * 3
    assert [(each.texts, each.amount) for each in spent(sql_ledger)] == [(80, Decimal("0.6"))] * 4


def test_two_who_judge_a_gateway_at_once_judge_it_one_after_the_other(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as uow:
        uow.traffic.save_health(healthy("twilio", NOW))
        uow.commit()
    at_once = threading.Barrier(4)

    def judge() -> None:
        at_once.wait(20)
        for _ in range(10):
            with sql_ledger.begin() as uow:
                known = uow.traffic.health("twilio")
                assert known is not None
                uow.traffic.save_health(replace(known, weight=known.weight + 1))
                uow.commit()

    judges = [threading.Thread(target=judge) for _ in range(4)]
    for each in judges:
        each.start()
    for each in judges:
        each.join(60)
    with sql_ledger.begin(write=False) as uow:
        assert uow.traffic.all_health()["twilio"].weight == 40
