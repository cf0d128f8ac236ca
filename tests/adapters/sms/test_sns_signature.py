from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from connector.adapters.sms import sns_signature
from connector.adapters.sms.sns_signature import SNSHost, SNSVerifier, is_of_sns, region_of, signed_text, subscribe_url
from connector.errors import SignatureError, UnsignedCallbackError
from connector.sandbox.gateways import aws_sns_topic
from connector.sandbox.gateways.aws_sms import AWSSMSSkin
from connector.sandbox.gateways.aws_sns_topic import Identity, SNSTopic, certified
from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.gateways.skin import Call

URL, NOW = "https://sms.example.com/callbacks/aws-sms/status", datetime(2026, 11, 18, 10, 41, tzinfo=UTC)
Envelope = dict[str, Any]


@cache
def other(name: str = "sns.amazonaws.com", since: str = "2020-01-01", until: str = "2120-01-01") -> Identity:
    """Another key, with a certificate from the same place."""
    moments = (datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in (since, until))
    return certified(name, *moments)


@pytest.fixture
def topic() -> SNSTopic:
    return SNSTopic()


def envelope(topic: SNSTopic, call: Call | None = None, **signing: Any) -> Envelope:
    call = call or topic.notification(URL, '{"eventType": "TEXT_DELIVERED"}')
    found: Envelope = json.loads(topic.sign(call, signing.pop("at", NOW), **signing).body)
    return found


class Shown:
    """Stands in for SNS's host: shows one certificate everywhere, counts the visits."""

    def __init__(self, pem: bytes) -> None:
        self.pem, self.visits = pem, list[str]()

    def __call__(self, url: str) -> bytes:
        self.visits.append(url)
        return self.pem


def verifier(topic: SNSTopic, fetch: Callable[[str], bytes] | None = None, now: datetime = NOW) -> SNSVerifier:
    return SNSVerifier([topic.arn], fetch or Shown(topic.identity.pem), lambda: now)


# -- what holds


@pytest.mark.parametrize("subject", [None, "", "A subject"])
@pytest.mark.parametrize("message", ["", "{}", "two\nlines \\n ✓", "\ud83d\ude00 𝄞"])
def test_notification_of_our_topic_holds(topic: SNSTopic, message: str, subject: str | None) -> None:
    text = message.encode("utf-16", "surrogatepass").decode("utf-16")
    verifier(topic).verify(envelope(topic, topic.notification(URL, text, subject)))


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_message_about_a_subscription_holds(topic: SNSTopic, kind: str) -> None:
    verifier(topic).verify(envelope(topic, topic.confirmation(URL, kind)))


def test_signed_text_is_names_and_values_in_the_documented_order() -> None:
    fields = {name: name.lower() for name in ("Type", "TopicArn", "Timestamp", "Subject", "MessageId", "Message")}
    said = signed_text(fields | {"Type": "Notification", "UnsubscribeURL": "not signed", "Token": "not signed"})
    assert said.decode().split("\n") == [
        *("Message", "message", "MessageId", "messageid", "Subject", "subject", "Timestamp", "timestamp"),
        *("TopicArn", "topicarn", "Type", "Notification", ""),
    ]
    said = signed_text(fields | {"Type": "SubscriptionConfirmation", "SubscribeURL": "url", "Token": "token"})
    assert said.decode().split("\n") == [
        *("Message", "message", "MessageId", "messageid", "SubscribeURL", "url", "Timestamp", "timestamp"),
        *("Token", "token", "TopicArn", "topicarn", "Type", "SubscriptionConfirmation", ""),
    ]


def test_certificate_is_fetched_once(topic: SNSTopic) -> None:
    shown = Shown(topic.identity.pem)
    one = verifier(topic, shown)
    for _ in range(3):
        one.verify(envelope(topic))
    assert shown.visits == [f"https://sns.us-east-1.amazonaws.com{topic.certificate_path}"]


def test_certificates_do_not_pile_up(topic: SNSTopic) -> None:
    one = verifier(topic)
    for number in range(50):
        topic.certificate_path = f"/SimpleNotificationService-{number}.pem"
        one.verify(envelope(topic))
    assert len(one._certificates) <= sns_signature._MOST_CERTIFICATES


# -- what does not


