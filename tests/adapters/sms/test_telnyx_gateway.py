from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from connector.adapters.sms.telnyx import PLUGIN, TelnyxGateway
from connector.domain.message import ErrorClass, MessageState
from connector.errors import (
    AmbiguousSendError,
    ConfigurationError,
    PermanentSendError,
    SignatureError,
    TransientSendError,
)
from connector.ports.gateway import CallbackRequest, SMSGateway
from connector.ports.number_lookup import LineType, LookupAnswer
from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.gateways.telnyx import API_KEY, PUBLIC_KEY, TelnyxSkin
from tests.adapters.sms.contract import NUMBER, SENDER, Break, RemoteGatewayContract, sms
from tests.adapters.sms.emulated import Receiver, as_request

INBOUND = "https://sms.example.com/callbacks/telnyx/inbound"
PROFILE = "00000000-0000-4000-8000-0000000000aa"


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def skin() -> TelnyxSkin:
    return TelnyxSkin()


@pytest.fixture
def box(skin: TelnyxSkin, receiver: Receiver) -> Iterator[GatewaySandbox]:
    """The emulated gateway; nothing is delivered before a test says so."""
    box = GatewaySandbox(skin, post=receiver, inbound_url=INBOUND)
    with box.server:
        yield box


@pytest.fixture
def gateway(box: GatewaySandbox) -> Iterator[TelnyxGateway]:
    one = TelnyxGateway(API_KEY, [PUBLIC_KEY], box.url, sender=SENDER)
    yield one
    one.close()


class TestTelnyxGateway(RemoteGatewayContract):
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
            box.faults.arm("telnyx.send", kind, **options)

        return arm

    @pytest.fixture
    def unreachable(self) -> TelnyxGateway:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and closed, not listening: refused at once
            port = taken.getsockname()[1]
        return TelnyxGateway(API_KEY, [PUBLIC_KEY], f"http://127.0.0.1:{port}", sender=SENDER)

    @pytest.fixture
    def received(self, box: GatewaySandbox) -> Callable[[], int]:
        return lambda: len(box.world.messages())

    @pytest.fixture
    def requests(self, box: GatewaySandbox) -> Callable[[], int]:
        return lambda: box.world.calls["send"]

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (API_KEY, "Bearer ")


# -- what is sent


def test_request_says_who_to_what_and_where_to_report(gateway: TelnyxGateway, box: GatewaySandbox) -> None:
    gateway.send(sms())
    (message,) = box.world.messages()
    assert message.details == {
        "from": SENDER,
        "to": NUMBER,
        "text": sms().body,
        "type": "SMS",
        "webhook_url": "https://sms.example.com/callbacks/status/attempt-1",
    }


def test_profile_chooses_the_sender_and_goes_with_a_sender_id(box: GatewaySandbox) -> None:
    gateway = TelnyxGateway(API_KEY, [PUBLIC_KEY], box.url, profile=PROFILE)
    assert gateway.send(sms()).sender is None
    assert gateway.send(sms("attempt-2", sender="ACME")).sender == "ACME"
    pooled, named = box.world.messages()
    assert "from" not in pooled.details
    assert (named.details["from"], named.details["messaging_profile_id"]) == ("ACME", PROFILE)
    gateway.close()


def test_answer_gives_segments_and_cost(gateway: TelnyxGateway) -> None:
    accepted = gateway.send(sms(body="x" * 161))
    assert (accepted.raw_status, accepted.segments) == ("queued", 2)
    assert (accepted.price, accepted.currency) == (Decimal("0.01660"), "USD")


def test_half_a_surrogate_pair_is_sent_as_a_question_mark(gateway: TelnyxGateway, box: GatewaySandbox) -> None:
    gateway.send(sms(body="Hi \ud83d"))
    assert box.world.messages()[0].body == "Hi ?"


# -- what is refused


def test_recipient_who_wrote_stop_is_opted_out_at_once(
    gateway: TelnyxGateway, box: GatewaySandbox, receiver: Receiver
) -> None:
    box.world.reply(NUMBER, SENDER, "Stop")
    box.engine.flush()
    (callback,) = [as_request(call) for call in receiver.calls]
    gateway.verify(callback)
    (reply,) = gateway.read_incoming(callback)
    assert (reply.from_, reply.to, reply.opt_out_handled) == (NUMBER, SENDER, "STOP")
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == ("40300", ErrorClass.OPTED_OUT)


