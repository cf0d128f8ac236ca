"""Is a request to a pretend service of AWS signed as Signature Version 4 wants it?

Written from docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, not from an SDK, so
that the SDK's way of signing is held against the description.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

from flask import Request

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"  # the pair AWS's own pages show
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105 - as above

_ALGORITHM = "AWS4-HMAC-SHA256"
_MOST_SKEW = timedelta(minutes=5)  # what AWS grants between its clock and the caller's
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)


class UnsignedError(Exception):
    """A request whose signature is missing or wrong; `why` is `missing`, `key`, `scope`, `time` or `signature`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def check(request: Request, credentials: Mapping[str, str], service: str, region: str) -> None:
    """Check the signature of a request against `access_key_id` and `secret_access_key` (and `session_token`).

    Time is the real one: the caller signs with its own clock, whatever a sandbox pretends.

    Raises:
        UnsignedError: it does not hold.
    """
    match = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    stamp = request.headers.get("X-Amz-Date", "")
    if match is None or not re.fullmatch(r"\d{8}T\d{6}Z", stamp):
        raise UnsignedError("missing")
    key_id, day, its_region, its_service, names, signature = match.groups()
    token = credentials.get("session_token", "")
    if (
        key_id != credentials.get("access_key_id", ACCESS_KEY_ID)
        or request.headers.get("X-Amz-Security-Token", "") != token
    ):
        raise UnsignedError("key")
    if (its_region, its_service, day) != (region, service, stamp[:8]):
        raise UnsignedError("scope")
    at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if abs(datetime.now(UTC) - at) > _MOST_SKEW:
        raise UnsignedError("time")
    text = _string_to_sign(_canonical(request, names.split(";")), stamp, f"{day}/{region}/{service}/aws4_request")
    secret = credentials.get("secret_access_key", SECRET_ACCESS_KEY)
    expected = hmac.new(_signing_key(secret, day, region, service), text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        raise UnsignedError("signature")


def _canonical(request: Request, names: list[str]) -> str:
    present = {name.lower(): value for name, value in request.headers.items()}
    must = {"host", *(name for name in present if name.startswith("x-amz-"))}
    if names != sorted(set(names)) or not must <= set(names) <= set(present):
        raise UnsignedError("signature")
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(request.query_string.decode(), keep_blank_values=True)
    )
    headers = "".join(f"{name}:{' '.join(present[name].split())}\n" for name in names)
    query = "&".join(f"{name}={value}" for name, value in pairs)
    digest = hashlib.sha256(request.get_data()).hexdigest()
    return "\n".join([request.method, quote(request.path, safe="/-_.~"), query, headers, ";".join(names), digest])


def _string_to_sign(canonical: str, stamp: str, scope: str) -> str:
    return "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])


def _signing_key(secret: str, *parts: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (*parts, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
