from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connector.adapters.sms.plivo import PLUGIN, PlivoGateway
from connector.domain.message import ErrorClass, MessageState, Purpose
from connector.errors import (
    AmbiguousSendError,
    ConfigurationError,
    PermanentSendError,
    SignatureError,
    TransientSendError,
)
from connector.ports.gateway import CallbackRequest, DLTRegistration, SMSGateway
from connector.ports.number_lookup import LineType, LookupAnswer
from connector.sandbox.gateways.plivo import AUTH_ID, AUTH_TOKEN, PlivoSkin
from connector.sandbox.gateways.sandbox import GatewaySandbox
from tests.adapters.sms.contract import NUMBER, SENDER, Break, RemoteGatewayContract, sms
from tests.adapters.sms.emulated import Receiver, as_request

INBOUND = "https://sms.example.com/callbacks/plivo/inbound"
POWERPACK = "00000000-0000-4000-8000-0000000000aa"


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def skin() -> PlivoSkin:
    return PlivoSkin()


@pytest.fixture
def box(skin: PlivoSkin, receiver: Receiver) -> Iterator[GatewaySandbox]:
    """The emulated gateway; nothing is delivered before a test says so."""
    box = GatewaySandbox(skin, post=receiver, inbound_url=INBOUND)
    with box.server:
        yield box


@pytest.fixture
def gateway(box: GatewaySandbox) -> Iterator[PlivoGateway]:
    one = PlivoGateway(AUTH_ID, [AUTH_TOKEN, "an-older-token"], box.url, box.url, sender=SENDER)
    yield one
    one.close()


class TestPlivoGateway(RemoteGatewayContract):
    @pytest.fixture(autouse=True)
    def take_box(self, box: GatewaySandbox, receiver: Receiver) -> None:
        self.box, self.receiver = box, receiver

    def now(self) -> datetime:
        return self.box.world.clock.now()

    def deliver(self, gateway: SMSGateway) -> Sequence[CallbackRequest]:
        return self.receiver.after(self.box.engine)

    @pytest.fixture
    def break_next(self, box: GatewaySandbox) -> Break:
        def arm(kind: str, **options: Any) -> None:
            box.faults.arm("plivo.send", kind, **options)

        return arm

    @pytest.fixture
    def unreachable(self) -> PlivoGateway:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and closed, not listening: refused at once
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        return PlivoGateway(AUTH_ID, [AUTH_TOKEN], url, url, sender=SENDER)

    @pytest.fixture
    def received(self, box: GatewaySandbox) -> Callable[[], int]:
        return lambda: len(box.world.messages())

    @pytest.fixture
    def requests(self, box: GatewaySandbox) -> Callable[[], int]:
        return lambda: box.world.calls["send"]

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (AUTH_TOKEN, AUTH_ID, "Basic ")


# -- what is sent


def test_request_says_who_to_what_until_when_and_where_to_report(gateway: PlivoGateway, box: GatewaySandbox) -> None:
    gateway.send(sms())
    (message,) = box.world.messages()
    assert message.details == {
        "src": SENDER[1:],
        "dst": NUMBER[1:],
        "text": sms().body,
        "type": "sms",
        "url": "https://sms.example.com/callbacks/status/attempt-1",
        "method": "POST",
        "message_expiry": 3600,
    }


@pytest.mark.parametrize(
    ("valid_for", "expiry"),
    [(timedelta(seconds=1), 5), (timedelta(seconds=90.9), 90), (timedelta(days=2), 10_800), (None, None)],
)
def test_expiry_stays_within_what_plivo_takes(
    gateway: PlivoGateway, box: GatewaySandbox, valid_for: timedelta | None, expiry: int | None
) -> None:
    gateway.send(replace(sms(), valid_for=valid_for))
    assert box.world.messages()[0].details.get("message_expiry") == expiry


@pytest.mark.parametrize(
    ("purpose", "category"),
    [
        (Purpose.OTP, "service_implicit"),
        (Purpose.TRANSACTIONAL, "service_implicit"),
        (Purpose.MARKETING, "promotional"),
    ],
)
def test_registration_for_india_is_passed_on(
    gateway: PlivoGateway, box: GatewaySandbox, purpose: Purpose, category: str
) -> None:
    gateway.send(replace(sms(), dlt=DLTRegistration("entity-1", "template-1"), purpose=purpose))
    details = box.world.messages()[0].details
    assert (details["dlt_entity_id"], details["dlt_template_id"]) == ("entity-1", "template-1")
    assert details["dlt_template_category"] == category