@pytest.mark.parametrize(
    ("change", "code", "error_class"),
    [
        ({"to": "+1202"}, "40310", ErrorClass.PERMANENT_NUMBER),
        ({"sender": "ACME"}, "40305", ErrorClass.SENDER_OR_REGISTRATION),
        ({"body": ""}, "40316", ErrorClass.PERMANENT_CONTENT),
        ({"body": "x" * 1531}, "40302", ErrorClass.PERMANENT_CONTENT),
    ],
)
def test_refusal_that_would_come_again_is_final(
    gateway: TelnyxGateway, change: dict[str, str], code: str, error_class: ErrorClass
) -> None:
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(replace(sms(), **change))  # type: ignore[arg-type]  # texts only
    assert (caught.value.code, caught.value.error_class) == (code, error_class)


def test_wrong_key_keeps_texts_waiting(box: GatewaySandbox) -> None:
    gateway = TelnyxGateway("KEYwrong", [PUBLIC_KEY], box.url, sender=SENDER)
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == ("10009", ErrorClass.CONFIG)
    gateway.close()


def test_rate_over_the_limit_is_throttled(gateway: TelnyxGateway, box: GatewaySandbox) -> None:
    box.world.max_per_second = 0
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == ("10011", ErrorClass.THROTTLED)


@pytest.mark.parametrize(
    ("status", "body", "kind", "error_class"),
    [
        (400, '{"errors": [{"code": "49999"}]}', PermanentSendError, "unknown"),
        (400, '{"errors": "none"}', PermanentSendError, "unknown"),
        (400, '{"errors": [{"code": 20100}]}', TransientSendError, "account_or_credit"),
        (403, "<html>", TransientSendError, "config"),
        (503, '{"errors": [{"code": "10007"}]}', TransientSendError, "unknown"),
        (500, '{"errors": [{"code": "10007"}]}', AmbiguousSendError, "unknown"),
        (
            200,
            '{"data": {"id": "m", "to": [{"status": "sending_failed"}], "errors": [{"code": "40001"}]}}',
            PermanentSendError,
            "permanent_number",
        ),
        (
            200,
            '{"data": {"id": "m", "to": [{"status": "sending_failed"}], "errors": [{"code": "40002"}]}}',
            TransientSendError,
            "transient",
        ),
        (200, '{"data": {"id": "m", "to": [{"status": "sending_failed"}]}}', PermanentSendError, "unknown"),
        (200, '{"data": {"id": "m", "to": []}}', AmbiguousSendError, "unknown"),
    ],
)
def test_answers_off_the_beaten_track(
    gateway: TelnyxGateway, box: GatewaySandbox, status: int, body: str, kind: type[Exception], error_class: str
) -> None:
    box.faults.arm("telnyx.send", "status", status=status, body=body)
    with pytest.raises(kind) as caught:
        gateway.send(sms())
    assert getattr(caught.value, "error_class", None) == error_class


def test_success_with_a_status_nobody_knows_is_accepted_all_the_same(
    gateway: TelnyxGateway, box: GatewaySandbox
) -> None:
    body = '{"data": {"id": "m", "to": [{"status": "pondering"}]}}'
    box.faults.arm("telnyx.send", "status", status=200, body=body)
    accepted = gateway.send(sms())
    assert (accepted.state, accepted.raw_status) == (MessageState.ACCEPTED, "pondering")


# -- what comes back


@pytest.mark.parametrize(
    ("oddity", "state", "error_class"),
    [
        ("undelivered", MessageState.UNDELIVERED, ErrorClass.TRANSIENT),
        ("failed", MessageState.FAILED, ErrorClass.PERMANENT_CONTENT),
    ],
)
def test_bad_end_is_told_by_event_and_when_asked(
    gateway: TelnyxGateway,
    box: GatewaySandbox,
    receiver: Receiver,
    oddity: str,
    state: MessageState,
    error_class: ErrorClass,
) -> None:
    box.world.receipts.arm(oddity)
    contract, text, at = TestTelnyxGateway(), sms(), box.world.clock.now()
    accepted = gateway.send(text)
    last = receiver.after(box.engine)[-1]
    gateway.verify(last)
    (told,) = gateway.read_status(last, text.attempt_id)
    asked = gateway.find(contract.ask(text, at, accepted.provider_message_id))
    assert told == asked
    assert (told.state, told.error_class) == (state, error_class)


