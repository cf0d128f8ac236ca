from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest

from connector.adapters.sms.smsgatewayhub import PLUGIN, SMSGatewayHubGateway
from connector.domain.message import ErrorClass, MessageState, Purpose
from connector.errors import (
    AmbiguousSendError,
    ConfigurationError,
    PermanentSendError,
    SendError,
    SignatureError,
    TransientSendError,
    UnanswerableError,
)
from connector.ports.gateway import CallbackRequest, DLTRegistration, OutgoingSMS, SMSGateway
from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.gateways.smsgatewayhub import API_KEY, SMSGatewayHubSkin
from tests.adapters.sms.contract import BODY, NUMBER, Break, RemoteGatewayContract, sms
from tests.adapters.sms.emulated import Receiver

KEY, HEADER, INDIAN = "key-of-the-callbacks", "ABCDEF", "+917000000000"
STATUS = f"https://sms.example.com/callbacks/smsgatewayhub/status?key={KEY}"
INBOUND = f"https://sms.example.com/callbacks/smsgatewayhub/inbound?key={KEY}"


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def skin() -> SMSGatewayHubSkin:
    return SMSGatewayHubSkin()


@pytest.fixture
def box(skin: SMSGatewayHubSkin, receiver: Receiver) -> Iterator[GatewaySandbox]:
    """The emulated gateway; nothing is delivered before a test says so."""
    box = GatewaySandbox(skin, post=receiver, status_url=STATUS, inbound_url=INBOUND)
    with box.server:
        yield box


@pytest.fixture(params=["query", "json"])
def gateway(request: pytest.FixtureRequest, box: GatewaySandbox) -> Iterator[SMSGatewayHubGateway]:
    one = SMSGatewayHubGateway(API_KEY, HEADER, [KEY], box.url, request=request.param)
    yield one
    one.close()


@pytest.fixture
def at(box: GatewaySandbox) -> datetime:
    return box.world.clock.now()


def to_india(**more: Any) -> OutgoingSMS:
    return replace(sms(), to=INDIAN, dlt=DLTRegistration("entity-1", "template-1"), **more)


class TestSMSGatewayHubGateway(RemoteGatewayContract):
    @pytest.fixture(autouse=True)
    def take_box(self, box: GatewaySandbox, receiver: Receiver) -> None:
        self.box, self.receiver = box, receiver

    def now(self) -> datetime:
        return self.box.world.clock.now()

    def deliver(self, gateway: SMSGateway) -> Sequence[CallbackRequest]:
        return self.receiver.after(self.box.engine)

    # The message's id is put together of two, one of which is what pushes call it.
    def test_ids_of_parts_begin_with_the_message_and_differ(self, gateway: SMSGateway) -> None:
        accepted = gateway.send(sms(body="x" * 400))
        job, _, message = accepted.provider_message_id.partition(":")
        assert job
        assert accepted.part_ids == (message,)

    @pytest.fixture
    def break_next(self, box: GatewaySandbox) -> Break:
        def arm(kind: str, **options: Any) -> None:
            box.faults.arm("smsgatewayhub.send", kind, **options)

        return arm

    @pytest.fixture
    def unreachable(self) -> SMSGatewayHubGateway:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and closed, not listening: refused at once
            port = taken.getsockname()[1]
        return SMSGatewayHubGateway(API_KEY, HEADER, [KEY], f"http://127.0.0.1:{port}")

    @pytest.fixture
    def received(self, box: GatewaySandbox) -> Callable[[], int]:
        return lambda: len(box.world.messages())

    @pytest.fixture
    def requests(self, box: GatewaySandbox) -> Callable[[], int]:
        return lambda: box.world.calls["send"]

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (API_KEY, KEY, "APIKey")


# -- what is sent


@pytest.mark.parametrize(
    ("purpose", "channel"), [(Purpose.OTP, "OTP"), (Purpose.TRANSACTIONAL, "2"), (Purpose.MARKETING, "1")]
)
def test_text_to_india_names_its_channel_and_its_registration(
    gateway: SMSGatewayHubGateway, box: GatewaySandbox, purpose: Purpose, channel: str
) -> None:
    gateway.send(to_india(purpose=purpose))
    details = dict(box.world.messages()[0].details)
    details.pop("flashsms", None)  # in a query only
    assert details == {
        "senderid": HEADER,
        "channel": channel,
        "DCS": "0",
        "number": INDIAN[1:],
        "text": BODY,
        "EntityId": "entity-1",
        "dlttemplateid": "template-1",
    }


