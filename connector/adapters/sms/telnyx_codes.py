"""What do Telnyx's status words and error codes mean in our words?

Sources: developers.telnyx.com/docs/messaging/messages/error-codes (40xxx),
developers.telnyx.com/development/api-fundamentals/api-errors (10xxx, 20xxx); the classes are our reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.adapters.sms.error_table import ErrorTable
from connector.domain.message import ErrorClass as E
from connector.domain.message import MessageState as S

STATES: Mapping[str, S] = MappingProxyType(
    {
        "scheduled": S.ACCEPTED,
        "queued": S.ACCEPTED,
        "sending": S.SENT,
        "sent": S.SENT,
        "delivered": S.DELIVERED,
        "delivery_failed": S.UNDELIVERED,
        "sending_failed": S.FAILED,
        "cancelled": S.FAILED,
        "expired": S.EXPIRED,
        "delivery_unconfirmed": S.UNKNOWN,  # the carrier never said
    }
)
"""Status words of a recipient; any other is unknown."""

_EXPIRED = frozenset({"40005", "40014"})  # its time ran out at the carrier; in Telnyx's queue

NO_SUCH_NUMBER = frozenset({"10002", "10016", "40012", "40310"})
"""What the number lookup says of a number that cannot exist."""

ERROR_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        "10001": E.SENDER_OR_REGISTRATION,  # inactive phone number of ours
        "10002": E.PERMANENT_NUMBER,  # invalid phone number
        "10003": E.CONFIG,  # invalid URL: PUBLIC_URL is wrong
        "10005": E.CONFIG,  # no such resource: the path or a profile of our settings
        "10007": E.UNKNOWN,  # Telnyx does not know either
        "10009": E.CONFIG,  # authentication
        "10010": E.CONFIG,  # authorization
        "10011": E.THROTTLED,  # too many requests; not processed
        "10016": E.PERMANENT_NUMBER,  # not E.164
        "20002": E.CONFIG,  # API key revoked
        "20012": E.ACCOUNT_OR_CREDIT,  # account inactive
        "20013": E.ACCOUNT_OR_CREDIT,  # account blocked
        "20014": E.ACCOUNT_OR_CREDIT,  # account not verified
        "20100": E.ACCOUNT_OR_CREDIT,  # insufficient funds
        "40001": E.PERMANENT_NUMBER,  # a landline, or not routable
        "40002": E.TRANSIENT,  # a spam filter, for a while
        "40003": E.PERMANENT_CONTENT,  # a spam filter, for good
        "40004": E.UNKNOWN,  # rejected by the carrier without a reason
        "40005": E.TRANSIENT,  # expired at the carrier
        "40006": E.TRANSIENT,  # the recipient's carrier is down
        "40008": E.PERMANENT_CONTENT,  # the carrier did not accept it
        "40009": E.PERMANENT_CONTENT,  # invalid body
        "40010": E.SENDER_OR_REGISTRATION,  # US traffic without a 10DLC registration
        "40011": E.THROTTLED,  # too many requests to a carrier
        "40012": E.PERMANENT_NUMBER,  # invalid destination
        "40013": E.SENDER_OR_REGISTRATION,  # invalid source
        "40014": E.TRANSIENT,  # expired in Telnyx's queue
        "40015": E.PERMANENT_CONTENT,  # Telnyx's own spam filter
        "40016": E.THROTTLED,  # daily cap of T-Mobile for the 10DLC brand
        "40017": E.THROTTLED,  # rate cap of AT&T for the 10DLC campaign
        "40018": E.THROTTLED,  # daily cap of AT&T for the 10DLC campaign
        "40100": E.SENDER_OR_REGISTRATION,  # the sender has no messaging
        "40300": E.OPTED_OUT,  # the recipient wrote STOP to this messaging profile
        "40301": E.CONFIG,  # unsupported type of message
        "40302": E.PERMANENT_CONTENT,  # too long
        "40305": E.SENDER_OR_REGISTRATION,  # invalid from
        "40306": E.SENDER_OR_REGISTRATION,  # sender id not configured
        "40309": E.CONFIG,  # the destination's region is not allowed in the profile
        "40310": E.PERMANENT_NUMBER,  # invalid to
        "40312": E.CONFIG,  # messaging profile disabled
        "40314": E.ACCOUNT_OR_CREDIT,  # messaging disabled for the account
        "40315": E.SENDER_OR_REGISTRATION,  # unhealthy from
        "40316": E.PERMANENT_CONTENT,  # no content
        "40318": E.THROTTLED,  # the sender's queue is full
        "40320": E.TRANSIENT,  # from cannot be used for a while
        "40321": E.SENDER_OR_REGISTRATION,  # no usable number in the profile's pool
        "40322": E.PERMANENT_CONTENT,  # blocked for its content
        "40329": E.SENDER_OR_REGISTRATION,  # toll-free number not verified
        "40330": E.SENDER_OR_REGISTRATION,  # toll-free number not provisioned
    }
)

ERRORS = ErrorTable("Telnyx", ERROR_CLASSES)
"""What Telnyx's refusals mean."""


def state_of(status: str, error_code: str | None = None) -> S:
    """Give the state for a status word; a failure for lack of time is `expired`."""
    state = STATES.get(status.lower(), S.UNKNOWN)
    if state in {S.FAILED, S.UNDELIVERED} and error_code in _EXPIRED:
        return S.EXPIRED
    return state
