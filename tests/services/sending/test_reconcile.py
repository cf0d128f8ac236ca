"""Is every attempt nobody told us about asked for, and is nothing sent twice on the way?"""

from __future__ import annotations

import contextlib
from datetime import timedelta

from connector.domain.message import MessageState, SendPolicy
from connector.errors import AmbiguousSendError, TransientSendError
from connector.ports.gateway import StatusReport
from connector.ports.inbox import InboxRow
from connector.ports.messages import MessageRow
from connector.services.receipts import STATUS, source
from tests.adapters.store.factories import NOW, a_message
from tests.services.sending.conftest import Desk

SID = "SM" + "9" * 30


def lost(desk: Desk, **changes: object) -> MessageRow:
    """Give a text whose answer never came."""
    values: dict[str, object] = {"time_zones": ("Europe/London",), "country": "GB", "send_window": "anytime"}
    text = a_message(desk.account_id, **values | changes)
    desk.gateway.script = [AmbiguousSendError("read timeout", code="read_timeout")]
    desk.add(text)
    desk.send()
    return text


def test_a_found_attempt_takes_the_gateways_word(desk: Desk) -> None:
    text = lost(desk)
    desk.gateway.found = StatusReport(SID, MessageState.SENT, "sent")
    desk.clock.advance(seconds=31)
    desk.reconciler.ask()
    assert (desk.state_of(text), desk.row(text).provider_message_id) == (MessageState.SENT, SID)
    assert len(desk.gateway.sent) == 1


def test_never_seen_is_not_believed_while_the_request_may_be_under_way(desk: Desk) -> None:
    text = lost(desk)
    desk.clock.advance(seconds=31)
    desk.reconciler.ask()
    assert desk.state_of(text) is MessageState.UNKNOWN
    assert desk.attempts(text)[0].ask_at == NOW + timedelta(minutes=3)


def test_an_attempt_the_gateway_has_certainly_never_seen_is_sent_again(desk: Desk) -> None:
    text = lost(desk)
    desk.clock.advance(minutes=4)
    desk.reconciler.ask()
    assert desk.state_of(text) is MessageState.QUEUED
    desk.send()
    assert desk.state_of(text) is MessageState.ACCEPTED
    assert len(desk.gateway.sent) == 2


def test_a_lost_text_past_its_lifetime_expires_instead(desk: Desk) -> None:
    text = lost(desk, expires_at=NOW + timedelta(minutes=2))
    desk.clock.advance(minutes=4)
    desk.reconciler.ask()
    assert desk.state_of(text) is MessageState.EXPIRED


def ask_until_tired(desk: Desk) -> None:
    desk.gateway.found = TransientSendError("down", code="503")
    for _ in range(8):
        desk.clock.advance(hours=13)
        desk.reconciler.ask()


def test_when_nobody_can_tell_a_person_is_asked(desk: Desk) -> None:
    text = lost(desk)
    ask_until_tired(desk)
    assert desk.state_of(text) is MessageState.DEAD_LETTER
    assert desk.trace(text)[-1].startswith("nobody can tell")
    assert len(desk.gateway.sent) == 1


def test_when_nobody_can_tell_a_one_time_code_is_sent_again(desk: Desk) -> None:
    text = lost(desk, policy=SendPolicy.AT_LEAST_ONCE)
    ask_until_tired(desk)
    assert desk.state_of(text) is MessageState.QUEUED


def test_a_claim_whose_worker_died_becomes_unknown_and_is_asked_for(desk: Desk) -> None:
    text = a_message(desk.account_id, time_zones=("Europe/London",))
    desk.add(text)

    class KilledError(BaseException):
        """Stands for SIGKILL: nothing after it runs."""

    def die(*_: object) -> None:
        raise KilledError

    record, desk.dispatcher._recorder.record = desk.dispatcher._recorder.record, die  # type: ignore[assignment, method-assign]
    with contextlib.suppress(KilledError):
        desk.send()
    desk.dispatcher._recorder.record = record  # type: ignore[method-assign]
    assert desk.state_of(text) is MessageState.DISPATCHING
    assert desk.reconciler.free_abandoned() == 0
    desk.clock.advance(seconds=91)
    assert desk.reconciler.free_abandoned() == 1
    assert desk.state_of(text) is MessageState.UNKNOWN
    desk.gateway.found = StatusReport(SID, MessageState.DELIVERED, "delivered")
    desk.clock.advance(seconds=31)
    desk.reconciler.ask()
    assert desk.state_of(text) is MessageState.DELIVERED
    assert len(desk.gateway.sent) == 1


def test_a_silent_text_is_asked_for(desk: Desk) -> None:
    text = a_message(desk.account_id, time_zones=("Europe/London",))
    desk.add(text)
    desk.send()
    desk.gateway.found = StatusReport(f"SM{1:030d}", MessageState.DELIVERED, "delivered")
    desk.clock.advance(minutes=16)
    desk.reconciler.ask()
    assert desk.state_of(text) is MessageState.DELIVERED
    assert desk.attempts(text)[0].ask_at is None


def callback(desk: Desk, body: str, attempt_id: str | None, external_id: str) -> None:
    context: dict[str, object] = {
        "method": "POST",
        "url": "https://sms.example.com/",
        "headers": {},
        "attempt_id": attempt_id,
    }
    row = InboxRow(
        desk.ledger.new_id(), None, source("twilio", STATUS), external_id, body.encode(), context, desk.clock.now()
    )
    with desk.ledger.begin() as uow:
        uow.inbox.add([row])
        uow.commit()


def test_a_receipt_from_the_inbox_moves_its_message(desk: Desk) -> None:
    text = a_message(desk.account_id, time_zones=("Europe/London",))
    desk.add(text)
    desk.send()
    callback(desk, f"SM{1:030d} delivered", desk.attempts(text)[0].id, "1")
    desk.receipts.drain()
    assert desk.state_of(text) is MessageState.DELIVERED


def test_a_receipt_that_names_another_message_than_its_attempt_is_ignored(desk: Desk) -> None:
    text = a_message(desk.account_id, time_zones=("Europe/London",))
    desk.add(text)
    desk.send()
    callback(desk, f"{SID} delivered", desk.attempts(text)[0].id, "1")
    desk.receipts.drain()
    assert desk.state_of(text) is MessageState.ACCEPTED


def test_a_receipt_that_matches_nothing_is_kept_for_days_not_tries(desk: Desk) -> None:
    callback(desk, f"{SID} delivered", None, "1")
    for _ in range(20):
        desk.receipts.drain()
        desk.clock.advance(hours=2)
    with desk.ledger.begin(write=False) as uow:
        assert uow.inbox.waiting(desk.clock.now()) == {"twilio.status": 1}
    desk.clock.advance(days=3)
    desk.receipts.drain()
    with desk.ledger.begin(write=False) as uow:
        assert uow.inbox.waiting(desk.clock.now() + timedelta(days=1)) == {}
