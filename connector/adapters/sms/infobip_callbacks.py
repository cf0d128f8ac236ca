"""Does this callback come from Infobip, and what does it say?

Source: infobip.com/docs/api/channels/sms (delivery reports and inbound messages; both are a list of `results`, of
reports at most a hundred). How Infobip authenticates its calls is set per subscription; we take HTTP Basic, or a key
in the address.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connector.adapters.sms.callback_key import check_key
from connector.adapters.sms.infobip_codes import DUPLICATE, delivery_error, state_of
from connector.adapters.sms.reading import e164, header, json_object, mapping, money, sequence, whole_number, words
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport


def verify(request: CallbackRequest, keys: Sequence[str], logins: Sequence[str]) -> None:
    """Accept a callback with one of our logins (`user:password`) or, in its address, one of our keys.

    Raises:
        SignatureError: it has neither, or none is configured.
    """
    given = header(request, "authorization").encode()
    for login in filter(None, logins):
        if hmac.compare_digest(b"Basic " + base64.b64encode(login.encode()), given):
            return
    if not any(keys):
        raise SignatureError("the callback does not carry our login")
    check_key(request, keys)


def read_status(request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
    """Read the reports of a callback.

    `callbackData`, in which our attempt id travels, goes before the id of the address; that one counts only where
    there is one report.
    """
    results = _results(request)
    fallback = attempt_id if len(results) == 1 else None
    return tuple(report for each in results if (report := report_of(each, fallback)))


def read_incoming(request: CallbackRequest) -> Sequence[IncomingSMS]:
    """Read the texts of people; the whole text, with its keyword."""
    return tuple(found for each in _results(request) if (found := _incoming(each)))


def report_of(result: Mapping[str, Any], attempt_id: str | None) -> StatusReport | None:
    """Read one entry of a callback or of the logs; None when it has no id or no status.

    A report about a refused duplicate is about a text that was never made: it is no report about the first one,
    whose id it bears.
    """
    message_id, status = words(result.get("messageId")), mapping(result.get("status"))
    status_id = whole_number(words(status.get("id")))
    if not message_id or status_id in {None, DUPLICATE}:
        return None
    state, error = state_of(status_id), mapping(result.get("error"))
    permanent = error.get("permanent")
    code, error_class = delivery_error(
        state,
        words(status.get("name")),
        words(error.get("name")),
        is_permanent=permanent if isinstance(permanent, bool) else None,
    )
    segments = whole_number(words(result.get("messageCount") or result.get("smsCount")))
    price, currency = _price(result, segments)
    return StatusReport(
        provider_message_id=message_id,
        state=state,
        raw_status=words(status.get("name")) or str(status_id),
        attempt_id=words(result.get("callbackData")) or attempt_id,
        error_code=code,
        error_class=error_class,
        segments=segments,
        price=price,
        currency=currency,
        carrier=words(result.get("mccMnc")) or None,
    )


def _price(result: Mapping[str, Any], segments: int | None) -> tuple[Decimal | None, str | None]:
    """Give what the text cost in all; Infobip tells the price of one segment."""
    price = mapping(result.get("price"))
    each = money(words(price.get("pricePerMessage")))
    return (None, None) if each is None else (each * (segments or 1), words(price.get("currency")) or None)


def _incoming(result: Mapping[str, Any]) -> IncomingSMS | None:
    sms_id, from_, to = words(result.get("messageId")), words(result.get("from")), words(result.get("to"))
    if not sms_id or not from_ or not to or "status" in result:
        return None
    return IncomingSMS(sms_id, e164(from_), e164(to), words(result.get("text")))


def _results(request: CallbackRequest) -> Sequence[Mapping[str, Any]]:
    return [each for each in sequence(json_object(request.body).get("results")) if isinstance(each, dict)]
