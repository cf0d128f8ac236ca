"""Does a webhook really come from the system that it claims to come from?

Each kind of proof is checked over the raw bytes that came, against every secret that holds, in a time that does not
tell which one it was. A timestamped signature is refused five minutes later; the others can be sent again, and are
known again by the inbox.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from connector.domain.webhook_sources import Signature, SignatureKind
from connector.errors import SignatureError

TOLERANCE = timedelta(minutes=5)
"""As Stripe's own libraries have it; the same is granted to a clock that runs ahead."""

_LONGEST = 4096
"""Characters of a signature header; a dozen signatures fit, and nobody sends more."""

_SECONDS = re.compile(r"[0-9]{1,12}")


def verify_webhook(
    signature: Signature, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
) -> None:
    """Check the proof of one request.

    Args:
        signature: how the system signs.
        headers: request headers, in any case.
        body: the raw bytes.
        secrets: any of which may have signed; none at all closes the endpoint.
        now: the present, aware.

    Raises:
        SignatureError: not from them, too old, or from the future; says which, without the signature.
    """
    if not any(secrets):
        raise SignatureError("there is no secret, so nothing can be verified")
    sent = next((value for name, value in headers.items() if name.lower() == signature.header.lower()), "").strip()
    if not sent or len(sent) > _LONGEST:
        raise SignatureError(f"the header {signature.header} is missing or too long")
    if signature.kind is SignatureKind.TIMESTAMPED:
        claimed, signed = _timestamped(signature, sent, body, now)
    else:
        claimed, signed = [_claimed(signature, sent)], body
    expected = [_expected(signature, secret, signed) for secret in secrets if secret]
    matches = [hmac.compare_digest(each, one) for each in expected for one in claimed]
    if not any(matches):
        raise SignatureError(f"the signature in {signature.header} does not hold")


def _timestamped(signature: Signature, sent: str, body: bytes, now: datetime) -> tuple[list[bytes], bytes]:
    """Read `t=1763700000,v1=…,v1=…`: while a secret is replaced there is one v1 for each; other schemes are skipped."""
    parts = [part.strip().partition("=") for part in sent.split(",")]
    times = [value for key, _, value in parts if key == "t"]
    if len(times) != 1 or not _SECONDS.fullmatch(times[0]):
        raise SignatureError(f"the time in {signature.header} is missing or no number of seconds")
    try:
        sent_at = datetime.fromtimestamp(int(times[0]), UTC)
    except (ValueError, OverflowError, OSError):
        raise SignatureError(f"the time in {signature.header} is no time") from None
    if abs(now - sent_at) > TOLERANCE:
        raise SignatureError(f"the time in {signature.header} is more than five minutes away")
    return [_coded(signature, value) for key, _, value in parts if key == "v1"], f"{times[0]}.".encode() + body


def _claimed(signature: Signature, sent: str) -> bytes:
    if not sent.startswith(signature.prefix):
        raise SignatureError(f"the header {signature.header} does not begin with {signature.prefix}")
    return _coded(signature, sent.removeprefix(signature.prefix))


def _coded(signature: Signature, text: str) -> bytes:
    is_hex = signature.kind is not SignatureKind.TOKEN and signature.encoding == "hex"
    return (text.lower() if is_hex else text).encode("utf-8", "surrogateescape")


def _expected(signature: Signature, secret: str, signed: bytes) -> bytes:
    if signature.kind is SignatureKind.TOKEN:
        return secret.encode()
    digest = hmac.digest(secret.encode(), signed, hashlib.sha256)
    return digest.hex().encode() if signature.encoding == "hex" else base64.b64encode(digest)
