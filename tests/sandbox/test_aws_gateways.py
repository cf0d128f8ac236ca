from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from connector.sandbox.gateways.aws_sigv4 import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from connector.sandbox.gateways.aws_sms import AWSSMSSkin
from connector.sandbox.gateways.aws_sns import AWSSNSSkin
from connector.sandbox.gateways.aws_sns_topic import SNSTopic
from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.gateways.world import GatewayWorld

auth = pytest.importorskip("botocore.auth", reason="requests to AWS are signed with botocore, the extra `aws`")
requests = pytest.importorskip("botocore.awsrequest")
credentials = pytest.importorskip("botocore.credentials")

TEXT = {"DestinationPhoneNumber": "+12025550143", "MessageBody": "Hi", "ConfigurationSetName": "texts"}
PUBLISH = {"Action": "Publish", "Version": "2010-03-31", "PhoneNumber": "+12025550143", "Message": "Hi"}
RPC = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "PinpointSMSVoiceV2.SendTextMessage"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def sms() -> Iterator[GatewaySandbox]:
    box = GatewaySandbox(AWSSMSSkin())
    with box.server:
        yield box


@pytest.fixture
def sns() -> Iterator[GatewaySandbox]:
    box = GatewaySandbox(AWSSNSSkin())
    with box.server:
        yield box


def signed(
    url: str, headers: dict[str, str], body: bytes, service: str = "sms-voice", region: str = "us-east-1"
) -> dict[str, str]:
    request = requests.AWSRequest("POST", url, headers=headers, data=body)
    auth.SigV4Auth(credentials.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY), service, region).add_auth(request)
    return dict(request.headers.items())


def post(box: GatewaySandbox, content: Any, **headers: str) -> httpx.Response:
    body, url = json.dumps(content).encode(), f"{box.url}/"
    return httpx.post(url, content=body, headers=signed(url, RPC | headers, body))


def publish(box: GatewaySandbox, **changes: str) -> httpx.Response:
    body, url = urlencode(PUBLISH | changes).encode(), f"{box.url}/"
    return httpx.post(url, content=body, headers=signed(url, FORM, body, "sns"))


# -- signatures


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [
        ({"Authorization": ""}, 400, "MissingAuthenticationTokenException"),
        ({"Authorization": "Basic x"}, 400, "MissingAuthenticationTokenException"),
        ({"X-Amz-Date": "20260101T000000Z"}, 403, "InvalidSignatureException"),
        ({"X-Amz-Security-Token": "a-token"}, 403, "UnrecognizedClientException"),
        ({"X-Amz-Other": "not signed"}, 403, "InvalidSignatureException"),
    ],
)
def test_request_that_was_changed_after_signing_is_refused(
    sms: GatewaySandbox, change: dict[str, str], status: int, kind: str
) -> None:
    body, url = json.dumps(TEXT).encode(), f"{sms.url}/"
    answer = httpx.post(url, content=body, headers=signed(url, RPC, body) | change)
    assert (answer.status_code, answer.json()["__type"]) == (status, kind)
    assert sms.world.messages() == []


def test_another_body_another_service_and_another_region_are_refused(sms: GatewaySandbox) -> None:
    body, url = json.dumps(TEXT).encode(), f"{sms.url}/"
    for headers in (
        signed(url, RPC, body + b" "),
        signed(url, RPC, body, service="sns"),
        signed(url, RPC, body, region="eu-west-1"),
    ):
        answer = httpx.post(url, content=body, headers=headers)
        assert answer.json()["__type"] == "InvalidSignatureException"


@pytest.mark.parametrize("skew", [timedelta(minutes=-6), timedelta(minutes=6)])
def test_request_of_a_clock_that_is_off_is_refused(
    sms: GatewaySandbox, monkeypatch: pytest.MonkeyPatch, skew: timedelta
) -> None:
    monkeypatch.setattr(auth, "get_current_datetime", lambda: datetime.now(UTC) + skew)
    assert post(sms, TEXT).json()["__type"] == "InvalidSignatureException"


# -- End User Messaging


@pytest.mark.parametrize(
    ("content", "reason", "field"),
    [
        (TEXT | {"TimeToLive": 4}, "FIELD_VALIDATION_FAILED", "TimeToLive"),
        (TEXT | {"TimeToLive": True}, "FIELD_VALIDATION_FAILED", "TimeToLive"),
        (TEXT | {"TimeToLive": "60"}, "FIELD_VALIDATION_FAILED", "TimeToLive"),
        (TEXT | {"MessageBody": "x" * 1601}, "FIELD_VALIDATION_FAILED", "MessageBody"),
        (TEXT | {"MessageBody": " \n"}, "FIELD_VALIDATION_FAILED", "MessageBody"),
        (TEXT | {"MessageType": "Transactional"}, "FIELD_VALIDATION_FAILED", "MessageType"),
        (TEXT | {"MaxPrice": "1"}, "FIELD_VALIDATION_FAILED", "MaxPrice"),
        (TEXT | {"Context": {str(n): "x" for n in range(6)}}, "FIELD_VALIDATION_FAILED", "Context"),
        (TEXT | {"Context": {"a": 1}}, "FIELD_VALIDATION_FAILED", "Context"),
        (
            TEXT | {"DestinationCountryParameters": {"X": "1"}},
            "FIELD_VALIDATION_FAILED",
            "DestinationCountryParameters",
        ),
        (TEXT | {"DryRun": 1}, "FIELD_VALIDATION_FAILED", "DryRun"),
        (TEXT | {"Body": "Hi"}, "UNSPECIFIED_PARAMETER_NOT_SUPPORTED", "Body"),
        ({"MessageBody": "Hi"}, "MISSING_PARAMETER", "DestinationPhoneNumber"),
        ({"DestinationPhoneNumber": "+12025550143"}, "MISSING_PARAMETER", "MessageBody"),
    ],
)
def test_field_with_something_else_in_it_is_named(sms: GatewaySandbox, content: Any, reason: str, field: str) -> None:
    answer = post(sms, content)
    said = answer.json()
    assert (answer.status_code, said["__type"], said["Reason"]) == (400, "ValidationException", reason)
    assert [one["Name"] for one in said["Fields"]] == [field]
    assert sms.world.messages() == []


