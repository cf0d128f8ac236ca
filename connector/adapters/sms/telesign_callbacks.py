"""Does this callback come from Telesign, and what does it say?

Sources: developer.telesign.com/enterprise/docs/authenticate-callbacks (signature),
…/reference/smsdeliveryreports (receipts), …/docs/inbound-sms-get-started (inbound; its field names are read from
secondary sources and unverified). The signature covers the body alone and has no time in it: a callback that is
replayed says what it said before, and the same receipt twice changes nothing.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connector.adapters.sms.reading import e164, header, json_value, mapping, words
from connector.adapters.sms.telesign_codes import ERRORS, state_of
from connector.domain.message import MessageState
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

_SCHEME = "TSA "
_SIGNED_IN = ("authorization", "x-ts-authorization")  # a proxy in front of us may keep the first to itself
_BAD_ENDS = frozenset({MessageState.FAILED, MessageState.UNDELIVERED, MessageState.EXPIRED})


def verify(request: CallbackRequest, customer_id: str, api_keys: Sequence[bytes]) -> None:
    """Check the signature over the raw body with each key.

    Args:
        request: the callback.
        customer_id: the account the signature must name, where it names one.
        api_keys: decoded from base64.

    Raises:
        SignatureError: not from them, or no key is configured.
    """
    given = list(_signatures(request, customer_id))
    if not given or not any(api_keys):
        raise SignatureError("no Telesign signature, or no key to check it with")
    for key in filter(None, api_keys):
        expected = base64.b64encode(hmac.digest(key, request.body, "sha256"))
        if any(hmac.compare_digest(expected, each) for each in given):
            return
    raise SignatureError("the Telesign signature does not hold")


def read_status(request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
    """Read the statuses of a callback, one or a list of several.

    The `external_id` inside, which is our attempt id and signed, goes before the id of the address; that one counts
    only where the callback has one status.
    """
    statuses = [each for each in _entries(request) if "user_response" not in each]
    fallback = attempt_id if len(statuses) == 1 else None
    return tuple(report for each in statuses if (report := report_of(each, fallback)))


def read_incoming(request: CallbackRequest) -> Sequence[IncomingSMS]:
    """Read the texts of people."""
    return tuple(found for each in _entries(request) if (found := _incoming(each)))


def report_of(status: Mapping[str, Any], attempt_id: str | None) -> StatusReport | None:
    """Read the status object of a callback or a status query; None when it is none."""
    code = words(mapping(status.get("status")).get("code"))
    reference_id = words(status.get("reference_id"))
    if not code or not reference_id:
        return None
    state = state_of(code)
    error_code = code if state in _BAD_ENDS else None
    return StatusReport(
        provider_message_id=reference_id,
        state=state,
        raw_status=code,
        attempt_id=words(status.get("external_id")) or attempt_id,
        error_code=error_code,
        error_class=ERRORS.class_of(error_code),
    )


def _incoming(entry: Mapping[str, Any]) -> IncomingSMS | None:
    response = mapping(entry.get("user_response"))
    sms_id, from_, to = (
        words(entry.get("reference_id")),
        words(response.get("phone_number")),
        words(response.get("sender_id")),
    )
    if not sms_id or not from_ or not to:
        return None
    return IncomingSMS(sms_id, e164(from_), e164(to), words(response.get("mo_message")))


def _entries(request: CallbackRequest) -> Sequence[Mapping[str, Any]]:
    body = json_value(request.body)
    return [each for each in (body if isinstance(body, list) else [body]) if isinstance(each, dict)]


def _signatures(request: CallbackRequest, customer_id: str) -> Iterator[bytes]:
    """Give the signatures that came: `TSA customer:signature`, in the second header also without its beginning."""
    for name in _SIGNED_IN:
        value = header(request, name).strip()
        if value.startswith(_SCHEME):
            named, _, signature = value.removeprefix(_SCHEME).strip().rpartition(":")
            if hmac.compare_digest(named.encode(), customer_id.encode()):
                yield signature.encode()
        elif value and " " not in value:
            yield value.encode()
