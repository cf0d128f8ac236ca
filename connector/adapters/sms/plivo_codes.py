"""What do Plivo's message states and error codes mean in our words?

Source: plivo.com/docs/messaging/troubleshooting/error-codes; the classes are our reading. Codes come in receipts and
in answers about a message; a request that is refused at once has a sentence instead of a code.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.adapters.sms.error_table import ErrorTable
from connector.domain.message import ErrorClass as E
from connector.domain.message import MessageState as S

STATES: Mapping[str, S] = MappingProxyType(
    {
        "queued": S.ACCEPTED,
        "sent": S.SENT,
        "delivered": S.DELIVERED,
        "read": S.DELIVERED,
        "undelivered": S.UNDELIVERED,
        "rejected": S.UNDELIVERED,  # of accounts older than 2019
        "failed": S.FAILED,
    }
)
"""Message states; any other is unknown."""

NO_ERROR = "000"
"""The code of a text that was delivered."""

INVALID_NUMBER = "invalid_number"
"""Ours: the answer to a send lists the recipient among the numbers it did not take."""

NO_CREDIT = "insufficient_credit"
"""Ours: the request was refused for lack of money, which Plivo says in words only."""

_EXPIRED = "420"

ERROR_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        "10": E.PERMANENT_CONTENT,  # a carrier calls the message invalid
        "20": E.TRANSIENT,  # the carrier's network; Plivo advises to try again later
        "30": E.PERMANENT_CONTENT,  # taken for spam
        "40": E.SENDER_OR_REGISTRATION,  # the source number is malformed, not ours, or has no SMS
        "50": E.PERMANENT_NUMBER,  # the destination is no number, a landline, or has no SMS
        "60": E.TRANSIENT,  # handed in a circle between carriers
        "70": E.PERMANENT_NUMBER,  # permanently unavailable
        "80": E.TRANSIENT,  # temporarily unavailable
        "90": E.SENDER_OR_REGISTRATION,  # no route from this sender to that number
        "100": E.PERMANENT_CONTENT,  # the carrier prohibits it
        "110": E.PERMANENT_CONTENT,  # too long
        "200": E.OPTED_OUT,  # the recipient wrote STOP to this sender
        "300": E.TRANSIENT,  # Plivo could not dispatch it
        _EXPIRED: E.TRANSIENT,  # its time ran out in a queue
        "450": E.CONFIG,  # the country is not enabled for the account
        "900": E.ACCOUNT_OR_CREDIT,  # no credit
        "910": E.ACCOUNT_OR_CREDIT,  # account disabled
        "1000": E.UNKNOWN,  # Plivo does not know either
        INVALID_NUMBER: E.PERMANENT_NUMBER,
        NO_CREDIT: E.ACCOUNT_OR_CREDIT,
    }
)

ERRORS = ErrorTable("Plivo", ERROR_CLASSES)
"""What Plivo's refusals mean."""


def state_of(status: str, error_code: str | None = None) -> S:
    """Give the state for a state word; `failed` and `undelivered` for lack of time are `expired`."""
    state = STATES.get(status.lower(), S.UNKNOWN)
    if state in {S.FAILED, S.UNDELIVERED} and error_code == _EXPIRED:
        return S.EXPIRED
    return state
