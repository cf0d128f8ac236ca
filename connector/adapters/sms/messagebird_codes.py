"""What do MessageBird's status words, reasons and error codes mean in our words?

Sources: developers.messagebird.com/api/sms-messaging (statuses, reasons, status error codes) and …/api (API errors).
The lists of reasons and codes are read from secondary sources and unverified; the classes are our reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.adapters.sms import network_errors
from connector.adapters.sms.error_table import ErrorTable
from connector.domain.message import ErrorClass as E
from connector.domain.message import MessageState as S
from connector.errors import SendError

STATES: Mapping[str, S] = MappingProxyType(
    {
        "scheduled": S.ACCEPTED,
        "sent": S.SENT,
        "buffered": S.SENT,  # the carrier has it and waits for the handset
        "delivered": S.DELIVERED,
        "delivery_failed": S.UNDELIVERED,
        "expired": S.EXPIRED,
    }
)
"""Status words of a recipient; any other is unknown."""

_PARAMETERS: Mapping[str, E] = MappingProxyType(
    {
        "recipient": E.PERMANENT_NUMBER,
        "recipients": E.PERMANENT_NUMBER,
        "originator": E.SENDER_OR_REGISTRATION,
        "body": E.PERMANENT_CONTENT,
        "reference": E.CONFIG,
        "reportUrl": E.CONFIG,  # PUBLIC_URL is wrong
        "validity": E.CONFIG,
        "datacoding": E.CONFIG,
    }
)
"""What it means that a field of a send is missing (code 9) or wrong (code 10)."""

_ABOUT_A_FIELD = ("9", "10")

REFUSALS = ErrorTable(
    "MessageBird",
    MappingProxyType(
        {
            "2": E.CONFIG,  # access key
            "20": E.CONFIG,  # not found: the URL in our settings
            "25": E.ACCOUNT_OR_CREDIT,
            "98": E.CONFIG,  # no such API
        }
        | {f"{code} {field}": meaning for code in _ABOUT_A_FIELD for field, meaning in _PARAMETERS.items()}
    ),
)
"""What a refused request means, by `refusal_code`."""

_REASONS: Mapping[str, E] = MappingProxyType(
    {
        "incorrect number": E.PERMANENT_NUMBER,
        "unknown subscriber": E.PERMANENT_NUMBER,
        "unavailable subscriber": E.TRANSIENT,
        "expired": E.TRANSIENT,
        "opted out": E.OPTED_OUT,
        "received network error": E.TRANSIENT,
        "insufficient balance": E.ACCOUNT_OR_CREDIT,
        "carrier rejected": E.UNKNOWN,  # for its content, its sender or its recipient
        "capacity limit reached": E.THROTTLED,
        "generic delivery failure": E.UNKNOWN,
        "dlr not received": E.UNKNOWN,
    }
)
"""What `statusReason` means where no error code says more."""

DELIVERY = ErrorTable(
    "MessageBird",
    MappingProxyType(
        dict(network_errors.BY_NUMBER)
        | {
            "101": E.TRANSIENT,  # the subscriber is out of credit
            "102": E.OPTED_OUT,
            "103": E.SENDER_OR_REGISTRATION,  # sender not registered
            "104": E.SENDER_OR_REGISTRATION,  # content not registered
            "105": E.THROTTLED,  # the campaign's volume is used up
            "106": E.THROTTLED,  # the campaign's throughput
        }
    ),
)
"""What `statusErrorCode` means: the network's own numbers, then MessageBird's."""

INVALID_NUMBERS = frozenset({"9", "10", "21"})
"""A lookup's answers for what is no number: it is the only thing that can be wrong with the request."""


def state_of(status: str) -> S:
    """Give the state for a status word."""
    return STATES.get(status.lower(), S.UNKNOWN)


def refusal_code(code: str, parameter: str) -> str:
    """Give the code under which a refusal is listed: with the field's name where that tells more."""
    with_field = f"{code} {parameter}"
    return with_field if with_field in REFUSALS.classes else code


def delivery_error(state: S, code: str, reason: str) -> tuple[str | None, E | None]:
    """Give code and class of a bad end: by `statusErrorCode` where we know it, else by `statusReason`."""
    if state not in {S.UNDELIVERED, S.EXPIRED}:
        return None, None
    bare = "" if code == "0" else code
    known = DELIVERY.classes.get(bare) or _REASONS.get(reason.lower())
    return bare or reason or None, known or DELIVERY.class_of(bare or reason)


def bad_end(code: str, error_class: E | None) -> SendError:
    """Give the error for a message that failed at once, of a code and class as `delivery_error` gives them."""
    return ErrorTable("MessageBird", {code: error_class or E.UNKNOWN}).failure(code)
