"""Is a text that did not arrive for a passing reason sent once more, and never because something was told twice?"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connector.domain.gateway_book import GatewayBook, RetryRule
from connector.domain.message import ErrorClass, MessageState, Purpose
from connector.errors import AmbiguousSendError, TransientSendError
from connector.ports.gateway import OutgoingSMS, StatusReport
from connector.ports.messages import MessageRow
from connector.services.outcomes import Sent
from tests.adapters.store.factories import NOW
from tests.services.sending.conftest import Desk
from tests.services.sending.texts import a_text, in_order, with_plivo, work

RESENDING = RetryRule(tries=3, base=timedelta(seconds=1), cap=timedelta(seconds=20), resend_undelivered=True)
PASSING = {"error_class": ErrorClass.TRANSIENT, "error_code": "30003"}
S = MessageState


def resending(gateway_book: GatewayBook | None = None, **changes: Any) -> GatewayBook:
    rule = replace(RESENDING, **changes)
    return replace(gateway_book or GatewayBook(), retries=dict.fromkeys(Purpose, rule))


@pytest.fixture
def again(desk: Desk) -> Desk:
    """A desk that sends again what did not arrive."""
    return replace(desk, book=resending())


def sent(desk: Desk, **changes: object) -> MessageRow:
    text = a_text(desk, **changes)
    desk.add(text)
    work(desk, f"send:twilio:{text.purpose}")
    return text


def test_a_phone_that_was_off_gets_its_text_two_minutes_later_through_another_gateway(desk: Desk) -> None:
    desk, plivo = with_plivo(desk, resending(in_order("twilio", "plivo")))
    text = sent(desk)
    assert desk.apply(text, S.UNDELIVERED, **PASSING) == "queued"
    row = desk.row(text)
    assert (row.state, row.not_before) == (S.QUEUED, NOW + timedelta(minutes=2))
    assert row.state_reason == "not delivered for a passing reason (30003); it is sent once more"
    work(desk)
    assert plivo.sent == []
    desk.clock.advance(minutes=2)
    work(desk)
    assert (len(desk.gateway.sent), len(plivo.sent)) == (1, 1)


def test_a_one_time_code_goes_again_at_once(again: Desk) -> None:
    code = sent(again, purpose=Purpose.OTP)
    again.apply(code, S.UNDELIVERED, **PASSING)
    assert again.row(code).not_before == NOW + timedelta(seconds=1)


def test_only_once(again: Desk) -> None:
    text = sent(again)
    again.apply(text, S.UNDELIVERED, **PASSING)
    again.clock.advance(minutes=3)
    work(again)
    again.apply(text, S.UNDELIVERED, number=1, **PASSING)
    again.clock.advance(minutes=30)
    work(again)
    assert again.state_of(text) is S.UNDELIVERED
    assert len(again.gateway.sent) == 2


@pytest.mark.parametrize(
    ("state", "error_class"),
    [
        (S.UNDELIVERED, ErrorClass.PERMANENT_NUMBER),
        (S.UNDELIVERED, ErrorClass.OPTED_OUT),
        (S.UNDELIVERED, None),
        (S.EXPIRED, ErrorClass.TRANSIENT),  # its time was over, and still is
    ],
)
def test_no_text_is_sent_again_for_a_reason_that_stays(
    again: Desk, state: MessageState, error_class: ErrorClass | None
) -> None:
    text = sent(again)
    again.apply(text, state, error_class=error_class)
    assert again.state_of(text) is state


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ({"resend_undelivered": False}, {}),
        ({"tries": 1}, {}),
        ({}, {"expires_at": NOW + timedelta(minutes=2)}),
        ({"lifetime": timedelta(minutes=2)}, {}),
    ],
)
def test_no_text_is_sent_again_against_its_rule_or_after_its_life(
    desk: Desk, rule: dict[str, Any], changes: dict[str, Any]
) -> None:
    desk = replace(desk, book=resending(**rule))
    text = sent(desk, **changes)
    desk.apply(text, S.UNDELIVERED, **PASSING)
    assert desk.state_of(text) is S.UNDELIVERED


@pytest.mark.parametrize("late", [S.ACCEPTED, S.SENT, S.UNDELIVERED, S.FAILED, S.EXPIRED, S.UNKNOWN])
def test_a_duplicate_or_late_receipt_of_the_first_attempt_changes_nothing(again: Desk, late: MessageState) -> None:
    text = sent(again)
    again.apply(text, S.UNDELIVERED, **PASSING)
    again.apply(text, late, **PASSING)
    assert again.state_of(text) is S.QUEUED
    again.clock.advance(minutes=2)
    work(again)
    again.apply(text, late, **PASSING)
    assert again.state_of(text) is S.ACCEPTED
    again.clock.advance(minutes=30)
    work(again)
    assert len(again.gateway.sent) == 2


def test_a_late_delivery_of_the_first_attempt_ends_it_and_nothing_goes_again(again: Desk) -> None:
    text = sent(again)
    again.apply(text, S.UNDELIVERED, **PASSING)
    again.apply(text, S.DELIVERED)
    assert again.state_of(text) is S.DELIVERED
    again.clock.advance(minutes=5)
    work(again)
    assert len(again.gateway.sent) == 1


FIRST = ((0, S.SENT), (0, S.UNDELIVERED))
SECOND = ((1, S.SENT), (1, S.DELIVERED))


@pytest.mark.parametrize("order", list(itertools.permutations((*FIRST, *SECOND))))
def test_all_orders_of_the_receipts_of_two_attempts_end_delivered(
    again: Desk, order: Sequence[tuple[int, MessageState]]
) -> None:
    text = sent(again)
    again.apply(text, S.UNDELIVERED, **PASSING)
    again.clock.advance(minutes=2)
    work(again)
    for number, state in order:
        again.apply(text, state, number=number, **(PASSING if state is S.UNDELIVERED else {}))
    again.clock.advance(minutes=30)
    work(again)
    assert again.state_of(text) is S.DELIVERED
    assert [attempt.state for attempt in again.attempts(text)] == [S.UNDELIVERED, S.DELIVERED]
    assert len(again.gateway.sent) == 2


def test_a_receipt_that_beats_our_record_of_the_send_still_has_it_sent_again(again: Desk) -> None:
    text = a_text(again)
    again.add(text)

    def fail_first(sms: OutgoingSMS) -> None:
        again.gateway.before_answer = lambda _: None
        with again.ledger.begin() as uow:
            report = StatusReport(
                f"SM{1:030d}", S.UNDELIVERED, "undelivered", sms.attempt_id, "30003", ErrorClass.TRANSIENT
            )
            again.receipts.apply(uow, "twilio", report, NOW)
            uow.commit()

    again.gateway.before_answer = fail_first
    work(again)
    assert again.state_of(text) is S.QUEUED
    assert again.attempts(text)[0].ask_at is None
    again.clock.advance(minutes=2)
    work(again)
    assert (again.state_of(text), len(again.gateway.sent)) == (S.ACCEPTED, 2)


@pytest.mark.parametrize(
    "error",
    [
        TransientSendError("unavailable", code="503", error_class="transient"),
        AmbiguousSendError("read timeout", code="read_timeout"),
    ],
)
def test_a_worker_that_wakes_up_late_does_not_speak_for_a_text_that_is_being_sent_again(
    desk: Desk, error: TransientSendError | AmbiguousSendError
) -> None:
    text = a_text(desk)
    desk.add(text)
    (first,) = desk.path.claimer.claim("twilio", "transactional", 1).claims
    desk.clock.advance(minutes=5)  # a machine was suspended
    desk.reconciler.free_abandoned()
    desk.clock.advance(minutes=1)
    desk.reconciler.ask()
    (second,) = desk.path.claimer.claim("twilio", "transactional", 1).claims
    desk.path.recorder.record([Sent(first.message, first.attempt, first.reason, error=error)])
    assert desk.state_of(text) is S.DISPATCHING
    assert second.attempt.id != first.attempt.id


def test_an_unknown_word_of_the_gateway_settles_nothing(again: Desk) -> None:
    text = a_text(again)
    again.add(text)

    def say_something_new(sms: OutgoingSMS) -> None:
        with again.ledger.begin() as uow:
            report = StatusReport(f"SM{1:030d}", S.UNKNOWN, "buffered-by-moon", sms.attempt_id)
            again.receipts.apply(uow, "twilio", report, NOW)
            uow.commit()

    again.gateway.before_answer = say_something_new
    work(again)
    assert again.attempts(text)[0].settled_at is None
    assert again.apply(text, S.UNDELIVERED, **PASSING) == "queued"


def test_undelivered_is_a_state_like_any_other_and_crashes_nothing(desk: Desk) -> None:
    text = sent(desk)
    desk.callback(f"SM{1:030d} undelivered", attempt_id=desk.attempts(text)[0].id)
    desk.receipts.drain()
    assert desk.state_of(text) is S.UNDELIVERED


def test_accepted_by_the_carrier_is_not_shown_as_delivered(desk: Desk) -> None:
    text = sent(desk)
    for word in ("accepted", "sent"):
        desk.callback(f"SM{1:030d} {word}", attempt_id=desk.attempts(text)[0].id)
        desk.receipts.drain()
        assert desk.state_of(text) is MessageState(word)


def test_a_branch_on_the_first_status_only_would_miss_the_last_one(desk: Desk) -> None:
    text = sent(desk)
    for word in ("sent", "undelivered", "delivered"):
        desk.callback(f"SM{1:030d} {word}", attempt_id=desk.attempts(text)[0].id)
    desk.receipts.drain()
    assert desk.state_of(text) is S.DELIVERED
    assert [line.split(":")[0] for line in desk.trace(text)][-3:] == ["sent", "undelivered", "delivered"]


def test_a_worker_restart_does_not_send_again_what_was_due_and_forgets_no_wait(desk: Desk) -> None:
    due, held, failed = a_text(desk), a_text(desk, not_before=NOW + timedelta(hours=1)), a_text(desk)
    desk.add(due)
    work(desk)
    desk.gateway.script = [TransientSendError("unavailable", code="503", error_class="transient")]
    desk.add(held, failed)
    work(desk)
    restarted = replace(desk)  # all that a process holds in memory is new
    work(restarted)
    assert len(desk.gateway.sent) == 2
    restarted.clock.advance(hours=1)
    work(restarted)
    assert [restarted.state_of(text) for text in (due, held, failed)] == [S.ACCEPTED] * 3
    assert len(desk.gateway.sent) == 4


def test_an_opt_out_that_the_carrier_tells_of_in_a_receipt_is_imported(desk: Desk) -> None:
    text = sent(desk)
    desk.apply(text, S.UNDELIVERED, error_class=ErrorClass.OPTED_OUT, error_code="21610")
    assert desk.opted_out == [text.msisdn]
