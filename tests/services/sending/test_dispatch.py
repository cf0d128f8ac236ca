"""Does the send path send each text once, when it may, and write down what came of it?"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.domain import keyword_answers
from connector.domain.message import MessageState, Purpose
from connector.errors import AmbiguousSendError, PermanentSendError, QueueUnavailableError, TransientSendError
from connector.ports.enrollments import EnrollmentRow
from connector.ports.gateway import Accepted, OutgoingSMS, StatusReport
from connector.ports.messages import MessageRow
from connector.ports.queue import Bucket
from connector.services.claiming import Claimed
from connector.services.outcomes import Sent
from tests.adapters.store.factories import NOW, NUMBER, a_message
from tests.services.sending.conftest import Desk, OpenLimiter
from tests.services.sending.texts import suppress

DAYTIME = {"time_zones": ("Europe/London",), "country": "GB"}


def a_text(desk: Desk, **changes: object) -> MessageRow:
    return a_message(desk.account_id, **DAYTIME | changes)


def test_a_queued_text_goes_out_once_with_its_attempt_in_the_callback_url(desk: Desk) -> None:
    text = a_text(desk, expires_at=NOW + timedelta(hours=1))
    desk.add(text)
    assert not desk.send()
    assert not desk.send()
    (sms,) = desk.gateway.sent
    (attempt,) = desk.attempts(text)
    assert sms.status_url.endswith(f"/callbacks/twilio/status/{attempt.id}")
    assert (sms.to, sms.body, sms.valid_for) == (NUMBER, "Hello", timedelta(hours=1))
    row = desk.row(text)
    assert (row.state, row.provider_message_id, row.sent_at) == (MessageState.ACCEPTED, f"SM{1:030d}", NOW)
    assert "window transactional-default is open" in desk.trace(text)[-1] or "is open" in desk.trace(text)[-1]


def test_many_texts_go_out_once_each_through_several_threads_and_two_workers(desk: Desk) -> None:
    texts = [a_text(desk, msisdn=f"+120255501{n:02d}") for n in range(60)]
    desk.add(*texts)
    workers = [threading.Thread(target=desk.send) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(sms.to for sms in desk.gateway.sent) == sorted(text.msisdn for text in texts)
    assert {desk.state_of(text) for text in texts} == {MessageState.ACCEPTED}


def test_nothing_is_sent_to_a_number_after_its_opt_out_is_committed(desk: Desk) -> None:
    text = a_text(desk)
    desk.add(text)
    suppress(desk)
    desk.send()
    assert desk.gateway.sent == []
    assert desk.state_of(text) is MessageState.SUPPRESSED
    assert desk.trace(text) == ["suppressed: the number has opted out"]


def test_the_answer_to_a_stop_goes_out_although_the_number_is_suppressed(desk: Desk) -> None:
    suppress(desk)
    desk.add(a_text(desk, journey=keyword_answers.JOURNEY, step=keyword_answers.STOP_CONFIRMATION, time_zones=()))
    desk.send()
    assert len(desk.gateway.sent) == 1


def test_a_text_at_night_is_held_until_the_window_opens_in_the_readers_zone(desk: Desk) -> None:
    text = a_text(desk, time_zones=("Asia/Tokyo",), country="JP")
    desk.add(text)
    desk.send()
    row = desk.row(text)
    assert row.state is MessageState.HELD
    assert row.not_before == NOW.replace(hour=23, minute=0, second=0, microsecond=0)
    assert desk.gateway.sent == []


def test_a_text_whose_window_was_taken_out_keeps_the_purpose_s_hours_and_blocks_no_other(desk: Desk) -> None:
    orphan, other = a_text(desk, send_window="weekends", time_zones=("Asia/Tokyo",)), a_text(desk)
    desk.add(orphan, other)
    desk.send()
    assert (desk.state_of(orphan), desk.state_of(other)) == (MessageState.HELD, MessageState.ACCEPTED)
    assert "since there is no window weekends any more" in desk.trace(orphan)[-1]


def test_a_text_without_a_known_zone_is_held_and_says_so(desk: Desk) -> None:
    text = a_text(desk, time_zones=())
    desk.add(text)
    desk.send()
    assert desk.state_of(text) is MessageState.HELD
    assert "no known time zone" in desk.trace(text)[-1]


def test_marketing_without_consent_is_suppressed(desk: Desk) -> None:
    text = a_text(desk, purpose=Purpose.MARKETING)
    desk.add(text)
    desk.dispatcher.drain("twilio", "marketing")
    assert desk.state_of(text) is MessageState.SUPPRESSED
    assert "no consent" in desk.trace(text)[-1]


def test_a_cap_holds_the_next_text_even_within_one_batch(desk: Desk) -> None:
    texts = [a_text(desk, caps=("1 per 1 day",), journey="welcome") for _ in range(2)]
    desk.add(*texts)
    desk.send()
    assert sorted(desk.state_of(text) for text in texts) == [MessageState.ACCEPTED, MessageState.HELD]
    held = next(text for text in texts if desk.state_of(text) is MessageState.HELD)
    assert desk.row(held).not_before == NOW + timedelta(days=1)


def test_a_text_past_its_lifetime_expires(desk: Desk) -> None:
    text = a_text(desk, expires_at=NOW)
    desk.add(text)
    desk.send()
    assert desk.state_of(text) is MessageState.EXPIRED
    assert desk.gateway.sent == []


def test_a_permanent_failure_is_final_and_never_retried(desk: Desk) -> None:
    desk.gateway.script = [PermanentSendError("the number is no mobile", code="21614", error_class="permanent_number")]
    text = a_text(desk)
    desk.add(text)
    desk.send()
    desk.clock.advance(hours=1)
    desk.send()
    assert desk.state_of(text) is MessageState.FAILED
    assert len(desk.gateway.sent) == 1
    assert desk.attempts(text)[0].error_code == "21614"


def test_an_opt_out_the_carrier_knows_is_imported(desk: Desk) -> None:
    desk.gateway.script = [PermanentSendError("opted out", code="21610", error_class="opted_out")]
    desk.add(a_text(desk))
    desk.send()
    assert desk.opted_out == [NUMBER]


def test_a_transient_failure_is_tried_again_with_backoff_and_then_dead_lettered(desk: Desk) -> None:
    desk.gateway.script = [TransientSendError("throttled", code="20429", error_class="throttled") for _ in range(3)]
    text = a_text(desk)
    desk.add(text)
    for _ in range(3):
        desk.send()
        desk.clock.advance(minutes=10)
    assert len(desk.gateway.sent) == 3
    assert desk.state_of(text) is MessageState.DEAD_LETTER
    assert "gave up after 3 tries" in desk.trace(text)[-1]


def test_a_gateway_that_asks_for_a_pause_gets_it(desk: Desk) -> None:
    pause = timedelta(minutes=7)
    desk.gateway.script = [TransientSendError("throttled", code="429", retry_after=pause)]
    text = a_text(desk)
    desk.add(text)
    desk.send()
    assert desk.row(text).not_before >= NOW + pause


def test_a_time_out_after_the_request_left_is_never_resent_blindly(desk: Desk) -> None:
    desk.gateway.script = [AmbiguousSendError("read timeout", code="read_timeout")]
    text = a_text(desk)
    desk.add(text)
    desk.send()
    desk.clock.advance(hours=1)
    desk.send()
    assert desk.state_of(text) is MessageState.UNKNOWN
    assert len(desk.gateway.sent) == 1
    assert desk.attempts(text)[0].ask_at == NOW + timedelta(seconds=30)


def test_a_receipt_that_beats_our_record_of_the_send_is_kept(desk: Desk) -> None:
    text = a_text(desk)
    desk.add(text)

    def receipt_first(sms: OutgoingSMS) -> None:
        with desk.ledger.begin() as uow:
            report = StatusReport(f"SM{1:030d}", MessageState.DELIVERED, "delivered", sms.attempt_id)
            desk.receipts.apply(uow, "twilio", report, NOW)
            uow.commit()

    desk.gateway.before_answer = receipt_first
    desk.send()
    assert desk.state_of(text) is MessageState.DELIVERED
    assert desk.attempts(text)[0].state is MessageState.DELIVERED


def test_a_defect_of_ours_counts_as_perhaps_sent(desk: Desk) -> None:
    text = a_text(desk)
    desk.add(text)

    def stumble(_sms: OutgoingSMS) -> None:
        raise RuntimeError("bug")

    desk.gateway.before_answer = stumble
    desk.send()
    assert desk.state_of(text) is MessageState.UNKNOWN


def test_only_as_many_texts_are_claimed_as_the_rate_allows(desk: Desk) -> None:
    desk.limiter.grants = 1
    texts = [a_text(desk, msisdn=f"+120255501{n:02d}") for n in range(3)]
    desk.add(*texts)
    desk.limiter.grants = 0
    assert not desk.send()
    assert {desk.state_of(text) for text in texts} == {MessageState.QUEUED}


def test_sending_pauses_when_redis_is_away(desk: Desk) -> None:
    class Away(OpenLimiter):
        def take_each(self, asked: Sequence[Sequence[Bucket]], *, is_urgent: bool = True) -> Sequence[bool]:
            raise QueueUnavailableError("Redis is away")

    desk = replace(desk, limiter=Away())
    text = a_text(desk)
    desk.add(text)
    desk.send()
    assert desk.gateway.sent == []
    assert desk.state_of(text) is MessageState.QUEUED


def test_a_retry_of_a_text_whose_journey_ended_meanwhile_is_cancelled(desk: Desk) -> None:
    desk.gateway.script = [TransientSendError("unavailable", code="503")]
    text = a_text(desk, enrollment_id="e-1")
    desk.add(text)
    desk.send()
    enrollment = EnrollmentRow(
        id="e-1",
        account_id=desk.account_id,
        contact_id="c-1",
        journey="invoice-overdue",
        journey_version_id="v-1",
        key="7",
        epoch=0,
        subject="invoice:7",
        status="ended",
        state={},
        started_at=NOW,
    )
    with desk.ledger.begin() as uow:
        uow.enrollments.add(enrollment)
        uow.commit()
    desk.clock.advance(minutes=10)
    desk.send()
    assert desk.state_of(text) is MessageState.CANCELLED
    assert len(desk.gateway.sent) == 1


def test_an_answer_the_ledger_refused_once_is_recorded_the_second_time(desk: Desk) -> None:
    text = a_text(desk)
    desk.add(text)
    record, refusals = desk.dispatcher._recorder.record, [RuntimeError("deadlock detected")]

    def refuse_once(finished: Sequence[Sent]) -> None:
        if refusals:
            raise refusals.pop()
        record(finished)

    desk.dispatcher._recorder.record = refuse_once  # type: ignore[method-assign]
    desk.send()
    assert desk.state_of(text) is MessageState.ACCEPTED


def test_a_claim_that_fails_takes_no_answer_with_it(desk: Desk) -> None:
    claimed_again = threading.Event()
    claim, claims = desk.path.claimer.claim, list[int]()

    def fail_the_second_time(gateway: str, purpose: str, room: int) -> Claimed:
        claims.append(room)
        if len(claims) == 2:
            claimed_again.set()
            raise RuntimeError("deadlock detected")
        return claim(gateway, purpose, room)

    def answer(sms: OutgoingSMS) -> Accepted:
        assert sms.body == "quick" or claimed_again.wait(30)
        return Accepted(f"SM-{sms.attempt_id}", MessageState.ACCEPTED, "queued")

    desk.gateway.send = answer  # type: ignore[method-assign]
    desk.path.claimer.claim = fail_the_second_time  # type: ignore[method-assign]
    texts = [a_text(desk, body=body) for body in ("slow", "slow", "slow", "quick")]
    desk.add(*texts)
    with pytest.raises(RuntimeError, match="deadlock detected"):
        desk.send()
    assert {desk.state_of(text) for text in texts} == {MessageState.ACCEPTED}


def test_texts_of_a_gateway_that_is_no_longer_in_use_find_another_way(desk: Desk) -> None:
    text = replace(a_text(desk), gateway="pigeon")
    desk.add(text)
    desk.send()
    assert (desk.row(text).state, desk.row(text).gateway) == (MessageState.ACCEPTED, "twilio")


def test_a_process_that_stood_still_after_its_claim_sends_nothing_late(desk: Desk) -> None:
    text = a_text(desk)
    desk.add(text)
    claimed = desk.path.claimer.claim("twilio", "transactional", 1)
    desk.clock.advance(seconds=60)
    with pytest.raises(TransientSendError, match="grown old"):
        desk.dispatcher._send(claimed.claims[0])
    assert desk.gateway.sent == []
