from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connector.adapters.sms.telesign import PLUGIN, TelesignGateway
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
from connector.ports.gateway import AttemptQuery, CallbackRequest, DLTRegistration, SMSGateway
from connector.ports.number_lookup import LineType
from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.gateways.telesign import API_KEY, CUSTOMER_ID, TelesignSkin
from tests.adapters.sms.contract import NUMBER, SENDER, Break, RemoteGatewayContract, sms
from tests.adapters.sms.emulated import Receiver, as_request

NOBODY = "http://127.0.0.1:9"  # the discard port, which nothing listens on


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def sandbox(receiver: Receiver) -> Iterator[GatewaySandbox]:
    box = GatewaySandbox(TelesignSkin(), post=receiver, inbound_url="https://sms.example.com/callbacks/inbound")
    with box.server:
        yield box


@pytest.fixture
def gateway(sandbox: GatewaySandbox) -> Iterator[TelesignGateway]:
    one = TelesignGateway(CUSTOMER_ID, [API_KEY, "b2xkZXI="], sandbox.url, sender=SENDER)
    yield one
    one.close()


def asked(provider_id: str | None) -> AttemptQuery:
    return AttemptQuery("attempt-1", provider_id, NUMBER, None, "Hi", datetime.now(UTC))


class TestTelesignGateway(RemoteGatewayContract):
    @pytest.fixture(autouse=True)
    def take_sandbox(self, sandbox: GatewaySandbox, receiver: Receiver) -> None:
        self.sandbox, self.receiver = sandbox, receiver

    def deliver(self, gateway: SMSGateway) -> Sequence[CallbackRequest]:
        return self.receiver.after(self.sandbox.engine)

    @pytest.fixture
    def break_next(self, sandbox: GatewaySandbox) -> Break:
        def arm(kind: str, **options: Any) -> None:
            sandbox.faults.arm("telesign.send", kind, **options)

        return arm

    @pytest.fixture
    def unreachable(self) -> TelesignGateway:
        return TelesignGateway(CUSTOMER_ID, [API_KEY], NOBODY)

    @pytest.fixture
    def received(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: len(sandbox.world.messages())

    @pytest.fixture
    def requests(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: sandbox.world.calls["send"]

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (API_KEY, "Basic ", CUSTOMER_ID)

    def test_being_unable_to_ask_is_an_error_and_not_an_answer(self, unreachable: SMSGateway) -> None:
        with pytest.raises(TransientSendError):  # asked by id, the only thing Telesign is asked by
            unreachable.find(asked("0" * 32))


# -- what is sent


def test_form_says_what_kind_of_text_goes_to_whom_and_where_to_report(
    gateway: TelesignGateway, sandbox: GatewaySandbox
) -> None:
    gateway.send(sms())
    assert sandbox.world.messages()[0].details == {
        "phone_number": NUMBER[1:],
        "message": sms().body,
        "message_type": "ARN",
        "external_id": "attempt-1",
        "callback_url": "https://sms.example.com/callbacks/status/attempt-1",
        "sender_id": SENDER[1:],
    }


@pytest.mark.parametrize(
    ("purpose", "word"), [(Purpose.OTP, "OTP"), (Purpose.TRANSACTIONAL, "ARN"), (Purpose.MARKETING, "MKT")]
)
def test_purpose_decides_the_message_type(
    gateway: TelesignGateway, sandbox: GatewaySandbox, purpose: Purpose, word: str
) -> None:
    gateway.send(replace(sms(), purpose=purpose))
    assert sandbox.world.messages()[0].details["message_type"] == word


def test_indian_registration_is_passed_on(gateway: TelesignGateway, sandbox: GatewaySandbox) -> None:
    gateway.send(replace(sms(), dlt=DLTRegistration("1001000000000000001", "1007000000000000002")))
    details = sandbox.world.messages()[0].details
    assert (details["dlt_entity_id"], details["dlt_template_id"]) == ("1001000000000000001", "1007000000000000002")


def test_sender_of_the_text_goes_before_the_configured_one_and_may_be_left_to_telesign(sandbox: GatewaySandbox) -> None:
    gateway = TelesignGateway(CUSTOMER_ID, [API_KEY], sandbox.url)
    gateway.send(sms(sender="ACME"))
    gateway.send(sms("attempt-2"))
    first, second = sandbox.world.messages()
    assert first.details["sender_id"] == "ACME"
    assert "sender_id" not in second.details
    gateway.close()


def test_half_a_surrogate_pair_is_sent_as_a_question_mark(gateway: TelesignGateway, sandbox: GatewaySandbox) -> None:
    gateway.send(sms(body="Hi \ud83d"))
    assert sandbox.world.messages()[0].body == "Hi ?"


# -- what is refused


def test_wrong_key_keeps_texts_waiting(sandbox: GatewaySandbox) -> None:
    gateway = TelesignGateway(CUSTOMER_ID, ["d3Jvbmc="], sandbox.url)
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == ("10022", ErrorClass.CONFIG)
    gateway.close()


def test_too_many_a_second_are_throttled(gateway: TelesignGateway, sandbox: GatewaySandbox) -> None:
    sandbox.world.max_per_second = 0
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == ("10019", ErrorClass.THROTTLED)


def test_number_that_is_none_is_final(gateway: TelesignGateway) -> None:
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(replace(sms(), to="+1"))
    assert (caught.value.code, caught.value.error_class) == ("11000", ErrorClass.PERMANENT_NUMBER)


@pytest.mark.parametrize(
    ("http_status", "body", "kind", "error_class"),
    [
        (200, {"status": {"code": 510}, "reference_id": "R"}, PermanentSendError, "opted_out"),
        (200, {"status": {"code": 233}, "reference_id": "R"}, PermanentSendError, "unknown"),
        (200, {"status": {"code": 505}, "reference_id": "R"}, TransientSendError, "transient"),
        (200, {"status": {"code": 290}, "errors": [{"code": 11009}]}, PermanentSendError, "permanent_content"),
        (200, {"status": {"code": 290}}, AmbiguousSendError, "unknown"),
        (200, {"status": {"code": 237}, "reference_id": "R"}, TransientSendError, "config"),
        (400, {"status": {"code": 500}, "errors": [{"code": 99999}]}, PermanentSendError, "unknown"),
        (402, {"status": {"code": 500}, "errors": [{"code": 10030}]}, TransientSendError, "account_or_credit"),
        (500, {"status": {"code": 500}, "errors": [{"code": 10000}]}, TransientSendError, "transient"),
        (500, {"status": {"code": 500, "description": "Internal"}}, AmbiguousSendError, "unknown"),  # a proxy's own
        (503, {"status": {"code": 503}}, AmbiguousSendError, "unknown"),
        (500, {"status": {"code": 510}, "reference_id": "R"}, PermanentSendError, "opted_out"),
        (500, {"status": {"code": 777}, "errors": [{"code": 99999}]}, AmbiguousSendError, "unknown"),
        (503, {"errors": [{"code": -90001}]}, TransientSendError, "transient"),
    ],
)
def test_status_code_decides_and_not_the_http_status(
    gateway: TelesignGateway,
    sandbox: GatewaySandbox,
    http_status: int,
    body: dict[str, Any],
    kind: type[SendError],
    error_class: str,
) -> None:
    sandbox.faults.arm("telesign.send", "status", status=http_status, body=json.dumps(body))
    with pytest.raises(kind) as caught:
        gateway.send(sms())
    assert caught.value.error_class == error_class


@pytest.mark.parametrize(
    ("http_status", "code", "state"),
    [
        (200, 290, MessageState.ACCEPTED),
        (200, 203, MessageState.SENT),
        (200, 777, MessageState.ACCEPTED),  # a success with a code nobody knows
        (500, 290, MessageState.ACCEPTED),  # in progress is in progress
    ],
)
def test_progress_is_taken_for_accepted(
    gateway: TelesignGateway, sandbox: GatewaySandbox, http_status: int, code: int, state: MessageState
) -> None:
    body = json.dumps({"status": {"code": code}, "reference_id": "R", "errors": []})
    sandbox.faults.arm("telesign.send", "status", status=http_status, body=body)
    accepted = gateway.send(sms())
    assert (accepted.provider_message_id, accepted.state, accepted.raw_status) == ("R", state, str(code))


# -- what becomes of it


@pytest.mark.parametrize(
    ("oddity", "options", "state", "error_class"),
    [
        ("undelivered", {}, MessageState.UNDELIVERED, ErrorClass.TRANSIENT),
        ("undelivered", {"error_code": 510}, MessageState.UNDELIVERED, ErrorClass.OPTED_OUT),
        ("held", {"seconds": 1_000_000}, MessageState.EXPIRED, ErrorClass.TRANSIENT),
        ("failed", {}, MessageState.FAILED, ErrorClass.TRANSIENT),
    ],
)
def test_bad_end_is_told_by_callback_and_by_asking(
    gateway: TelesignGateway,
    sandbox: GatewaySandbox,
    receiver: Receiver,
    oddity: str,
    options: dict[str, Any],
    state: MessageState,
    error_class: ErrorClass,
) -> None:
    sandbox.world.receipts.arm(oddity, **options)
    accepted = gateway.send(sms())
    last = receiver.after(sandbox.engine)[-1]
    (told,) = gateway.read_status(last, "attempt-1")
    found = gateway.find(asked(accepted.provider_message_id))
    assert told == found
    assert (told.state, told.error_class) == (state, error_class)


def test_receipt_can_be_asked_for_by_nothing_but_the_id(gateway: TelesignGateway) -> None:
    with pytest.raises(UnanswerableError):
        gateway.find(asked(None))


@pytest.mark.parametrize("reference_id", ["0" * 32, "no-reference-id", "../phoneid/1"])
def test_text_that_telesign_forgot_was_sent_all_the_same(gateway: TelesignGateway, reference_id: str) -> None:
    report = gateway.find(asked(reference_id))
    assert report is not None
    assert (report.state, report.raw_status, report.attempt_id) == (MessageState.UNKNOWN, "not found", "attempt-1")


@pytest.mark.parametrize(
    ("http_status", "body", "kind"),
    [
        (401, '{"status": {"code": 501}, "errors": [{"code": 10022}]}', TransientSendError),
        (200, "{}", AmbiguousSendError),
        (502, "<html>", AmbiguousSendError),
    ],
)
def test_failed_query_is_not_taken_for_a_failed_text(
    gateway: TelesignGateway, sandbox: GatewaySandbox, http_status: int, body: str, kind: type[SendError]
) -> None:
    sandbox.faults.arm("telesign.find", "status", status=http_status, body=body)
    with pytest.raises(kind):
        gateway.find(asked("0" * 32))


def test_forged_receipt_is_refused_and_the_unsigned_one_comes_again_signed(
    gateway: TelesignGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    sandbox.world.receipts.arm("forged")
    gateway.send(sms())
    for request in receiver.after(sandbox.engine):
        with pytest.raises(SignatureError):
            gateway.verify(request)
    receiver.calls.clear()
    sandbox.world.receipts.arm("unsigned")
    receiver.answers.append(httpx.Response(401))
    gateway.send(sms("attempt-2"))
    bare, *_, again = receiver.after(sandbox.engine)
    with pytest.raises(SignatureError):
        gateway.verify(bare)
    gateway.verify(again)


def test_reply_is_verified_and_read(gateway: TelesignGateway, sandbox: GatewaySandbox, receiver: Receiver) -> None:
    written = sandbox.world.reply(NUMBER, SENDER, "Yes ✓")
    (request,) = receiver.after(sandbox.engine)
    gateway.verify(request)
    (reply,) = gateway.read_incoming(request)
    assert (reply.provider_message_id, reply.from_, reply.to, reply.body) == (written.id, NUMBER, SENDER, "Yes ✓")
    assert as_request(receiver.calls[0]) == request


# -- what a number is


@pytest.mark.parametrize(
    ("number", "line_type", "country"),
    [
        (NUMBER, LineType.MOBILE, "US"),
        ("+442079460123", LineType.LANDLINE, "GB"),
        ("+447700900123", LineType.MOBILE, "GB"),
    ],
)
def test_lookup_tells_line_country_and_carrier(
    gateway: TelesignGateway, number: str, line_type: LineType, country: str
) -> None:
    answer = gateway.look_up(number)
    assert (answer.line_type, answer.country, answer.carrier) == (line_type, country, "Pretend Mobile")


def test_number_that_does_not_exist_is_an_answer(gateway: TelesignGateway) -> None:
    assert gateway.look_up("+1").line_type is LineType.INVALID


def test_line_nobody_has_a_word_for_is_unknown(gateway: TelesignGateway, sandbox: GatewaySandbox) -> None:
    body = '{"status": {"code": 301}, "phone_type": {"code": "6"}, "location": null}'
    sandbox.faults.arm("telesign.lookup", "status", status=200, body=body)
    answer = gateway.look_up(NUMBER)
    assert (answer.line_type, answer.country, answer.carrier) == (LineType.UNKNOWN, None, None)


@pytest.mark.parametrize(("status", "body"), [(500, "oops"), (401, '{"errors": [{"code": 10008}]}'), (200, "{}")])
def test_lookup_that_failed_is_an_error(
    gateway: TelesignGateway, sandbox: GatewaySandbox, status: int, body: str
) -> None:
    sandbox.faults.arm("telesign.lookup", "status", status=status, body=body)
    with pytest.raises(SendError):
        gateway.look_up(NUMBER)


# -- how it is configured


def test_missing_or_broken_settings_are_named_without_the_key() -> None:
    with pytest.raises(ConfigurationError, match="TELESIGN_API_KEYS"):
        TelesignGateway(CUSTOMER_ID, [""])
    with pytest.raises(ConfigurationError, match="TELESIGN_API_KEYS") as caught:
        TelesignGateway(CUSTOMER_ID, ["not base64!"])
    assert "not base64!" not in str(caught.value)


def test_plugin_builds_the_gateway_from_its_settings(sandbox: GatewaySandbox) -> None:
    values = {setting.name: setting.default for setting in PLUGIN.settings}
    values |= {"TELESIGN_CUSTOMER_ID": CUSTOMER_ID, "TELESIGN_API_KEYS": API_KEY, "TELESIGN_API_URL": sandbox.url}
    gateway = PLUGIN.build(values)
    assert gateway.send(sms()).provider_message_id
    gateway.close()
