"""Does this message come from one of our Amazon SNS topics?

Source: docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html and the vendor's SDKs (names on the
certificates, hosts by region). SNS signs a part of the JSON it posts with a key whose certificate it shows on its own
host. That the certificate is SNS's own rests on three things: TLS to that host, checked like any other, the name on
it, and its dates. SNS puts no chain beside it.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtensionOID, NameOID

from connector.adapters.http import HTTPClients, translate
from connector.adapters.sms.reading import words
from connector.adapters.sms.sigv4 import domain
from connector.errors import SendError, SignatureError, UnsignedCallbackError

Fetch = Callable[[str], bytes]
"""GETs an address of SNS. Raises SignatureError when there is nothing, UnsignedCallbackError when nobody can tell."""

NOTIFICATION, CONFIRMATION, UNSUBSCRIBED = "Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"

_SIGNED_FIELDS: Mapping[str, Sequence[str]] = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    UNSUBSCRIBED: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_MAY_BE_ABSENT = "Subject"  # most notifications have none; then it is not signed either
_VERSION = "2"  # SHA-256; version 1 signs with SHA-1, for which collisions can be bought

_OLDEST = timedelta(minutes=75)  # SNS tries an endpoint again for an hour at most; the rest is for slow clocks
_FROM_THE_FUTURE = timedelta(minutes=5)  # two clocks that are both a little wrong

_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:([a-z]{2,}(?:-[a-z]+)+-\d+):\d{12}:[\w-]{1,256}(?:\.fifo)?", re.ASCII)
_CERTIFICATE = re.compile(r"https://[\w.-]+/[\w-]{1,200}\.pem", re.ASCII)
_MOST_CERTIFICATES = 16  # one per region and year is in use; more are somebody's attempts
_GOVERNMENT = "sns-us-gov-west-1"  # the name on the certificates of both regions of that partition


class SNSVerifier:
    """Checks messages of some topics. Safe to call from many threads.

    Args of the constructor:
        topic_arns: those that are believed; with none, nobody is.
        fetch: how certificates are had.
        now: the time, for the age of messages and certificates.
    """

    def __init__(
        self, topic_arns: Sequence[str], fetch: Fetch, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._topics = {arn: region_of(arn) for arn in topic_arns}
        self._fetch, self._now = fetch, now
        self._certificates: dict[str, x509.Certificate] = {}
        self._lock = threading.Lock()

    def verify(self, envelope: Mapping[str, Any]) -> None:
        """Check topic, age, certificate and signature of a message, the cheap things first.

        Raises:
            UnsignedCallbackError: the certificate cannot be fetched now; sent again, the message may be checked.
            SignatureError: not from one of our topics.
        """
        region = self._topics.get(words(envelope.get("TopicArn")))
        if region is None:
            raise SignatureError("the message is of no SNS topic that is listed")
        if words(envelope.get("SignatureVersion")) != _VERSION:
            raise SignatureError("the SNS topic signs with SHA-1: set its SignatureVersion to 2")
        text, signature, now = signed_text(envelope), _signature(envelope), self._now()
        _check_age(words(envelope.get("Timestamp")), now)
        certificate = self._certificate(words(envelope.get("SigningCertURL")), region)
        _check_certificate(certificate, region, now)
        _check_signature(certificate, signature, text)

    def _certificate(self, url: str, region: str) -> x509.Certificate:
        if not is_of_sns(url, region) or not _CERTIFICATE.fullmatch(url):
            raise SignatureError("the SNS message names a certificate elsewhere")
        known = self._certificates.get(url)
        if known is not None:
            return known
        try:
            certificate = x509.load_pem_x509_certificate(self._fetch(url))
        except ValueError:
            raise SignatureError("what SNS shows as its certificate is none") from None
        with self._lock:
            if len(self._certificates) >= _MOST_CERTIFICATES:
                self._certificates.clear()
            self._certificates[url] = certificate
        return certificate


class SNSHost:
    """Fetches what SNS shows at the addresses in its messages; a `Fetch`. Safe to call from many threads.

    Args of the constructor:
        origin: fetch from here whatever host an address names, for a stand-in or a relay; empty for SNS itself.
    """

    def __init__(self, origin: str = "") -> None:
        self._origin = httpx.URL(origin) if origin else None
        self._clients = HTTPClients(origin or "https://sns.amazonaws.com")

    def __call__(self, url: str) -> bytes:
        """GET one address.

        Raises:
            SignatureError: SNS has nothing there.
            UnsignedCallbackError: it could not be asked.
        """
        try:
            with self._clients.lend() as client, translate():
                answer = client.get(self._address(url))
        except SendError as exc:
            raise UnsignedCallbackError(f"SNS cannot be asked now: {exc.code}") from exc
        if answer.status_code >= 500 or answer.status_code in {408, 429}:
            raise UnsignedCallbackError(f"SNS cannot be asked now: HTTP {answer.status_code}")
        if not answer.is_success:
            raise SignatureError(f"SNS has nothing at the address in the message: HTTP {answer.status_code}")
        return answer.content

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _address(self, url: str) -> httpx.URL:
        return self._origin.copy_with(raw_path=httpx.URL(url).raw_path) if self._origin else httpx.URL(url)


def signed_text(envelope: Mapping[str, Any]) -> bytes:
    """Give what SNS signs: names and values of some fields, a line end after each.

    Raises:
        SignatureError: a field is missing, or the type of the message is none of SNS's.
    """
    fields = _SIGNED_FIELDS.get(words(envelope.get("Type")))
    if fields is None:
        raise SignatureError("the message is of no type that SNS has")
    lines = []
    for name in fields:
        value = envelope.get(name)
        if value is None and name == _MAY_BE_ABSENT:
            continue
        if not isinstance(value, str):
            raise SignatureError(f"the SNS message has no {name}")
        lines.append(f"{name}\n{value}\n")
    return "".join(lines).encode("utf-8", "surrogatepass")


def subscribe_url(envelope: Mapping[str, Any]) -> str:
    """Give the address that confirms a subscription, from a message that was verified.

    Raises:
        SignatureError: the address is not one of SNS, or confirms something else.
    """
    url, topic = words(envelope.get("SubscribeURL")), words(envelope.get("TopicArn"))
    asked = {name: values[0] for name, values in parse_qs(url.partition("?")[2], max_num_fields=20).items()}
    wanted = {"Action": "ConfirmSubscription", "TopicArn": topic, "Token": words(envelope.get("Token"))}
    if not is_of_sns(url, region_of(topic)) or not wanted.items() <= asked.items():
        raise SignatureError("the address in the SNS message does not confirm this subscription")
    return url


def region_of(topic_arn: str) -> str:
    """Give the region of a topic; empty for what is no topic."""
    match = _TOPIC.fullmatch(topic_arn)
    return match[1] if match else ""


def is_of_sns(url: str, region: str) -> bool:
    """Tell whether an address is on the host of SNS in that region, over TLS, with nothing odd about it."""
    try:
        parts = urlsplit(url)
        host, port, user = parts.hostname, parts.port, parts.username
    except ValueError:
        return False
    plain = parts.scheme == "https" and port is None and user is None and url.isascii() and url.isprintable()
    return bool(region) and plain and host == f"sns.{region}.{domain(region)}" == parts.netloc


def _signature(envelope: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(words(envelope.get("Signature")), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureError("the SNS message has no readable signature") from None


def _check_age(timestamp: str, now: datetime) -> None:
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError:
        raise SignatureError("the SNS message has no readable time") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if not -_FROM_THE_FUTURE <= now - at <= _OLDEST:
        raise SignatureError("the SNS message is too old, or from the future")


def _check_certificate(certificate: x509.Certificate, region: str, now: datetime) -> None:
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SignatureError("the certificate of SNS is not valid now")
    if not set(_names_on(certificate)) & _names_of_sns(region):
        raise SignatureError("the certificate is not that of SNS")


def _names_on(certificate: x509.Certificate) -> Sequence[str]:
    """Give the names a certificate stands for; the common name only where it has no others (RFC 6125 §6.4.4)."""
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except (x509.ExtensionNotFound, ValueError):
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return [str(one.value) for one in common]
    return found.get_values_for_type(x509.DNSName) if isinstance(found, x509.SubjectAlternativeName) else []


def _names_of_sns(region: str) -> frozenset[str]:
    """Give the names SNS signs under: one for the old regions, one each for those of other partitions and later."""
    names = {"sns", f"sns-signing.{region}", f"sns-{region}"}
    if region.startswith("us-gov-"):
        names = {_GOVERNMENT}
    return frozenset(f"{name}.{domain(region)}" for name in names)


def _check_signature(certificate: x509.Certificate, signature: bytes, text: bytes) -> None:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise SignatureError("the certificate of SNS has a key of another kind")
    try:
        key.verify(signature, text, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise SignatureError("the SNS signature does not hold") from None