def test_text_to_elsewhere_goes_by_the_international_channel(
    gateway: SMSGatewayHubGateway, box: GatewaySandbox
) -> None:
    gateway.send(replace(sms(sender="QWERTY"), purpose=Purpose.MARKETING))
    (message,) = box.world.messages()
    assert (message.details["channel"], message.details["senderid"]) == ("INT", "QWERTY")
    assert "EntityId" not in message.details


@pytest.mark.parametrize("body", ["नमस्ते 👋", "a&b=c+d%20#?\n;", BODY])
def test_unicode_arrives_whole_when_it_is_declared(
    gateway: SMSGatewayHubGateway, box: GatewaySandbox, body: str
) -> None:
    gateway.send(replace(sms(body=body), is_unicode=True))
    (message,) = box.world.messages()
    assert (message.details["DCS"], message.body) == ("8", body)


def test_half_a_surrogate_pair_is_sent_as_a_question_mark(gateway: SMSGatewayHubGateway, box: GatewaySandbox) -> None:
    gateway.send(sms(body="Hi \ud83d"))
    assert box.world.messages()[0].body == "Hi ?"


def test_route_is_named_when_the_account_has_several(box: GatewaySandbox) -> None:
    gateway = SMSGatewayHubGateway(API_KEY, HEADER, api_url=box.url, route="7")
    gateway.send(sms())
    assert box.world.messages()[0].details["route"] == "7"
    gateway.close()


def test_nested_request_goes_to_the_path_that_is_configured(box: GatewaySandbox) -> None:
    gateway = SMSGatewayHubGateway(API_KEY, HEADER, api_url=box.url, request="json", json_path="/api/mt/SendSMS")
    with pytest.raises(AmbiguousSendError):  # which wants the flat shape here, and says so with a 500
        gateway.send(sms())
    assert box.world.messages() == []
    gateway.close()


# -- what is refused


@pytest.mark.parametrize(
    ("change", "code", "kind", "error_class"),
    [
        ({"sender": "TOOLONG"}, "012", PermanentSendError, ErrorClass.SENDER_OR_REGISTRATION),
        ({"to": "+91123"}, "013", PermanentSendError, ErrorClass.PERMANENT_NUMBER),
        ({"body": ""}, "006", PermanentSendError, ErrorClass.PERMANENT_CONTENT),
        ({"dlt": None}, "024", PermanentSendError, ErrorClass.PERMANENT_CONTENT),
    ],
)
def test_refusal_inside_a_success_is_a_refusal(
    gateway: SMSGatewayHubGateway,
    box: GatewaySandbox,
    change: dict[str, Any],
    code: str,
    kind: type[SendError],
    error_class: ErrorClass,
) -> None:
    with pytest.raises(kind) as caught:
        gateway.send(replace(to_india(), **change))
    assert (caught.value.code, caught.value.error_class) == (code, error_class)
    assert box.world.messages() == []


def test_account_without_credit_keeps_texts_waiting(gateway: SMSGatewayHubGateway, skin: SMSGatewayHubSkin) -> None:
    skin.credit = 1
    gateway.send(sms("attempt-1"))
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms("attempt-2"))
    assert (caught.value.code, caught.value.error_class) == ("021", ErrorClass.ACCOUNT_OR_CREDIT)


def test_rate_over_the_limit_is_throttled(gateway: SMSGatewayHubGateway, box: GatewaySandbox) -> None:
    box.world.max_per_second = 0
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert caught.value.error_class == ErrorClass.THROTTLED


