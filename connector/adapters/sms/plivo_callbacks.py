"""Does this callback come from Plivo, and what does it say?

Sources: plivo.com/docs/messaging/concepts/signature-validation (version 3), plivo.com/docs/messaging/api/messages
(status callback and inbound message). Plivo calls by POST with a form, or by GET with everything in the query.

The receipts of one text are numbered (`Sequence`). We need not sort by it: a state never falls, whatever comes last.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Mapping, Sequence

from connector.adapters.sms.plivo_codes import ERRORS, NO_ERROR, state_of
from connector.adapters.sms.reading import (
    e164,
    form_fields,
    header,
    money,
    signed_form_fields,
    signed_query_fields,
    whole_number,
)
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

CURRENCY = "USD"
"""Plivo keeps every account in US dollars and names no currency anywhere."""

_HANDLED: Mapping[str, str] = {"optout": "STOP", "optin": "START", "help": "HELP"}
"""`MessageIntent` of an inbound text whose keyword Plivo has answered by itself."""


def verify(request: CallbackRequest, auth_tokens: Sequence[str]) -> None:
    """Check `X-Plivo-Signature-V3`, which may list several signatures, with each token.

    Raises:
        SignatureError: not from them, or no token is configured.
    """
    given = [each.strip().encode() for each in header(request, "x-plivo-signature-v3").split(",") if each.strip()]
    nonce = header(request, "x-plivo-signature-v3-nonce")
    if not given or not nonce or not any(auth_tokens):
        raise SignatureError("no Plivo signature, or no token to check it with")
    text = f"{_signed_text(request)}.{nonce}".encode()
    for token in filter(None, auth_tokens):
        expected = base64.b64encode(hmac.digest(token.encode(), text, "sha256"))
        if any(hmac.compare_digest(expected, each) for each in given):
            return
    raise SignatureError("the Plivo signature does not hold")


def read_status(request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
    """Read a status callback; one without a message id or a status says nothing."""
    form = dict(form_fields(request))
    uuid, status = form.get("MessageUUID"), form.get("Status")
    if not uuid or not status:
        return ()
    return (
        report(
            uuid,
            status,
            attempt_id,
            code=form.get("ErrorCode"),
            units=form.get("Units"),
            amount=form.get("TotalAmount"),
            carrier=form.get("MCC", "") + form.get("MNC", ""),
        ),
    )


def read_incoming(request: CallbackRequest) -> Sequence[IncomingSMS]:
    """Read an inbound SMS; its body may be empty."""
    form = dict(form_fields(request))
    uuid = form.get("MessageUUID")
    if not uuid or not form.get("From") or not form.get("To") or "Status" in form:
        return ()
    handled = _HANDLED.get(form.get("MessageIntent", "").lower())
    return (IncomingSMS(uuid, e164(form["From"]), e164(form["To"]), form.get("Text", ""), opt_out_handled=handled),)


def report(
    uuid: str,
    status: str,
    attempt_id: str | None,
    *,
    code: str | None,
    units: object,
    amount: object,
    carrier: str = "",
) -> StatusReport:
    """Put into our words what a receipt or the answer about a message says; `amount` is for all units together."""
    failed = code if code and code != NO_ERROR else None
    price = money(amount) or None  # 0 until Plivo has charged for it
    return StatusReport(
        provider_message_id=uuid,
        state=state_of(status, failed),
        raw_status=status,
        attempt_id=attempt_id,
        error_code=failed,
        error_class=ERRORS.class_of(failed),
        segments=whole_number(units) or None,
        price=price,
        currency=CURRENCY if price is not None else None,
        carrier=carrier or None,
    )


def _signed_text(request: CallbackRequest) -> str:
    """Give what is signed beside the nonce: the URL with its query sorted, and the form's keys and values."""
    address = request.url.partition("#")[0].partition("?")[0]
    query = "&".join(f"{key}={value}" for key, value in sorted(signed_query_fields(request.url)))
    form = [] if request.method.upper() == "GET" else signed_form_fields(request)
    if not form:
        return f"{address}?{query}" if query else address
    return f"{address}?{query}{'.' if query else ''}{_run_together(form)}"


def _run_together(form: Iterable[tuple[str, str]]) -> str:
    return "".join(key + value for key, value in sorted(form))
