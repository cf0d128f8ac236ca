"""Does this callback come from Twilio, and what does it say?

Sources: twilio.com/docs/usage/security (signature), twilio.com/docs/messaging/guides/track-outbound-message-status
(status callback), twilio.com/docs/messaging/guides/webhook-request (inbound). Parameters are added without notice, so
the signature is checked over all that came, and what we do not read is no mistake.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence

from connector.adapters.sms.reading import (
    form_fields,
    header,
    money,
    query_fields,
    shown,
    signed_form_fields,
    whole_number,
)
from connector.adapters.sms.twilio_codes import ERRORS, state_of
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

_URL = re.compile(r"(https?)://([^/?#]+)(.*)", re.DOTALL)  # taken apart by hand: the rest must stay as signed
_PORT = re.compile(r":\d+$")
_STANDARD_PORTS: Mapping[str, int] = {"https": 443, "http": 80}


def verify(request: CallbackRequest, auth_tokens: Sequence[str]) -> None:
    """Check `X-Twilio-Signature` with each token, over the URL with and without its port.

    Which of the two URLs Twilio signs has changed over the years. With a JSON body the URL carries the body's hash
    and no parameter is signed.

    Raises:
        SignatureError: not from them, or no token is configured.
    """
    given = header(request, "x-twilio-signature").encode()
    if not given or not any(auth_tokens):
        raise SignatureError("no Twilio signature, or no token to check it with")
    signed_form = _signed_form(request)
    for url in _readings(request.url):
        text = (url + signed_form).encode()
        for token in filter(None, auth_tokens):
            expected = base64.b64encode(hmac.digest(token.encode(), text, "sha1"))
            if hmac.compare_digest(expected, given):
                return
    raise SignatureError("the Twilio signature does not hold")


def read_status(request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
    """Read a status callback; one without a message id or a status says nothing."""
    form = dict(form_fields(request))
    sid = form.get("MessageSid") or form.get("SmsSid")
    status = form.get("MessageStatus") or form.get("SmsStatus")
    if not sid or not status:
        return ()
    code = form.get("ErrorCode") or None
    price = money(form.get("Price"))
    return (
        StatusReport(
            provider_message_id=sid,
            state=state_of(status, code),
            raw_status=status,
            attempt_id=attempt_id,
            error_code=code,
            error_class=ERRORS.class_of(code),
            segments=whole_number(form.get("NumSegments")),
            price=price,
            currency=(form.get("PriceUnit") or None) if price is not None else None,
            sender=shown(form.get("From")),
        ),
    )


def read_incoming(request: CallbackRequest) -> Sequence[IncomingSMS]:
    """Read an inbound SMS; the body may be empty, as that of a picture message is."""
    form = dict(form_fields(request))
    sid = form.get("MessageSid") or form.get("SmsSid")
    if not sid or not form.get("From") or not form.get("To"):
        return ()
    opt_out = form.get("OptOutType") or None  # only with Advanced Opt-Out
    return (IncomingSMS(sid, form["From"], form["To"], form.get("Body", ""), opt_out_handled=opt_out),)


def _signed_form(request: CallbackRequest) -> str:
    """Give what is appended to the URL: sorted keys, each with its sorted, unique values; nothing for GET."""
    if request.method.upper() == "GET":
        return ""
    if "application/json" in header(request, "content-type").lower():
        _check_body_hash(request)
        return ""
    pairs = sorted(set(signed_form_fields(request)))
    return "".join(key + value for key, value in pairs)


def _check_body_hash(request: CallbackRequest) -> None:
    given = dict(query_fields(request.url)).get("bodySHA256", "")
    if not hmac.compare_digest(hashlib.sha256(request.body).hexdigest().encode(), given.lower().encode()):
        raise SignatureError("the body is not the one Twilio signed")


def _readings(url: str) -> Iterator[str]:
    """Give the URL as it is, then without its port or with the port its scheme implies."""
    yield url
    match = _URL.fullmatch(url)
    if match is None:
        return
    scheme, host, rest = match.groups()
    bare = _PORT.sub("", host)
    yield f"{scheme}://{bare}{rest}" if bare != host else f"{scheme}://{host}:{_STANDARD_PORTS[scheme]}{rest}"
