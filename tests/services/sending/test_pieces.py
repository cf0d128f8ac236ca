"""Are the parts of a long SMS that a person wrote read as one text, and is none of them lost?"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from connector.adapters.keyword_file import load_keyword_book
from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.domain.message import MessageState
from connector.ports.gateway import IncomingSMS, Piece
from connector.ports.ledger import UnitOfWork
from connector.services.consent import ConsentDesk
from connector.services.incoming_pieces import PieceDesk
from connector.services.receipts import INBOUND
from connector.services.replies import ReplyDesk
from tests.adapters.store.factories import NOW, NUMBER
from tests.services.sending.conftest import Desk, ScriptedGateway
from tests.services.sending.texts import a_text, work
from tests.services.stage import KEYWORDS

THREE = ("one/1/3|I would like ", "one/2/3|to come ", "one/3/3|tomorrow")


def write(desk: Desk, *bodies: str) -> None:
    """Have a person write parts, each under an id of its own."""
    for number, body in enumerate(bodies):
        desk.callback(f"MO{number}-{desk.ledger.new_id()} {body}", kind=INBOUND)
    desk.receipts.drain()


@pytest.mark.parametrize("order", list(itertools.permutations(THREE)))
def test_parts_in_any_order_are_one_text(desk: Desk, order: Sequence[str]) -> None:
    write(desk, *order)
    assert desk.replies == ["I would like to come tomorrow"]


def test_a_part_that_comes_twice_is_read_once(desk: Desk) -> None:
    write(desk, THREE[0], THREE[0], THREE[1], THREE[1])
    assert desk.replies == []
    write(desk, THREE[2])
    assert desk.replies == ["I would like to come tomorrow"]


def test_parts_of_two_texts_do_not_mix(desk: Desk) -> None:
    write(desk, "one/1/2|left ", "two/1/2|up ", "two/2/2|down", "one/2/2|right")
    assert sorted(desk.replies) == ["left right", "up down"]


def test_a_whole_text_waits_for_nobody(desk: Desk) -> None:
    write(desk, THREE[0], "STOP")
    assert desk.replies == ["STOP"]


def test_a_text_that_lacks_a_part_is_read_as_it_is_after_three_minutes(desk: Desk) -> None:
    write(desk, THREE[0], THREE[2])
    desk.clock.advance(minutes=3)
    assert (desk.receipts.take_incomplete(), desk.replies) == (0, [])
    desk.clock.advance(seconds=1)
    assert desk.receipts.take_incomplete() == 1
    assert desk.replies == ["I would like tomorrow"]
    assert desk.receipts.take_incomplete() == 0


def test_a_text_that_cannot_be_read_keeps_no_other_one_waiting(desk: Desk) -> None:
    heard: list[str] = []

    def stumble(_uow: UnitOfWork, sms: IncomingSMS, _gateway: str, _at: object) -> str:
        if "poison" in sms.body:
            raise RuntimeError("a bug")
        heard.append(sms.body)
        return "reply"

    pieces = PieceDesk(stumble)
    with desk.ledger.begin() as uow:
        for reference, body in (("one", "poison"), ("two", "STOP")):
            sms = IncomingSMS(f"MO-{reference}", NUMBER, "+12025550100", body, piece=Piece(reference, 1, 2))
            pieces.take(uow, sms, "twilio", NOW)
        uow.commit()
    desk.clock.advance(minutes=4)
    assert pieces.take_incomplete(desk.ledger, desk.clock) == 1
    assert heard == ["STOP"]


def test_texts_that_cannot_be_read_do_not_always_come_first(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.services.incoming_pieces._BATCH", 1)
    heard: list[str] = []

    def stumble(_uow: UnitOfWork, sms: IncomingSMS, _gateway: str, _at: object) -> str:
        heard.append(sms.body)
        if sms.body == "poison":
            raise RuntimeError("a bug")
        return "reply"

    pieces = PieceDesk(stumble)
    with desk.ledger.begin() as uow:
        for reference, body in (("one", "poison"), ("two", "STOP")):
            sms = IncomingSMS(f"MO-{reference}", NUMBER, "+12025550100", body, piece=Piece(reference, 1, 2))
            pieces.take(uow, sms, "twilio", NOW)
        uow.commit()
    desk.clock.advance(minutes=4)
    assert [pieces.take_incomplete(desk.ledger, desk.clock) for _ in range(3)] == [0, 1, 0]
    assert heard == ["poison", "STOP"]
    desk.clock.advance(minutes=4)
    pieces.take_incomplete(desk.ledger, desk.clock)
    assert heard == ["poison", "STOP", "poison"]


def test_a_stop_in_the_second_part_is_heard(desk: Desk) -> None:
    consent = ConsentDesk(desk.ledger.new_id)
    replies = ReplyDesk(desk.ledger.new_id, load_keyword_book(KEYWORDS), consent)
    desk.add(a_text(desk))
    work(desk)
    pieces = PieceDesk(replies.take_reply)
    with desk.ledger.begin() as uow:
        for number, body in ((1, "\N{ZERO WIDTH SPACE}ST"), (2, "OP")):
            piece = Piece("one", number, 2)
            pieces.take(uow, IncomingSMS(f"MO{number}", NUMBER, "+12025550100", body, piece=piece), "twilio", NOW)
        uow.commit()
    late = a_text(desk)
    desk.add(late)
    work(desk)
    assert desk.state_of(late) is MessageState.SUPPRESSED


def test_two_parts_that_come_at_once_make_one_text_and_wait_for_no_sweep(desk: Desk, postgres_url: str) -> None:
    ledger = SQLLedger(make_engine(postgres_url), Vault(["k" * 32]), desk.nudged.append)
    metadata.create_all(ledger.engine)
    desk = replace(desk, ledger=ledger, gateway=ScriptedGateway())
    pieces = PieceDesk(desk._take_reply)
    under_way, is_done = threading.Event(), threading.Event()

    def part(number: int) -> IncomingSMS:
        return IncomingSMS(f"MO{number}", NUMBER, "+12025550100", f"part {number} ", piece=Piece("one", number, 2))

    def second() -> None:
        under_way.wait(10)
        with ledger.begin() as uow:
            pieces.take(uow, part(2), "twilio", NOW)
            uow.commit()
        is_done.set()

    worker = threading.Thread(target=second)
    worker.start()
    with ledger.begin() as uow:
        pieces.take(uow, part(1), "twilio", NOW)
        under_way.set()
        assert not is_done.wait(0.3)
        uow.commit()
    worker.join(10)
    assert desk.replies == ["part 1 part 2 "]
    ledger.close()


def test_two_sweeps_at_once_read_an_incomplete_text_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    write(desk, THREE[0])
    desk.clock.advance(minutes=4)
    other = replace(desk)
    with desk.ledger.begin(write=False) as uow:
        late = uow.pieces.older_than(desk.clock.now(), 50)
    assert desk.receipts.take_incomplete() == 1
    with desk.ledger.begin() as uow:
        monkeypatch.setattr(type(uow.pieces), "older_than", lambda *_: late)
        uow.commit()
    assert other.receipts.take_incomplete() == 0
    assert desk.replies == ["I would like "]
