"""Does the ledger keep who is in which arm, count what people did in time, and know when people answer?"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from connector.domain.habits import Habits
from connector.domain.steps import Metric
from connector.domain.surroundings import ArmStanding
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.splits import ArmCount, WinnerRow
from tests.adapters.store.factories import NOW, a_message

DAY = timedelta(days=1)
A, J, S = "account-1", "welcome", "tone"


def _enter(work: UnitOfWork, contact: str, arm: str, at: datetime = NOW) -> bool:
    return work.splits.assign(A, J, S, contact, f"enrollment-{contact}", arm, at)


def _text(
    work: UnitOfWork, contact: str, did: str, at: datetime, *, created_at: datetime = NOW, recipient: str = "contact"
) -> None:
    row = a_message(A, enrollment_id=f"enrollment-{contact}", created_at=created_at, recipient=recipient)
    work.messages.add(row)
    work.messages.set_engagement(row.id, **{did: at})


def test_the_first_arm_of_a_contact_stays(ledger: Ledger) -> None:
    with ledger.begin() as work:
        assert _enter(work, "c-1", "friendly")
        assert not _enter(work, "c-1", "firm")
        assert work.splits.assign(A, J, "length", "c-1", "e-1", "short", NOW)
        assert work.splits.assign("account-2", J, S, "c-1", "e-1", "firm", NOW)
        assert work.splits.standing(A, J, "c-1") == {
            "length": ArmStanding("short", None),
            S: ArmStanding("friendly", None),
        }
        assert work.splits.standing(A, J, "c-2") == {}
        assert work.splits.standing(A, "another", "c-1") == {}


def test_an_arm_wins_once_and_everybody_stands_with_it(ledger: Ledger) -> None:
    winner = WinnerRow("firm", NOW, {"rate": Decimal("0.25"), "people": 500})
    with ledger.begin() as work:
        _enter(work, "c-1", "friendly")
        assert work.splits.winner(A, J, S) is None
        assert work.splits.win(A, J, S, winner)
        assert not work.splits.win(A, J, S, WinnerRow("friendly", NOW))
        assert work.splits.winner(A, J, S) == winner
        assert work.splits.standing(A, J, "c-1") == {S: ArmStanding("friendly", "firm")}
        assert work.splits.standing(A, J, "c-2") == {S: ArmStanding(None, "firm")}
        assert work.splits.standing("account-2", J, "c-1") == {}


@pytest.mark.parametrize(
    ("metric", "did"),
    [
        (Metric.REPLY_RATE, "replied_at"),
        (Metric.CLICK_RATE, "clicked_at"),
        (Metric.OPT_OUT_RATE, "opted_out_at"),
    ],
)
def test_those_whose_time_is_over_are_counted_and_what_they_did_in_time(
    ledger: Ledger, metric: Metric, did: str
) -> None:
    with ledger.begin() as work:
        for contact, arm, at in (
            ("c-1", "friendly", NOW),
            ("c-2", "friendly", NOW),
            ("c-3", "friendly", NOW),
            ("c-4", "friendly", NOW + DAY),
            ("c-5", "firm", NOW + DAY),
        ):
            _enter(work, contact, arm, at)
        _text(work, "c-1", did, NOW + DAY)
        _text(work, "c-2", did, NOW + DAY + timedelta(microseconds=1))
        _text(work, "c-4", did, NOW + DAY, created_at=NOW + DAY)
        counts = work.splits.count(A, J, S, metric, NOW, DAY)
        later = work.splits.count(A, J, S, metric, NOW + DAY, DAY)
        others = [each for each in Metric if each is not metric]
        assert all(work.splits.count(A, J, S, each, NOW, DAY)["friendly"].hits == 0 for each in others)
        assert work.splits.count("account-2", J, S, metric, NOW, DAY) == {}
    assert counts == {"friendly": ArmCount(people=3, hits=1, entered=4), "firm": ArmCount(0, 0, 1)}
    assert later == {"friendly": ArmCount(people=4, hits=2, entered=4), "firm": ArmCount(1, 0, 1)}


def test_only_what_answers_a_text_of_the_arm_to_the_contact_counts(ledger: Ledger) -> None:
    with ledger.begin() as work:
        _enter(work, "c-1", "friendly")
        _text(work, "c-1", "replied_at", NOW, created_at=NOW - DAY)
        _text(work, "c-1", "replied_at", NOW, recipient="owner")
        work.messages.add(a_message(A, contact_id="c-1", enrollment_id="another", replied_at=NOW))
        assert work.splits.count(A, J, S, Metric.REPLY_RATE, NOW, DAY) == {"friendly": ArmCount(1, 0, 1)}
        _text(work, "c-1", "replied_at", NOW)
        _text(work, "c-1", "replied_at", NOW)
        assert work.splits.count(A, J, S, Metric.REPLY_RATE, NOW, DAY) == {"friendly": ArmCount(1, 1, 1)}


def test_answers_are_counted_for_the_contact_its_country_and_the_account(ledger: Ledger) -> None:
    with ledger.begin() as work:
        for contact, country, hour in (("c-1", "US", 9), ("c-1", "US", 9), ("c-2", "US", 17), ("c-3", "DE", 9)):
            work.habits.add(A, contact, country, (0, hour))
        work.habits.add(A, "c-4", None, (6, 20))
        work.habits.add("account-2", "c-1", "US", (1, 1))
        assert work.habits.of(A, "c-1", "US") == Habits(
            own={(0, 9): 2}, alike={(0, 9): 2, (0, 17): 1}, everyone={(0, 9): 3, (0, 17): 1, (6, 20): 1}
        )
        assert work.habits.of(A, "c-4", None) == Habits(
            own={(6, 20): 1}, everyone=work.habits.of(A, "x", "FR").everyone
        )
        assert work.habits.of("account-3", "c-1", "US") == Habits()
