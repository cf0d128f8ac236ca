"""Does this callback come from Sinch's SMS API, and what does it say?

Sources: developers.sinch.com/docs/sms/api-reference/sms/tag/Webhooks, …/Delivery-reports, …/Inbounds. All are POSTs
with JSON. They are signed once the account manager has set a secret up; until then a key in the address proves them.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connector.adapters.sms.callback_key import check_key, with_key
from connector.adapters.sms.reading import e164, header, json_object, mapping, sequence, whole_number, words
from connector.adapters.sms.sinch_codes import ERRORS, error_of, state_of
from connector.errors import SignatureError, UnsignedCallbackError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

SIGNATURE = "x-sinch-webhook-signature"
_ALGORITHM = "hmacsha256"
_OLDEST = timedelta(hours=48)  # Sinch repeats for some 23 hours; its own libraries check no age at all
_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Trust:
    """By what an account's callbacks are known to be Sinch's.

    Attributes:
        secrets: newest first; when there is one, callbacks must be signed with one of them.
        keys: newest first; what callbacks carry in their address while they are not signed.
    """

    secrets: tuple[str, ...] = field(default=(), repr=False)
    keys: tuple[str, ...] = field(default=(), repr=False)

    def address(self, url: str) -> str:
        """Give the address to call, with a key where that is what callbacks are known by."""
        return url if self.secrets else with_key(url, self.keys)

    def check(self, request: CallbackRequest, now: datetime) -> None:
        """Check a callback's signature, or the key in its address while no secret is configured.

        Raises:
            SignatureError: not from them, or neither secret nor key is configured.
        """
        if self.secrets:
            verify(request, self.secrets, now)
        else:
            check_key(request, self.keys)


def signature(body: bytes, nonce: str, timestamp: str, secret: str) -> str:
    """Give the signature of a body: HMAC-SHA256 over body, nonce and timestamp, dots between, in base64."""
    text = b".".join((body, nonce.encode(), timestamp.encode()))
    return base64.b64encode(hmac.digest(secret.encode(), text, "sha256")).decode()


def verify(request: CallbackRequest, secrets: Sequence[str], now: datetime) -> None:
    """Check the signature with each secret, and that it is neither from the future nor older than a last retry.

    A callback played again within that time says nothing new: receipts and replies are known by their ids.

    Raises:
        UnsignedCallbackError: the signature holds and is of another time: theirs, to be sent again.
        SignatureError: not from them, or no secret is configured.
    """
    given = header(request, SIGNATURE).encode()
    nonce, timestamp = header(request, f"{SIGNATURE}-nonce"), header(request, f"{SIGNATURE}-timestamp")
    if not given or header(request, f"{SIGNATURE}-algorithm").lower() not in {"", _ALGORITHM}:
        raise SignatureError("no Sinch signature, or one of another kind")
    made = (signature(request.body, nonce, timestamp, secret).encode() for secret in secrets if secret)
    if not any(hmac.compare_digest(each, given) for each in made):
        raise SignatureError("the Sinch signature does not hold")
    signed_at = whole_number(timestamp)
    age = now.timestamp() - signed_at if signed_at is not None else _OLDEST.total_seconds() + 1
    if not -_CLOCKS_DIFFER.total_seconds() <= age <= _OLDEST.total_seconds():
        raise UnsignedCallbackError("the Sinch signature is too old or from the future")


def read_status(request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
    """Read a receipt of either shape: about one recipient, or about a batch, which for us has one recipient.

    Our reference inside it goes before the id in the address, which is not signed.
    """
    receipt = json_object(request.body)
    return tuple(reports(receipt, words(receipt.get("client_reference")) or attempt_id))


def reports(receipt: Mapping[str, Any], attempt_id: str | None) -> Iterator[StatusReport]:
    """Give what a delivery report says, as it comes in callbacks and in answers alike."""
    batch_id = words(receipt.get("batch_id"))
    each = sequence(receipt.get("statuses")) if "statuses" in receipt else (receipt,)
    for one in map(mapping, each):
        status = words(one.get("status"))
        if not batch_id or not status or one.get("count") == 0:
            continue
        code = error_of(words(one.get("code")))
        yield StatusReport(
            provider_message_id=batch_id,
            state=state_of(status),
            raw_status=status,
            attempt_id=attempt_id,
            error_code=code,
            error_class=ERRORS.class_of(code),
            segments=whole_number(receipt.get("number_of_message_parts")),
            carrier=words(receipt.get("operator")) or None,
        )


def read_incoming(request: CallbackRequest) -> Sequence[IncomingSMS]:
    """Read an inbound text, which comes whole; binary and media messages have no text."""
    sms = json_object(request.body)
    message_id, from_, to = (words(sms.get(name)) for name in ("id", "from", "to"))
    if not message_id or not from_ or not to or words(sms.get("type")) != "mo_text":
        return ()
    return (IncomingSMS(message_id, e164(from_), e164(to), words(sms.get("body"))),)
