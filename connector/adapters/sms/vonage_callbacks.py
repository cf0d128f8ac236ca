"""Does this callback come from Vonage's SMS API, and what does it say?

Sources: developer.vonage.com/getting-started/concepts/signing-messages (signature), developer.vonage.com/messaging/sms/
guides/delivery-receipts and …/inbound-sms. The account chooses whether they come as POST with JSON, POST with a form,
or GET; signatures are switched on by Vonage's support, together with their method.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from connector.adapters.sms.callback_key import check_key, with_key
from connector.adapters.sms.reading import (
    e164,
    json_object,
    money,
    signed_form_fields,
    storable,
    whole_number,
)
from connector.adapters.sms.vonage_codes import DELIVERY_ERRORS, delivery_code, state_of
from connector.errors import ConfigurationError, SignatureError
from connector.ports.gateway import CallbackRequest, IncomingSMS, Piece, StatusReport

OLDEST = timedelta(hours=25)  # Vonage tries a callback again for 24 hours; whether it signs it anew is not said
_CLOCKS_DIFFER = timedelta(minutes=5)  # what Vonage's own libraries allow

_UNSAFE = str.maketrans("&=", "__")  # what would let one value look like two


def _hash(text: str, secret: str) -> str:
    return hashlib.md5(
        (text + secret).encode("utf-8", "replace"), usedforsecurity=False
    ).hexdigest()  # the vendor's default method


def _hmac(name: str) -> Callable[[str, str], str]:
    return lambda text, secret: hmac.digest(secret.encode(), text.encode("utf-8", "replace"), name).hex()


METHODS: Mapping[str, Callable[[str, str], str]] = MappingProxyType(
    {
        "md5hash": _hash,
        "md5": _hmac("md5"),
        "sha1": _hmac("sha1"),
        "sha256": _hmac("sha256"),
        "sha512": _hmac("sha512"),
    }
)
"""How to sign a text with a secret, by the name the account's settings give it; all but the first are HMACs."""


def signature(parameters: Mapping[str, str], secret: str, method: str) -> str:
    """Give `sig` for parameters: sorted, their `&` and `=` replaced, joined, hashed; hexadecimal."""
    pairs = sorted((key, value) for key, value in parameters.items() if key != "sig")
    return METHODS[method]("".join(f"&{key}={value.translate(_UNSAFE)}" for key, value in pairs), secret)


@dataclass(frozen=True, slots=True)
class Trust:
    """By what an account's callbacks are known to be Vonage's.

    Attributes:
        secrets: signature secrets, newest first; when there is one, callbacks must be signed with one of them.
        method: how they are signed, a name of `METHODS`.
        keys: newest first; what callbacks carry in their address while they are not signed.

    Raises:
        ConfigurationError: the method is unknown.
    """

    secrets: tuple[str, ...] = field(default=(), repr=False)
    method: str = "md5hash"
    keys: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigurationError(f"VONAGE_SIGNATURE_METHOD is none of {', '.join(METHODS)}")

    def address(self, url: str) -> str:
        """Give the address to call, with a key where that is what callbacks are known by."""
        return url if self.secrets else with_key(url, self.keys)

    def check(self, request: CallbackRequest, now: datetime) -> None:
        """Check a callback's signature, or the key in its address while no secret is configured.

        Raises:
            SignatureError: not from them, or neither secret nor key is configured.
        """
        if self.secrets:
            verify(request, self.secrets, self.method, now)
        else:
            check_key(request, self.keys)


def verify(request: CallbackRequest, secrets: Sequence[str], method: str, now: datetime) -> None:
    """Check `sig` with each secret, and that a `timestamp` is neither in the future nor older than a last retry.

    Raises:
        SignatureError: not from them, or no secret is configured.
    """
    parameters = _signed_parameters(request)
    given = parameters.get("sig", "").lower().encode("utf-8", "replace")
    if not given:
        raise SignatureError("no Vonage signature")
    if any(mark in key for key in parameters for mark in "&="):  # only values have theirs replaced before signing
        raise SignatureError("the Vonage signature holds for several readings of these parameters")
    if not any(hmac.compare_digest(signature(parameters, each, method).encode(), given) for each in secrets if each):
        raise SignatureError("the Vonage signature does not hold")
    if "timestamp" not in parameters:
        return
    signed_at = whole_number(parameters["timestamp"])
    age = now.timestamp() - signed_at if signed_at is not None else OLDEST.total_seconds() + 1
    if not -_CLOCKS_DIFFER.total_seconds() <= age <= OLDEST.total_seconds():
        raise SignatureError("the Vonage signature is too old or from the future")


def read_status(request: CallbackRequest, attempt_id: str | None, currency: str) -> Sequence[StatusReport]:
    """Read a receipt, which is about one part; `to` is our sender and `msisdn` the recipient.

    Our reference inside it goes before the id in the address: where a signature is, it covers the former only.
    """
    receipt = parameters_of(request)
    part_id, status = receipt.get("messageId"), receipt.get("status")
    if not part_id or not status:
        return ()
    code, price = delivery_code(receipt.get("err-code", "")), money(receipt.get("price"))
    return (
        StatusReport(
            provider_message_id=part_id,
            state=state_of(status),
            raw_status=status,
            attempt_id=receipt.get("client-ref") or attempt_id,
            error_code=code,
            error_class=DELIVERY_ERRORS.class_of(code),
            price=price,
            currency=currency if price is not None else None,
            carrier=receipt.get("network-code") or None,
        ),
    )


def read_incoming(request: CallbackRequest) -> Sequence[IncomingSMS]:
    """Read an inbound SMS, or one part of a long one; binary ones have no text."""
    sms = parameters_of(request)
    message_id, from_, to = sms.get("messageId"), sms.get("msisdn"), sms.get("to")
    if not message_id or not from_ or not to or "status" in sms:
        return ()
    return (IncomingSMS(message_id, e164(from_), e164(to), sms.get("text", ""), piece=_piece(sms)),)


def parameters_of(request: CallbackRequest) -> Mapping[str, str]:
    """Give a callback's parameters, however they came, as they can be stored."""
    return {storable(key): storable(value) for key, value in _signed_parameters(request).items()}


def _signed_parameters(request: CallbackRequest) -> Mapping[str, str]:
    """Give the parameters as they were signed; nested values, which Vonage does not send, are left out."""
    from_json = json_object(request.body) if request.method.upper() != "GET" else {}
    if from_json:
        return {key: _word(value) for key, value in from_json.items() if not isinstance(value, dict | list)}
    return dict(signed_form_fields(request))


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _piece(sms: Mapping[str, str]) -> Piece | None:
    if sms.get("concat", "").lower() != "true":
        return None
    number, total = whole_number(sms.get("concat-part")), whole_number(sms.get("concat-total"))
    reference = sms.get("concat-ref", "")
    if not reference or number is None or total is None or not 1 <= number <= total:
        return None
    return Piece(reference, number, total)
