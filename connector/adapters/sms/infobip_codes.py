"""What do Infobip's statuses and errors mean in our words?

Source: infobip.com/docs/essentials/api-essentials/response-status-and-error-codes; the classes are our reading.

A status is read by its id. Its group misleads: group 3, DELIVERED, holds id 2, which is the operator and not the
handset. Errors are read by name, since their numbers are also numbers of statuses; `permanent` beside them has the
last word on whether trying again makes sense.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.adapters.sms import network_errors
from connector.adapters.sms.error_table import ErrorTable
from connector.domain.message import ErrorClass as E
from connector.domain.message import MessageState as S

DUPLICATE = 23
"""REJECTED_DUPLICATE_MESSAGE_ID: a text with this id is there already; says nothing about how that one fares."""

STATES: Mapping[int, S] = MappingProxyType(
    {
        26: S.ACCEPTED,  # PENDING_ACCEPTED
        7: S.SENT,  # PENDING_ENROUTE
        3: S.SENT,  # PENDING_WAITING_DELIVERY
        2: S.SENT,  # DELIVERED_TO_OPERATOR
        5: S.DELIVERED,  # DELIVERED_TO_HANDSET
        4: S.UNDELIVERED,  # UNDELIVERABLE_REJECTED_OPERATOR
        9: S.UNDELIVERED,  # UNDELIVERABLE_NOT_DELIVERED
        31: S.FAILED,  # UNDELIVERABLE_NOT_SENT
        15: S.EXPIRED,  # EXPIRED_EXPIRED
        29: S.UNKNOWN,  # EXPIRED_DLR_UNKNOWN: sent, and nobody ever said more
        DUPLICATE: S.UNKNOWN,
        6: S.FAILED,  # REJECTED_NETWORK
        8: S.FAILED,  # REJECTED_PREFIX_MISSING
        10: S.FAILED,  # REJECTED_DND
        11: S.FAILED,  # REJECTED_SOURCE
        12: S.FAILED,  # REJECTED_NOT_ENOUGH_CREDITS
        13: S.FAILED,  # REJECTED_SENDER
        14: S.FAILED,  # REJECTED_DESTINATION_BLOCKLISTED
        17: S.FAILED,  # REJECTED_PREPAID_PACKAGE_EXPIRED
        18: S.FAILED,  # REJECTED_DESTINATION_NOT_REGISTERED
        19: S.FAILED,  # REJECTED_ROUTE_NOT_AVAILABLE
        20: S.FAILED,  # REJECTED_FLOODING_FILTER
        21: S.FAILED,  # REJECTED_SYSTEM_ERROR
        24: S.FAILED,  # REJECTED_INVALID_UDH
        25: S.FAILED,  # REJECTED_MESSAGE_TOO_LONG
        51: S.FAILED,  # MISSING_TO
        52: S.FAILED,  # REJECTED_DESTINATION
        87: S.FAILED,  # SIGNALS_BLOCKED
        100: S.FAILED,  # UNDELIVERABLE_REJECTED_PLATFORM
    }
)
"""State by status id; any other is unknown."""

_BAD_ENDS = frozenset({S.FAILED, S.UNDELIVERED, S.EXPIRED})

ERROR_CLASSES: Mapping[str, E] = MappingProxyType(
    dict(network_errors.BY_NAME)
    | {
        # statuses
        "UNDELIVERABLE_REJECTED_OPERATOR": E.UNKNOWN,
        "UNDELIVERABLE_NOT_DELIVERED": E.UNKNOWN,
        "EXPIRED_EXPIRED": E.TRANSIENT,
        "REJECTED_NETWORK": E.CONFIG,  # a network that is not set up for the account
        "REJECTED_PREFIX_MISSING": E.PERMANENT_NUMBER,
        "REJECTED_DND": E.OPTED_OUT,  # on the operator's do-not-disturb list
        "REJECTED_SOURCE": E.SENDER_OR_REGISTRATION,
        "REJECTED_NOT_ENOUGH_CREDITS": E.ACCOUNT_OR_CREDIT,
        "REJECTED_SENDER": E.SENDER_OR_REGISTRATION,
        "REJECTED_DESTINATION_BLOCKLISTED": E.OPTED_OUT,  # where Infobip keeps those who wrote STOP
        "REJECTED_PREPAID_PACKAGE_EXPIRED": E.ACCOUNT_OR_CREDIT,
        "REJECTED_DESTINATION_NOT_REGISTERED": E.CONFIG,  # a trial account writes to one number only
        "REJECTED_ROUTE_NOT_AVAILABLE": E.CONFIG,
        "REJECTED_FLOODING_FILTER": E.THROTTLED,  # too much to one number within the hour
        "REJECTED_SYSTEM_ERROR": E.TRANSIENT,
        "REJECTED_INVALID_UDH": E.PERMANENT_CONTENT,
        "REJECTED_MESSAGE_TOO_LONG": E.PERMANENT_CONTENT,
        "MISSING_TO": E.PERMANENT_NUMBER,
        "REJECTED_DESTINATION": E.PERMANENT_NUMBER,
        # errors of delivery beyond the network's own
        "EC_IMSI_BLACKLISTED": E.PERMANENT_NUMBER,
        "EC_DEST_ADDRESS_BLACKLISTED": E.OPTED_OUT,  # the operator's do-not-disturb list
        "EC_BLACKLISTED_DESTINATIONADDRESS": E.OPTED_OUT,
        "EC_BLACKLISTED_SENDERADDRESS": E.SENDER_OR_REGISTRATION,
        "EC_SOURCE_ADDRESS_BLACKLISTED": E.SENDER_OR_REGISTRATION,
        "EC_DEACTIVATED_LIST": E.PERMANENT_NUMBER,
        "EC_VALIDITYEXPIRED": E.TRANSIENT,
        # refused requests: the newer shape's codes, then the older's words
        "E401": E.CONFIG,
        "E403": E.CONFIG,
        "E404": E.CONFIG,
        "E429": E.THROTTLED,
        "UNAUTHORIZED": E.CONFIG,
        "FORBIDDEN": E.CONFIG,
        "NOT_FOUND": E.CONFIG,
        "TOO_MANY_REQUESTS": E.THROTTLED,
    }
)

ERRORS = ErrorTable("Infobip", ERROR_CLASSES)
"""What Infobip's refusals and bad ends mean."""

_NO_ERROR = frozenset({"", "NO_ERROR"})


def state_of(status_id: int | None) -> S:
    """Give the state for a status id."""
    return STATES.get(status_id, S.UNKNOWN) if status_id is not None else S.UNKNOWN


def delivery_error(state: S, status: str, error: str, *, is_permanent: bool | None) -> tuple[str | None, E | None]:
    """Give code and class of a bad end, by the error's name, or by the status's where there is no error.

    Args:
        state: as told by the status id.
        status: its name.
        error: the error's name.
        is_permanent: what `error.permanent` says, or None when it does not.
    """
    if state not in _BAD_ENDS:
        return None, None
    if error in _NO_ERROR:
        return status or None, ERRORS.class_of(status)
    known = ERROR_CLASSES.get(error)
    if is_permanent is False and known in {None, E.PERMANENT_NUMBER}:
        return error, E.TRANSIENT
    if is_permanent and known is E.TRANSIENT:
        return error, E.UNKNOWN
    return error, known or E.UNKNOWN
