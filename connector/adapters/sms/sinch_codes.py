"""What do Sinch's statuses, delivery codes and error words mean in our words?

Sources: developers.sinch.com/docs/sms/api-reference/sms/tag/Delivery-reports (statuses and codes), …/status-codes
(error words), …/sms/smpp/10dlc-errors (codes of US registered traffic). The classes are our reading. Codes that are not
listed are mostly the carriers' own: they are unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.adapters.sms.error_table import ErrorTable
from connector.domain.message import ErrorClass as E
from connector.domain.message import MessageState as S
from connector.ports.number_lookup import LineType

STATES: Mapping[str, S] = MappingProxyType(
    {
        "queued": S.ACCEPTED,
        "dispatched": S.SENT,
        "delivered": S.DELIVERED,
        "failed": S.UNDELIVERED,
        "rejected": S.UNDELIVERED,
        "deleted": S.UNDELIVERED,  # by the carrier's centre
        "aborted": S.FAILED,  # before it reached the carrier
        "cancelled": S.FAILED,
        "expired": S.EXPIRED,
    }
)
"""Statuses; any other is unknown, and so is `Unknown`, though Sinch calls it final."""

ERROR_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        # delivery codes of Sinch's own
        "402": E.SENDER_OR_REGISTRATION,  # no route from this sender to that number
        "403": E.UNKNOWN,  # an internal error
        "404": E.TRANSIENT,  # a temporary failure
        "405": E.PERMANENT_CONTENT,  # a parameter in the body without a value
        "406": E.TRANSIENT,  # expired before it reached the carrier
        "407": E.UNKNOWN,  # cancelled
        "408": E.PERMANENT_CONTENT,  # refused by Sinch's centre; the same again would be refused again
        "410": E.CONFIG,  # no sender given and no default one for that number
        "411": E.PERMANENT_CONTENT,  # more parts than allowed
        "412": E.SENDER_OR_REGISTRATION,  # the account may not send to that region
        "413": E.ACCOUNT_OR_CREDIT,  # blocked, or no credit
        # of US registered traffic
        "15": E.PERMANENT_CONTENT,  # taken for spam
        "60": E.SENDER_OR_REGISTRATION,  # the campaign is not active
        "62": E.PERMANENT_CONTENT,  # blocked by a filter
        "64": E.THROTTLED,  # over the campaign's quota
        # error words of the API
        "unauthorized": E.CONFIG,
        "forbidden": E.CONFIG,
        "missing_callback_url": E.CONFIG,
        "unknown_campaign": E.SENDER_OR_REGISTRATION,
    }
)

LINE_TYPES: Mapping[str, LineType] = MappingProxyType(
    {
        "mobile": LineType.MOBILE,
        "landline": LineType.LANDLINE,
        "voip": LineType.VOIP,
        "freephone": LineType.TOLL_FREE,
    }
)
"""Line types of the number lookup; `Special` and `Other` are unknown."""

ERRORS = ErrorTable("Sinch", ERROR_CLASSES)
"""What Sinch's refusals and failures mean."""

LOOKUP_ERRORS = ErrorTable("Sinch Number Lookup", {})  # it has words for HTTP's statuses only
"""What the refusals of the number lookup and of its tokens mean."""

_NO_ERROR = frozenset({"", "0", "400", "401"})  # delivered, queued, dispatched


def state_of(status: str) -> S:
    """Give the state for a status."""
    return STATES.get(status.lower(), S.UNKNOWN)


def error_of(code: str) -> str | None:
    """Give a delivery code that tells of an error, else None."""
    return None if code in _NO_ERROR else code
