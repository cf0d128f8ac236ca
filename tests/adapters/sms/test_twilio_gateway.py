from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connector.adapters.sms import twilio
from connector.adapters.sms.twilio import TwilioGateway
from connector.domain.message import ErrorClass, MessageState, Purpose
from connector.errors import (
    AmbiguousSendError,
    ConfigurationError,
    PermanentSendError,
    TransientSendError,
)
from connector.ports.gateway import AttemptQuery, CallbackRequest, DLTRegistration, OutgoingSMS, SMSGateway
from connector.sandbox.clock import SandboxClock
from connector.sandbox.gateways.receipts import Stage
from connector.sandbox.twilio.sandbox import ACCOUNT_SID, AUTH_TOKEN, TwilioSandbox
from connector.sandbox.twilio.world import TwilioWorld
from tests.adapters.sms.contract import NUMBER, SENDER, Break, RemoteGatewayContract, sms
from tests.adapters.sms.emulated import Receiver

CREATE = "twilio.messages.create"


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def sandbox(receiver: Receiver) -> Iterator[TwilioSandbox]:
    """The emulated gateway; nothing is delivered before its engine is told to, so what was sent stays queued."""
    world = TwilioWorld(SandboxClock(), ACCOUNT_SID, AUTH_TOKEN)
    world.add_sender(SENDER)
    world.add_sender("ACME")
    box = TwilioSandbox(world, post=receiver)
    with box.server:
        yield box


@pytest.fixture
def gateway(sandbox: TwilioSandbox) -> Iterator[TwilioGateway]:
    one = TwilioGateway(ACCOUNT_SID, [AUTH_TOKEN, "an-older-token"], sandbox.url, sender=SENDER, lookup_url=sandbox.url)
    yield one
    one.close()


def query(sandbox: TwilioSandbox, text: OutgoingSMS, at: datetime | None = None, *exclude: str) -> AttemptQuery:
    at = at or sandbox.world.clock.now()
    return AttemptQuery(text.attempt_id, None, text.to, text.sender, text.body, at, frozenset(exclude))


class TestTwilioGateway(RemoteGatewayContract):
    @pytest.fixture(autouse=True)
    def take_sandbox(self, sandbox: TwilioSandbox, receiver: Receiver) -> None:
        self.sandbox, self.receiver = sandbox, receiver

    def now(self) -> datetime:
        return self.sandbox.world.clock.now()

    def deliver(self, gateway: SMSGateway) -> list[CallbackRequest]:
        return self.receiver.after(self.sandbox.engine)

    @pytest.fixture
    def break_next(self, sandbox: TwilioSandbox) -> Break:
        def arm(kind: str, **options: Any) -> None:
            sandbox.faults.arm(CREATE, kind, **options)

        return arm

    @pytest.fixture
    def unreachable(self) -> TwilioGateway:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and closed, not listening: refused at once
            port = taken.getsockname()[1]
        return TwilioGateway(ACCOUNT_SID, [AUTH_TOKEN], f"http://127.0.0.1:{port}", sender=SENDER)

    @pytest.fixture
    def received(self, sandbox: TwilioSandbox) -> Callable[[], int]:
        return lambda: len(sandbox.world.messages())

    @pytest.fixture
    def requests(self, sandbox: TwilioSandbox) -> Callable[[], int]:
        return lambda: sandbox.world.calls["messages.create"]

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (AUTH_TOKEN, "Basic ", ACCOUNT_SID)


# -- what is sent


