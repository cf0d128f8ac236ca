"""Is every attempt nobody told us about asked for, and is nothing sent twice on the way?"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import redis

from connector.adapters.rate_limiter import RedisRateLimiter
from connector.adapters.sms.twilio import CAPABILITIES
from connector.adapters.store.traffic import SQLTrafficRepository
from connector.adapters.store.unit_of_work import SQLUnitOfWork
from connector.domain.circuit import Answers
from connector.domain.gateway_book import Rate, Rates
from connector.domain.message import MessageState, Purpose, SendPolicy
from connector.domain.retry_rules import RETRIES
from connector.errors import AmbiguousSendError, QueueUnavailableError, TransientSendError, UnanswerableError
from connector.ports.gateway import AttemptQuery, StatusReport
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.queue import Bucket
from connector.services.announcing import announce
from connector.services.outcomes import Sent
from connector.services.sums import Sums
from tests.adapters.store.factories import NOW, a_message
from tests.services.sending.conftest import PATIENT, Desk, OpenLimiter, ScriptedGateway
from tests.services.sending.texts import a_text, noted, some_texts, work

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


def test_a_receipt_from_the_inbox_moves_its_message(desk: Desk) -> None:
    text = a_message(desk.account_id, time_zones=("Europe/London",))
    desk.add(text)
    desk.send()
    desk.callback(f"SM{1:030d} delivered", attempt_id=desk.attempts(text)[0].id)
    desk.receipts.drain()
    assert desk.state_of(text) is MessageState.DELIVERED


def test_a_receipt_that_names_another_message_than_its_attempt_is_ignored(desk: Desk) -> None:
    text = a_message(desk.account_id, time_zones=("Europe/London",))
    desk.add(text)
    desk.send()
    desk.callback(f"{SID} delivered", attempt_id=desk.attempts(text)[0].id)
    desk.receipts.drain()
    assert desk.state_of(text) is MessageState.ACCEPTED


def test_a_receipt_that_matches_nothing_is_kept_for_days_not_tries(desk: Desk) -> None:
    desk.callback(f"{SID} delivered", attempt_id=None)
    for _ in range(20):
        desk.receipts.drain()
        desk.clock.advance(hours=2)
    with desk.ledger.begin(write=False) as uow:
        assert uow.inbox.waiting(desk.clock.now()) == {"twilio.status": 1}
    desk.clock.advance(days=3)
    desk.receipts.drain()
    with desk.ledger.begin(write=False) as uow:
        assert uow.inbox.waiting(desk.clock.now() + timedelta(days=1)) == {}


# ---- gateways that cannot be asked


def unaskable(desk: Desk) -> None:
    desk.gateway.found = UnanswerableError("there is no status query")


def test_a_text_nobody_can_be_asked_about_waits_for_its_receipt_as_long_as_its_purpose_allows(desk: Desk) -> None:
    text = lost(desk)
    unaskable(desk)
    desk.clock.advance(seconds=31)
    desk.reconciler.ask()
    assert desk.attempts(text)[0].ask_at == NOW + timedelta(days=1)
    desk.clock.time = NOW + timedelta(hours=23)
    desk.reconciler.ask()
    assert desk.state_of(text) is MessageState.UNKNOWN
    desk.clock.time = NOW + timedelta(days=1)
    desk.reconciler.ask()
    assert desk.state_of(text) is MessageState.DEAD_LETTER
    assert (len(desk.gateway.asked), len(desk.gateway.sent)) == (2, 1)


def test_its_receipt_ends_the_waiting(desk: Desk) -> None:
    text = lost(desk)
    unaskable(desk)
    desk.clock.advance(seconds=31)
    desk.reconciler.ask()
    desk.apply(text, MessageState.DELIVERED, provider_message_id=SID)
    desk.clock.advance(days=2)
    desk.reconciler.ask()
    assert desk.state_of(text) is MessageState.DELIVERED
    assert len(desk.gateway.asked) == 1


def a_lost_code(desk: Desk, **changes: object) -> MessageRow:
    values = {"policy": SendPolicy.AT_LEAST_ONCE} | changes
    code = a_text(desk, purpose=Purpose.OTP, **values)
    desk.gateway.script = [AmbiguousSendError("read timeout", code="read_timeout")]
    desk.add(code)
    work(desk, "send:twilio:otp")
    return code


def test_a_code_nobody_can_be_asked_about_is_sent_again_when_its_reader_has_lost_patience(desk: Desk) -> None:
    code = a_lost_code(desk)
    unaskable(desk)
    for seconds, state in ((31, MessageState.UNKNOWN), (13, MessageState.UNKNOWN), (1, MessageState.QUEUED)):
        desk.clock.advance(seconds=seconds)
        desk.reconciler.ask()
        assert desk.state_of(code) is state
    assert desk.clock.now() == NOW + timedelta(seconds=45)
    work(desk, "send:twilio:otp")
    assert len(desk.gateway.sent) == 2


def test_a_code_the_gateway_has_not_seen_within_its_patience_is_not_waited_for_three_minutes(desk: Desk) -> None:
    code = a_lost_code(desk)
    for seconds in (31, 14):
        desk.clock.advance(seconds=seconds)
        desk.reconciler.ask()
    assert desk.state_of(code) is MessageState.QUEUED


def test_a_code_is_not_sent_again_when_its_life_is_over(desk: Desk) -> None:
    code = a_lost_code(desk, expires_at=NOW + timedelta(seconds=40))
    unaskable(desk)
    desk.clock.advance(seconds=46)
    desk.reconciler.ask()
    desk.clock.advance(seconds=46)
    desk.reconciler.ask()
    assert desk.state_of(code) is MessageState.DEAD_LETTER
    assert len(desk.gateway.sent) == 1


def test_a_code_is_sent_no_more_often_than_its_tries(desk: Desk) -> None:
    code = a_lost_code(desk)
    unaskable(desk)
    for _ in range(12):
        desk.gateway.script = [AmbiguousSendError("read timeout", code="read_timeout")]
        desk.clock.advance(seconds=46)
        desk.reconciler.ask()
        work(desk, "send:twilio:otp")
    assert len(desk.gateway.sent) == 4
    assert desk.state_of(code) is MessageState.DEAD_LETTER


def a_taken_code(desk: Desk) -> MessageRow:
    code = a_text(desk, purpose=Purpose.OTP, policy=SendPolicy.AT_LEAST_ONCE)
    desk.add(code)
    work(desk, "send:twilio:otp")
    unaskable(desk)
    return code


def test_a_code_that_was_taken_but_never_heard_of_is_sent_again(desk: Desk) -> None:
    code = a_taken_code(desk)
    desk.clock.advance(seconds=45)
    desk.reconciler.ask()
    assert desk.state_of(code) is MessageState.QUEUED


def test_the_silence_of_a_gateway_that_never_tells_what_became_of_a_text_means_nothing(desk: Desk) -> None:
    mute = replace(desk, gateway=ScriptedGateway(capabilities=replace(CAPABILITIES, receipts="")))
    code = a_taken_code(mute)
    for _ in range(10):
        mute.clock.advance(seconds=46)
        mute.reconciler.ask()
        work(mute, "send:twilio:otp")
    assert (mute.state_of(code), len(mute.gateway.sent)) == (MessageState.ACCEPTED, 1)
    assert mute.attempts(code)[0].ask_at is None


def test_a_code_the_gateway_says_it_has_delivered_is_not_sent_again(desk: Desk) -> None:
    code = a_taken_code(desk)
    desk.gateway.found = StatusReport(f"SM{1:030d}", MessageState.DELIVERED, "delivered")
    desk.clock.advance(minutes=2)
    desk.reconciler.ask()
    assert (desk.state_of(code), desk.attempts(code)[0].ask_at) == (MessageState.DELIVERED, None)


def test_a_code_the_gateway_says_it_has_sent_goes_again_when_its_reader_has_lost_patience(desk: Desk) -> None:
    code = a_lost_code(desk)
    desk.gateway.found = StatusReport(SID, MessageState.SENT, "sent")
    desk.clock.advance(seconds=31)
    desk.reconciler.ask()
    assert desk.state_of(code) is MessageState.SENT
    desk.clock.advance(minutes=1)
    desk.reconciler.ask()
    assert desk.state_of(code) is MessageState.QUEUED


def test_an_attempt_through_a_gateway_that_is_no_longer_set_up_waits_for_a_person_in_the_end(desk: Desk) -> None:
    text = lost(desk)
    without = replace(desk)
    del without.gateways["twilio"]
    for _ in range(3):
        without.clock.advance(hours=13)
        without.reconciler.ask()
    assert without.state_of(text) is MessageState.DEAD_LETTER


# ---- how many are asked, and how many at a time


def many_lost(desk: Desk, count: int) -> list[MessageRow]:
    desk.gateway.script = [AmbiguousSendError("read timeout", code="read_timeout") for _ in range(count)]
    desk = replace(desk, book=replace(PATIENT, rates=Rates({"twilio": Rate(1000, concurrency=100)})))
    desk.path.health.tell()
    texts = some_texts(desk, count)
    claims = desk.path.claimer.claim("twilio", "transactional", count).claims
    error = AmbiguousSendError("read timeout", code="read_timeout")
    desk.path.recorder.record([Sent(each.message, each.attempt, each.reason, error=error) for each in claims])
    desk.gateway.script = []
    desk.clock.advance(seconds=31)
    return texts


def test_no_more_are_asked_than_a_gateway_may_be_and_the_others_are_asked_soon_after(
    desk: Desk, redis_client: redis.Redis
) -> None:
    texts = many_lost(desk, 40)
    desk.reconciler._limiter = RedisRateLimiter(redis_client)
    assert not desk.reconciler.ask()
    asked = len(desk.gateway.asked)
    assert 1 <= asked <= 25
    soon = [desk.attempts(text)[0].ask_at for text in texts]
    assert soon.count(desk.clock.now() + timedelta(seconds=2)) == 40 - asked
    redis_client.flushall()
    desk.clock.advance(seconds=2)
    desk.reconciler.ask()
    assert len({query.attempt_id for query in desk.gateway.asked}) == len(desk.gateway.asked) > asked


def test_while_redis_is_away_nobody_is_asked_and_nothing_is_lost(desk: Desk) -> None:
    class Away(OpenLimiter):
        def take_each(self, asked: Sequence[Sequence[Bucket]], *, is_urgent: bool = True) -> Sequence[bool]:
            raise QueueUnavailableError("Redis is away")

    text = lost(desk)
    away = replace(desk, limiter=Away())
    desk.clock.advance(seconds=31)
    away.reconciler.ask()
    assert desk.gateway.asked == []
    assert desk.attempts(text)[0].ask_at == desk.clock.now() + timedelta(seconds=2)


def test_several_are_asked_at_once(desk: Desk) -> None:
    many_lost(desk, 8)
    together = threading.Barrier(8)

    def find(query: AttemptQuery) -> StatusReport | None:
        assert query.to
        together.wait(20)  # breaks unless eight are here at a time
        return None

    desk.gateway.find = find  # type: ignore[method-assign]
    desk.clock.advance(minutes=4)
    desk.reconciler.ask()
    with desk.ledger.begin(write=False) as uow:
        assert uow.messages.counts() == {"queued": 8}


def test_a_defect_over_one_attempt_keeps_no_other_one_from_its_answer(desk: Desk) -> None:
    texts = many_lost(desk, 3)
    poisoned = desk.attempts(texts[0])[0].id

    def find(query: AttemptQuery) -> StatusReport | None:
        if query.attempt_id == poisoned:
            raise KeyError("status")
        return StatusReport(f"SM-{query.attempt_id}", MessageState.DELIVERED, "delivered")

    desk.gateway.find = find  # type: ignore[method-assign]
    desk.reconciler.ask()
    assert [desk.state_of(text) for text in texts] == [MessageState.UNKNOWN, *[MessageState.DELIVERED] * 2]


def test_an_answer_that_cannot_be_recorded_keeps_no_other_one_from_being(desk: Desk) -> None:
    texts = many_lost(desk, 3)
    poisoned = desk.attempts(texts[0])[0].id
    apply = desk.receipts.apply

    def stumble(
        uow: UnitOfWork, gateway: str, report: StatusReport, now: datetime, sums: Sums | None = None
    ) -> str | None:
        if report.attempt_id == poisoned:
            raise RuntimeError("a bug")
        return apply(uow, gateway, report, now, sums)

    desk.receipts.apply = stumble  # type: ignore[method-assign]
    desk.gateway.find = lambda query: StatusReport(f"SM-{query.attempt_id}", MessageState.DELIVERED, "delivered")  # type: ignore[method-assign]
    desk.reconciler.ask()
    assert [desk.state_of(text) for text in texts] == [MessageState.UNKNOWN, *[MessageState.DELIVERED] * 2]
    assert desk.attempts(texts[0])[0].ask_at == desk.clock.now() + timedelta(minutes=2)


def test_a_second_attempt_speaks_for_a_text_whose_first_one_was_never_seen(desk: Desk) -> None:
    text = lost(desk)
    desk.clock.advance(minutes=4)
    desk.reconciler.ask()
    work(desk)
    assert [attempt.state for attempt in desk.attempts(text)] == [MessageState.FAILED, MessageState.ACCEPTED]
    desk.apply(text, MessageState.UNDELIVERED, provider_message_id=SID)
    assert desk.state_of(text) is MessageState.ACCEPTED
    desk.apply(text, MessageState.DELIVERED, number=1)
    assert desk.state_of(text) is MessageState.DELIVERED


# ---- who waits for whom


def test_a_dead_claim_and_its_receipt_do_not_wait_for_each_other(on_postgres: Desk) -> None:
    desk = on_postgres
    text = a_text(desk)
    desk.add(text)
    desk.path.claimer.claim("twilio", "transactional", 1)
    attempt = desk.attempts(text)[0]
    desk.clock.advance(minutes=2)
    freed, failures = list[int](), list[Exception]()

    def free() -> None:
        try:
            freed.append(desk.reconciler.free_abandoned())
        except Exception as error:  # noqa: BLE001 - a deadlock ends one of the two, whichever
            failures.append(error)

    sweep = threading.Thread(target=free)
    with desk.ledger.begin() as uow:  # holds what it names in the order of a receipt
        uow.attempts.many([attempt.id])
        sweep.start()
        sweep.join(0.5)
        assert sweep.is_alive()
        uow.messages.many([text.id], lock=True)
        uow.commit()
    sweep.join(20)
    assert (freed, failures, desk.state_of(text)) == ([1], [], MessageState.UNKNOWN)


def test_a_claim_that_ended_while_it_was_looked_at_is_left_alone(desk: Desk) -> None:
    text = a_text(desk)
    desk.add(text)
    claims = desk.path.claimer.claim("twilio", "transactional", 1).claims
    desk.clock.advance(minutes=2)
    begin = desk.ledger.begin

    def record_first(*, write: bool = True) -> SQLUnitOfWork:
        if write:
            desk.ledger.begin = begin  # type: ignore[method-assign]
            error = TransientSendError("busy", code="503")
            desk.path.recorder.record([Sent(each.message, each.attempt, each.reason, error=error) for each in claims])
        return begin(write=write)

    desk.ledger.begin = record_first  # type: ignore[method-assign]
    assert desk.reconciler.free_abandoned() == 0
    assert (desk.state_of(text), desk.attempts(text)[0].state) == (MessageState.QUEUED, MessageState.FAILED)


def test_sums_are_written_after_everybody_has_been_woken(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    code = a_lost_code(desk)
    desk.gateway.found = StatusReport(SID, MessageState.SENT, "sent")
    desk.clock.advance(minutes=1)
    done: list[str] = []
    for module in ("receipts", "reconcile"):
        monkeypatch.setattr(f"connector.services.{module}.announce", noted(announce, "announced", done))
    monkeypatch.setattr(SQLTrafficRepository, "note", noted(SQLTrafficRepository.note, "sums", done))
    desk.reconciler.ask()
    assert desk.state_of(code) is MessageState.QUEUED
    assert done == ["announced", "announced", "sums"]


# ---- how often, and for how long


def test_a_text_that_a_gateway_never_sees_is_tried_no_more_often_than_its_rule_says(desk: Desk) -> None:
    text = lost(desk)
    for _ in range(6):
        desk.gateway.script = [AmbiguousSendError("read timeout", code="read_timeout")]
        desk.clock.advance(minutes=4)
        desk.reconciler.ask()
        work(desk)
    assert (desk.state_of(text), len(desk.gateway.sent)) == (MessageState.DEAD_LETTER, 3)
    assert desk.trace(text)[-1] == "twilio has certainly never seen the attempt; gave up after 3 tries"


@pytest.mark.parametrize("is_asked", [True, False])
def test_nothing_is_sent_again_when_the_lifetime_of_its_purpose_is_over(desk: Desk, *, is_asked: bool) -> None:
    rule = replace(RETRIES[Purpose.OTP], lifetime=timedelta(seconds=40))
    brief = replace(desk, book=replace(PATIENT, retries={**PATIENT.retries, Purpose.OTP: rule}))
    code = a_lost_code(brief) if is_asked else a_lost_code(brief, policy=SendPolicy.AT_MOST_ONCE)
    if is_asked:
        unaskable(brief)
    brief.clock.advance(minutes=4)
    brief.reconciler.ask()
    expected = MessageState.DEAD_LETTER if is_asked else MessageState.EXPIRED
    assert (brief.state_of(code), len(brief.gateway.sent)) == (expected, 1)


def test_a_gateway_that_answers_nobody_is_not_asked_about_the_rest_of_its_batch(desk: Desk) -> None:
    texts = many_lost(desk, 40)
    desk.gateway.found = AmbiguousSendError("read timeout", code="read_timeout")
    assert desk.reconciler.ask() is False
    asked = [desk.attempts(text)[0].asked for text in texts]
    assert 2 <= sum(asked) == len(desk.gateway.asked) <= 9
    spared = [desk.attempts(text)[0] for text, number in zip(texts, asked, strict=True) if not number]
    assert {attempt.ask_at for attempt in spared} == {desk.clock.now() + timedelta(seconds=30)}


def test_a_batch_that_has_taken_its_time_asks_nobody_else(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = many_lost(desk, 3)
    monkeypatch.setattr("connector.services.asking.BUDGET_SECONDS", 0.0)
    assert desk.reconciler.ask() is False
    assert desk.gateway.asked == []
    assert {desk.attempts(text)[0].ask_at for text in texts} == {desk.clock.now() + timedelta(seconds=30)}
    assert {desk.attempts(text)[0].asked for text in texts} == {0}


def break_circuit(desk: Desk) -> None:
    desk.path.health.hear("twilio", Answers(0, 20))


def test_a_gateway_whose_circuit_is_open_is_not_asked(desk: Desk) -> None:
    text = lost(desk)
    desk.clock.advance(seconds=31)
    break_circuit(desk)
    desk.reconciler.ask()
    assert desk.gateway.asked == []
    assert desk.attempts(text)[0].ask_at == desk.clock.now() + timedelta(seconds=30)
    desk.clock.advance(seconds=31)
    desk.reconciler.ask()
    assert len(desk.gateway.asked) == 1


def test_a_code_waits_for_no_gateway_whose_circuit_is_open(desk: Desk) -> None:
    code = a_lost_code(desk)
    desk.clock.advance(seconds=31)
    break_circuit(desk)
    desk.reconciler.ask()
    assert desk.attempts(code)[0].ask_at == NOW + timedelta(seconds=45)
    desk.clock.advance(seconds=14)
    break_circuit(desk)
    break_circuit(desk)
    desk.reconciler.ask()
    assert (desk.state_of(code), desk.gateway.asked) == (MessageState.QUEUED, [])


def test_a_code_is_asked_for_before_what_has_been_silent_for_longer(desk: Desk) -> None:
    silent = [a_text(desk, msisdn=f"+120255501{n:02d}") for n in range(50)]
    desk.add(*silent)
    work(desk)
    desk.clock.advance(minutes=16)
    code = a_lost_code(desk)
    desk.clock.advance(seconds=40)
    desk.reconciler.ask()
    assert desk.attempts(code)[0].id in {query.attempt_id for query in desk.gateway.asked}
