"""What do MessageBird's answers say: a message, a refusal, a number that was looked up?

Source: developers.messagebird.com/api/sms-messaging (message and recipient objects), …/api/lookup.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from connector.adapters.http import retry_after
from connector.adapters.sms.messagebird_codes import REFUSALS, bad_end, delivery_error, refusal_code, state_of
from connector.adapters.sms.reading import json_object, mapping, money, sequence, shown, whole_number, words
from connector.domain.message import MessageState
from connector.errors import AmbiguousSendError
from connector.ports.gateway import Accepted, StatusReport
from connector.ports.number_lookup import LineType, LookupAnswer

_BAD_ENDS = frozenset({MessageState.UNDELIVERED, MessageState.EXPIRED})

_LINE_TYPES: Mapping[str, LineType] = {
    "mobile": LineType.MOBILE,
    "fixed line": LineType.LANDLINE,
    "fixed line or mobile": LineType.UNKNOWN,  # a plan that gives both the same numbers, such as the American
    "toll free": LineType.TOLL_FREE,
    "voip": LineType.VOIP,
}
"""Types of the lookup; any other (premium rate, pager, …) is unknown to us."""


def raise_if_refused(answer: httpx.Response) -> None:
    """Let a success pass.

    Raises:
        PermanentSendError, TransientSendError, AmbiguousSendError: see `error_table`.
    """
    if not answer.is_success:
        raise REFUSALS.refusal(answer.status_code, refusal_code(*error(answer)), retry_after(answer.headers))


def error(answer: httpx.Response) -> tuple[str, str]:
    """Give code and parameter of the first of the answer's errors, empty where it has none."""
    errors = sequence(json_object(answer.content).get("errors"))
    first = mapping(errors[0]) if errors else {}
    return words(first.get("code")), words(first.get("parameter"))


def body_of(answer: httpx.Response, needs: str = "id") -> Mapping[str, Any]:
    """Read the body of a success, which must have the field `needs`."""
    body = json_object(answer.content)
    if not body.get(needs) and not isinstance(body.get(needs), list):
        raise AmbiguousSendError(
            f"MessageBird answered HTTP {answer.status_code} with a body nobody can read", code="unreadable_answer"
        )
    return body


def accepted(message: Mapping[str, Any]) -> Accepted:
    """Read the answer to a send; a message that failed at once is an error, whatever the HTTP status says."""
    first = report(message, None)
    if first.state in _BAD_ENDS:
        raise bad_end(first.error_code or first.raw_status, first.error_class)
    state = MessageState.ACCEPTED if first.state is MessageState.UNKNOWN else first.state
    return Accepted(
        first.provider_message_id,
        state,
        first.raw_status or "accepted",
        sender=shown(words(message.get("originator"))),
        segments=first.segments,
        price=first.price,
        currency=first.currency,
    )


def report(message: Mapping[str, Any], attempt_id: str | None) -> StatusReport:
    """Read a message; we send each to one recipient, so the first is the only one."""
    items = sequence(mapping(message.get("recipients")).get("items"))
    recipient = mapping(items[0]) if items else {}
    status = words(recipient.get("status"))
    state = state_of(status)
    code, error_class = delivery_error(
        state, words(recipient.get("statusErrorCode")), words(recipient.get("statusReason"))
    )
    price = mapping(recipient.get("price"))
    amount = money(words(price.get("amount")))
    return StatusReport(
        provider_message_id=words(message.get("id")),
        state=state,
        raw_status=status,
        attempt_id=attempt_id,
        error_code=code,
        error_class=error_class,
        segments=whole_number(words(recipient.get("messagePartCount"))),
        price=amount,
        currency=(words(price.get("currency")) or None) if amount is not None else None,
        carrier=words(recipient.get("mccmnc")) or None,
    )


def created(message: Mapping[str, Any]) -> datetime:
    """Read `createdDatetime` (RFC 3339); a message without one is as new as can be, so that reading goes on."""
    try:
        moment = datetime.fromisoformat(words(message.get("createdDatetime")))
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def looked_up(found: Mapping[str, Any]) -> LookupAnswer:
    """Read the answer to a lookup."""
    hlr = mapping(found.get("hlr"))
    status = words(hlr.get("status"))
    return LookupAnswer(
        line_type=_LINE_TYPES.get(words(found.get("type")), LineType.UNKNOWN),
        is_reachable={"active": True, "absent": False}.get(status),
        country=words(found.get("countryCode")) or None,
        carrier=words(hlr.get("network")) or None,
    )