@pytest.mark.parametrize("field", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type", "Signature"])
def test_changed_or_missing_field_is_refused(topic: SNSTopic, field: str) -> None:
    said = envelope(topic, topic.notification(URL, "{}", "A subject"))
    for changed in (
        said | {field: f"{said[field]} "},
        {k: v for k, v in said.items() if k != field},
        said | {field: 1},
    ):
        with pytest.raises(SignatureError):
            verifier(topic).verify(changed)


def test_added_subject_is_refused(topic: SNSTopic) -> None:
    with pytest.raises(SignatureError):
        verifier(topic).verify(envelope(topic) | {"Subject": "added"})


def test_signature_with_another_key_is_refused(topic: SNSTopic) -> None:
    with pytest.raises(SignatureError, match="does not hold"):
        verifier(topic).verify(envelope(topic, identity_=other()))


def test_version_1_is_refused_with_what_to_do_about_it(topic: SNSTopic) -> None:
    topic.signature_version = "1"
    with pytest.raises(SignatureError, match="SignatureVersion to 2"):
        verifier(topic).verify(envelope(topic))


def test_version_1_that_calls_itself_2_is_refused(topic: SNSTopic) -> None:
    topic.signature_version = "1"
    with pytest.raises(SignatureError):
        verifier(topic).verify(envelope(topic) | {"SignatureVersion": "2"})


def test_topic_that_is_not_listed_is_refused_without_a_visit(topic: SNSTopic) -> None:
    shown = Shown(topic.identity.pem)
    stranger = SNSTopic("arn:aws:sns:us-east-1:210987654321:texts")
    for topics in ([], [topic.arn]):
        with pytest.raises(SignatureError, match="no SNS topic"):
            SNSVerifier(topics, shown, lambda: NOW).verify(envelope(stranger))
    assert shown.visits == []


@pytest.mark.parametrize(
    ("age", "holds"),
    [
        (timedelta(), True),
        (timedelta(hours=1), True),
        (timedelta(minutes=76), False),
        (timedelta(days=400), False),
        (timedelta(minutes=-4), True),
        (timedelta(minutes=-6), False),
    ],
)
def test_message_must_be_of_now(topic: SNSTopic, age: timedelta, holds: bool) -> None:
    one = verifier(topic, now=NOW + age)
    if holds:
        one.verify(envelope(topic))
        return
    with pytest.raises(SignatureError, match="too old"):
        one.verify(envelope(topic))


@pytest.mark.parametrize("timestamp", ["", "now", "2026-13-01T00:00:00Z"])
def test_time_nobody_can_read_is_refused(topic: SNSTopic, timestamp: str) -> None:
    with pytest.raises(SignatureError, match="time"):
        verifier(topic).verify(envelope(topic) | {"Timestamp": timestamp})


@pytest.mark.parametrize("signature", ["", "é", "%%%", "YQ", "YQ==", None, 7])
def test_signature_nobody_can_read_is_refused_and_not_an_accident(topic: SNSTopic, signature: Any) -> None:
    with pytest.raises(SignatureError):
        verifier(topic).verify(envelope(topic) | {"Signature": signature})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com/a.pem",
        "https://evil.example#sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com:8443/a.pem",
        "https://sns.us-east-1.amazonaws.com@evil.example/a.pem",
        "https://user@sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com/a.pem?x=1",
        "https://sns.us-east-1.amazonaws.com/a.pem#x",
        "https://sns.us-east-1.amazonaws.com/../a.pem",
        "https://sns.us-east-1.amazonaws.com/a",
        "https://sns.us-east-1.amazonaws.com/",
        "https://sns.us-east-1.amazonaws.com/a.pem\n",
        "https://\uff53ns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com:port/a.pem",
        "https://[::1/a.pem",
        None,
    ],
)
def test_certificate_elsewhere_is_never_fetched(topic: SNSTopic, url: str | None) -> None:
    shown = Shown(topic.identity.pem)
    with pytest.raises(SignatureError):
        verifier(topic, shown).verify(envelope(topic) | {"SigningCertURL": url})
    assert shown.visits == []


# -- whose certificate it must be


@pytest.mark.parametrize(
    ("region", "name", "holds"),
    [
        ("us-east-1", "sns.amazonaws.com", True),
        ("us-east-1", "sns.amazonaws.com.evil.example", False),
        ("us-east-1", "s3.amazonaws.com", False),
        ("us-east-1", "*.amazonaws.com", False),
        ("me-south-1", "sns-signing.me-south-1.amazonaws.com", True),
        ("me-south-1", "sns-signing.af-south-1.amazonaws.com", False),
        ("cn-north-1", "sns-cn-north-1.amazonaws.com.cn", True),
        ("cn-north-1", "sns.amazonaws.com", False),
        ("us-gov-east-1", "sns-us-gov-west-1.amazonaws.com", True),
        ("us-gov-east-1", "sns.amazonaws.com", False),
    ],
)
def test_name_on_the_certificate_is_that_of_sns_in_the_region(region: str, name: str, holds: bool) -> None:
    partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    topic = SNSTopic(f"arn:{partition}:sns:{region}:123456789012:texts", other(name))
    said = envelope(topic)
    if region.startswith("cn-"):
        said["SigningCertURL"] = said["SigningCertURL"].replace(".amazonaws.com", ".amazonaws.com.cn")
    if holds:
        verifier(topic).verify(said)
        return
    with pytest.raises(SignatureError, match="not that of SNS"):
        verifier(topic).verify(said)


def test_common_name_counts_where_there_is_no_other() -> None:
    topic = SNSTopic(identity_=certified(has_alternative_name=False))
    verifier(topic).verify(envelope(topic))


@pytest.mark.parametrize(("since", "until"), [("2026-11-19", "2027-11-19"), ("2025-11-17", "2026-11-17")])
def test_certificate_of_another_time_is_refused(since: str, until: str) -> None:
    topic = SNSTopic(identity_=other("sns.amazonaws.com", since, until))
    with pytest.raises(SignatureError, match="not valid now"):
        verifier(topic).verify(envelope(topic))


