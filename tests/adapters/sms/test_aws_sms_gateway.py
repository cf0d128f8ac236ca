from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connector.adapters.sms.aws_sms import PLUGIN, AWSSMSGateway
from connector.adapters.sms.aws_sms_callbacks import AWSCallbacks
from connector.adapters.sms.aws_sms_codes import ERROR_CLASSES
from connector.adapters.sms.sigv4 import RequestSigner, endpoint
from connector.adapters.sms.sns_signature import SNSHost
from connector.domain.message import ErrorClass, MessageState, Purpose
from connector.domain.receipt import after_receipt
from connector.errors import (
    AmbiguousSendError,
    ConfigurationError,
    PermanentSendError,
    SendError,
    SignatureError,
    TransientSendError,
    UnanswerableError,
)
from connector.ports.gateway import CallbackRequest, DLTRegistration, SMSGateway
from connector.ports.number_lookup import LineType
from connector.sandbox.gateways.aws_sigv4 import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from connector.sandbox.gateways.aws_sms import AWSSMSSkin
from connector.sandbox.gateways.receipts import Pace
from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.gateways.world import GatewayWorld
from tests.adapters.sms.contract import NUMBER, SENDER, Break, RemoteGatewayContract, sms
from tests.adapters.sms.emulated import Receiver

pytest.importorskip("botocore", reason="AWS's gateways need botocore, the extra `aws`")

STATUS_URL, INBOUND_URL = "https://sms.example.com/callbacks/aws-sms/status", "https://sms.example.com/inbound"
REGION = "us-east-1"


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def skin() -> AWSSMSSkin:
    return AWSSMSSkin()


@pytest.fixture
def sandbox(skin: AWSSMSSkin, receiver: Receiver) -> Iterator[GatewaySandbox]:
    world = GatewayWorld(skin, status_url=STATUS_URL, inbound_url=INBOUND_URL, pace=Pace.fast())
    box = GatewaySandbox(world, post=receiver)
    with box.server:
        yield box


def signer(**keys: str) -> RequestSigner:
    return RequestSigner(
        "sms-voice", REGION, **{"access_key_id": ACCESS_KEY_ID, "secret_access_key": SECRET_ACCESS_KEY, **keys}
    )


def make(url: str, skin: AWSSMSSkin, now: Callable[[], datetime], **options: Any) -> AWSSMSGateway:
    callbacks = AWSCallbacks([skin.topic.arn], fetch=SNSHost(url), now=now)
    return AWSSMSGateway(options.pop("signer", None) or signer(), url, "texts", callbacks, **options)


@pytest.fixture
def gateway(sandbox: GatewaySandbox, skin: AWSSMSSkin) -> Iterator[AWSSMSGateway]:
    one = make(sandbox.url, skin, sandbox.world.clock.now, sender=SENDER)
    yield one
    one.close()


