"""Does this callback come from MessageBird, and what does it say?

Sources: developers.messagebird.com/api/#verifying-http-requests (the JWT in `MessageBird-Signature-JWT`, checked
with the vendor's published vectors) and …/api/sms-messaging/#handle-a-status-report (a GET whose query is the
report; the names beyond id, reference, recipient and status are unverified).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

import jwt

from connector.adapters.sms.messagebird_codes import delivery_error, state_of
from connector.adapters.sms.reading import e164, form_fields, header, json_object, money, whole_number, words
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

HEADER = "messagebird-signature-jwt"

_ALGORITHMS = ["HS256", "HS384", "HS512"]
_ISSUER = "MessageBird"
_CLOCKS_DIFFER_SECONDS = 30  # a token is good for one minute; half of it more for a clock that NTP has not reached


def verify(request: CallbackRequest, signing_keys: Sequence[str]) -> None:
    """Check the token with each key: MessageBird's, of now, for this URL and this body.

    Raises:
        SignatureError: not from them, or no key is configured.
    """
    token = header(request, HEADER)
    if not token or not any(signing_keys):
        raise SignatureError("no MessageBird signature, or no key to check it with")
    claims = _claims(token, signing_keys)
    _check_hash(claims, "url_hash", request.url.encode())
    if request.body or "payload_hash" in claims:
        _check_hash(claims, "payload_hash", request.body)


def read_status(request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
    """Read a status report: our `reference` in it is signed like the rest and goes before the id of the address."""
    fields = dict(form_fields(request))
    message_id, status = fields.get("id", ""), fields.get("status", "")
    if not message_id or not status:
        return ()
    state = state_of(status)
    code, error_class = delivery_error(state, fields.get("statusErrorCode", ""), fields.get("statusReason", ""))
    price = money(fields.get("price[amount]"))
    return (
        StatusReport(
            provider_message_id=message_id,
            state=state,
            raw_status=status,
            attempt_id=fields.get("reference") or attempt_id,
            error_code=code,
            error_class=error_class,
            segments=whole_number(fields.get("messagePartCount", "")),
            price=price,
            currency=(fields.get("price[currency]") or None) if price is not None else None,
            carrier=fields.get("mccmnc") or None,
        ),
    )


def read_incoming(request: CallbackRequest) -> Sequence[IncomingSMS]:
    """Read an inbound text, which comes as a query, a form or JSON, as the number is configured."""
    fields = _inbound_fields(request)
    sms_id, from_, to = fields.get("id", ""), fields.get("originator", ""), fields.get("recipient", "")
    if not sms_id or not from_ or not to:
        return ()
    return (IncomingSMS(sms_id, e164(from_), e164(to), fields.get("body", "")),)


def _inbound_fields(request: CallbackRequest) -> Mapping[str, str]:
    body = json_object(request.body)
    return {key: words(value) for key, value in body.items()} if body else dict(form_fields(request))


def _claims(token: str, signing_keys: Sequence[str]) -> Mapping[str, object]:
    """Give the claims of a token that one of the keys opens."""
    for key in filter(None, signing_keys):
        try:
            return jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                issuer=_ISSUER,
                leeway=_CLOCKS_DIFFER_SECONDS,
                options={"require": ["iss", "nbf", "exp", "url_hash"], "verify_iat": False},
            )
        except jwt.PyJWTError:
            continue
    raise SignatureError("the MessageBird signature does not hold")


def _check_hash(claims: Mapping[str, object], name: str, signed: bytes) -> None:
    expected = hashlib.sha256(signed).hexdigest() if signed else ""
    if not hmac.compare_digest(expected.encode(), words(claims.get(name)).encode()):
        raise SignatureError("the MessageBird signature belongs to another request")
