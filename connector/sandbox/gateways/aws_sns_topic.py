"""What does a pretend SNS topic post to its subscriber, and with whose certificate does it sign?

Source: docs.aws.amazon.com/sns/latest/dg (HTTP and HTTPS notification JSON, verifying signatures).
"""

import base64
import functools
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from connector.sandbox.gateways.skin import Call

SINCE, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)  # longer than any clock is pushed
NAME = "sns.amazonaws.com"
_KEY_BITS = 2048  # as SNS's own


@dataclass(frozen=True)
class Identity:
    """A private key and the certificate that belongs to it."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        """The certificate as SNS shows it."""
        return self.certificate.public_bytes(Encoding.PEM)


def certified(
    name: str = NAME, since: datetime = SINCE, until: datetime = UNTIL, *, has_alternative_name: bool = True
) -> Identity:
    """A new key with a certificate of a pretend authority for it."""
    authority, key = _new_key(), _new_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named("Pretend Authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )
    if has_alternative_name:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return Identity(key, builder.sign(authority, hashes.SHA256()))


@functools.cache
def identity() -> Identity:
    """The one all pretend topics of this process sign with: making a key takes a tenth of a second."""
    return certified()


class SNSTopic:
    """One topic with one subscription.

    Args of the constructor:
        identity: what to sign with; that of all topics when not given.

    Attributes:
        certificate_path: where the certificate is shown on SNS's host.
        confirmed: the tokens of the subscriptions that were confirmed.
        signature_version: 1 signs with SHA-1, as topics do until they are told otherwise.
    """

    def __init__(
        self, arn: str = "arn:aws:sns:us-east-1:123456789012:texts", identity_: Identity | None = None
    ) -> None:
        self.arn, self.region = arn, arn.split(":")[3]
        self._identity = identity_
        self.certificate_path = f"/SimpleNotificationService-{uuid4().hex}.pem"
        self.confirmed: set[str] = set()
        self.signature_version = "2"
        self._published: dict[str, datetime] = {}
        self._lock = threading.Lock()

    @property
    def identity(self) -> Identity:
        """What it signs with."""
        return self._identity or identity()

    @property
    def host(self) -> str:
        """SNS in the topic's region, with the scheme."""
        return f"https://sns.{self.region}.amazonaws.com"

    def notification(self, url: str, message: str, subject: str | None = None) -> Call:
        """A message to the subscriber at `url`, not signed yet."""
        return self._call(url, {"Type": "Notification", "Message": message, "Subject": subject})

    def confirmation(self, url: str, kind: str = "SubscriptionConfirmation") -> Call:
        """What SNS asks a new subscriber; or tells one that was unsubscribed."""
        token = uuid4().hex
        query = urlencode({"Action": "ConfirmSubscription", "TopicArn": self.arn, "Token": token})
        asked = {"Message": f"About a subscription to {self.arn}.", "Token": token}
        return self._call(url, {"Type": kind, **asked, "SubscribeURL": f"{self.host}/?{query}"})

    def sign(self, call: Call, at: datetime, identity_: Identity | None = None) -> Call:
        """The call with time and signature; tried again it is the same to the byte, as SNS's is."""
        envelope = json.loads(call.body)
        with self._lock:
            at = self._published.setdefault(envelope["MessageId"], at)
        envelope["Timestamp"] = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
        envelope["SignatureVersion"] = self.signature_version
        digest = hashes.SHA256() if self.signature_version == "2" else hashes.SHA1()  # noqa: S303 - what version 1 is
        key = (identity_ or self.identity).key
        signature = key.sign(signed_text(envelope), padding.PKCS1v15(), digest)
        envelope["Signature"] = base64.b64encode(signature).decode()
        envelope["SigningCertURL"] = f"{self.host}{self.certificate_path}"
        return Call(call.method, call.url, call.headers, json.dumps(envelope).encode())

    def confirm(self, query: Mapping[str, str]) -> bool:
        """Take the visit of a confirming subscriber; False when it is not about this topic."""
        if query.get("Action") != "ConfirmSubscription" or query.get("TopicArn") != self.arn or not query.get("Token"):
            return False
        self.confirmed.add(query["Token"])
        return True

    def _call(self, url: str, said: Mapping[str, Any]) -> Call:
        envelope = {"MessageId": str(uuid4()), "TopicArn": self.arn} | {k: v for k, v in said.items() if v is not None}
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "User-Agent": "Amazon Simple Notification Service Agent",
            "x-amz-sns-message-type": envelope["Type"],
            "x-amz-sns-message-id": envelope["MessageId"],
            "x-amz-sns-topic-arn": self.arn,
        }
        return Call("POST", url, headers, json.dumps(envelope).encode())


def signed_text(envelope: Mapping[str, str]) -> bytes:
    """What is signed: each field that a message of this type has, in the order of the alphabet, on two lines."""
    optional = ("Subject",) if envelope["Type"] == "Notification" else ("SubscribeURL", "Token")
    names = ("Message", "MessageId", *optional, "Timestamp", "TopicArn", "Type")
    return "".join(f"{name}\n{envelope[name]}\n" for name in sorted(names) if name in envelope).encode()


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