@pytest.mark.parametrize("shape", ["query", "json"])
def test_wrong_key_keeps_texts_waiting_and_is_not_told(
    box: GatewaySandbox, shape: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway = SMSGatewayHubGateway("a-wrong-key", HEADER, [KEY], box.url, request=shape)
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == ("005", ErrorClass.CONFIG)
    assert "a-wrong-key" not in f"{caplog.text} {caught.value!r} {gateway!r}"
    gateway.close()


@pytest.mark.parametrize(
    ("status", "body", "kind", "error_class"),
    [
        (200, '{"ErrorCode": "651"}', TransientSendError, "transient"),
        (200, '{"ErrorCode": 21}', TransientSendError, "account_or_credit"),
        (200, '{"ErrorCode": "999"}', TransientSendError, "unknown"),
        (200, '{"ErrorCode": "oops"}', TransientSendError, "unknown"),
        (200, '{"ErrorCode": "000"}', AmbiguousSendError, "unknown"),
        (200, '{"ErrorCode": "000", "JobId": {}, "MessageData": []}', AmbiguousSendError, "unknown"),
        (200, '{"JobId": "1", "MessageData": [{"MessageId": "m"}]}', AmbiguousSendError, "unknown"),
        (400, '{"ErrorCode": "013"}', PermanentSendError, "permanent_number"),
        (400, '{"ErrorCode": "000"}', PermanentSendError, "unknown"),
        (401, "", TransientSendError, "config"),
        (500, '{"ErrorCode": "013"}', AmbiguousSendError, "unknown"),
    ],
)
def test_answers_off_the_beaten_track(
    gateway: SMSGatewayHubGateway,
    box: GatewaySandbox,
    status: int,
    body: str,
    kind: type[SendError],
    error_class: str,
) -> None:
    box.faults.arm("smsgatewayhub.send", "status", status=status, body=body)
    with pytest.raises(kind) as caught:
        gateway.send(sms())
    assert caught.value.error_class == error_class


@pytest.mark.parametrize(
    ("body", "provider_id", "part_ids"),
    [
        ('{"ErrorCode": "0", "JobId": 7, "MessageData": [{"MessageId": "m"}]}', "7:m", ("m",)),
        ('{"ErrorCode": "000", "JobId": "7", "MessageData": null}', "7:", ()),
    ],
)
def test_job_and_message_are_both_kept(
    gateway: SMSGatewayHubGateway, box: GatewaySandbox, body: str, provider_id: str, part_ids: tuple[str, ...]
) -> None:
    box.faults.arm("smsgatewayhub.send", "status", status=200, body=body)
    accepted = gateway.send(sms())
    assert (accepted.provider_message_id, accepted.part_ids) == (provider_id, part_ids)


# -- what comes back


def test_fate_is_asked_by_the_job(gateway: SMSGatewayHubGateway, box: GatewaySandbox, at: datetime) -> None:
    box.world.receipts.arm("undelivered")
    accepted = gateway.send(sms())
    query = TestSMSGatewayHubGateway().ask(sms(), at, accepted.provider_message_id)
    states = []
    for _ in range(2):
        report = gateway.find(query)
        assert report is not None
        states.append((report.state, report.raw_status))
        box.engine.flush()
    assert states == [(MessageState.ACCEPTED, "Message in queue"), (MessageState.UNDELIVERED, "Undelivered")]


@pytest.mark.parametrize(
    ("provider_id", "status"),
    [("7:b", "Sent"), ("7:", "Delivered"), ("7:c", "no report")],
)
def test_of_a_job_s_reports_ours_is_taken(
    gateway: SMSGatewayHubGateway, box: GatewaySandbox, at: datetime, provider_id: str, status: str
) -> None:
    reports = '[{"MessageId": "a", "DeliveryStatus": "Delivered"}, null, {"MessageId": "b", "DeliveryStatus": "Sent"}]'
    body = f'{{"ErrorCode": "0", "DeliveryReports": {reports}}}'
    box.faults.arm("smsgatewayhub.find", "status", status=200, body=body)
    report = gateway.find(TestSMSGatewayHubGateway().ask(sms(), at, provider_id))
    assert report is not None
    assert (report.provider_message_id, report.raw_status) == (provider_id, status)


@pytest.mark.parametrize("provider_id", [None, "", ":m"])
def test_attempt_whose_job_we_never_heard_cannot_be_asked_about(
    gateway: SMSGatewayHubGateway, at: datetime, provider_id: str | None
) -> None:
    with pytest.raises(UnanswerableError):
        gateway.find(TestSMSGatewayHubGateway().ask(sms(), at, provider_id))


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, '{"ErrorCode": "007"}'), (200, "{}"), (500, ""), (404, ""), (429, "")],
)
def test_question_that_fails_is_no_answer_and_does_not_tell_the_key(
    gateway: SMSGatewayHubGateway, box: GatewaySandbox, at: datetime, status: int, body: str
) -> None:
    box.faults.arm("smsgatewayhub.find", "status", status=status, body=body)
    with pytest.raises(SendError) as caught:
        gateway.find(TestSMSGatewayHubGateway().ask(sms(), at, "7:m"))
    assert API_KEY not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_receipts_and_replies_go_to_both_addresses_and_each_is_read_once(
    gateway: SMSGatewayHubGateway, box: GatewaySandbox, receiver: Receiver
) -> None:
    gateway.send(sms())
    box.world.reply(NUMBER, "+12025550100", "Yes ✓")
    callbacks = receiver.after(box.engine)
    assert {callback.url for callback in callbacks} == {STATUS, INBOUND}
    at_status = [callback for callback in callbacks if callback.url == STATUS]
    at_inbound = [callback for callback in callbacks if callback.url == INBOUND]
    for callback in callbacks:
        gateway.verify(callback)
    states = [report.state for callback in at_status for report in gateway.read_status(callback, None)]
    replies = [reply for callback in at_inbound for reply in gateway.read_incoming(callback)]
    assert states == [MessageState.SENT, MessageState.SENT, MessageState.DELIVERED]
    assert [(reply.from_, reply.to, reply.body) for reply in replies] == [(NUMBER, "+12025550100", "Yes ✓")]


