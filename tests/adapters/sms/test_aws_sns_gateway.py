from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from connector.adapters.sms.aws_sns import PLUGIN, AWSSNSGateway
from connector.adapters.sms.aws_sns_codes import code_of, message_id_of
from connector.adapters.sms.sigv4 import RequestSigner
from connector.domain.message import ErrorClass, Purpose
from connector.errors import ConfigurationError, PermanentSendError, SendError, TransientSendError
from connector.ports.gateway import DLTRegistration
from connector.sandbox.gateways.aws_sigv4 import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from connector.sandbox.gateways.aws_sns import AWSSNSSkin
from connector.sandbox.gateways.sandbox import GatewaySandbox
from tests.adapters.sms.contract import NUMBER, Break, RemoteGatewayContract, sms

pytest.importorskip("botocore", reason="AWS's gateways need botocore, the extra `aws`")

VALUES = {setting.name: setting.default for setting in PLUGIN.settings} | {
    "AWS_SNS_REGION": "us-east-1",
    "AWS_SNS_ACCESS_KEY_ID": ACCESS_KEY_ID,
    "AWS_SNS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
}


@pytest.fixture
def sandbox() -> Iterator[GatewaySandbox]:
    box = GatewaySandbox(AWSSNSSkin())
    with box.server:
        yield box


def make(url: str, **options: Any) -> AWSSNSGateway:
    return AWSSNSGateway(RequestSigner("sns", "us-east-1", ACCESS_KEY_ID, SECRET_ACCESS_KEY), url, **options)


@pytest.fixture
def gateway(sandbox: GatewaySandbox) -> Iterator[AWSSNSGateway]:
    one = make(sandbox.url, sender="ACME")
    yield one
    one.close()


class TestAWSSNSGateway(RemoteGatewayContract):
    @pytest.fixture(autouse=True)
    def take_sandbox(self, sandbox: GatewaySandbox) -> None:
        self.sandbox = sandbox

    def now(self) -> datetime:
        return self.sandbox.world.clock.now()

    @pytest.fixture
    def break_next(self, sandbox: GatewaySandbox) -> Break:
        def arm(kind: str, **options: Any) -> None:
            sandbox.faults.arm("aws-sns.send", kind, **options)

        return arm

    @pytest.fixture
    def unreachable(self) -> AWSSNSGateway:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and closed, not listening: refused at once
            port = taken.getsockname()[1]
        return make(f"http://127.0.0.1:{port}")

    @pytest.fixture
    def received(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: len(sandbox.world.messages())

    @pytest.fixture
    def requests(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: sandbox.world.calls["send"]

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (SECRET_ACCESS_KEY, ACCESS_KEY_ID, "AWS4-HMAC-SHA256 Credential")


def attributes(sandbox: GatewaySandbox) -> Mapping[str, str]:
    found: Mapping[str, str] = sandbox.world.messages()[-1].details["attributes"]
    return found


# -- what is sent


def test_text_goes_to_a_number_with_its_sender_and_kind(gateway: AWSSNSGateway, sandbox: GatewaySandbox) -> None:
    accepted = gateway.send(replace(sms(), purpose=Purpose.MARKETING, dlt=DLTRegistration("1101", "1107")))
    (message,) = sandbox.world.messages()
    assert (message.id, message.to, message.body) == (accepted.provider_message_id, NUMBER, sms().body)
    assert attributes(sandbox) == {
        "AWS.SNS.SMS.SMSType": "Promotional",
        "AWS.SNS.SMS.SenderID": "ACME",
        "AWS.MM.SMS.EntityId": "1101",
        "AWS.MM.SMS.TemplateId": "1107",
    }
    assert (accepted.sender, accepted.price, accepted.segments) == ("ACME", None, None)


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("+12025550100", "AWS.MM.SMS.OriginationNumber"),
        ("12345", "AWS.MM.SMS.OriginationNumber"),
        ("A1", "AWS.SNS.SMS.SenderID"),
    ],
)
def test_number_and_sender_id_go_by_different_names(
    gateway: AWSSNSGateway, sandbox: GatewaySandbox, sender: str, name: str
) -> None:
    gateway.send(sms(sender=sender))
    assert attributes(sandbox)[name] == sender


def test_without_a_sender_aws_chooses_one_and_a_price_may_be_set(sandbox: GatewaySandbox) -> None:
    gateway = make(sandbox.url, max_price="0.10")
    assert gateway.send(sms()).sender is None
    assert attributes(sandbox) == {"AWS.SNS.SMS.SMSType": "Transactional", "AWS.SNS.SMS.MaxPrice": "0.10"}
    gateway.close()


def test_half_a_surrogate_pair_is_sent_as_a_question_mark(gateway: AWSSNSGateway, sandbox: GatewaySandbox) -> None:
    gateway.send(sms(body="Hi \ud83d"))
    assert sandbox.world.messages()[0].body == "Hi ?"


def test_form_is_the_one_that_aws_s_own_library_would_write(gateway: AWSSNSGateway, sandbox: GatewaySandbox) -> None:
    serialize = pytest.importorskip("botocore.serialize")
    session = pytest.importorskip("botocore.session").get_session()
    gateway.send(replace(sms(), dlt=DLTRegistration("1101", "1107")))
    pairs = attributes(sandbox)
    params = {
        "PhoneNumber": NUMBER,
        "Message": sms().body,
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in pairs.items()},
    }
    model = session.get_service_model("sns").operation_model("Publish")
    wanted = serialize.create_serializer("query").serialize_to_request(params, model)["body"]
    assert sandbox.world.messages()[0].details["form"] == wanted


