from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.adapters.smpp import pool as pools
from connector.adapters.smpp.deliveries import Repeats, stored_text
from connector.adapters.smpp.link import Parcel
from connector.adapters.smpp.pdu import Address, ShortMessage
from connector.adapters.smpp.pool import Pool
from connector.adapters.sms.smpp import SMPPGateway
from connector.adapters.sms.smpp_settings import SMPPOptions
from connector.sandbox.gateways import smpp_wire
from connector.sandbox.gateways.smpp_server import SMPPServer
from tests.adapters.smpp.binding import NUMBER, SENDER, Shelf, pool_on, text

PHONE, OURS = NUMBER[1:], SENDER[1:]


@pytest.fixture
def server() -> Iterator[SMPPServer]:
    with SMPPServer() as one:
        yield one


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def pool(server: SMPPServer, shelf: Shelf) -> Iterator[Pool]:
    one = pool_on(server, shelf=shelf)
    yield one
    one.close()


def send(pool: Pool, body: str = "Hello", attempt_id: str = "attempt-1") -> tuple[str, ...]:
    accepted = SMPPGateway(SMPPOptions(), pool).send(text(attempt_id, body))
    return accepted.part_ids or (accepted.provider_message_id,)


# -- receipts


@pytest.mark.parametrize("form", ["tlv", "text", "both"])
def test_receipt_is_stored_before_it_is_answered_and_read_from_what_was_stored(
    pool: Pool, server: SMPPServer, shelf: Shelf, form: str
) -> None:
    (message_id,) = send(pool)
    assert server.receipt(server.messages[0], "UNDELIV", form, error=27) == 0
    (report,) = shelf.reports()
    assert (report.provider_message_id, report.attempt_id) == (message_id, "attempt-1")
    assert (report.state, report.raw_status, report.error_class) == ("undelivered", "UNDELIV", "unknown")
    assert report.error_code == ("027" if form == "text" else "27")


def test_receipts_of_parts_name_the_part_and_leave_the_whole_to_the_ledger(
    pool: Pool, server: SMPPServer, shelf: Shelf
) -> None:
    ids = send(pool, "x" * 400)
    for message in reversed(server.messages):
        assert server.receipt(message) == 0
    assert [(report.provider_message_id, report.attempt_id) for report in shelf.reports()] == [
        (ids[2], None),
        (ids[1], None),
        (ids[0], None),
    ]


def test_receipt_that_writes_the_id_in_decimal_is_about_the_same_text(
    pool: Pool, server: SMPPServer, shelf: Shelf
) -> None:
    (message_id,) = send(pool)
    assert server.receipt(server.messages[0], as_id=f"{int(message_id, 16):010}") == 0
    assert [report.provider_message_id for report in shelf.reports()] == [message_id]


def test_receipt_that_comes_twice_is_kept_once(pool: Pool, server: SMPPServer, shelf: Shelf) -> None:
    send(pool)
    assert [server.receipt(server.messages[0]) for _ in range(2)] == [0, 0]
    assert len(shelf.rows) == 1


def test_receipt_about_a_text_of_somebody_else_is_kept_as_it_is(pool: Pool, server: SMPPServer, shelf: Shelf) -> None:
    send(pool)
    assert server.receipt(server.messages[0], as_id="77") == 0
    assert [(report.provider_message_id, report.attempt_id) for report in shelf.reports()] == [("77", None)]


# -- when it cannot be stored


def test_what_cannot_be_stored_is_not_taken_and_comes_again(pool: Pool, server: SMPPServer, shelf: Shelf) -> None:
    shelf.is_full = True
    assert server.reply(PHONE, OURS, "STOP") == [0x64]
    shelf.is_full = False
    assert server.reply(PHONE, OURS, "STOP") == [0]
    assert [sms.body for sms in shelf.replies()] == ["STOP"]
    assert (pool.status().stored, pool.status().not_stored) == (1, 1)
    assert pool.status().bound == 1


def test_more_than_can_be_stored_is_not_taken(
    server: SMPPServer, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "_MOST_TO_STORE", 0)
    pool = pool_on(server, shelf=shelf)
    assert server.reply(PHONE, OURS, "Hi") == [0x14]
    pool.close()
    assert shelf.rows == []


def test_malformed_deliver_sm_is_kept_for_a_person_and_the_link_lives(
    pool: Pool, server: SMPPServer, shelf: Shelf
) -> None:
    assert server.deliver(b"\x00\x01\x01120255") == 0
    ((kind, row),) = shelf.rows
    assert kind == "inbound"
    assert b"000101" in row.body
    assert shelf.replies() == []
    assert send(pool)
    assert server.calls["bind_transceiver"] == 1


# -- texts that people write


def test_text_gets_numbers_with_their_plus_and_an_id(pool: Pool, server: SMPPServer, shelf: Shelf) -> None:
    server.reply(PHONE, OURS, "¿Qué? [ok] €")
    (sms,) = shelf.replies()
    assert (sms.from_, sms.to, sms.body, sms.piece) == (NUMBER, SENDER, "¿Qué? [ok] €", None)
    assert sms.provider_message_id