def test_certificate_that_ran_out_since_it_was_fetched_is_refused() -> None:
    topic, now = SNSTopic(identity_=other("sns.amazonaws.com", "2026-01-01", "2026-11-19")), [NOW]
    one = SNSVerifier([topic.arn], Shown(topic.identity.pem), lambda: now[0])
    one.verify(envelope(topic))
    now[0] = NOW + timedelta(days=2)
    with pytest.raises(SignatureError, match="not valid now"):
        one.verify(envelope(topic, at=now[0]))


@pytest.mark.parametrize("pem", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n"])
def test_certificate_that_is_none_is_refused_and_not_an_accident(topic: SNSTopic, pem: bytes) -> None:
    with pytest.raises(SignatureError, match="is none"):
        verifier(topic, Shown(pem)).verify(envelope(topic))


def test_key_of_another_kind_is_refused(topic: SNSTopic) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(aws_sns_topic.SINCE).not_valid_after(aws_sns_topic.UNTIL)
    pem = builder.sign(key, None).public_bytes(Encoding.PEM)
    with pytest.raises(SignatureError, match="another kind"):
        verifier(topic, Shown(pem)).verify(envelope(topic))
    assert isinstance(topic.identity.certificate.signature_hash_algorithm, hashes.SHA256)


# -- fetching


@pytest.fixture
def box(topic: SNSTopic) -> Iterator[GatewaySandbox]:
    sandbox = GatewaySandbox(AWSSMSSkin(topic))
    with sandbox.server:
        yield sandbox


def test_certificate_is_fetched_over_http_from_the_host_that_stands_in(topic: SNSTopic, box: GatewaySandbox) -> None:
    host = SNSHost(box.url)
    verifier(topic, host).verify(envelope(topic))
    topic.certificate_path = "/another.pem"
    said = envelope(topic)
    topic.certificate_path = "/moved.pem"
    with pytest.raises(SignatureError, match="HTTP 404"):
        verifier(topic, host).verify(said)
    host.close()


def test_host_that_does_not_answer_means_come_again(topic: SNSTopic, box: GatewaySandbox) -> None:
    host = SNSHost(box.url)
    box.server.stop()
    with pytest.raises(UnsignedCallbackError) as caught:
        verifier(topic, host).verify(envelope(topic))
    assert "connect_error" in str(caught.value)
    assert topic.certificate_path not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, UnsignedCallbackError), (503, UnsignedCallbackError), (429, UnsignedCallbackError), (403, SignatureError)],
)
def test_answer_of_the_host_says_whether_to_come_again(
    monkeypatch: pytest.MonkeyPatch, status: int, kind: type[SignatureError]
) -> None:
    monkeypatch.setattr(httpx.Client, "get", lambda _self, _url: httpx.Response(status))
    with pytest.raises(SignatureError) as caught:
        SNSHost()("https://sns.us-east-1.amazonaws.com/a.pem")
    assert type(caught.value) is kind


def test_without_a_stand_in_the_address_itself_is_visited(monkeypatch: pytest.MonkeyPatch) -> None:
    visited: list[str] = []

    def get(_self: httpx.Client, url: httpx.URL) -> httpx.Response:
        visited.append(str(url))
        return httpx.Response(200, content=b"pem")

    monkeypatch.setattr(httpx.Client, "get", get)
    assert SNSHost()("https://sns.us-east-1.amazonaws.com/a.pem") == b"pem"
    assert visited == ["https://sns.us-east-1.amazonaws.com/a.pem"]


# -- addresses


def test_address_that_confirms_is_the_one_of_this_topic_and_token(topic: SNSTopic) -> None:
    said = envelope(topic, topic.confirmation(URL))
    assert subscribe_url(said) == said["SubscribeURL"]
    good = str(said["SubscribeURL"])
    for url in (
        good.replace("https", "http"),
        good.replace("ConfirmSubscription", "Unsubscribe"),
        good.replace("sns.us-east-1", "sns.eu-west-1"),
        good.replace("amazonaws.com", "evil.example"),
        good.replace("123456789012", "210987654321"),
        good.replace("Token=", "Token=x"),
        good.partition("?")[0],
        "",
    ):
        with pytest.raises(SignatureError):
            subscribe_url(said | {"SubscribeURL": url})


@pytest.mark.parametrize(
    ("arn", "region"),
    [
        ("arn:aws:sns:us-east-1:123456789012:texts", "us-east-1"),
        ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:texts.fifo", "us-gov-west-1"),
        ("arn:aws:sqs:us-east-1:123456789012:texts", ""),
        ("arn:aws:sns:us-east-1:1234:texts", ""),
        ("arn:aws:sns:us-east-1:123456789012:texts:4e0f8a7c", ""),
        ("arn:aws:sns:evil.example/:123456789012:texts", ""),
        ("", ""),
    ],
)
def test_region_is_read_from_the_topic(arn: str, region: str) -> None:
    assert region_of(arn) == region


def test_no_region_has_no_host() -> None:
    assert not is_of_sns("https://sns..amazonaws.com/", "")