def test_what_is_no_object_or_no_operation_is_refused(sms: GatewaySandbox) -> None:
    assert post(sms, [TEXT]).json()["__type"] == "SerializationException"
    unknown = post(sms, TEXT, **{"X-Amz-Target": "PinpointSMSVoiceV2.SendMediaMessage"})
    assert (unknown.status_code, unknown.json()["__type"]) == (404, "UnknownOperationException")
    assert post(sms, TEXT, **{"Content-Type": "application/json"}).status_code == 404


def test_configuration_set_and_sender_must_exist(sms: GatewaySandbox) -> None:
    skin = sms.world.skin
    assert isinstance(skin, AWSSMSSkin)
    skin.identities = {"+12025550100"}
    for content, kind in (
        (TEXT | {"ConfigurationSetName": "others"}, "configuration-set"),
        (TEXT | {"OriginationIdentity": "+12025550199"}, "phone-number"),
    ):
        said = post(sms, content).json()
        assert (said["__type"], said["ResourceType"]) == ("ResourceNotFoundException", kind)
    assert post(sms, TEXT | {"OriginationIdentity": "+12025550100"}).status_code == 200


def test_nothing_is_told_of_a_text_without_a_configuration_set(sms: GatewaySandbox) -> None:
    sms.world.status_url = "https://sms.example.com/status"
    post(sms, {key: value for key, value in TEXT.items() if key != "ConfigurationSetName"})
    sms.engine.flush()
    assert sms.world.messages()[0].status == "delivered"
    assert sms.engine.results == []


def test_stop_is_kept_unless_opt_outs_are_self_managed() -> None:
    for is_self_managed, kept in ((False, {"+12025550143"}), (True, set[str]())):
        skin = AWSSMSSkin(is_self_managed=is_self_managed)
        world = GatewayWorld(skin, inbound_url="https://sms.example.com/inbound")
        world.reply("+12025550143", "+12025550100", " Stop ")
        assert skin.opted_out == kept


def test_confirmation_of_this_topic_is_taken_and_of_another_is_not(sms: GatewaySandbox) -> None:
    topic = sms.world.skin.topic  # type: ignore[attr-defined]  # the skin is AWSSMSSkin
    assert isinstance(topic, SNSTopic)
    query = {"Action": "ConfirmSubscription", "TopicArn": topic.arn, "Token": "a-token"}
    assert httpx.get(f"{sms.url}/", params=query).status_code == 200
    assert httpx.get(f"{sms.url}/", params=query | {"TopicArn": "another"}).status_code == 400
    assert topic.confirmed == {"a-token"}


# -- SNS


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"Action": "Subscribe"}, 400, "InvalidAction"),
        ({"Version": "2011-01-01"}, 400, "InvalidAction"),
        ({"PhoneNumber": "12025550143"}, 400, "InvalidParameter"),
        ({"Message": ""}, 400, "InvalidParameter"),
        ({"Message": "x" * 1601}, 400, "InvalidParameter"),
        ({"To": "x"}, 400, "InvalidParameter"),
        ({"MessageAttributes.entry.2.Name": "AWS.SNS.SMS.SMSType"}, 400, "InvalidParameter"),
        ({"MessageAttributes.entry.1.Name": "AWS.SNS.SMS.SMSType"}, 400, "ParameterValueInvalid"),
        ({"MessageAttributes.entry.1.Name": "AWS.SNS.SMS.Colour"}, 400, "ParameterValueInvalid"),
    ],
)
def test_publish_with_something_wrong_is_refused(
    sns: GatewaySandbox, changes: dict[str, str], status: int, code: str
) -> None:
    answer = publish(sns, **changes)
    assert (answer.status_code, f"<Code>{code}</Code>" in answer.text) == (status, True)
    assert sns.world.messages() == []


def test_publish_without_a_signature_is_refused_and_with_one_taken(sns: GatewaySandbox) -> None:
    answer = httpx.post(f"{sns.url}/", data=PUBLISH)
    assert (answer.status_code, "<Code>MissingAuthenticationToken</Code>" in answer.text) == (403, True)
    taken = publish(sns)
    (message,) = sns.world.messages()
    assert (message.to, f"<MessageId>{message.id}</MessageId>" in taken.text) == ("+12025550143", True)


def test_nothing_is_told_of_a_text_of_sns(sns: GatewaySandbox) -> None:
    sns.world.status_url = sns.world.inbound_url = "https://sms.example.com/status"
    publish(sns)
    sns.world.reply("+12025550143", "+12025550100", "Hi")
    sns.engine.flush()
    assert sns.engine.results == []
