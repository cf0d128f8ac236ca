"""Does a callback come from the connector, is it fresh, and what does it say?

    callback = webhooks.read(request.get_data(), request.headers, secrets=["whsec_…"])

The connector repeats a callback until it is answered 2xx; `Callback.id` stays the same, so keep it to know a repeated
one. While a secret is being changed, give both.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from connector_client.errors import SignatureMismatchError
from connector_client.reading import read as read_document

FRESH_SECONDS = 300
"""How old a callback may be: clocks go wrong by less, and whoever recorded one cannot use it tomorrow."""

_LONGEST_TIME = 12  # digits of seconds; Python reads no number of thousands of them


class Headers(Protocol):
    """Headers of a request, by name in any case, as web frameworks have them."""

    def get(self, name: str, default: str, /) -> str | None:
        """Give one, or the default."""
        ...


@dataclass(frozen=True, slots=True)
class CallbackMessage:
    """The text a callback is about; `idempotency_key` is the one it was ordered under."""

    id: str
    state: str
    reason: str
    to: str = field(repr=False)
    sender: str | None = field(repr=False, metadata={"name": "from"})
    purpose: str
    segments: int
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the person answered."""

    id: str
    sender: str = field(repr=False, metadata={"name": "from"})
    to: str | None = field(repr=False)
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Callback:
    """One callback.

    Attributes:
        id: the same at every try.
        type: `message.` and the state it moved to, or `message.replied`.
        at: when it happened; callbacks may come in another order than that.
        reply: only with `message.replied`.
    """

    id: str
    type: str
    at: datetime
    message: CallbackMessage
    reply: Reply | None = None


def read(
    body: bytes,
    headers: Headers | Mapping[str, str],
    *,
    secrets: Sequence[str],
    now: float | None = None,
) -> Callback:
    """Check a callback and read it.

    Args:
        body: the bytes as they came, before anything has parsed them.
        headers: of the request.
        secrets: what `smsctl api-key callback-secret` shows, without the dates.
        now: seconds since the epoch; the present when None.

    Raises:
        SignatureMismatchError: it is not from the connector, or too old; answer 401.
    """
    check(body, headers, secrets=secrets, now=now)
    try:
        return read_document(Callback, json.loads(body))
    except (ValueError, KeyError, TypeError):
        raise SignatureMismatchError("it is signed, and no callback this client can read") from None


def check(
    body: bytes, headers: Headers | Mapping[str, str], *, secrets: Sequence[str], now: float | None = None
) -> None:
    """Check that a request comes from the connector and is fresh.

    Raises:
        SignatureMismatchError: it does not, or is not.
    """
    timestamp = _header(headers, "X-SMS-Connector-Timestamp")
    present = time.time() if now is None else now
    is_time = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIME
    if not is_time or abs(present - int(timestamp)) > FRESH_SECONDS:
        raise SignatureMismatchError("its time is missing, or more than five minutes off")
    given = [part.strip() for part in _header(headers, "X-SMS-Connector-Signature").split(",")]
    signed = timestamp.encode() + b"." + body
    wanted = [f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}" for secret in secrets if secret]
    matches = [hmac.compare_digest(one.encode(), other.encode()) for one in given for other in wanted]
    if not any(matches):
        raise SignatureMismatchError("its signature does not hold")


def _header(headers: Headers | Mapping[str, str], name: str) -> str:
    """Give a header; plain mappings of some frameworks have the names in lower case."""
    return headers.get(name, "") or headers.get(name.lower(), "") or ""