@pytest.mark.parametrize("oddity", ["unsigned", "forged"])
def test_event_that_telnyx_did_not_sign_is_refused(
    gateway: TelnyxGateway, box: GatewaySandbox, receiver: Receiver, oddity: str
) -> None:
    box.world.receipts.arm(oddity)
    gateway.send(sms())
    for callback in receiver.after(box.engine):
        with pytest.raises(SignatureError):
            gateway.verify(callback)


def test_event_is_held_against_the_present(box: GatewaySandbox, receiver: Receiver) -> None:
    times = iter([datetime.fromisoformat("2000-01-01T00:00Z")])
    gateway = TelnyxGateway(API_KEY, [PUBLIC_KEY], box.url, sender=SENDER, now=lambda: next(times))
    gateway.send(sms())
    with pytest.raises(SignatureError, match="future"):
        gateway.verify(receiver.after(box.engine)[0])
    gateway.close()


def test_message_with_an_id_that_telnyx_forgot_was_sent_all_the_same(
    gateway: TelnyxGateway, box: GatewaySandbox
) -> None:
    report = gateway.find(TestTelnyxGateway().ask(sms(), box.world.clock.now(), "gone/../id"))
    assert report is not None
    assert (report.state, report.raw_status) == (MessageState.UNKNOWN, "not found")


# -- what kind of number it is


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("mobile", LookupAnswer(LineType.MOBILE, country="US", carrier="Sandbox Mobile")),
        ("fixed line", LookupAnswer(LineType.LANDLINE, country="US", carrier="Sandbox Mobile")),
        ("voip", LookupAnswer(LineType.VOIP, country="US", carrier="Sandbox Mobile")),
        ("pager", LookupAnswer(LineType.UNKNOWN, country="US", carrier="Sandbox Mobile")),
        ("invalid", LookupAnswer(LineType.INVALID)),
    ],
)
def test_lookup_tells_the_kind_of_line(
    gateway: TelnyxGateway, skin: TelnyxSkin, line: str, answer: LookupAnswer
) -> None:
    skin.lines[NUMBER] = line
    assert gateway.look_up(NUMBER) == answer


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, "", TransientSendError),
        (200, "{}", AmbiguousSendError),
        (500, "", AmbiguousSendError),
        (429, "", TransientSendError),
    ],
)
def test_lookup_that_fails_is_no_answer(
    gateway: TelnyxGateway, box: GatewaySandbox, status: int, body: str, kind: type[Exception]
) -> None:
    box.faults.arm("telnyx.lookup", "status", status=status, body=body)
    with pytest.raises(kind) as caught:
        gateway.look_up(NUMBER)
    assert NUMBER[1:] not in f"{caught.value!r}"


# -- how it is configured


def test_missing_settings_are_named() -> None:
    with pytest.raises(ConfigurationError, match="TELNYX_API_KEY"):
        TelnyxGateway("", [PUBLIC_KEY], sender=SENDER)
    with pytest.raises(ConfigurationError, match="TELNYX_FROM"):
        TelnyxGateway(API_KEY, [PUBLIC_KEY])
    with pytest.raises(ConfigurationError, match="TELNYX_PUBLIC_KEYS"):
        TelnyxGateway(API_KEY, ["no key"], sender=SENDER)


def test_plugin_builds_it_from_its_settings(box: GatewaySandbox) -> None:
    values = {setting.name: setting.default for setting in PLUGIN.settings}
    values |= {"TELNYX_API_KEY": API_KEY, "TELNYX_PUBLIC_KEYS": f"{PUBLIC_KEY},", "TELNYX_FROM": SENDER}
    gateway = PLUGIN.build(values | {"TELNYX_API_URL": box.url})
    assert gateway.send(sms()).sender == SENDER
    gateway.close()