@pytest.mark.parametrize("oddity", ["unsigned", "forged"])
def test_push_to_an_address_without_our_key_is_refused(
    gateway: SMSGatewayHubGateway, box: GatewaySandbox, receiver: Receiver, oddity: str
) -> None:
    box.world.receipts.arm(oddity)
    gateway.send(sms())
    callbacks = receiver.after(box.engine)
    assert callbacks
    for callback in callbacks:
        with pytest.raises(SignatureError):
            gateway.verify(callback)


# -- how it is configured


def test_wrong_settings_are_named() -> None:
    with pytest.raises(ConfigurationError, match="SMSGATEWAYHUB_API_KEY"):
        SMSGatewayHubGateway("", HEADER)
    with pytest.raises(ConfigurationError, match="SMSGATEWAYHUB_FROM"):
        SMSGatewayHubGateway(API_KEY, "")
    with pytest.raises(ConfigurationError, match="SMSGATEWAYHUB_REQUEST"):
        SMSGatewayHubGateway(API_KEY, HEADER, request="xml")


@pytest.mark.parametrize("shape", ["query", "json"])
def test_plugin_builds_it_from_its_settings(box: GatewaySandbox, shape: str) -> None:
    values = {setting.name: setting.default for setting in PLUGIN.settings}
    values |= {"SMSGATEWAYHUB_API_KEY": API_KEY, "SMSGATEWAYHUB_FROM": HEADER, "SMSGATEWAYHUB_REQUEST": shape}
    gateway = PLUGIN.build(values | {"SMSGATEWAYHUB_API_URL": box.url})
    assert gateway.send(sms()).sender == HEADER
    gateway.close()


def test_reports_without_a_code_are_an_answer(
    gateway: SMSGatewayHubGateway, box: GatewaySandbox, skin: SMSGatewayHubSkin, at: datetime
) -> None:
    text = to_india()
    accepted = gateway.send(text)
    box.engine.flush()
    skin.has_bare_reports = True
    report = gateway.find(TestSMSGatewayHubGateway().ask(text, at, accepted.provider_message_id))
    assert report is not None
    assert report.state == MessageState.DELIVERED


def test_send_is_never_a_get_that_something_between_may_repeat(
    gateway: SMSGatewayHubGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods: list[str] = []
    send = httpx.Client.send

    def watched(client: httpx.Client, request: httpx.Request, **more: Any) -> httpx.Response:
        methods.append(request.method)
        return send(client, request, **more)

    monkeypatch.setattr(httpx.Client, "send", watched)
    gateway.send(to_india())
    assert methods == ["POST"]
