"""What do SMS Gateway Hub's status words and error codes mean in our words?

Source: smsgatewayhub.com/free-sms-gateway-developer-api and what public integrations have met; the vendor publishes no
complete list. Codes come in any width (`5`, `005`, `0005`) and are compared as numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.adapters.sms.error_table import ErrorTable
from connector.adapters.sms.reading import whole_number
from connector.domain.message import ErrorClass as E
from connector.domain.message import MessageState as S

STATES: Mapping[str, S] = MappingProxyType(
    {
        "message in queue": S.ACCEPTED,
        "queued": S.ACCEPTED,
        "scheduled": S.ACCEPTED,
        "submitted to carrier": S.SENT,
        "submitted": S.SENT,
        "sent": S.SENT,
        "delivered": S.DELIVERED,
        "delivrd": S.DELIVERED,  # the words of SMPP, which carriers in India hand through
        "undelivered": S.UNDELIVERED,
        "undeliv": S.UNDELIVERED,
        "rejected": S.UNDELIVERED,
        "rejectd": S.UNDELIVERED,
        "failed": S.FAILED,
        "expire": S.EXPIRED,
        "expired": S.EXPIRED,
    }
)
"""Status words in lower case; any other is unknown."""

ERROR_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        "005": E.CONFIG,  # wrong API key
        "006": E.PERMANENT_CONTENT,  # the text does not fit its template
        "007": E.CONFIG,  # wrong credentials
        "012": E.SENDER_OR_REGISTRATION,  # no such sender id
        "013": E.PERMANENT_NUMBER,  # invalid number
        "015": E.SENDER_OR_REGISTRATION,  # sender id not valid for this account
        "021": E.ACCOUNT_OR_CREDIT,  # no credit
        "024": E.PERMANENT_CONTENT,  # no registered template matches
        "651": E.TRANSIENT,  # a promotion outside the hours the law allows: another hour will do
    }
)

ERRORS = ErrorTable("SMS Gateway Hub", ERROR_CLASSES, is_partial=True)
"""What SMS Gateway Hub's refusals mean."""


def code_of(text: str) -> str:
    """Give a code in the width of the table, `000` for success; a text that is no number as it is."""
    number = whole_number(text)
    return text if number is None else f"{number:03d}"


def state_of(status: str) -> S:
    """Give the state for a status word, whatever its capitals."""
    return STATES.get(" ".join(status.lower().split()), S.UNKNOWN)