# -- what is refused


def test_number_that_opted_out_at_aws_is_told_as_such(gateway: AWSSNSGateway, sandbox: GatewaySandbox) -> None:
    skin = sandbox.world.skin
    assert isinstance(skin, AWSSNSSkin)
    skin.opted_out.add(NUMBER)
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == ("OptedOut", ErrorClass.OPTED_OUT)


def test_number_that_is_none_is_the_number_s_fault(gateway: AWSSNSGateway) -> None:
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(replace(sms(), to="+1202"))
    assert caught.value.code == "InvalidParameter:PhoneNumber"
    assert caught.value.error_class == ErrorClass.PERMANENT_NUMBER


def test_text_that_is_too_long_is_the_text_s_fault(gateway: AWSSNSGateway) -> None:
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(sms(body="x" * 1601))
    assert caught.value.error_class == ErrorClass.PERMANENT_CONTENT


def test_sender_id_that_is_none_waits_for_somebody_to_mend_it(gateway: AWSSNSGateway) -> None:
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms(sender="a sender"))
    assert (caught.value.code, caught.value.error_class) == ("ParameterValueInvalid", ErrorClass.CONFIG)


def test_more_than_the_account_may_send_is_throttled(gateway: AWSSNSGateway, sandbox: GatewaySandbox) -> None:
    sandbox.world.max_per_second = 0
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == ("Throttled", ErrorClass.THROTTLED)


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        ("AKIAI44QH8DHBEXAMPLE", SECRET_ACCESS_KEY, "InvalidClientTokenId"),
        (ACCESS_KEY_ID, "another-secret", "SignatureDoesNotMatch"),
    ],
)
def test_wrong_keys_wait_for_somebody_to_mend_them(sandbox: GatewaySandbox, key: str, secret: str, code: str) -> None:
    values = {"AWS_SNS_API_URL": sandbox.url, "AWS_SNS_ACCESS_KEY_ID": key, "AWS_SNS_SECRET_ACCESS_KEY": secret}
    gateway = PLUGIN.build(VALUES | values)
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == (code, ErrorClass.CONFIG)
    gateway.close()


@pytest.mark.parametrize(
    ("status", "code", "kind", "error_class"),
    [
        (403, "AuthorizationError", TransientSendError, ErrorClass.CONFIG),
        (400, "UserError", TransientSendError, ErrorClass.ACCOUNT_OR_CREDIT),
        (400, "Throttling", TransientSendError, ErrorClass.THROTTLED),
        (503, "ServiceUnavailable", TransientSendError, ErrorClass.TRANSIENT),
        (400, "InvalidParameter", PermanentSendError, ErrorClass.UNKNOWN),
        (400, "ACodeOfTomorrow", PermanentSendError, ErrorClass.UNKNOWN),
    ],
)
def test_code_of_a_refusal_decides(
    gateway: AWSSNSGateway,
    sandbox: GatewaySandbox,
    status: int,
    code: str,
    kind: type[SendError],
    error_class: ErrorClass,
) -> None:
    body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    sandbox.faults.arm("aws-sns.send", "status", status=status, body=body)
    with pytest.raises(kind) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == (code, error_class)


@pytest.mark.parametrize("answer", ["", "<Code/>", "<Code></Code>", "Code: 1", "<Code>&xxe;</Code>", "\x00"])
def test_answer_without_a_readable_code_has_none(answer: str) -> None:
    assert (code_of(answer), message_id_of(answer)) == ("", "")


# -- how it is configured


def test_gateway_is_built_from_its_settings(sandbox: GatewaySandbox) -> None:
    gateway = PLUGIN.build(VALUES | {"AWS_SNS_API_URL": sandbox.url, "AWS_SNS_FROM": "ACME"})
    assert gateway.send(sms()).sender == "ACME"
    gateway.close()


def test_price_nobody_can_read_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="AWS_SNS_MAX_PRICE"):
        PLUGIN.build(VALUES | {"AWS_SNS_MAX_PRICE": "ten cents"})


# -- against somebody else's emulator


@pytest.fixture
def moto_url() -> Iterator[str]:
    """A server of moto, which speaks for AWS's own libraries; its SNS takes texts and keeps them."""
    server = pytest.importorskip("moto.server", reason="moto[server] is not installed").ThreadedMotoServer(
        ip_address="127.0.0.1", port=0, verbose=False
    )
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_moto_takes_the_text_as_one_from_aws_s_own_library(moto_url: str) -> None:
    sns, core = pytest.importorskip("moto.sns.models"), pytest.importorskip("moto.core")
    gateway = make(moto_url, sender="ACME", max_price="0.10")
    accepted = gateway.send(sms())
    taken = sns.sns_backends[core.DEFAULT_ACCOUNT_ID]["us-east-1"].sms_messages
    assert taken[accepted.provider_message_id] == (NUMBER, sms().body)
    gateway.close()


def test_moto_refuses_what_is_no_number(moto_url: str) -> None:
    gateway = make(moto_url)
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(replace(sms(), to="+0202"))
    assert caught.value.code.startswith("InvalidParameter")
    gateway.close()