def test_sender_of_the_message_goes_before_the_powerpack(box: GatewaySandbox) -> None:
    gateway = PlivoGateway(AUTH_ID, [AUTH_TOKEN], box.url, box.url, sender=SENDER, powerpack=POWERPACK)
    gateway.send(sms("attempt-1"))
    gateway.send(sms("attempt-2", sender="ACME"))
    pooled, named = (message.details for message in box.world.messages())
    assert (pooled["powerpack_uuid"], "src" in pooled) == (POWERPACK, False)
    assert (named["src"], "powerpack_uuid" in named) == ("ACME", False)
    gateway.close()


def test_half_a_surrogate_pair_is_sent_as_a_question_mark(gateway: PlivoGateway, box: GatewaySandbox) -> None:
    gateway.send(sms(body="Hi \ud83d"))
    assert box.world.messages()[0].body == "Hi ?"


# -- what is refused


def test_recipient_that_plivo_did_not_take_is_no_number(gateway: PlivoGateway) -> None:
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(replace(sms(), to="+1202"))
    assert (caught.value.code, caught.value.error_class) == ("invalid_number", ErrorClass.PERMANENT_NUMBER)


def test_account_without_credit_keeps_texts_waiting(gateway: PlivoGateway, skin: PlivoSkin) -> None:
    skin.is_broke = True
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert caught.value.error_class == ErrorClass.ACCOUNT_OR_CREDIT
    assert caught.value.retry_after == timedelta(seconds=60)


def test_wrong_token_keeps_texts_waiting_and_the_first_one_sends(box: GatewaySandbox) -> None:
    gateway = PlivoGateway(AUTH_ID, ["wrong", AUTH_TOKEN], box.url, box.url, sender=SENDER)
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert caught.value.error_class == ErrorClass.CONFIG
    gateway.close()


def test_rate_over_the_limit_is_throttled(gateway: PlivoGateway, box: GatewaySandbox) -> None:
    box.world.max_per_second = 0
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert caught.value.error_class == ErrorClass.THROTTLED


def test_text_too_long_for_its_alphabet_is_final(gateway: PlivoGateway, box: GatewaySandbox) -> None:
    with pytest.raises(PermanentSendError):
        gateway.send(sms(body="ש" * 738))
    assert box.world.messages() == []


@pytest.mark.parametrize(
    ("status", "body", "kind", "error_class"),
    [
        (400, '{"error": "dst: value"}', PermanentSendError, "unknown"),
        (400, '{"error": {"dst": "value"}}', PermanentSendError, "unknown"),
        (402, "", TransientSendError, "account_or_credit"),
        (404, "<html>", TransientSendError, "config"),
        (500, '{"error": "Insufficient Credit"}', AmbiguousSendError, "unknown"),
        (202, '{"message_uuid": []}', AmbiguousSendError, "unknown"),
        (202, '{"message_uuid": "no list"}', AmbiguousSendError, "unknown"),
        (202, '{"message_uuid": [{}]}', AmbiguousSendError, "unknown"),
    ],
)
def test_answers_off_the_beaten_track(
    gateway: PlivoGateway, box: GatewaySandbox, status: int, body: str, kind: type[Exception], error_class: str
) -> None:
    box.faults.arm("plivo.send", "status", status=status, body=body)
    with pytest.raises(kind) as caught:
        gateway.send(sms())
    assert getattr(caught.value, "error_class", None) == error_class


# -- what comes back


@pytest.mark.parametrize(
    ("oddity", "state", "error_class"),
    [
        ("undelivered", MessageState.UNDELIVERED, ErrorClass.TRANSIENT),
        ("failed", MessageState.FAILED, ErrorClass.TRANSIENT),
        ("held", MessageState.EXPIRED, ErrorClass.TRANSIENT),
    ],
)
def test_bad_end_is_told_by_receipt_and_when_asked(
    gateway: PlivoGateway,
    box: GatewaySandbox,
    receiver: Receiver,
    oddity: str,
    state: MessageState,
    error_class: ErrorClass,
) -> None:
    box.world.receipts.arm(oddity)
    text, at = sms(), box.world.clock.now()
    accepted = gateway.send(text)
    last = receiver.after(box.engine)[-1]
    gateway.verify(last)
    (told,) = gateway.read_status(last, text.attempt_id)
    asked = gateway.find(TestPlivoGateway().ask(text, at, accepted.provider_message_id))
    assert asked == replace(told, carrier=None)  # which only receipts tell
    assert (told.state, told.error_class) == (state, error_class)


def test_recipient_who_blocks_us_is_opted_out(gateway: PlivoGateway, box: GatewaySandbox, receiver: Receiver) -> None:
    box.world.add_handset(NUMBER).is_blocking = True
    gateway.send(sms())
    (told,) = gateway.read_status(receiver.after(box.engine)[-1], "attempt-1")
    assert (told.error_code, told.error_class) == ("200", ErrorClass.OPTED_OUT)


