"""Does this callback come from Vonage's Messages API, and what does it say?

Sources: developer.vonage.com/getting-started/concepts/webhooks (signed webhooks), developer.vonage.com/api/messages
(message status, inbound message). They are POSTs with JSON and a JSON Web Token: HS256 with the account's signature
secret, over the time and the SHA-256 of the body.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import jwt
from jwt.algorithms import HMACAlgorithm

from connector.adapters.sms.reading import e164, header, json_object, mapping, money, whole_number, words
from connector.adapters.sms.vonage_messages_codes import ERRORS, code_of, state_of
from connector.errors import SignatureError, UnsignedCallbackError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

_ALGORITHM = "HS256"  # pinned: a token does not choose how it is checked
_OLDEST = timedelta(hours=25)  # Vonage tries a callback again for 24 hours; whether it signs it anew is not said
_CLOCKS_DIFFER = timedelta(minutes=5)  # what Vonage's own libraries allow


class _GivenSecret(HMACAlgorithm):
    """HS256 with a secret as long as Vonage made it; the library would warn of one shorter than the hash."""

    def check_key_length(self, key: bytes) -> str | None:  # noqa: ARG002 - the library's signature
        """Find nothing to say about a secret nobody here can choose."""
        return None


def _tokens() -> jwt.PyJWS:
    tokens = jwt.PyJWS(algorithms=[_ALGORITHM])
    tokens.unregister_algorithm(_ALGORITHM)
    tokens.register_algorithm(_ALGORITHM, _GivenSecret(HMACAlgorithm.SHA256))
    return tokens


_TOKENS = _tokens()


def verify(request: CallbackRequest, secrets: Sequence[str], api_key: str, now: datetime) -> None:
    """Check the token with each secret, then that it is about this body, this account and this time.

    Raises:
        UnsignedCallbackError: without a token, which Vonage says may happen; a repetition carries one.
        SignatureError: not from them, or no secret is configured.
    """
    scheme, _, token = header(request, "authorization").partition(" ")
    if not scheme:
        raise UnsignedCallbackError("a Vonage callback without its token")
    claims = _claims(token.strip(), secrets) if scheme.lower() == "bearer" else {}
    if not claims:
        raise SignatureError("the Vonage token does not hold")
    body_hash = hashlib.sha256(request.body).hexdigest().encode()
    if not hmac.compare_digest(body_hash, words(claims.get("payload_hash")).lower().encode()):
        raise SignatureError("the body is not the one Vonage signed")
    if words(claims.get("api_key")) not in {"", api_key}:
        raise SignatureError("the Vonage token is of another account")
    signed_at = whole_number(claims.get("iat"))
    if signed_at is None or not -_CLOCKS_DIFFER <= now - _moment(signed_at, now) <= _OLDEST:
        raise SignatureError("the Vonage token is too old or from the future")


def read_status(request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
    """Read a status callback. Our reference inside it goes before the id in the address, which is not signed."""
    status = json_object(request.body)
    message_id, word = words(status.get("message_uuid")), words(status.get("status"))
    if not message_id or not word:
        return ()
    code = _error_code(status) or None
    usage = mapping(status.get("usage"))
    price = money(words(usage.get("price")))
    return (
        StatusReport(
            provider_message_id=message_id,
            state=state_of(word, code),
            raw_status=word,
            attempt_id=words(status.get("client_ref")) or attempt_id,
            error_code=code,
            error_class=ERRORS.class_of(code),
            segments=whole_number(mapping(status.get("sms")).get("count_total")),
            price=price,
            currency=(words(usage.get("currency")) or None) if price is not None else None,
            carrier=words(mapping(status.get("destination")).get("network_code")) or None,
        ),
    )


def read_incoming(request: CallbackRequest) -> Sequence[IncomingSMS]:
    """Read an inbound SMS, which comes whole; other channels and kinds of message say nothing to us."""
    sms = json_object(request.body)
    message_id, from_, to = (words(sms.get(name)) for name in ("message_uuid", "from", "to"))
    if not message_id or not from_ or not to or "status" in sms:
        return ()
    if words(sms.get("channel")) != "sms" or words(sms.get("message_type")) != "text":
        return ()
    return (IncomingSMS(message_id, e164(from_), e164(to), words(sms.get("text"))),)


def _claims(token: str, secrets: Sequence[str]) -> Mapping[str, Any]:
    """Give the claims of a token that holds with one of the secrets, else none."""
    for secret in filter(None, secrets):
        try:
            return json_object(_TOKENS.decode(token, secret, algorithms=[_ALGORITHM]))
        except jwt.PyJWTError:
            continue
    return {}


def _moment(seconds: int, now: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, now.tzinfo)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=now.tzinfo)


def _error_code(status: Mapping[str, Any]) -> str:
    error = mapping(status.get("error"))
    error = mapping(error.get("error")) or error  # version 0.1 wraps it once more
    return code_of(words(error.get("type")), words(error.get("title")))
