"""Is every answer written down, whatever became of the others and whatever receipts said meanwhile?"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connector.adapters.store.unit_of_work import SQLUnitOfWork
from connector.domain.message import ErrorClass, MessageState
from connector.errors import AmbiguousSendError, PermanentSendError, SendError, TransientSendError
from connector.ports.gateway import Accepted, CallbackRequest, OutgoingSMS, StatusReport
from connector.services.announcing import announce
from connector.services.outcomes import Sent
from tests.adapters.store.factories import NOW
from tests.services.sending.conftest import Desk
from tests.services.sending.texts import a_text, noted, some_texts, work

ID = f"SM{1:030d}"


def claimed(desk: Desk, count: int = 1) -> list[Sent]:
    """Claim so many texts; what came of their requests is to be filled in."""
    some_texts(desk, count)
    claims = desk.path.claimer.claim("twilio", "transactional", count).claims
    return [Sent(each.message, each.attempt, each.reason) for each in claims]


def taken(sent: Sent, provider_message_id: str, sender: str | None = None) -> Sent:
    return replace(sent, accepted=Accepted(provider_message_id, MessageState.ACCEPTED, "queued", sender=sender))


# ---- poisoned answers


def test_an_id_that_a_gateway_gives_twice_takes_no_other_answer_with_it(desk: Desk) -> None:
    ids = iter(["SM-1", "SM-1", "SM-2"])
    lock = threading.Lock()

    def send(sms: OutgoingSMS) -> Accepted:
        assert sms.to
        with lock:
            return Accepted(next(ids), MessageState.ACCEPTED, "queued")

    desk.gateway.send = send  # type: ignore[method-assign]
    texts = some_texts(desk, 3)
    desk.send()
    states = [desk.state_of(text).value for text in texts]
    assert sorted(states) == ["accepted", "accepted", "dispatching"]


def test_a_sender_that_is_no_number_is_not_kept(desk: Desk) -> None:
    [sent] = claimed(desk)
    desk.path.recorder.record([taken(sent, "SM-1", sender="A name much too long for SMS")])
    assert desk.row(sent.message).sender != "A name much too long for SMS"
    assert desk.attempts(sent.message)[0].sender == sent.attempt.sender
    assert desk.state_of(sent.message) is MessageState.ACCEPTED


# ---- receipts that came first


@pytest.mark.parametrize(
    "error",
    [
        TransientSendError("busy", code="503"),
        AmbiguousSendError("lost", code="read_timeout"),
        PermanentSendError("no", code="1"),
    ],
)
def test_an_error_after_the_receipt_leaves_the_text_as_the_receipt_has_put_it(desk: Desk, error: SendError) -> None:
    [sent] = claimed(desk)
    desk.apply(sent.message, MessageState.DELIVERED, provider_message_id=ID)
    before = desk.row(sent.message)
    desk.clock.advance(seconds=30)
    desk.path.recorder.record([replace(sent, error=error)])
    after = desk.row(sent.message)
    assert (after.state_reason, after.not_before) == (before.state_reason, before.not_before)
    assert after.state is MessageState.DELIVERED


# ---- what counts for a way


def test_wrong_credentials_count_against_the_way(desk: Desk) -> None:
    [sent] = claimed(desk)
    error = PermanentSendError("unauthorised", code="401", error_class=ErrorClass.CONFIG)
    desk.path.recorder.record([replace(sent, error=error)])
    with desk.ledger.begin(write=False) as uow:
        assert sum(tally.failed for tally in uow.traffic.tallies(NOW - timedelta(days=1))) == 1


# ---- who waits for whom


@pytest.mark.parametrize("error_class", [ErrorClass.OPTED_OUT, ErrorClass.PERMANENT_NUMBER])
def test_numbers_are_held_in_one_order_before_anybody_is_woken(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error_class: ErrorClass
) -> None:
    both, done = claimed(desk, 2), list[Any]()
    monkeypatch.setattr(SQLUnitOfWork, "lock_numbers", lambda _self, _account, numbers: done.append(list(numbers)))
    monkeypatch.setattr("connector.services.outcomes.announce", noted(announce, "announced", done))
    error = PermanentSendError("no", code="1", error_class=error_class)
    desk.path.recorder.record([replace(each, error=error) for each in reversed(both)])
    assert done[:2] == [["+12025550100", "+12025550101"], "announced"]


@pytest.mark.parametrize(
    "changes",
    [
        {"state": MessageState.UNDELIVERED, "error_class": ErrorClass.OPTED_OUT},
        {"state": MessageState.UNDELIVERED, "error_class": ErrorClass.PERMANENT_NUMBER},
        {"state": MessageState.DELIVERED, "carrier": "Acme"},
    ],
)
def test_a_receipt_holds_its_number_before_anybody_is_woken(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    text = a_text(desk)
    desk.add(text)
    work(desk)
    done: list[str] = []
    monkeypatch.setattr(SQLUnitOfWork, "lock_numbers", lambda *_: done.append("held"))
    monkeypatch.setattr("connector.services.receipts.announce", lambda *_: done.append("announced"))
    desk.apply(text, **changes)  # type: ignore[arg-type]
    assert done == ["held", "announced"]


def test_a_callback_with_several_reports_takes_its_texts_in_the_order_of_everybody(on_postgres: Desk) -> None:
    desk = on_postgres
    texts = some_texts(desk, 2)
    work(desk)
    first, second = sorted((desk.attempts(text)[0] for text in texts), key=lambda attempt: attempt.id)

    def read(request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        assert (request.body, attempt_id) == (b"several", None)
        ids = [attempt.provider_message_id or "" for attempt in (second, first)]
        return [StatusReport(each, MessageState.DELIVERED, "delivered") for each in ids]

    desk.gateway.read_status = read  # type: ignore[method-assign]
    desk.callback("several")
    worker = threading.Thread(target=desk.receipts.drain)
    with desk.ledger.begin() as uow:
        uow.attempts.many([first.id])
        worker.start()
        worker.join(0.5)
        assert worker.is_alive()
        uow.attempts.many([second.id])
        uow.messages.many([text.id for text in texts], lock=True)
        uow.commit()
    worker.join(20)
    assert {desk.state_of(text) for text in texts} == {MessageState.DELIVERED}