def test_form_says_who_to_what_until_when_and_where_to_report(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    gateway.send(sms())
    (message,) = sandbox.world.messages()
    assert message.form == {
        "To": NUMBER,
        "From": SENDER,
        "Body": sms().body,
        "StatusCallback": "https://sms.example.com/callbacks/status/attempt-1",
        "ValidityPeriod": "3600",
    }


def test_sender_of_the_message_goes_before_the_configured_one(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    assert gateway.send(sms(sender="ACME")).sender == "ACME"
    assert sandbox.world.messages()[0].sender == "ACME"


def test_messaging_service_chooses_the_sender(sandbox: TwilioSandbox) -> None:
    service = sandbox.world.add_service(SENDER)
    gateway = TwilioGateway(ACCOUNT_SID, [AUTH_TOKEN], sandbox.url, messaging_service_sid=service.sid)
    accepted = gateway.send(sms())
    assert (accepted.state, accepted.raw_status, accepted.sender) == (MessageState.ACCEPTED, "accepted", None)
    assert "From" not in sandbox.world.messages()[0].form
    unsaid = gateway.find(query(sandbox, sms()))
    sandbox.engine.flush()
    said = gateway.find(query(sandbox, sms()))
    gateway.close()
    assert unsaid is not None
    assert said is not None
    assert (unsaid.sender, said.sender) == (None, SENDER)


def test_sender_that_a_message_names_goes_before_the_messaging_service(sandbox: TwilioSandbox) -> None:
    service = sandbox.world.add_service(SENDER)
    gateway = TwilioGateway(ACCOUNT_SID, [AUTH_TOKEN], sandbox.url, messaging_service_sid=service.sid)
    assert gateway.send(sms(sender="ACME")).sender == "ACME"
    gateway.close()
    assert "MessagingServiceSid" not in sandbox.world.messages()[0].form


@pytest.mark.parametrize("has_service", [False, True])
@pytest.mark.parametrize("valid_for", [None, timedelta(minutes=1), timedelta(days=3)])
def test_nothing_that_is_sent_is_scheduled_with_twilio(
    sandbox: TwilioSandbox, has_service: bool, valid_for: timedelta | None
) -> None:
    sid = sandbox.world.add_service(SENDER).sid if has_service else None
    gateway = TwilioGateway(ACCOUNT_SID, [AUTH_TOKEN], sandbox.url, sender=SENDER, messaging_service_sid=sid)
    for purpose in Purpose:
        gateway.send(
            replace(sms(), valid_for=valid_for, purpose=purpose, is_unicode=True, dlt=DLTRegistration("1", "2"))
        )
    gateway.close()
    told = {name for message in sandbox.world.messages() for name in message.form}
    assert told.isdisjoint({"ScheduleType", "SendAt"})
    assert told <= {"To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod"}


@pytest.mark.parametrize(
    ("valid_for", "period"),
    [
        (timedelta(seconds=90, milliseconds=900), "90"),
        (timedelta(milliseconds=200), "1"),
        (timedelta(days=3), "36000"),
        (None, None),
    ],
)
def test_validity_stays_within_what_twilio_takes(
    gateway: TwilioGateway, sandbox: TwilioSandbox, valid_for: timedelta | None, period: str | None
) -> None:
    gateway.send(OutgoingSMS("a", NUMBER, "Hi", None, "https://sms.example.com/s/a", valid_for=valid_for))
    assert sandbox.world.messages()[0].form.get("ValidityPeriod") == period


def test_answer_gives_segments_and_no_price_yet(gateway: TwilioGateway) -> None:
    accepted = gateway.send(sms(body="x" * 161))
    assert (accepted.segments, accepted.price, accepted.currency) == (2, None, None)


def test_half_a_surrogate_pair_is_sent_as_a_question_mark(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    gateway.send(sms(body="Hi \ud83d"))
    assert sandbox.world.messages()[0].body == "Hi ?"


def test_connection_is_used_again(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    for number in range(5):
        gateway.send(sms(f"attempt-{number}"))
    assert len(gateway._clients._idle) == 1


# -- what is refused


@pytest.mark.parametrize(
    ("to", "kind", "code", "error_class"),
    [
        ("+15005550001", PermanentSendError, "21211", ErrorClass.PERMANENT_NUMBER),
        ("+15005550002", PermanentSendError, "21612", ErrorClass.SENDER_OR_REGISTRATION),
        ("+15005550003", TransientSendError, "21408", ErrorClass.CONFIG),
        ("+15005550004", PermanentSendError, "21610", ErrorClass.OPTED_OUT),
        ("+15005550009", PermanentSendError, "21614", ErrorClass.PERMANENT_NUMBER),
    ],
)
def test_refusal_is_final_when_the_number_is_and_waits_when_a_setting_is_wrong(
    gateway: TwilioGateway, to: str, kind: type[Exception], code: str, error_class: ErrorClass
) -> None:
    with pytest.raises(kind) as caught:
        gateway.send(OutgoingSMS("a", to, "Hi", None, "https://sms.example.com/s/a"))
    assert isinstance(caught.value, PermanentSendError | TransientSendError)
    assert (caught.value.code, caught.value.error_class) == (code, error_class)


def test_recipient_who_wrote_stop_to_the_gateway_is_opted_out(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    sandbox.world.opt_outs.add((SENDER, NUMBER))
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(sms())
    assert caught.value.error_class == ErrorClass.OPTED_OUT


def test_wrong_token_keeps_texts_waiting_and_is_not_hammered(sandbox: TwilioSandbox) -> None:
    gateway = TwilioGateway(ACCOUNT_SID, ["wrong"], sandbox.url, sender=SENDER)
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == ("20003", ErrorClass.CONFIG)
    assert caught.value.retry_after == timedelta(seconds=60)
    gateway.close()


def test_first_token_sends_and_the_older_ones_do_not(sandbox: TwilioSandbox) -> None:
    gateway = TwilioGateway(ACCOUNT_SID, ["wrong", AUTH_TOKEN], sandbox.url, sender=SENDER)
    with pytest.raises(TransientSendError):
        gateway.send(sms())
    gateway.close()


def test_full_concurrency_is_throttled(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    sandbox.world.max_concurrent = 0
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == ("20429", ErrorClass.THROTTLED)


def test_unavailability_in_twilio_s_own_words_is_transient(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    sandbox.faults.arm(CREATE, "status", status=503)
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert caught.value.code == "20503"


@pytest.mark.parametrize(
    ("status", "body", "kind", "error_class"),
    [
        (400, '{"code": 29999}', PermanentSendError, "unknown"),
        (400, "no JSON", PermanentSendError, "unknown"),
        (400, '{"code": 30022}', TransientSendError, "throttled"),
        (403, "<html>", TransientSendError, "config"),
        (404, '{"code": 20404}', TransientSendError, "config"),
        (302, "", TransientSendError, "config"),
        (408, "", AmbiguousSendError, "unknown"),
        (500, '{"code": 20500}', AmbiguousSendError, "unknown"),
        (201, '{"sid": "SM1", "status": "failed", "error_code": 30001}', TransientSendError, "transient"),
        (201, '{"sid": "SM1", "status": "failed", "error_code": 30007}', PermanentSendError, "permanent_content"),
    ],
)
def test_answers_off_the_beaten_track(
    gateway: TwilioGateway,
    sandbox: TwilioSandbox,
    status: int,
    body: str,
    kind: type[Exception],
    error_class: str,
) -> None:
    sandbox.faults.arm(CREATE, "status", status=status, body=body)
    with pytest.raises(kind) as caught:
        gateway.send(sms())
    assert getattr(caught.value, "error_class", None) == error_class


def test_success_with_a_status_nobody_knows_is_accepted_all_the_same(
    gateway: TwilioGateway, sandbox: TwilioSandbox
) -> None:
    sandbox.faults.arm(CREATE, "status", status=201, body='{"sid": "SM1", "status": "pondering"}')
    accepted = gateway.send(sms())
    assert (accepted.state, accepted.raw_status) == (MessageState.ACCEPTED, "pondering")


# -- what is found


def test_fate_is_told_in_our_words_with_price_and_reason(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    accepted, at = gateway.send(sms()), sandbox.world.clock.now()
    sandbox.world.move(accepted.provider_message_id, Stage("undelivered", timedelta(), 30005, ()), at)
    sandbox.world.charge(accepted.provider_message_id)
    report = gateway.find(query(sandbox, sms()))
    assert report is not None
    assert (report.state, report.raw_status) == (MessageState.UNDELIVERED, "undelivered")
    assert (report.error_code, report.error_class) == ("30005", ErrorClass.PERMANENT_NUMBER)
    assert (report.price, report.currency) == (Decimal("0.00830"), "USD")


def test_other_texts_and_other_numbers_are_not_taken_for_ours(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    another = gateway.send(sms(body="Another text")).provider_message_id
    gateway.send(OutgoingSMS("b", "+12025550144", sms().body, None, "https://sms.example.com/s/b"))
    assert gateway.find(query(sandbox, sms(), None, another)) is None


@pytest.mark.parametrize("prefix", ["Sent from your Twilio trial account - ", "\u2018"])
def test_text_that_twilio_rewrote_is_not_taken_for_never_sent(
    gateway: TwilioGateway, sandbox: TwilioSandbox, prefix: str
) -> None:
    httpx.put(f"{sandbox.url}/_sandbox/twilio/body-prefix", json={"text": prefix}).raise_for_status()
    sid = gateway.send(sms()).provider_message_id
    with pytest.raises(TransientSendError) as caught:
        gateway.find(query(sandbox, sms()))
    assert caught.value.code == "another_text"
    assert gateway.find(query(sandbox, sms(), None, sid)) is None


def test_answer_that_twilio_gave_to_stop_is_not_taken_for_ours(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    sandbox.world.default_opt_out = True
    sandbox.world.reply(NUMBER, SENDER, "STOP")
    assert len(sandbox.world.messages()) == 2
    assert gateway.find(query(sandbox, sms())) is None


def test_same_text_of_yesterday_is_not_taken_for_todays(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    yesterday = sandbox.world.clock.now()
    gateway.send(sms())
    sandbox.world.clock.advance(timedelta(days=1))
    assert gateway.find(query(sandbox, sms())) is None
    gateway.send(sms())
    first, second = sandbox.world.messages()
    for at, message in ((yesterday, first), (sandbox.world.clock.now(), second)):
        report = gateway.find(query(sandbox, sms(), at))
        assert report is not None
        assert report.provider_message_id == message.sid


def test_clocks_that_differ_a_little_still_find_it(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    gateway.send(sms())
    assert gateway.find(query(sandbox, sms(), sandbox.world.clock.now() + timedelta(seconds=100))) is not None
    assert gateway.find(query(sandbox, sms(), sandbox.world.clock.now() + timedelta(seconds=150))) is None


def test_of_equal_texts_each_attempt_gets_its_own(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    at = sandbox.world.clock.now()
    sids = []
    for number in range(2):
        sids.append(gateway.send(sms(f"attempt-{number}")).provider_message_id)
        sandbox.world.clock.advance(timedelta(seconds=5))
    first = gateway.find(query(sandbox, sms(), at))
    second = gateway.find(query(sandbox, sms(), at, sids[0]))
    assert first is not None
    assert second is not None
    assert [first.provider_message_id, second.provider_message_id] == sids
    assert gateway.find(query(sandbox, sms(), at, *sids)) is None


def test_attempt_is_found_behind_a_pile_of_newer_texts(
    gateway: TwilioGateway, sandbox: TwilioSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio, "_PAGE_SIZE", 2)
    at = sandbox.world.clock.now()
    wanted = gateway.send(sms()).provider_message_id
    for number in range(5):
        gateway.send(sms(body=f"newer {number}"))
    report = gateway.find(query(sandbox, sms(), at))
    assert report is not None
    assert report.provider_message_id == wanted


def test_history_older_than_the_attempt_is_not_read(
    gateway: TwilioGateway, sandbox: TwilioSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio, "_PAGE_SIZE", 2)
    for number in range(9):
        gateway.send(sms(body=f"older {number}"))
    sandbox.world.clock.advance(timedelta(hours=1))
    assert gateway.find(query(sandbox, sms())) is None
    assert sandbox.world.calls["messages.list"] == 1


def test_pile_without_end_is_given_up_and_said_so(
    gateway: TwilioGateway, sandbox: TwilioSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio, "_PAGE_SIZE", 1)
    monkeypatch.setattr(twilio, "_MOST_PAGES", 2)
    for number in range(4):
        gateway.send(sms(body=f"newer {number}"))
    with pytest.raises(TransientSendError) as caught:
        gateway.find(query(sandbox, sms()))
    assert caught.value.code == "too_many"


def test_redacted_text_is_not_taken_for_never_sent(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    sid = gateway.send(sms()).provider_message_id
    sandbox.world.move(sid, Stage("delivered", timedelta(), None, ()), sandbox.world.clock.now())
    sandbox.world.redact(sid)
    with pytest.raises(TransientSendError) as caught:
        gateway.find(query(sandbox, sms()))
    assert caught.value.code == "redacted"


def test_redacted_text_with_an_id_is_still_asked_for(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    sid = gateway.send(sms()).provider_message_id
    sandbox.engine.flush()
    gateway.redact(sid)
    report = gateway.find(replace(query(sandbox, sms()), provider_message_id=sid))
    assert report is not None
    assert (report.state, report.provider_message_id) == (MessageState.DELIVERED, sid)


def test_texts_of_ours_that_were_redacted_do_not_keep_a_lost_one_from_being_found(
    gateway: TwilioGateway, sandbox: TwilioSandbox
) -> None:
    sids = [gateway.send(sms(f"attempt-{number}", body=f"text {number}")).provider_message_id for number in range(2)]
    sandbox.engine.flush()
    gateway.redact(sids[0])
    lost = query(sandbox, sms("attempt-1", body="text 1"), None, sids[0])
    report = gateway.find(lost)
    assert report is not None
    assert report.provider_message_id == sids[1]
    assert gateway.find(replace(lost, exclude=frozenset(sids))) is None


def test_message_with_an_id_that_twilio_forgot_was_sent_all_the_same(gateway: TwilioGateway) -> None:
    report = gateway.find(
        AttemptQuery("a", "SM" + "0" * 32, NUMBER, None, "Hi", datetime.fromisoformat("2026-11-21T09:00Z"))
    )
    assert report is not None
    assert (report.state, report.raw_status) == (MessageState.UNKNOWN, "not found")


def test_next_page_on_another_host_is_asked_of_twilio_only(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    page = '{"messages": [], "next_page_uri": "https://elsewhere.example/2010-04-01/more.json"}'
    sandbox.faults.arm("twilio.messages.list", "status", status=200, body=page)
    with pytest.raises(TransientSendError) as caught:  # the sandbox has no such page
        gateway.find(query(sandbox, sms()))
    assert caught.value.code == "20404"


# -- how it is configured


def test_missing_settings_are_named() -> None:
    with pytest.raises(ConfigurationError, match="TWILIO_AUTH_TOKENS"):
        TwilioGateway(ACCOUNT_SID, [""], sender=SENDER)
    with pytest.raises(ConfigurationError, match="TWILIO_FROM"):
        TwilioGateway(ACCOUNT_SID, [AUTH_TOKEN])
