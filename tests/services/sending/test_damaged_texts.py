"""Does a text that does not open fail or wait alone, and keep no other text, reply or clock from its work?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from connector.adapters.secrets import Vault
from connector.adapters.store.message_rows import BODY_COLUMN
from connector.adapters.store.tables import message
from connector.adapters.store.unit_of_work import SQLLedger
from connector.domain.message import MessageState
from connector.domain.timeline import EntryKind
from connector.ports.messages import MessageRow
from connector.services.shown_texts import UNREADABLE, shown_body
from tests.adapters.store.factories import NOW, a_message
from tests.services.sending.conftest import Desk
from tests.services.stage import Stage

ELSEWHERE = Vault(["n" * 32])


def a_text(desk: Desk, number: int = 0, **changes: object) -> MessageRow:
    values = {"msisdn": f"+12025550{100 + number}", "time_zones": ("Europe/London",), "country": "GB"}
    return a_message(desk.account_id, **values | changes)


def damaged(text: MessageRow) -> bytes:
    return Vault(["k" * 32]).seal(text.body, account="another", column=BODY_COLUMN)


def sealed_elsewhere(text: MessageRow) -> bytes:
    return ELSEWHERE.seal(text.body, account=text.account_id, column=BODY_COLUMN)


Spoil = Callable[[MessageRow], bytes]


def spoil(ledger: SQLLedger, how: Spoil, *texts: MessageRow) -> None:
    with ledger.engine.begin() as connection:
        for text in texts:
            connection.execute(sa.update(message).where(message.c.id == text.id).values(body_sealed=how(text)))


def states(ledger: SQLLedger) -> dict[str, str]:
    with ledger.engine.connect() as connection:
        return {row.id: row.state for row in connection.execute(sa.select(message.c.id, message.c.state))}


@pytest.mark.parametrize("how", [damaged, sealed_elsewhere])
def test_a_stop_is_heeded_though_no_text_to_the_number_opens(tmp_path: Path, how: Spoil) -> None:
    stage = Stage(tmp_path)
    sent, waiting = stage.add_message(MessageState.SENT, sent_at=NOW), stage.add_message()
    spoil(stage.ledger, how, sent, waiting)
    with capture_logs() as logs:
        assert stage.receive("STOP") == "stop"
    assert stage.is_suppressed()
    assert states(stage.ledger)[waiting.id] == "suppressed"
    assert {(each["event"], each["table"]) for each in logs} == {("row.cannot_be_opened", "message")}
    stage.close()


def test_a_damaged_text_fails_for_a_reason_and_those_behind_it_go_out(desk: Desk) -> None:
    texts = [a_text(desk, number, not_before=NOW - timedelta(seconds=9 - number)) for number in range(9)]
    desk.add(*texts)
    spoil(desk.ledger, damaged, *texts[:8])
    desk.send()
    assert [sms.to for sms in desk.gateway.sent] == [texts[8].msisdn]
    assert {desk.state_of(text) for text in texts[:8]} == {MessageState.FAILED}
    row = desk.row(texts[0])
    assert (row.state_reason, row.body, row.is_readable) == (
        "its text was damaged where it is kept and cannot be read any more", "", False
    )  # fmt: skip
    assert [each.summary for each in desk.entries(texts[0], EntryKind.MESSAGE_MOVED)] == [f"failed: {row.state_reason}"]
    assert shown_body(row) == UNREADABLE


def test_texts_whose_key_is_not_here_fill_no_page_and_wait_for_who_has_it(desk: Desk) -> None:
    texts = [a_text(desk, not_before=NOW - timedelta(seconds=1)) for _ in range(120)]
    last = a_text(desk, 43)
    desk.add(*texts, last)
    spoil(desk.ledger, sealed_elsewhere, *texts)
    desk.send()
    assert [sms.to for sms in desk.gateway.sent] == [last.msisdn]
    assert {states(desk.ledger)[text.id] for text in texts} == {"queued"}
    renewed = SQLLedger(desk.ledger.engine, ELSEWHERE, lambda _: None)
    with renewed.begin() as uow:
        assert {row.body for row in uow.messages.queued("twilio", "transactional", 200, NOW)} == {"Hello"}


def test_the_clock_releases_and_expires_what_does_not_open_among_the_others(desk: Desk) -> None:
    held = [a_text(desk, number, state=MessageState.HELD) for number in range(2)]
    late = [a_text(desk, number, expires_at=NOW) for number in range(2, 5)]
    desk.add(*held, *late)
    spoil(desk.ledger, damaged, held[0], late[0])
    spoil(desk.ledger, sealed_elsewhere, late[1])
    desk.wake()
    assert [states(desk.ledger)[text.id] for text in held + late] == ["queued"] * 2 + ["expired"] * 3
    desk.send()
    assert [states(desk.ledger)[text.id] for text in held] == ["failed", "accepted"]


def test_a_text_is_left_to_who_can_read_where_to_tell_of_it(desk: Desk) -> None:
    """Whoever ordered it would else never hear that it expired."""
    renewed = SQLLedger(desk.ledger.engine, ELSEWHERE, lambda _: None)
    told, plain = (
        a_text(desk, number, expires_at=NOW, callback_url=url)
        for number, url in enumerate(["https://example.com/told", None])
    )
    with renewed.begin() as uow:
        assert uow.messages.add(told)
        assert uow.messages.add(plain)
        uow.commit()
    desk.wake()
    assert [states(desk.ledger)[text.id] for text in (told, plain)] == ["queued", "expired"]
    with renewed.begin() as uow:
        assert [row.callback_url for row in uow.messages.due(NOW, 10)] == ["https://example.com/told"]


def test_a_claim_whose_worker_died_is_freed_though_its_text_does_not_open(desk: Desk) -> None:
    texts = [a_text(desk, number) for number in range(3)]
    desk.add(*texts)
    desk.path.claimer.claim("twilio", "transactional", 3)
    spoil(desk.ledger, damaged, texts[0])
    spoil(desk.ledger, sealed_elsewhere, texts[1])
    desk.clock.advance(minutes=10)
    assert desk.reconciler.free_abandoned() == 3
    assert set(states(desk.ledger).values()) == {"unknown"}
