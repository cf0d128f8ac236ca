"""What do the status words and error codes of Vonage's Messages API mean in our words?

Sources: developer.vonage.com/api-errors/messages (codes of answers and callbacks alike), …/api-errors (words that stand
in their place), …/messages/concepts/message-status (status words). The classes are our reading. Codes of other channels
than SMS are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.adapters.sms.error_table import ErrorTable
from connector.domain.message import ErrorClass as E
from connector.domain.message import MessageState as S

STATES: Mapping[str, S] = MappingProxyType(
    {
        "submitted": S.SENT,
        "delivered": S.DELIVERED,
        "read": S.DELIVERED,
        "rejected": S.UNDELIVERED,
        "undeliverable": S.FAILED,  # it never reached the provider
    }
)
"""Status words; any other is unknown."""

ERROR_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        "1000": E.THROTTLED,
        "1010": E.CONFIG,  # a parameter is missing
        "1020": E.CONFIG,  # a parameter is invalid
        "1030": E.TRANSIENT,  # an error of theirs
        "1040": E.PERMANENT_NUMBER,  # such as a prefix nobody has
        "1050": E.PERMANENT_NUMBER,  # the number is barred
        "1060": E.ACCOUNT_OR_CREDIT,  # the account is barred
        "1070": E.ACCOUNT_OR_CREDIT,  # no credit
        "1080": E.CONFIG,  # the account may not use HTTP
        "1090": E.PERMANENT_CONTENT,  # too long
        "1100": E.TRANSIENT,  # not submitted: communication failed
        "1110": E.CONFIG,  # the request's signature
        "1120": E.SENDER_OR_REGISTRATION,  # the sender is not allowed there
        "1130": E.CONFIG,  # the validity
        "1140": E.CONFIG,  # the account may not do this
        "1150": E.CONFIG,  # the request's form
        "1160": E.CONFIG,  # a trial account writes to listed numbers only
        "1170": E.PERMANENT_NUMBER,  # no number, or an invalid one
        "1180": E.TRANSIENT,  # off or without coverage
        "1190": E.PERMANENT_NUMBER,  # gone for good
        "1200": E.TRANSIENT,  # the number is being moved to another carrier
        "1210": E.PERMANENT_CONTENT,  # taken for spam
        "1220": E.TRANSIENT,  # the handset is busy
        "1230": E.TRANSIENT,  # the network
        "1240": E.OPTED_OUT,  # the recipient has written STOP
        "1241": E.THROTTLED,  # too many texts to this number
        "1250": E.SENDER_OR_REGISTRATION,  # no route to that network
        "1251": E.SENDER_OR_REGISTRATION,  # no route to that destination
        "1260": E.TRANSIENT,  # the destination could not be reached
        "1270": E.PERMANENT_CONTENT,  # the recipient is too young for it
        "1280": E.UNKNOWN,  # blocked by the carrier, which does not say why
        "1282": E.PERMANENT_CONTENT,  # blocked by the provider
        "1290": E.TRANSIENT,  # the recipient's prepaid card is empty
        "1300": E.PERMANENT_NUMBER,  # not in the provider's network
        "1330": E.UNKNOWN,  # the carrier does not say
        "1331": E.TRANSIENT,  # the provider does not respond
        "1360": E.TRANSIENT,  # the validity ran out
        "1420": E.SENDER_OR_REGISTRATION,  # no valid sender
        "1430": E.PERMANENT_NUMBER,  # no valid recipient
        "1450": E.CONFIG,  # our reference
        "1460": E.THROTTLED,  # a daily cap such as that of US registered traffic
        "1470": E.CONFIG,  # the account's own fraud rules: blocked prefix
        "1472": E.THROTTLED,  # the account's own fraud rules: burst
        "1473": E.CONFIG,  # the account's own fraud rules: artificial traffic
        "1480": E.SENDER_OR_REGISTRATION,  # India: entity
        "1481": E.SENDER_OR_REGISTRATION,  # India: header
        "1482": E.PERMANENT_CONTENT,  # India: text differs from its template
        "1483": E.SENDER_OR_REGISTRATION,  # India: consent
        "1484": E.SENDER_OR_REGISTRATION,  # India: other regulation
        "unauthorized": E.CONFIG,
        "forbidden": E.CONFIG,
        "low-balance": E.ACCOUNT_OR_CREDIT,
        "throttled": E.THROTTLED,
    }
)

_VALIDITY_RAN_OUT = "1360"

ERRORS = ErrorTable("Vonage Messages", ERROR_CLASSES)
"""What the refusals and failures of the Messages API mean."""


def state_of(status: str, code: str | None) -> S:
    """Give the state for a status word; what was rejected for lack of time is `expired`."""
    state = STATES.get(status.lower(), S.UNKNOWN)
    return S.EXPIRED if code == _VALIDITY_RAN_OUT and state in {S.UNDELIVERED, S.FAILED} else state


def code_of(type_: str, title: str) -> str:
    """Give the code of an error: what follows the `#` of its type, else a title that is a number, else empty."""
    return type_.partition("#")[2] or (title if title.isdecimal() else "")
