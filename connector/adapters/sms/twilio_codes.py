"""What do Twilio's status words, error codes and HTTP statuses mean in our words?

Sources: twilio.com/docs/messaging/api/message-resource (status values), twilio.com/docs/lookup/v2-api (line types),
twilio.com/docs/api/errors (codes; the classes are our reading). Twilio warns that it keeps splitting codes: one we do
not know is `unknown`, never a crash.
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
        "accepted": S.ACCEPTED,
        "scheduled": S.ACCEPTED,
        "queued": S.ACCEPTED,
        "sending": S.SENT,
        "sent": S.SENT,
        "delivered": S.DELIVERED,
        "read": S.DELIVERED,
        "undelivered": S.UNDELIVERED,
        "failed": S.FAILED,
        "canceled": S.FAILED,
    }
)
"""Status words; any other (`partially_delivered` of other channels among them) is unknown."""

ERROR_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        "20003": E.CONFIG,  # authentication
        "20005": E.ACCOUNT_OR_CREDIT,  # account not active
        "20009": E.TRANSIENT,  # to be emptied, but not finished yet
        "20404": E.CONFIG,  # no such account: the path is made of our settings
        "20429": E.THROTTLED,  # too many requests at once; not processed
        "21211": E.PERMANENT_NUMBER,  # invalid To
        "21212": E.SENDER_OR_REGISTRATION,  # invalid From
        "21266": E.PERMANENT_NUMBER,  # To and From are the same
        "21408": E.CONFIG,  # the region is not enabled in the account's geo permissions
        "21602": E.PERMANENT_CONTENT,  # no body
        "21606": E.SENDER_OR_REGISTRATION,  # From is not a sender of this account
        "21608": E.CONFIG,  # a trial account writes to verified numbers only
        "21609": E.CONFIG,  # invalid StatusCallback: PUBLIC_URL is wrong
        "21610": E.OPTED_OUT,
        "21611": E.THROTTLED,  # the sender's queue is full
        "21612": E.SENDER_OR_REGISTRATION,  # no route from this sender to that number
        "21614": E.PERMANENT_NUMBER,  # not a mobile number
        "21617": E.PERMANENT_CONTENT,  # longer than 1600 characters
        "21635": E.PERMANENT_NUMBER,  # a landline
        "21701": E.SENDER_OR_REGISTRATION,  # no such messaging service
        "21703": E.SENDER_OR_REGISTRATION,  # the messaging service has no sender
        "30001": E.TRANSIENT,  # queue overflow
        "30002": E.ACCOUNT_OR_CREDIT,  # account suspended
        "30003": E.TRANSIENT,  # handset unreachable; off or without coverage
        "30004": E.PERMANENT_NUMBER,  # blocked
        "30005": E.PERMANENT_NUMBER,  # unknown destination
        "30006": E.PERMANENT_NUMBER,  # landline or unreachable carrier
        "30007": E.PERMANENT_CONTENT,  # filtered
        "30008": E.UNKNOWN,  # Twilio does not know either
        "30022": E.THROTTLED,  # US registered traffic over its rate
        "30023": E.THROTTLED,  # US registered traffic over its daily cap
        "30034": E.SENDER_OR_REGISTRATION,  # US traffic from an unregistered number
        "30036": E.TRANSIENT,  # the validity period ran out in a queue
    }
)

_VALIDITY_RAN_OUT = "30036"

ERRORS = ErrorTable("Twilio", ERROR_CLASSES)
"""What Twilio's refusals mean."""

LINE_TYPES: Mapping[str, LineType] = MappingProxyType(
    {
        "mobile": LineType.MOBILE,
        "landline": LineType.LANDLINE,
        "fixedvoip": LineType.VOIP,
        "nonfixedvoip": LineType.VOIP,
        "tollfree": LineType.TOLL_FREE,
    }
)
"""Types of line, in small letters; any other (`personal`, `premium`, `sharedCost`, `uan`, `voicemail`, `pager`) may or
may not get texts: unknown to us."""

NOTHING_KNOWN = frozenset(
    {
        "60600",  # not given out to anybody Twilio knows of, or not covered
        "60601",  # Canada: the account is not approved for its registry
        "60607",  # a country without this data
        "60610",  # outside of coverage
    }
)
"""Refusals of a lookup that say that there is nothing to say, today and tomorrow."""


def state_of(status: str, error_code: str | None = None) -> S:
    """Give the state for a status word; `failed` and `undelivered` for lack of time are `expired`."""
    state = STATES.get(status.lower(), S.UNKNOWN)
    if state in {S.FAILED, S.UNDELIVERED} and error_code == _VALIDITY_RAN_OUT:
        return S.EXPIRED
    return state