@pytest.mark.parametrize("form", ["udh", "udh16", "sar"])
@pytest.mark.parametrize("body", ["a" * 200 + "b" * 200, "שלום " * 40])
def test_parts_of_a_long_text_come_with_their_places(
    pool: Pool, server: SMPPServer, shelf: Shelf, form: str, body: str
) -> None:
    assert set(server.reply(PHONE, OURS, body, form)) == {0}
    pieces = shelf.replies()
    assert "".join(sms.body for sms in pieces) == body
    places = [sms.piece for sms in pieces]
    assert [(piece.number, piece.total) for piece in places if piece] == [(n, 3) for n in (1, 2, 3)]
    assert len({piece.reference for piece in places if piece}) == 1


def test_long_text_in_one_piece_is_no_piece(pool: Pool, server: SMPPServer, shelf: Shelf) -> None:
    server.reply(PHONE, OURS, "x" * 400, "payload")
    assert [(sms.body, sms.piece) for sms in shelf.replies()] == [("x" * 400, None)]


def test_short_code_stays_as_it_is(pool: Pool, server: SMPPServer, shelf: Shelf) -> None:
    server.reply(PHONE, "12345", "Hi")
    assert shelf.replies()[0].to == "12345"


def test_same_words_written_twice_are_two_texts(pool: Pool, server: SMPPServer, shelf: Shelf) -> None:
    server.reply(PHONE, OURS, "YES")
    server.reply(PHONE, OURS, "YES")
    assert len({sms.provider_message_id for sms in shelf.replies()}) == 2


def test_text_delivered_again_after_the_link_broke_is_the_same_text(
    pool: Pool, server: SMPPServer, shelf: Shelf
) -> None:
    server.reply(PHONE, OURS, "YES")
    server.cut()
    assert server.wait_for(lambda: server.calls["bind_transceiver"] == 2)
    assert pool.wait_until_bound(10)
    server.reply(PHONE, OURS, "YES")
    assert len(shelf.rows) == 1


def test_repeat_is_told_from_a_second_text_by_whether_the_first_was_answered() -> None:
    ids = iter("abcdefgh")
    repeats = Repeats(lambda: next(ids))
    answer = Parcel(b"answer")
    ended: list[float] = []

    def over_at() -> float | None:
        return ended[0] if ended else None

    assert repeats.id_of(b"YES", over_at) == "a"
    assert repeats.id_of(b"YES", over_at) == "a"  # no answer yet
    repeats.answered(b"YES", answer)
    assert repeats.id_of(b"YES", over_at) == "a"  # not written yet
    answer.begun_at = 100.0
    repeats.answered(b"YES", answer)
    assert repeats.id_of(b"YES", over_at) == "b"
    repeats.answered(b"YES", answer)
    ended.append(109.0)
    assert repeats.id_of(b"YES", over_at) == "b"  # the link ended at once: the answer may be lost
    assert repeats.id_of(b"NO", over_at) == "c"


def test_second_stop_after_a_link_that_ended_long_after_our_answer_is_a_text_of_its_own() -> None:
    ids = iter("ab")
    repeats = Repeats(lambda: next(ids))
    answer = Parcel(b"answer")
    answer.begun_at = 100.0
    assert repeats.id_of(b"STOP", lambda: 111.0) == "a"
    repeats.answered(b"STOP", answer)
    assert repeats.id_of(b"STOP", lambda: None) == "b"


@pytest.mark.parametrize(
    ("ton", "number", "prefix", "expected"),
    [
        (1, "447700900461", "", "+447700900461"),
        (0, "447700900461", "", "+447700900461"),
        (0, "07700900461", "44", "07700900461"),
        (2, "7700900461", "44", "+447700900461"),
        (2, "07700900461", "44", "+447700900461"),
        (2, "7700900461", "", "7700900461"),
        (5, "12025550143", "", "12025550143"),
    ],
)
def test_number_gets_a_plus_only_where_its_kind_makes_it_whole(
    ton: int, number: str, prefix: str, expected: str
) -> None:
    body = ShortMessage(Address(number, ton, 1), Address(OURS, 1, 1), b"Hi", 0).encoded()
    (sms,) = SMPPGateway(SMPPOptions(country_prefix=prefix)).read_incoming(stored_text(body, "1"))
    assert (sms.from_, sms.to) == (expected, SENDER)


def test_memory_of_texts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.adapters.smpp.deliveries._MOST_REMEMBERED", 1)
    ids = iter("abc")
    repeats = Repeats(lambda: next(ids))
    assert [repeats.id_of(body, lambda: None) for body in (b"1", b"2", b"1")] == ["a", "b", "c"]


def test_receipt_without_an_id_says_nothing(pool: Pool, server: SMPPServer, shelf: Shelf) -> None:
    assert server.deliver(smpp_wire.deliver(PHONE, OURS, b"stat:DELIVRD", esm_class=4)) == 0
    assert (shelf.reports(), shelf.replies(), len(shelf.rows)) == ([], [], 1)