def test_what_was_charged_is_told_when_asked(gateway: PlivoGateway, box: GatewaySandbox) -> None:
    accepted, at = gateway.send(sms(body="x" * 161)), box.world.clock.now()
    box.engine.flush()
    report = gateway.find(TestPlivoGateway().ask(sms(), at, accepted.provider_message_id))
    assert report is not None
    assert (report.segments, report.price, report.currency) == (2, Decimal("0.01660"), "USD")


def test_receipt_by_get_is_verified_and_read(gateway: PlivoGateway, box: GatewaySandbox, receiver: Receiver) -> None:
    url = "https://sms.example.com/callbacks/plivo/status/attempt-1?b=2&a=1"
    box.world.take(to=NUMBER, sender=SENDER, body="Hi", callback_url=url, details={"method": "GET"})
    for callback in receiver.after(box.engine):
        assert callback.method == "GET"
        gateway.verify(callback)
        (report,) = gateway.read_status(callback, "attempt-1")
    assert report.state is MessageState.DELIVERED


@pytest.mark.parametrize("oddity", ["unsigned", "forged"])
def test_receipt_that_plivo_did_not_sign_is_refused(
    gateway: PlivoGateway, box: GatewaySandbox, receiver: Receiver, oddity: str
) -> None:
    box.world.receipts.arm(oddity)
    gateway.send(sms())
    for callback in receiver.after(box.engine):
        with pytest.raises(SignatureError):
            gateway.verify(callback)


def test_reply_is_verified_and_read(gateway: PlivoGateway, box: GatewaySandbox, receiver: Receiver) -> None:
    box.world.reply(NUMBER, SENDER, "Yes ✓")
    box.engine.flush()
    (callback,) = [as_request(call) for call in receiver.calls]
    gateway.verify(callback)
    (reply,) = gateway.read_incoming(callback)
    assert (reply.from_, reply.to, reply.body) == (NUMBER, SENDER, "Yes ✓")


def test_message_with_an_id_that_plivo_forgot_was_sent_all_the_same(gateway: PlivoGateway, box: GatewaySandbox) -> None:
    report = gateway.find(TestPlivoGateway().ask(sms(), box.world.clock.now(), "gone"))
    assert report is not None
    assert (report.state, report.raw_status) == (MessageState.UNKNOWN, "not found")


def test_answer_about_a_message_without_its_state_is_no_answer(gateway: PlivoGateway, box: GatewaySandbox) -> None:
    box.faults.arm("plivo.find", "status", status=200, body='{"message_uuid": "m"}')
    with pytest.raises(AmbiguousSendError):
        gateway.find(TestPlivoGateway().ask(sms(), box.world.clock.now(), "m"))


# -- what kind of number it is


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("mobile", LookupAnswer(LineType.MOBILE, country="US", carrier="Sandbox Mobile")),
        ("fixed", LookupAnswer(LineType.LANDLINE, country="US", carrier="Sandbox Mobile")),
        ("voip", LookupAnswer(LineType.VOIP, country="US", carrier="Sandbox Mobile")),
        ("pager", LookupAnswer(LineType.UNKNOWN, country="US", carrier="Sandbox Mobile")),
        ("invalid", LookupAnswer(LineType.INVALID)),
    ],
)
def test_lookup_tells_the_kind_of_line(gateway: PlivoGateway, skin: PlivoSkin, line: str, answer: LookupAnswer) -> None:
    skin.lines[NUMBER] = line
    assert gateway.look_up(NUMBER) == answer


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, "<html>", TransientSendError),
        (200, "{}", AmbiguousSendError),
        (500, "", AmbiguousSendError),
        (429, "", TransientSendError),
    ],
)
def test_lookup_that_fails_is_no_answer(
    gateway: PlivoGateway, box: GatewaySandbox, status: int, body: str, kind: type[Exception]
) -> None:
    box.faults.arm("plivo.lookup", "status", status=status, body=body)
    with pytest.raises(kind) as caught:
        gateway.look_up(NUMBER)
    assert NUMBER[1:] not in f"{caught.value!r}"


# -- how it is configured


def test_missing_settings_are_named() -> None:
    with pytest.raises(ConfigurationError, match="PLIVO_AUTH_TOKENS"):
        PlivoGateway(AUTH_ID, [""], sender=SENDER)
    with pytest.raises(ConfigurationError, match="PLIVO_FROM"):
        PlivoGateway(AUTH_ID, [AUTH_TOKEN])


def test_plugin_builds_it_from_its_settings(box: GatewaySandbox) -> None:
    values = {setting.name: setting.default for setting in PLUGIN.settings}
    values |= {"PLIVO_AUTH_ID": AUTH_ID, "PLIVO_AUTH_TOKENS": f"{AUTH_TOKEN},older", "PLIVO_FROM": SENDER}
    gateway = PLUGIN.build(values | {"PLIVO_API_URL": box.url})
    assert gateway.send(sms()).provider_message_id
    gateway.close()
