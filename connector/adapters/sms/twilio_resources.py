"""What do Twilio's answers say: a message, a refusal?

Source: twilio.com/docs/messaging/api/message-resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from connector.adapters.http import retry_after
from connector.adapters.sms.reading import json_object, money, shown, whole_number, words
from connector.adapters.sms.twilio_codes import ERRORS, state_of
from connector.domain.message import MessageState
from connector.ports.gateway import Accepted, AttemptQuery, StatusReport

CLOCKS_DIFFER = timedelta(minutes=2)  # ours may drift for days before anybody mends it; theirs shows whole seconds
_CREATED_WITHIN = timedelta(minutes=5)  # a request we gave up on after seconds does not become a message later
_NOT_SENT_BY_US = frozenset({"inbound", "outbound-reply"})  # such as Twilio's own answer to STOP
_BAD_ENDS = frozenset({MessageState.FAILED, MessageState.UNDELIVERED, MessageState.EXPIRED})


def raise_if_refused(answer: httpx.Response) -> None:
    """Let a success pass.

    Raises:
        PermanentSendError, TransientSendError, AmbiguousSendError: see `error_table`.
    """
    if not answer.is_success:
        raise ERRORS.refusal(answer.status_code, code_of(answer), retry_after(answer.headers))


def code_of(answer: httpx.Response) -> str:
    """Give the error code of an answer, empty when it has none."""
    code = json_object(answer.content).get("code")
    return words(code or None)


def resource(answer: httpx.Response, needs: str = "sid") -> Mapping[str, Any]:
    """Read the body of a success, which must have the field `needs`.

    Raises:
        AmbiguousSendError: nobody can read it.
    """
    body = json_object(answer.content)
    if not body.get(needs) and not isinstance(body.get(needs), list):
        raise ERRORS.unreadable(answer.status_code)
    return body


def accepted(message: Mapping[str, Any]) -> Accepted:
    """Read the answer to a send.

    Raises:
        PermanentSendError, TransientSendError: the message failed at once, whatever the HTTP status says.
    """
    told = report(message, None)
    if told.state in _BAD_ENDS:
        raise ERRORS.failure(told.error_code or told.raw_status)
    return Accepted(
        told.provider_message_id,
        MessageState.ACCEPTED if told.state is MessageState.UNKNOWN else told.state,
        told.raw_status,
        sender=told.sender,
        segments=told.segments,
        price=told.price,
        currency=told.currency,
    )


def report(message: Mapping[str, Any], attempt_id: str | None) -> StatusReport:
    """Read a message resource; it has no sender while a messaging service has not chosen one."""
    raw_status = words(message.get("status"))
    code = words(message.get("error_code") or None) or None
    price = money(message.get("price"))
    return StatusReport(
        provider_message_id=words(message["sid"]),
        state=state_of(raw_status, code),
        raw_status=raw_status,
        attempt_id=attempt_id,
        error_code=code,
        error_class=ERRORS.class_of(code),
        segments=whole_number(message.get("num_segments")),
        price=price,
        currency=(words(message.get("price_unit")) or None) if price is not None else None,
        sender=shown(words(message.get("from"))),
    )


def is_in_time(message: Mapping[str, Any], query: AttemptQuery) -> bool:
    """Tell whether a message may be the one that is asked for, by when it was made and whose it is."""
    earliest, latest = query.requested_at - CLOCKS_DIFFER, query.requested_at + _CREATED_WITHIN
    is_free = message.get("sid") not in query.exclude and message.get("direction") not in _NOT_SENT_BY_US
    return is_free and earliest <= created(message) <= latest


def created(message: Mapping[str, Any]) -> datetime:
    """Read `date_created` (RFC 2822); a message without one is older than anything."""
    try:
        return parsedate_to_datetime(str(message.get("date_created"))).astimezone(UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def text(body: object) -> str:
    """Fold what a gateway may change in passing: line ends and blanks around."""
    return "\n".join(str(body or "").split("\r\n")).strip()
