"""Are the people and texts of one journey counted right on both databases, and found by an index?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connector.adapters.store.ids import new_id
from connector.adapters.store.reports import SQLJourneyFigures
from connector.adapters.store.unit_of_work import SQLLedger
from connector.domain.message import Direction, MessageState
from connector.ports.enrollments import EnrollmentRow
from connector.ports.reports import EndCount, PeopleCount, ReasonCount, TextCount
from tests.adapters.store.factories import NOW, a_message
from tests.adapters.store.test_query_plans import WALKS, WALKS_AN_ACCOUNT, plans_of

SINCE = NOW - timedelta(days=30)
USD = {"currency": "USD", "cost": Decimal("0.0083")}


def enroll(ledger: SQLLedger, contact: str, **changes: Any) -> str:
    """Let somebody into the journey and give the enrollment's id."""
    values: dict[str, Any] = {
        "id": new_id(), "account_id": "a", "contact_id": contact, "journey": "welcome", "journey_version_id": "v",
        "key": contact, "epoch": 0, "subject": "deal:1", "status": "live", "started_at": NOW,
        "state": {"run": {"cursor": "steps[1]"}},
    }  # fmt: skip
    row = EnrollmentRow(**values | changes)
    with ledger.begin() as uow:
        assert uow.enrollments.add(row)
        uow.enrollments.save(row)
        uow.commit()
    return row.id


def text(ledger: SQLLedger, enrollment_id: str, contact: str, **changes: Any) -> None:
    row = a_message(
        "a", enrollment_id=enrollment_id, contact_id=contact, **{"journey": "welcome", "step": "steps[0]"} | changes
    )
    with ledger.begin() as uow:
        assert uow.messages.add(row)
        uow.commit()


@pytest.fixture
def figures(sql_ledger: SQLLedger) -> SQLJourneyFigures:
    """The figures of a journey with three people of this month, one of an older one, and another journey."""
    ann, bob, cleo = (enroll(sql_ledger, name) for name in ("ann", "bob", "cleo"))
    enroll(sql_ledger, "dan", started_at=SINCE - timedelta(days=1))
    enroll(sql_ledger, "eve", status="ended", ended_at=NOW, exit_reason="says paid")
    enroll(sql_ledger, "fay", journey="other")
    enroll(sql_ledger, "gus", account_id="b")
    gone = {"state": MessageState.DELIVERED, "sent_at": NOW}
    text(sql_ledger, ann, "ann", segments=2, replied_at=NOW, clicked_at=NOW, **gone | USD)
    text(sql_ledger, bob, "bob", opted_out_at=NOW, **gone | USD | {"cost": Decimal("0.1")})
    text(sql_ledger, bob, "bob", replied_at=NOW, **gone | {"currency": "EUR", "cost": Decimal("0.2")})
    text(sql_ledger, ann, "ann", step="steps[2]", state=MessageState.HELD, state_reason="cap of 3 per 1 day is used up")
    text(sql_ledger, cleo, "cleo", state=MessageState.SUPPRESSED, state_reason="the number has opted out")
    text(sql_ledger, ann, "ann", direction=Direction.IN, state=MessageState.RECEIVED)
    return SQLJourneyFigures(sql_ledger.engine)


def test_people_are_counted_by_how_their_way_stands(figures: SQLJourneyFigures) -> None:
    assert figures.ends("a", "welcome", SINCE) == [EndCount("live", "", 3), EndCount("ended", "says paid", 1)]
    assert figures.standing("a", "welcome") == [("steps[1]", 4)]
    assert figures.has_any("a", "welcome")
    assert not figures.has_any("a", "nothing")


def test_texts_are_counted_by_step_state_and_currency_and_money_adds_up_exactly(figures: SQLJourneyFigures) -> None:
    assert figures.texts("a", "welcome", SINCE) == [
        TextCount("steps[0]", "delivered", 1, 1, 1, 1, 0, 0, Decimal("0.2"), "EUR"),
        TextCount("steps[0]", "delivered", 2, 3, 2, 1, 1, 1, Decimal("0.1083"), "USD"),
        TextCount("steps[0]", "suppressed", 1, 1, 0, 0, 0, 0, Decimal(0), None),
        TextCount("steps[2]", "held", 1, 1, 0, 0, 0, 0, Decimal(0), None),
    ]


def test_what_waits_or_was_lost_is_counted_by_why(figures: SQLJourneyFigures) -> None:
    assert figures.reasons("a", "welcome", SINCE) == [
        ReasonCount("held", "cap of 3 per 1 day is used up", 1),
        ReasonCount("suppressed", "the number has opted out", 1),
    ]


def test_a_person_with_two_texts_is_one_person(figures: SQLJourneyFigures) -> None:
    assert figures.people("a", "welcome", SINCE) == PeopleCount(texted=2, replied=2, clicked=1, opted_out=1)
    assert figures.people("a", "nothing", SINCE) == PeopleCount(0, 0, 0, 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_report_finds_its_rows_by_an_index(sql_ledger: SQLLedger) -> None:
    figures = SQLJourneyFigures(sql_ledger.engine)
    with plans_of(sql_ledger) as lines:
        for count in (figures.ends, figures.texts, figures.reasons, figures.people):
            count("a", "welcome", SINCE)
        figures.standing("a", "welcome")
        figures.has_any("a", "welcome")
    assert lines
    assert [line for line in lines if WALKS.match(line) or WALKS_AN_ACCOUNT.match(line)] == []
