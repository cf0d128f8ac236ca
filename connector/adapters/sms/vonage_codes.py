"""What do the status words and the two kinds of codes of Vonage's SMS API mean in our words?

Sources: developer.vonage.com/api-errors/sms (answers to a send), developer.vonage.com/messaging/sms/guides/
delivery-receipts (status words and err-codes of receipts). The classes are our reading. Answers and receipts number
independently of each other: 9 is an empty account in an answer and an opted-out recipient in a receipt.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.adapters.sms.error_table import ErrorTable
from connector.domain.message import ErrorClass as E
from connector.domain.message import MessageState as S
from connector.ports.number_lookup import LineType

TAKEN = "0"
"""The status of a part that was taken; nothing was promised yet."""

STATES: Mapping[str, S] = MappingProxyType(
    {
        "accepted": S.SENT,  # the carrier has it
        "buffered": S.SENT,  # the carrier tries again later
        "delivered": S.DELIVERED,
        "failed": S.UNDELIVERED,
        "rejected": S.UNDELIVERED,
        "deleted": S.UNDELIVERED,  # only in reports: the carrier gave it up
        "expired": S.EXPIRED,
    }
)
"""Status words of receipts and reports; any other, `unknown` among them, is unknown."""

SEND_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        "1": E.THROTTLED,  # more than 30 requests a second, or less where a carrier sets the pace
        "2": E.CONFIG,  # a parameter is missing
        "3": E.CONFIG,  # a parameter is invalid
        "4": E.CONFIG,  # key or secret
        "5": E.TRANSIENT,  # an error of theirs while they processed it; nothing was sent
        "6": E.PERMANENT_NUMBER,  # such as a prefix nobody has
        "7": E.PERMANENT_NUMBER,  # the number is barred
        "8": E.ACCOUNT_OR_CREDIT,  # the account is barred
        "9": E.ACCOUNT_OR_CREDIT,  # no credit
        "10": E.THROTTLED,  # too many connections at once
        "11": E.CONFIG,  # the account may not use HTTP
        "12": E.PERMANENT_CONTENT,  # too long
        "14": E.CONFIG,  # the request's signature
        "15": E.SENDER_OR_REGISTRATION,  # the sender is not allowed
        "22": E.TRANSIENT,  # the network has no room
        "23": E.CONFIG,  # the callback's address
        "29": E.CONFIG,  # a trial account writes to listed numbers only
        "32": E.CONFIG,  # the request's signature
        "33": E.PERMANENT_NUMBER,  # deactivated
    }
)

DELIVERY_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        "1": E.UNKNOWN,  # the carrier does not say
        "2": E.TRANSIENT,  # off or without coverage
        "3": E.PERMANENT_NUMBER,  # gone for good
        "4": E.PERMANENT_NUMBER,  # barred; only the recipient and their carrier can change that
        "5": E.TRANSIENT,  # the number is being moved to another carrier
        "6": E.PERMANENT_CONTENT,  # taken for spam
        "7": E.TRANSIENT,  # the handset is busy
        "8": E.TRANSIENT,  # the network
        "9": E.OPTED_OUT,  # the recipient has written STOP
        "10": E.PERMANENT_CONTENT,  # an invalid message
        "11": E.SENDER_OR_REGISTRATION,  # no route to that network
        "12": E.TRANSIENT,  # the destination could not be reached
        "13": E.PERMANENT_CONTENT,  # the recipient is too young for it
        "14": E.UNKNOWN,  # blocked by the carrier: a plan without SMS, a suspended account, a registration we lack
        "15": E.TRANSIENT,  # the recipient's prepaid card is empty
        "50": E.SENDER_OR_REGISTRATION,  # India: entity
        "51": E.SENDER_OR_REGISTRATION,  # India: header
        "52": E.PERMANENT_CONTENT,  # India: text differs from its template
        "53": E.SENDER_OR_REGISTRATION,  # India: consent
        "54": E.SENDER_OR_REGISTRATION,  # India: other regulation
        "99": E.UNKNOWN,  # general error
    }
)

LINE_TYPES: Mapping[str, LineType] = MappingProxyType(
    {
        "mobile": LineType.MOBILE,
        "landline": LineType.LANDLINE,
        "landline_premium": LineType.LANDLINE,
        "virtual": LineType.VOIP,
        "toll-free": LineType.TOLL_FREE,
        "landline_tollfree": LineType.TOLL_FREE,
    }
)
"""`network_type` of a number insight; `premium`, `pager` and `unknown` are unknown."""

LOOKUP_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        "1": E.THROTTLED,
        "4": E.CONFIG,  # key or secret
        "5": E.TRANSIENT,
        "9": E.ACCOUNT_OR_CREDIT,
        "19": E.CONFIG,  # the account may not ask this
        "999": E.CONFIG,  # the request could not be read
    }
)

SEND_ERRORS = ErrorTable("Vonage", SEND_CLASSES)
"""What the statuses in the answer to a send mean."""

DELIVERY_ERRORS = ErrorTable("Vonage", DELIVERY_CLASSES)
"""What the err-codes of receipts mean."""

LOOKUP_ERRORS = ErrorTable("Vonage Number Insight", LOOKUP_CLASSES)
"""What the statuses of a number insight mean."""


def state_of(status: str) -> S:
    """Give the state for a status word of a receipt or report."""
    return STATES.get(status.lower(), S.UNKNOWN)


def delivery_code(code: str) -> str | None:
    """Give an err-code, None for the 0 that means no error."""
    return code if code and code.strip("0") else None
