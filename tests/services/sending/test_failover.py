"""Does a text whose gateway fails go out through another one, once, and does its trace say why?"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.domain.circuit import Answers, CircuitState
from connector.domain.message import ErrorClass, MessageState, Purpose, SendPolicy
from connector.domain.timeline import EntryKind
from connector.errors import AmbiguousSendError, PermanentSendError, TransientSendError
from connector.ports.gateway import OutgoingSMS
from connector.services.gateway_health import HealthBoard
from tests.adapters.store.factories import NOW
from tests.domain.gateway_parts import long_code
from tests.services.sending.conftest import Desk, ScriptedGateway
from tests.services.sending.texts import a_text, down, failing, in_order, some_texts, with_plivo, work


def open_circuit(desk: Desk, gateway: str = "twilio") -> None:
    desk.path.health.hear(gateway, Answers(0, 20))
    assert desk.path.health.of(gateway).state is CircuitState.OPEN


def test_a_gateway_answers_503_once_and_another_one_takes_the_text_within_seconds(desk: Desk) -> None:
    desk, plivo = with_plivo(desk)
    desk.gateway.script = failing(down, 1)
    text = a_text(desk)
    desk.add(text)
    work(desk)
    assert desk.state_of(text) is MessageState.QUEUED
    assert desk.row(text).not_before - NOW <= timedelta(seconds=1)
    desk.clock.advance(seconds=1)
    work(desk)
    assert (len(desk.gateway.sent), len(plivo.sent)) == (1, 1)
    assert (desk.row(text).state, desk.row(text).gateway) == (MessageState.ACCEPTED, "plivo")
    assert [attempt.gateway for attempt in desk.attempts(text)] == ["twilio", "plivo"]
    (routed,) = desk.entries(text, EntryKind.MESSAGE_ROUTED)[-1:]
    assert routed.summary == "goes through plivo: the only one left that delivers enough"
    assert {"gateway": "twilio", "tried": True}.items() <= routed.data["candidates"][1].items()
    assert any("another gateway is next" in line for line in desk.trace(text))


def test_a_sender_that_one_gateway_may_not_use_is_no_matter_of_the_next(desk: Desk) -> None:
    desk, plivo = with_plivo(desk)
    desk.gateway.script = [
        PermanentSendError("unregistered", code="30034", error_class=ErrorClass.SENDER_OR_REGISTRATION)
    ]
    text = a_text(desk)
    desk.add(text)
    work(desk)
    desk.clock.advance(seconds=1)
    work(desk)
    assert (len(desk.gateway.sent), len(plivo.sent)) == (1, 1)
    assert (desk.row(text).state, desk.row(text).gateway) == (MessageState.ACCEPTED, "plivo")


def test_a_refused_sender_is_final_where_no_other_gateway_is_left(desk: Desk) -> None:
    desk, plivo = with_plivo(desk)
    refusal = PermanentSendError("unregistered", code="30034", error_class=ErrorClass.SENDER_OR_REGISTRATION)
    desk.gateway.script, plivo.script = [refusal], [refusal]
    text = a_text(desk)
    desk.add(text)
    for _ in range(3):
        work(desk)
        desk.clock.advance(seconds=1)
    assert (len(desk.gateway.sent), len(plivo.sent)) == (1, 1)
    assert desk.state_of(text) is MessageState.FAILED


def test_a_text_that_failed_over_is_sent_by_no_further_look_at_either_lane(desk: Desk) -> None:
    desk, plivo = with_plivo(desk)
    desk.gateway.script = failing(down, 1)
    desk.add(a_text(desk))
    for _ in range(5):
        work(desk)
        desk.dispatcher.drain("plivo", "transactional")
        desk.clock.advance(minutes=2)
    assert (len(desk.gateway.sent), len(plivo.sent)) == (1, 1)


def test_a_gateway_that_failed_with_a_text_gets_it_again_only_when_nothing_else_is_left(desk: Desk) -> None:
    desk, plivo = with_plivo(desk)
    desk.gateway.script, plivo.script = failing(down, 1), failing(down, 1)
    text = a_text(desk)
    desk.add(text)
    for _ in range(3):
        work(desk)
        desk.clock.advance(minutes=6)
    assert [attempt.gateway for attempt in desk.attempts(text)] == ["twilio", "plivo", "twilio"]
    assert desk.state_of(text) is MessageState.ACCEPTED
    routed = desk.entries(text, EntryKind.MESSAGE_ROUTED)[-1]
    assert [each["tried"] for each in routed.data["candidates"]] == [True, True]


def test_the_pause_a_gateway_asks_for_is_kept_when_no_other_one_could_carry_the_text(desk: Desk) -> None:
    senders = (long_code("+12025550100", "twilio"), long_code("+12025550101", "plivo", "US"))
    desk, plivo = with_plivo(desk, in_order("twilio", "plivo", senders=senders))
    pause = timedelta(minutes=7)
    desk.gateway.script = [TransientSendError("throttled", code="429", error_class="throttled", retry_after=pause)]
    text = a_text(desk)
    desk.add(text)
    work(desk)
    assert desk.row(text).not_before >= NOW + pause
    desk.clock.advance(minutes=8)
    work(desk)
    assert (len(desk.gateway.sent), len(plivo.sent)) == (2, 0)


def test_a_text_leaves_the_sender_of_the_gateway_that_failed_behind(desk: Desk) -> None:
    desk, plivo = with_plivo(desk, in_order("twilio", "plivo", senders=(long_code("+12025550100", "twilio"),)))
    desk.gateway.script = failing(down, 1)
    text = a_text(desk)
    desk.add(text)
    work(desk)
    assert desk.gateway.sent[0].sender == "+12025550100"
    desk.clock.advance(seconds=1)
    work(desk)
    assert [sms.sender for sms in plivo.sent] == [None]


def test_a_time_out_after_the_request_left_is_not_retried_through_another_gateway_blindly(desk: Desk) -> None:
    desk, plivo = with_plivo(desk)
    desk.gateway.script = [AmbiguousSendError("read timeout", code="read_timeout")]
    text = a_text(desk)
    desk.add(text)
    for _ in range(3):
        work(desk)
        desk.clock.advance(minutes=2)
    assert desk.state_of(text) is MessageState.UNKNOWN
    assert plivo.sent == []


def test_a_text_its_gateway_has_certainly_never_seen_goes_through_another_one(desk: Desk) -> None:
    desk, plivo = with_plivo(desk)
    desk.gateway.script = [AmbiguousSendError("read timeout", code="read_timeout")]
    text = a_text(desk)
    desk.add(text)
    work(desk)
    desk.clock.advance(minutes=4)
    desk.reconciler.ask()
    work(desk)
    assert (len(desk.gateway.sent), len(plivo.sent)) == (1, 1)
    assert desk.state_of(text) is MessageState.ACCEPTED


def test_a_refusal_for_good_is_taken_to_no_other_gateway(desk: Desk) -> None:
    desk, plivo = with_plivo(desk)
    desk.gateway.script = [PermanentSendError("no mobile", code="21614", error_class="permanent_number")]
    text = a_text(desk)
    desk.add(text)
    work(desk)
    desk.clock.advance(minutes=2)
    work(desk)
    assert (desk.state_of(text), plivo.sent) == (MessageState.FAILED, [])


def test_recipients_past_the_point_where_a_gateway_falls_are_not_dropped(desk: Desk) -> None:
    desk, plivo = with_plivo(desk)
    desk.gateway.script = [*[MessageState.ACCEPTED] * 10, *failing(down, 100)]
    texts = some_texts(desk, 60)
    for _ in range(10):
        work(desk)
        desk.clock.advance(seconds=2)
    assert {desk.state_of(text) for text in texts} == {MessageState.ACCEPTED}
    reached = Counter(sms.to for sms in plivo.sent)
    assert len(reached) == 50
    assert max(reached.values()) == 1


# ---- circuits


def test_the_circuit_of_a_gateway_that_fails_opens_and_its_texts_go_another_way(desk: Desk) -> None:
    desk, plivo = with_plivo(desk)
    desk.gateway.script = failing(down, 100)
    some_texts(desk, 40)
    work(desk)
    assert desk.path.health.of("twilio").state is CircuitState.OPEN
    assert len(desk.gateway.sent) < 40
    tried = len(desk.gateway.sent)
    late = a_text(desk, msisdn="+12025550177")
    desk.add(late)
    work(desk)
    assert len(desk.gateway.sent) == tried
    assert desk.row(late).gateway == "plivo"
    (routed,) = desk.entries(late, EntryKind.MESSAGE_ROUTED)
    assert {"gateway": "twilio", "refused": "its circuit is open"} in routed.data["candidates"]
    assert "+12025550177" in {sms.to for sms in plivo.sent}


def test_texts_without_another_way_wait_and_say_for_what_and_until_when(desk: Desk) -> None:
    open_circuit(desk)
    texts = some_texts(desk, 3)
    work(desk)
    assert desk.gateway.sent == []
    rows = [desk.row(text) for text in texts]
    assert {row.state for row in rows} == {MessageState.HELD}
    assert {row.state_reason for row in rows} == {"no gateway can take it: twilio its circuit is open"}
    until = desk.path.health.of("twilio").until
    assert until is not None
    assert {row.not_before for row in rows} == {NOW + timedelta(seconds=15)}
    assert all(row.not_before >= until for row in rows)
    held = desk.entries(texts[0], EntryKind.MESSAGE_HELD)
    assert held[-1].data["until"] == rows[0].not_before.isoformat()


def test_a_circuit_that_rests_for_minutes_holds_texts_as_long(desk: Desk) -> None:
    open_circuit(desk)
    for _ in range(8):
        until = desk.path.health.of("twilio").until
        assert until is not None
        desk.clock.time = until
        desk.path.health.hear("twilio", Answers(0, 1))
    text = a_text(desk)
    desk.add(text)
    work(desk)
    assert desk.row(text).not_before == desk.clock.now() + timedelta(minutes=5)


def test_probes_bring_a_gateway_back_and_its_texts_go_out_once_each(desk: Desk) -> None:
    open_circuit(desk)
    texts = some_texts(desk, 30)
    for number in range(12):
        texts += [a_text(desk, msisdn=f"+447700900{number:03d}")]
        desk.add(texts[-1])
        work(desk)
        desk.clock.advance(seconds=16)
        desk.wake()
    assert {desk.state_of(text) for text in texts} == {MessageState.ACCEPTED}
    assert Counter(sms.to for sms in desk.gateway.sent) == Counter(text.msisdn for text in texts)
    assert desk.path.health.of("twilio").state is CircuitState.CLOSED


def test_a_probed_gateway_has_one_request_under_way_at_a_time(desk: Desk) -> None:
    open_circuit(desk)
    desk.clock.advance(seconds=30)
    assert desk.path.health.of("twilio").state is CircuitState.PROBING
    under_way, most = list[str](), list[int]()

    def note(sms: OutgoingSMS) -> None:
        under_way.append(sms.to)
        most.append(len(under_way))
        under_way.remove(sms.to)

    desk.gateway.before_answer = note
    some_texts(desk, 2)
    work(desk)
    assert most == [1, 1]


def test_a_gateway_that_is_still_down_gets_one_probe_and_the_texts_wait_on(desk: Desk) -> None:
    open_circuit(desk)
    desk.gateway.script = failing(down, 100)
    texts = some_texts(desk, 10)
    work(desk)
    desk.clock.advance(seconds=16)
    desk.wake()
    work(desk)
    assert len(desk.gateway.sent) == 1
    assert {desk.state_of(text) for text in texts} == {MessageState.HELD, MessageState.QUEUED}


def test_what_one_process_finds_out_every_other_one_knows(desk: Desk) -> None:
    one, plivo = with_plivo(desk)
    other = replace(one)
    assert other.path.health.of("twilio").state is CircuitState.CLOSED
    open_circuit(one)
    other.clock.advance(seconds=1)  # so old a view of the others' findings may be
    assert other.path.health.of("twilio").state is CircuitState.OPEN
    text = a_text(other)
    other.add(text)
    work(other)
    assert (other.gateway.sent, len(plivo.sent)) == ([], 1)


def test_findings_of_two_processes_add_up(desk: Desk) -> None:
    one, other = replace(desk), replace(desk)
    for process in (one, other):
        process.path.health.hear("twilio", Answers(0, 3))
    with desk.ledger.begin(write=False) as uow:
        known = uow.traffic.health("twilio")
    assert known is not None
    assert known.state is CircuitState.OPEN
    assert known.weight == pytest.approx(6, abs=0.5)


def test_good_news_is_written_once_a_second_and_bad_news_at_once(desk: Desk) -> None:
    health = desk.path.health
    health.hear("twilio", Answers(1, 0, 0.2))
    health.hear("twilio", Answers(5, 0, 1.0))

    def weight() -> float:
        with desk.ledger.begin(write=False) as uow:
            return uow.traffic.all_health()["twilio"].weight

    assert weight() == pytest.approx(1.0)
    health.hear("twilio", Answers(0, 1))
    assert weight() == pytest.approx(7.0, abs=0.2)


def test_health_the_ledger_refused_to_take_is_told_with_the_next_answers(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = desk.path.health

    def refuse(**_: object) -> None:
        raise RuntimeError("the database is away")

    with monkeypatch.context() as away:
        away.setattr(desk.ledger, "begin", refuse)
        with pytest.raises(RuntimeError, match="away"):
            health.hear("twilio", Answers(0, 4))
    health.hear("twilio", Answers(0, 4))
    assert health.of("twilio").weight == pytest.approx(8.0)


def test_a_gateway_that_is_probed_gets_the_next_text_once_it_was_quiet_for_half_a_minute(desk: Desk) -> None:
    desk, plivo = with_plivo(desk)
    open_circuit(desk)
    desk.clock.advance(seconds=6)
    assert desk.path.health.shares() == {"twilio": 0.01, "plivo": 1.0}
    desk.clock.advance(seconds=29)
    for number in range(3):  # a shop that sends a text now and then
        desk.add(a_text(desk, msisdn=f"+447700900{number:03d}"))
        work(desk)
        desk.clock.advance(minutes=5)
    assert (len(desk.gateway.sent), len(plivo.sent)) == (3, 0)
    assert desk.path.health.of("twilio").state is CircuitState.LIMITED


def test_a_gateway_that_does_not_know_us_says_nothing_of_its_health(desk: Desk) -> None:
    open_circuit(desk)
    desk.clock.advance(seconds=40)
    unknown = PermanentSendError("wrong key", code="401", error_class=ErrorClass.CONFIG)
    desk.gateway.script = [unknown] * 3
    some_texts(desk, 3)
    work(desk)
    health = desk.path.health.of("twilio")
    assert len(desk.gateway.sent) == 3
    assert (health.state, health.good_probes, health.openings) == (CircuitState.PROBING, 0, 1)


def test_a_text_that_left_before_the_circuit_opened_is_no_probe_of_it(desk: Desk) -> None:
    def fall(_: OutgoingSMS) -> None:
        open_circuit(desk)
        desk.clock.advance(seconds=10)

    desk.gateway.before_answer = fall
    some_texts(desk, 1)
    work(desk)
    health = desk.path.health.of("twilio")
    assert (health.state, health.good_probes) == (CircuitState.PROBING, 0)


def test_nothing_heard_is_nothing_told(desk: Desk) -> None:
    desk.path.health.hear("twilio", Answers(0, 0))
    with desk.ledger.begin(write=False) as uow:
        assert uow.traffic.all_health() == {}


def test_a_rate_or_an_empty_purse_is_no_ill_health(desk: Desk) -> None:
    desk.gateway.script = [
        TransientSendError("throttled", code="429", error_class="throttled"),
        PermanentSendError("no credit", code="402", error_class="account_or_credit"),
        PermanentSendError("no mobile", code="21614", error_class="permanent_number"),
    ]
    some_texts(desk, 3)
    work(desk)
    assert desk.path.health.of("twilio").error_rate == 0.0


def test_a_one_time_code_nobody_can_tell_the_fate_of_goes_out_again_through_another_gateway(desk: Desk) -> None:
    desk, plivo = with_plivo(desk)
    desk.gateway.script = [AmbiguousSendError("read timeout", code="read_timeout")]
    desk.gateway.found = TransientSendError("down", code="503")
    code = a_text(desk, purpose=Purpose.OTP, policy=SendPolicy.AT_LEAST_ONCE)
    desk.add(code)
    work(desk, "send:twilio:otp")
    for _ in range(3):
        desk.clock.advance(seconds=35)
        desk.reconciler.ask()
        desk.clock.advance(seconds=30)
    work(desk, "send:twilio:otp")
    assert [attempt.gateway for attempt in desk.attempts(code)] == ["twilio", "plivo"]
    assert len(plivo.sent) == 1


def test_only_gateways_that_are_set_up_here_carry_texts(desk: Desk) -> None:
    desk = replace(desk, book=in_order("vonage", "twilio"))
    text = a_text(desk, gateway="vonage")
    desk.add(text)
    work(desk, "send:vonage:transactional")
    assert (desk.row(text).gateway, desk.state_of(text)) == ("twilio", MessageState.ACCEPTED)
    assert isinstance(desk.gateways["twilio"], ScriptedGateway)


def test_a_gateway_whose_own_process_has_gone_gets_nothing_until_it_beats_again(desk: Desk) -> None:
    seen = HealthBoard(desk.ledger, ["smpp"], desk.clock, elsewhere=["smpp"])
    own = HealthBoard(desk.ledger, ["smpp"], desk.clock)
    assert (seen.shares(), seen.of("smpp").reason) == ({"smpp": 0.0}, "its own process does not run")
    own.beat("smpp")
    desk.clock.advance(seconds=20)
    assert seen.shares() == {"smpp": 1.0}
    desk.clock.advance(seconds=20)
    assert seen.shares() == {"smpp": 0.0}
