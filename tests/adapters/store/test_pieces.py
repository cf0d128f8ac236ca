"""Are the parts of a long incoming SMS kept until all of them are there?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.gateway import IncomingSMS, Piece
from connector.ports.ledger import Ledger
from connector.ports.pieces import PieceRow
from tests.adapters.store.factories import NOW, NUMBER, SENDER


def part(number: int, *, reference: str = "one", seconds: int = 0, gateway: str = "vonage", **changes: str) -> PieceRow:
    values = {"from_": NUMBER, "to": SENDER, "body": f"part {number}"} | changes
    sms = IncomingSMS(f"MO-{reference}-{number}", piece=Piece(reference, number, 3), **values)
    return PieceRow(gateway, sms, NOW + timedelta(seconds=seconds))


def test_parts_read_back_as_they_came_in_their_order(ledger: Ledger) -> None:
    parts = [part(number) for number in (3, 1, 2)]
    with ledger.begin() as uow:
        assert [uow.pieces.add(each) for each in parts] == [True] * 3
        assert uow.pieces.of(parts[0]) == [parts[1], parts[2], parts[0]]
        uow.commit()


def test_a_part_that_comes_twice_is_kept_once(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        assert uow.pieces.add(part(1))
        assert not uow.pieces.add(part(1, seconds=5, body="changed"))
        assert uow.pieces.of(part(1)) == [part(1)]
        uow.commit()


@pytest.mark.parametrize(
    "other",
    [
        part(2, reference="two"),
        part(2, gateway="plivo"),
        part(2, from_="+12025550199"),
        part(2, to="+12025550188"),
    ],
)
def test_parts_of_other_texts_are_kept_apart(ledger: Ledger, other: PieceRow) -> None:
    with ledger.begin() as uow:
        uow.pieces.add(part(1))
        uow.pieces.add(other)
        assert uow.pieces.of(part(1)) == [part(1)]
        assert uow.pieces.of(other) == [other]
        uow.commit()


def test_only_the_parts_named_are_forgotten(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        for each in (part(1), part(2), part(1, reference="two")):
            uow.pieces.add(each)
        uow.pieces.drop([part(1), part(3)])
        assert uow.pieces.of(part(1)) == [part(2)]
        assert uow.pieces.of(part(1, reference="two")) == [part(1, reference="two")]
        uow.commit()


def test_parts_that_wait_are_found_by_their_age_the_oldest_first(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        for each in (part(1, seconds=2), part(2, seconds=1), part(3, seconds=3)):
            uow.pieces.add(each)
        assert uow.pieces.older_than(NOW + timedelta(seconds=3), 9) == [part(2, seconds=1), part(1, seconds=2)]
        assert uow.pieces.older_than(NOW + timedelta(seconds=3), 1) == [part(2, seconds=1)]
        uow.commit()


def test_a_text_that_is_put_off_has_its_turn_after_the_others(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        for each in (part(1), part(2, seconds=1), part(1, reference="two", seconds=2)):
            uow.pieces.add(each)
        uow.pieces.put_off([part(1)], NOW + timedelta(seconds=9))
        soon = uow.pieces.older_than(NOW + timedelta(seconds=9), 9)
        assert [row.sms.provider_message_id for row in soon] == ["MO-two-1"]
        assert len(uow.pieces.of(part(1))) == 2
        uow.commit()


def test_a_whole_text_is_no_part(ledger: Ledger) -> None:
    whole = part(1)
    with ledger.begin() as uow, pytest.raises(ValueError, match="only a part"):
        uow.pieces.add(replace(whole, sms=replace(whole.sms, piece=None)))


def test_what_a_person_wrote_is_unreadable_at_rest(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as uow:
        uow.pieces.add(part(1, body="meet me at noon"))
        uow.commit()
    reading = sql_ledger.begin(write=False)
    with reading as uow:
        rows = reading._connection.execute(text("SELECT body_sealed FROM incoming_piece")).scalars().all()
    assert rows
    assert all(b"noon" not in bytes(row) for row in rows)