class TestAWSSMSGateway(RemoteGatewayContract):
    @pytest.fixture(autouse=True)
    def take_sandbox(self, sandbox: GatewaySandbox, receiver: Receiver) -> None:
        self.sandbox, self.receiver = sandbox, receiver

    def now(self) -> datetime:
        return self.sandbox.world.clock.now()

    def deliver(self, gateway: SMSGateway) -> list[CallbackRequest]:
        return self.receiver.after(self.sandbox.engine)

    @pytest.fixture
    def break_next(self, sandbox: GatewaySandbox) -> Break:
        def arm(kind: str, **options: Any) -> None:
            sandbox.faults.arm("aws-sms.send", kind, **options)

        return arm

    @pytest.fixture
    def unreachable(self, skin: AWSSMSSkin) -> AWSSMSGateway:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and closed, not listening: refused at once
            port = taken.getsockname()[1]
        return make(f"http://127.0.0.1:{port}", skin, self.now)

    @pytest.fixture
    def received(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: len(sandbox.world.messages())

    @pytest.fixture
    def requests(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: sandbox.world.calls["send"]

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (SECRET_ACCESS_KEY, ACCESS_KEY_ID, "AWS4-HMAC-SHA256 Credential")


def sent(sandbox: GatewaySandbox) -> Mapping[str, Any]:
    return sandbox.world.messages()[-1].details


# -- what is sent


def test_request_says_everything_that_aws_has_a_field_for(gateway: AWSSMSGateway, sandbox: GatewaySandbox) -> None:
    gateway.send(replace(sms(), dlt=DLTRegistration("1101", "1107"), purpose=Purpose.MARKETING))
    assert sent(sandbox) == {
        "ConfigurationSetName": "texts",
        "DestinationPhoneNumber": NUMBER,
        "OriginationIdentity": SENDER,
        "MessageBody": sms().body,
        "MessageType": "PROMOTIONAL",
        "TimeToLive": 3600,
        "Context": {"attempt_id": "attempt-1"},
        "DestinationCountryParameters": {"IN_ENTITY_ID": "1101", "IN_TEMPLATE_ID": "1107"},
    }


@pytest.mark.parametrize(
    ("purpose", "kind"),
    [(Purpose.OTP, "TRANSACTIONAL"), (Purpose.TRANSACTIONAL, "TRANSACTIONAL"), (Purpose.MARKETING, "PROMOTIONAL")],
)
def test_only_marketing_is_a_promotion(
    gateway: AWSSMSGateway, sandbox: GatewaySandbox, purpose: Purpose, kind: str
) -> None:
    gateway.send(replace(sms(), purpose=purpose))
    assert sent(sandbox)["MessageType"] == kind


@pytest.mark.parametrize(
    ("valid_for", "seconds"),
    [
        (timedelta(seconds=90, milliseconds=900), 90),
        (timedelta(seconds=1), 5),
        (timedelta(days=30), 259_200),
        (None, None),
    ],
)
def test_validity_stays_within_what_aws_takes(
    gateway: AWSSMSGateway, sandbox: GatewaySandbox, valid_for: timedelta | None, seconds: int | None
) -> None:
    gateway.send(replace(sms(), valid_for=valid_for))
    assert sent(sandbox).get("TimeToLive") == seconds


@pytest.mark.parametrize(
    ("sender", "configured", "identity", "shown"),
    [
        ("ACME", SENDER, "ACME", "ACME"),
        (None, SENDER, SENDER, SENDER),
        (None, "pool-0123", "pool-0123", None),
        (None, "phone-0123456789abcdef0123456789abcdef", None, None),
        ("phone-0123456789abcdef0123456789abcdef", SENDER, "phone-0123456789abcdef0123456789abcdef", None),
        (None, "arn:aws:sms-voice:us-east-1:123456789012:pool/pool-0123", None, None),
        (None, None, None, None),
    ],
)
def test_sender_is_the_text_s_own_then_the_configured_one_then_aws_s_choice(
    sandbox: GatewaySandbox,
    skin: AWSSMSSkin,
    sender: str | None,
    configured: str | None,
    identity: str | None,
    shown: str | None,
) -> None:
    gateway = make(sandbox.url, skin, sandbox.world.clock.now, sender=configured)
    assert gateway.send(sms(sender=sender)).sender == shown
    assert sent(sandbox).get("OriginationIdentity") == (identity or configured)
    gateway.close()


def test_most_a_part_may_cost_is_said(sandbox: GatewaySandbox, skin: AWSSMSSkin) -> None:
    gateway = make(sandbox.url, skin, sandbox.world.clock.now, max_price="0.10")
    gateway.send(sms())
    assert sent(sandbox)["MaxPrice"] == "0.10"
    gateway.close()


def test_half_a_surrogate_pair_is_sent_as_a_question_mark(gateway: AWSSMSGateway, sandbox: GatewaySandbox) -> None:
    gateway.send(sms(body="Hi \ud83d"))
    assert sandbox.world.messages()[0].body == "Hi ?"


@pytest.mark.parametrize("text", [sms(), replace(sms(), dlt=DLTRegistration("1", "2"), valid_for=None)])
def test_request_is_one_that_the_service_s_own_model_takes(
    sandbox: GatewaySandbox, skin: AWSSMSSkin, text: Any
) -> None:
    session = pytest.importorskip("botocore.session").get_session()
    shape = session.get_service_model("pinpoint-sms-voice-v2").operation_model("SendTextMessage").input_shape
    gateway = make(sandbox.url, skin, sandbox.world.clock.now, max_price=".5", sender=SENDER)
    gateway.send(text)
    report = pytest.importorskip("botocore.validate").ParamValidator().validate(dict(sent(sandbox)), shape)
    assert report.generate_report() == ""
    for name, value in sent(sandbox).items():
        assert value in (shape.members[name].metadata.get("enum") or [value])
    gateway.close()


def test_session_token_travels_and_is_signed(sandbox: GatewaySandbox, skin: AWSSMSSkin) -> None:
    sandbox.world.credentials["session_token"] = "a-token"
    gateway = make(sandbox.url, skin, sandbox.world.clock.now, signer=signer(session_token="a-token"))
    assert gateway.send(sms()).provider_message_id
    gateway.close()


def test_credentials_are_found_where_aws_s_tools_look(
    sandbox: GatewaySandbox, skin: AWSSMSSkin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
    gateway = make(sandbox.url, skin, sandbox.world.clock.now, signer=RequestSigner("sms-voice", REGION))
    assert gateway.send(sms()).provider_message_id
    gateway.close()


# -- what is refused


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        ("AKIAI44QH8DHBEXAMPLE", SECRET_ACCESS_KEY, "UnrecognizedClientException"),
        (ACCESS_KEY_ID, "another-secret", "InvalidSignatureException"),
    ],
)
def test_wrong_keys_wait_for_somebody_to_mend_them(
    sandbox: GatewaySandbox, skin: AWSSMSSkin, key: str, secret: str, code: str
) -> None:
    wrong = signer(access_key_id=key, secret_access_key=secret)
    gateway = make(sandbox.url, skin, sandbox.world.clock.now, signer=wrong)
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == (code, ErrorClass.CONFIG)
    gateway.close()


def test_number_that_opted_out_at_aws_is_told_as_such(
    gateway: AWSSMSGateway, sandbox: GatewaySandbox, skin: AWSSMSSkin
) -> None:
    sandbox.world.reply(NUMBER, SENDER, "stop")
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(sms())
    assert caught.value.code == "DESTINATION_PHONE_NUMBER_OPTED_OUT"
    assert caught.value.error_class == ErrorClass.OPTED_OUT


def test_more_than_the_account_may_send_is_throttled(gateway: AWSSMSGateway, sandbox: GatewaySandbox) -> None:
    sandbox.world.max_per_second = 0
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert caught.value.error_class == ErrorClass.THROTTLED


@pytest.mark.parametrize(
    ("body", "kind", "code", "error_class"),
    [
        (
            {"__type": "ServiceQuotaExceededException", "Reason": "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"},
            TransientSendError,
            "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
            ErrorClass.ACCOUNT_OR_CREDIT,
        ),
        (
            {"__type": "ServiceQuotaExceededException", "Reason": "SOMETHING_NEW"},
            TransientSendError,
            "ServiceQuotaExceededException",
            ErrorClass.ACCOUNT_OR_CREDIT,
        ),
        (
            {"__type": "com.amazonaws.smsvoice#ConflictException", "Reason": "DESTINATION_PHONE_NUMBER_NOT_VERIFIED"},
            TransientSendError,
            "DESTINATION_PHONE_NUMBER_NOT_VERIFIED",
            ErrorClass.CONFIG,
        ),
        (
            {"__type": "ConflictException", "Reason": "SOMETHING_NEW"},
            PermanentSendError,
            "SOMETHING_NEW",
            ErrorClass.UNKNOWN,
        ),
        (
            {"__type": "ValidationException", "Reason": "PRICE_OVER_THRESHOLD"},
            TransientSendError,
            "PRICE_OVER_THRESHOLD",
            ErrorClass.CONFIG,
        ),
        (
            {"__type": "ValidationException", "Reason": "SENDER_ID_NOT_REGISTERED"},
            PermanentSendError,
            "SENDER_ID_NOT_REGISTERED",
            ErrorClass.SENDER_OR_REGISTRATION,
        ),
        (
            {
                "__type": "ValidationException",
                "Reason": "FIELD_VALIDATION_FAILED",
                "Fields": [{"Name": "DestinationPhoneNumber", "Message": "x"}],
            },
            PermanentSendError,
            "field:DestinationPhoneNumber",
            ErrorClass.PERMANENT_NUMBER,
        ),
        (
            {"__type": "ValidationException", "Reason": "OTHER", "Fields": "odd"},
            PermanentSendError,
            "OTHER",
            ErrorClass.UNKNOWN,
        ),
        (
            {"__type": "AccessDeniedException", "Reason": "ACCOUNT_DISABLED"},
            TransientSendError,
            "ACCOUNT_DISABLED",
            ErrorClass.ACCOUNT_OR_CREDIT,
        ),
        ({"__type": "AccessDeniedException"}, TransientSendError, "AccessDeniedException", ErrorClass.CONFIG),
        (
            {"__type": "ResourceNotFoundException", "ResourceType": "sender-id"},
            PermanentSendError,
            "missing:sender-id",
            ErrorClass.SENDER_OR_REGISTRATION,
        ),
        (
            {"__type": "ResourceNotFoundException", "ResourceType": "configuration-set"},
            TransientSendError,
            "ResourceNotFoundException",
            ErrorClass.CONFIG,
        ),
        ({"__type": "ThrottlingException"}, TransientSendError, "ThrottlingException", ErrorClass.THROTTLED),
        ({"__type": ["odd"], "Reason": {}}, PermanentSendError, "400", ErrorClass.UNKNOWN),
    ],
)
def test_reason_decides_then_what_is_at_fault_then_the_exception(
    gateway: AWSSMSGateway,
    sandbox: GatewaySandbox,
    body: dict[str, Any],
    kind: type[SendError],
    code: str,
    error_class: ErrorClass,
) -> None:
    sandbox.faults.arm("aws-sms.send", "status", status=400, body=body)
    with pytest.raises(kind) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == (code, error_class)


def test_internal_error_of_aws_may_have_sent_it(gateway: AWSSMSGateway, sandbox: GatewaySandbox) -> None:
    sandbox.faults.arm("aws-sms.send", "status", status=500)
    with pytest.raises(AmbiguousSendError):
        gateway.send(sms())


def test_reasons_are_those_that_the_service_s_own_model_knows() -> None:
    session = pytest.importorskip("botocore.session").get_session()
    model = session.get_service_model("pinpoint-sms-voice-v2")
    known = {
        reason
        for error in model.error_shapes
        if "Reason" in error.members
        for reason in error.members["Reason"].metadata["enum"]
    }
    assert {code for code in ERROR_CLASSES if code.isupper()} <= known


# -- what comes back


def test_receipts_follow_the_text_to_the_phone_and_tell_its_price(
    gateway: AWSSMSGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    message_id = gateway.send(sms(body="x" * 161)).provider_message_id
    reports = [report for call in receiver.after(sandbox.engine) for report in gateway.read_status(call, None)]
    assert [report.raw_status for report in reports] == ["TEXT_PENDING", "TEXT_SUCCESSFUL", "TEXT_DELIVERED"]
    assert [report.state for report in reports] == [MessageState.SENT, MessageState.SENT, MessageState.DELIVERED]
    last = reports[-1]
    assert (last.provider_message_id, last.attempt_id, last.segments) == (message_id, "attempt-1", 2)
    assert (last.price, last.currency, last.carrier) == (Decimal("0.0196"), "USD", "Fiction Mobile")


@pytest.mark.parametrize(
    ("oddity", "options", "state", "code", "error_class"),
    [
        ("undelivered", {}, MessageState.UNDELIVERED, "TEXT_UNREACHABLE", ErrorClass.TRANSIENT),
        (
            "undelivered",
            {"error_code": "TEXT_CARRIER_BLOCKED"},
            MessageState.UNDELIVERED,
            "TEXT_CARRIER_BLOCKED",
            ErrorClass.PERMANENT_CONTENT,
        ),
        ("failed", {}, MessageState.FAILED, "TEXT_INVALID", ErrorClass.PERMANENT_NUMBER),
        ("held", {}, MessageState.EXPIRED, "TEXT_TTL_EXPIRED", ErrorClass.TRANSIENT),
    ],
)
def test_what_did_not_arrive_says_why(
    gateway: AWSSMSGateway,
    sandbox: GatewaySandbox,
    receiver: Receiver,
    oddity: str,
    options: dict[str, Any],
    state: MessageState,
    code: str,
    error_class: ErrorClass,
) -> None:
    sandbox.world.receipts.arm(oddity, **options)
    gateway.send(sms())
    (report,) = gateway.read_status(receiver.after(sandbox.engine)[-1], None)
    assert (report.state, report.error_code, report.error_class) == (state, code, error_class)


@pytest.mark.parametrize("oddity", ["unsigned", "forged"])
def test_receipt_with_no_or_another_s_signature_is_refused(
    gateway: AWSSMSGateway, sandbox: GatewaySandbox, receiver: Receiver, oddity: str
) -> None:
    sandbox.world.receipts.arm(oddity)
    gateway.send(sms())
    for call in receiver.after(sandbox.engine):
        with pytest.raises(SignatureError):
            gateway.verify(call)


def test_event_that_took_the_way_over_eventbridge_says_the_same(
    gateway: AWSSMSGateway, sandbox: GatewaySandbox, skin: AWSSMSSkin, receiver: Receiver
) -> None:
    skin.wraps_in_eventbridge = True
    gateway.send(sms())
    last = receiver.after(sandbox.engine)[-1]
    gateway.verify(last)
    (report,) = gateway.read_status(last, None)
    assert (report.state, report.attempt_id) == (MessageState.DELIVERED, "attempt-1")


def test_final_event_does_not_end_a_text_that_another_final_event_delivers(
    gateway: AWSSMSGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    gateway.send(sms())
    _, successful, delivered = receiver.after(sandbox.engine)
    for call in (successful, delivered):
        assert json.loads(json.loads(call.body)["Message"])["isFinal"] is True
    (first,), (second,) = gateway.read_status(successful, None), gateway.read_status(delivered, None)
    assert after_receipt(first.state, second.state) is MessageState.DELIVERED


def test_callback_tried_again_is_the_same_to_the_byte(
    gateway: AWSSMSGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    receiver.answers = [httpx.Response(503)]
    gateway.send(sms())
    bodies = [call.body for call in receiver.after(sandbox.engine)]
    assert (len(bodies), len(set(bodies))) == (4, 3)


def test_reply_arrives_with_both_numbers_and_its_words(
    gateway: AWSSMSGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    message = sandbox.world.reply(NUMBER, SENDER, "Yes ✓ & more")
    (call,) = receiver.after(sandbox.engine)
    gateway.verify(call)
    (reply,) = gateway.read_incoming(call)
    assert (reply.provider_message_id, reply.from_, reply.to) == (message.id, NUMBER, SENDER)
    assert (reply.body, reply.opt_out_handled) == ("Yes ✓ & more", None)
    assert gateway.read_status(call, None) == ()


# -- what it can be asked


def test_number_is_looked_up(gateway: AWSSMSGateway, skin: AWSSMSSkin) -> None:
    skin.landlines.add("+12025550180")
    skin.invalid.add("+12025550181")
    mobile = gateway.look_up(NUMBER)
    assert (mobile.line_type, mobile.country, mobile.carrier) == (LineType.MOBILE, "US", "Fiction Mobile")
    assert gateway.look_up("+12025550180").line_type is LineType.LANDLINE
    assert gateway.look_up("+12025550180").carrier is None
    assert gateway.look_up("+12025550181").line_type is LineType.INVALID


@pytest.mark.parametrize(
    ("kind", "line_type"),
    [
        ("PREPAID", LineType.MOBILE),
        ("VOIP", LineType.VOIP),
        ("OTHER", LineType.UNKNOWN),
        ("A_WORD_OF_TOMORROW", LineType.UNKNOWN),
    ],
)
def test_kind_of_number_becomes_a_line_type(
    gateway: AWSSMSGateway, sandbox: GatewaySandbox, kind: str, line_type: LineType
) -> None:
    body = {"PhoneNumberType": kind, "E164PhoneNumber": NUMBER, "MCC": "310", "MNC": "800"}
    sandbox.faults.arm("aws-sms.lookup", "status", status=200, body=body)
    answer = gateway.look_up(NUMBER)
    assert (answer.line_type, answer.carrier) == (line_type, "310800")


def test_number_that_cannot_be_one_is_an_answer_and_other_trouble_an_error(
    gateway: AWSSMSGateway, sandbox: GatewaySandbox
) -> None:
    assert gateway.look_up("not a number").line_type is LineType.INVALID
    for fault in ({"status": 429}, {"status": 500}, {"status": 200, "body": "{}"}, {"status": 400, "body": "{}"}):
        sandbox.faults.arm("aws-sms.lookup", "status", **fault)
        with pytest.raises(SendError):
            gateway.look_up(NUMBER)


def test_fate_of_a_text_cannot_be_asked_for(gateway: AWSSMSGateway, sandbox: GatewaySandbox) -> None:
    message_id = gateway.send(sms()).provider_message_id
    with pytest.raises(UnanswerableError):
        gateway.find(TestAWSSMSGateway().ask(sms(), sandbox.world.clock.now(), message_id))
    assert sandbox.world.calls == {"send": 1}


# -- how it is configured

VALUES = {setting.name: setting.default for setting in PLUGIN.settings} | {
    "AWS_SMS_REGION": "eu-central-1",
    "AWS_SMS_CONFIGURATION_SET": "texts",
    "AWS_SMS_TOPIC_ARNS": "arn:aws:sns:eu-central-1:123456789012:texts",
    "AWS_SMS_ACCESS_KEY_ID": ACCESS_KEY_ID,
    "AWS_SMS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
}


def test_gateway_is_built_from_its_settings(sandbox: GatewaySandbox, skin: AWSSMSSkin, receiver: Receiver) -> None:
    values = VALUES | {
        "AWS_SMS_REGION": REGION,
        "AWS_SMS_TOPIC_ARNS": f"{skin.topic.arn}, arn:aws:sns:eu-west-1:123456789012:other",
        "AWS_SMS_API_URL": sandbox.url,
        "AWS_SMS_SNS_URL": sandbox.url,
        "AWS_SMS_FROM": SENDER,
        "AWS_SMS_OPT_OUTS": "self",
    }
    gateway = PLUGIN.build(values)
    gateway.send(sms())
    sandbox.world.reply(NUMBER, SENDER, "STOP")
    *receipts, reply = receiver.after(sandbox.engine)
    for call in (*receipts, reply):
        gateway.verify(call)
    replies = [each for call in (*receipts, reply) for each in gateway.read_incoming(call)]
    assert [each.opt_out_handled for each in replies] == [None]
    gateway.close()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"AWS_SMS_CONFIGURATION_SET": ""}, "AWS_SMS_CONFIGURATION_SET"),
        ({"AWS_SMS_TOPIC_ARNS": ""}, "AWS_SMS_TOPIC_ARNS"),
        ({"AWS_SMS_TOPIC_ARNS": "texts"}, "AWS_SMS_TOPIC_ARNS"),
        ({"AWS_SMS_MAX_PRICE": "1"}, "AWS_SMS_MAX_PRICE"),
        ({"AWS_SMS_OPT_OUTS": "yes"}, "AWS_SMS_OPT_OUTS"),
        ({"AWS_SMS_SECRET_ACCESS_KEY": ""}, "both the id and the secret"),
    ],
)
def test_wrong_settings_are_named(change: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        PLUGIN.build(VALUES | change)


def test_events_without_an_envelope_need_no_topic_but_a_key() -> None:
    gateway = PLUGIN.build(VALUES | {"AWS_SMS_TOPIC_ARNS": "", "AWS_SMS_CALLBACK_KEYS": "new, old"})
    body = b'{"eventType": "TEXT_DELIVERED", "messageId": "1"}'
    gateway.verify(CallbackRequest("POST", f"{STATUS_URL}?key=old", {}, body))
    for url in (STATUS_URL, f"{STATUS_URL}?key=older"):
        with pytest.raises(SignatureError):
            gateway.verify(CallbackRequest("POST", url, {}, body))
    gateway.close()


def test_machine_without_botocore_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "botocore"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "botocore", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'sms-connector\[aws\]'"):
        PLUGIN.build(VALUES)


def test_machine_without_any_credentials_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    session = pytest.importorskip("botocore.session")
    monkeypatch.setattr(session.Session, "get_credentials", lambda _self: None)
    with pytest.raises(ConfigurationError, match="no AWS credentials"):
        PLUGIN.build(VALUES | {"AWS_SMS_ACCESS_KEY_ID": "", "AWS_SMS_SECRET_ACCESS_KEY": ""})


@pytest.mark.parametrize("is_refused", [False, True])
def test_role_that_cannot_be_renewed_means_that_nothing_went_out(
    sandbox: GatewaySandbox, skin: AWSSMSSkin, monkeypatch: pytest.MonkeyPatch, is_refused: bool
) -> None:
    errors, credentials = pytest.importorskip("botocore.exceptions"), pytest.importorskip("botocore.credentials")

    def refuse(_self: object) -> None:
        if is_refused:
            raise errors.ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole")
        raise errors.CredentialRetrievalError(provider="a role", error_msg="gone")

    gateway = make(sandbox.url, skin, sandbox.world.clock.now)
    monkeypatch.setattr(credentials.Credentials, "get_frozen_credentials", refuse)
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, sandbox.world.calls["send"]) == ("no_credentials", 0)
    gateway.close()


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("eu-central-1", "https://sms-voice.eu-central-1.amazonaws.com"),
        ("cn-north-1", "https://sms-voice.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_address_is_that_of_the_region(region: str, url: str) -> None:
    assert endpoint("sms-voice", region) == url
