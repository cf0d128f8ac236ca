"""Does this callback come from Telnyx, and what does it say?

Source: developers.telnyx.com/docs/messaging/messages/receiving-webhooks. Telnyx signs time and body, not the URL: an
attempt id in the URL proves nothing by itself, so the message id of the body is always given along with it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from connector.adapters.sms.reading import e164, header, json_object, mapping, money, sequence, whole_number, words
from connector.adapters.sms.telnyx_codes import ERRORS, state_of
from connector.errors import ConfigurationError, SignatureError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

TOLERANCE = timedelta(seconds=300)
"""How far a signed time may be from now, to either side: what the vendor's own libraries allow."""

_STATUS_EVENTS = frozenset({"message.sent", "message.finalized"})
_INCOMING_EVENT = "message.received"
_HANDLED = frozenset({"STOP", "START", "HELP"})


def public_key(text: str) -> Ed25519PublicKey:
    """Read a public key as the vendor's portal shows it, base64.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error) as exc:
        raise ConfigurationError("TELNYX_PUBLIC_KEYS: each is 32 bytes in base64, from the portal's API keys") from exc


def verify(request: CallbackRequest, keys: Sequence[Ed25519PublicKey], now: datetime) -> None:
    """Check `telnyx-signature-ed25519` over time and untouched body with each key, and the time against `now`.

    Raises:
        SignatureError: not from them, too old, from the future, or no key is configured.
    """
    signature = _signature(header(request, "telnyx-signature-ed25519"))
    timestamp = header(request, "telnyx-timestamp")
    if not signature or not keys:
        raise SignatureError("no Telnyx signature, or no key to check it with")
    signed_at = _moment(timestamp)
    if abs(now - signed_at) > TOLERANCE:
        raise SignatureError("the Telnyx signature is too old, or from the future")
    text = timestamp.encode() + b"|" + request.body
    if not any(_holds(key, signature, text) for key in keys):
        raise SignatureError("the Telnyx signature does not hold")


def read_status(request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
    """Read a `message.sent` or `message.finalized` event; any other says nothing about a message of ours."""
    event = mapping(json_object(request.body).get("data"))
    if words(event.get("event_type")) not in _STATUS_EVENTS:
        return ()
    found = report(mapping(event.get("payload")), attempt_id)
    return (found,) if found else ()


def read_incoming(request: CallbackRequest) -> Sequence[IncomingSMS]:
    """Read a `message.received` event; its text may be empty."""
    event = mapping(json_object(request.body).get("data"))
    payload = mapping(event.get("payload"))
    message_id, from_ = words(payload.get("id")), words(mapping(payload.get("from")).get("phone_number"))
    to = words(_recipient(payload).get("phone_number"))
    if words(event.get("event_type")) != _INCOMING_EVENT or not (message_id and from_ and to):
        return ()
    answered = words(payload.get("autoresponse_type")).upper()  # set when the profile has replied by itself
    handled = answered if answered in _HANDLED else None
    return (IncomingSMS(message_id, e164(from_), e164(to), words(payload.get("text")), opt_out_handled=handled),)


def report(payload: Mapping[str, Any], attempt_id: str | None) -> StatusReport | None:
    """Put a message resource into our words, be it in an event or in an answer; None without id or status."""
    recipient = _recipient(payload)
    message_id, status = words(payload.get("id")), words(recipient.get("status"))
    if not message_id or not status:
        return None
    code = first_code(payload) or None
    cost = mapping(payload.get("cost"))
    price = money(words(cost.get("amount")))
    return StatusReport(
        provider_message_id=message_id,
        state=state_of(status, code),
        raw_status=status,
        attempt_id=attempt_id,
        error_code=code,
        error_class=ERRORS.class_of(code),
        segments=whole_number(payload.get("parts")),
        price=price,
        currency=(words(cost.get("currency")) or None) if price is not None else None,
        carrier=words(recipient.get("carrier")) or None,
    )


def first_code(body: Mapping[str, Any]) -> str:
    """Give the code of the first of the `errors`, empty when there is none."""
    return next((words(mapping(each).get("code")) for each in sequence(body.get("errors"))), "")


def _recipient(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the one recipient we send to; of an inbound text, our number."""
    return next((mapping(each) for each in sequence(payload.get("to"))), {})


def _signature(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _moment(timestamp: str) -> datetime:
    seconds = whole_number(timestamp)
    if seconds is None or seconds > datetime.max.replace(tzinfo=UTC).timestamp():
        raise SignatureError("the Telnyx signature has no readable time")
    return datetime.fromtimestamp(seconds, UTC)


def _holds(key: Ed25519PublicKey, signature: bytes, text: bytes) -> bool:
    try:
        key.verify(signature, text)
    except InvalidSignature:
        return False
    return True
