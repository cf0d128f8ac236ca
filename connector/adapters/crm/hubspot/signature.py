"""Does this request really come from HubSpot?

Source: developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation.

HubSpot signs CRM webhooks twice, v1 and v3, and workflow actions with v2. Only v3 carries a time, so:

- v3 decides whenever its header is there; a v3 signature that fails is never rescued by a v1 or v2 beside it;
- v1 and v2 are taken only where the caller lists them, for requests without v3 headers. They cannot be forged, but
  they can be sent again: an endpoint that accepts them must de-duplicate what it accepts. The webhook inbox does, by
  the id of each event (`webhooks.py`); a workflow action does, by its `callbackId`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from connector.errors import SignatureError

TOLERANCE = timedelta(minutes=5)  # HubSpot's own limit for age; the same is granted to a clock that runs ahead

_MILLISECONDS = re.compile(r"[0-9]{13}")
# HubSpot decodes these escapes in the URI before it signs, and no others.
_DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$",
    "%27": "'", "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
_ESCAPE = re.compile("|".join(_DECODED), re.IGNORECASE)


def verify(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now: datetime,
    accept: Sequence[str] = ("v3", "v1"),
) -> str:
    """Check the signature of one request.

    Args:
        method: HTTP method.
        url: the public URL as configured, never the one a proxy rewrote.
        headers: request headers, in any case.
        body: the raw bytes.
        secrets: client secrets, any of which may have signed; none at all closes the endpoint.
        now: the present, aware.
        accept: signature versions this endpoint takes, of `v1`, `v2` and `v3`.

    Returns:
        The version that held.

    Raises:
        SignatureError: not from HubSpot, too old, or from the future; says which, without the signature.
    """
    if not any(secrets):
        raise SignatureError("no HubSpot client secret is configured, so nothing can be verified")
    sent = {name.lower(): value for name, value in headers.items()}
    if "x-hubspot-signature-v3" in sent and "v3" in accept:
        claimed = sent["x-hubspot-signature-v3"]
        sign = _v3(method, url, body, _fresh(sent.get("x-hubspot-request-timestamp", ""), now))
        return _held("v3", claimed, sign, secrets)
    version = sent.get("x-hubspot-signature-version", "")
    if version not in accept or version not in {"v1", "v2"}:
        raise SignatureError(f"no signature of a version accepted here ({', '.join(accept)})")
    sign = _v1(body) if version == "v1" else _v2(method, url, body)
    return _held(version, sent.get("x-hubspot-signature", ""), sign, secrets)


Sign = Callable[[bytes], str]


def _held(version: str, claimed: str, sign: Sign, secrets: Sequence[str]) -> str:
    given = claimed.encode("utf-8", "surrogateescape")
    # Every secret is tried, so that the time taken does not tell which one it was.
    matches = [hmac.compare_digest(sign(secret.encode()).encode(), given) for secret in secrets if secret]
    if not any(matches):
        raise SignatureError(f"the {version} signature does not hold")
    return version


def _fresh(timestamp: str, now: datetime) -> str:
    if not _MILLISECONDS.fullmatch(timestamp):
        raise SignatureError("the request timestamp is missing or is no epoch in milliseconds")
    sent_at = datetime.fromtimestamp(int(timestamp) / 1000, UTC)
    if abs(now - sent_at) > TOLERANCE:
        raise SignatureError("the request timestamp is more than five minutes away")
    return timestamp


def _v1(body: bytes) -> Sign:
    return lambda secret: hashlib.sha256(secret + body).hexdigest()


def _v2(method: str, url: str, body: bytes) -> Sign:
    return lambda secret: hashlib.sha256(secret + method.encode() + url.encode() + body).hexdigest()


def _v3(method: str, url: str, body: bytes, timestamp: str) -> Sign:
    uri = _ESCAPE.sub(lambda match: _DECODED[match[0].upper()], url)
    signed = method.encode() + uri.encode() + body + timestamp.encode()
    return lambda secret: base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
