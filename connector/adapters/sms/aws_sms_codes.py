"""What do the event types, exceptions and reasons of AWS End User Messaging SMS mean in our words?

Sources: docs.aws.amazon.com/sms-voice (event types for SMS), the service's API description
(docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2, exceptions and their reasons), and AWS's common errors;
the classes are our reading. An exception says who is to blame, its `Reason` what for: the reason decides, where we
know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from connector.adapters.sms.error_table import ErrorTable
from connector.adapters.sms.reading import mapping, sequence, words
from connector.domain.message import ErrorClass as E
from connector.domain.message import MessageState as S
from connector.ports.number_lookup import LineType

STATES: Mapping[str, S] = MappingProxyType(
    {
        "TEXT_QUEUED": S.ACCEPTED,
        "TEXT_PENDING": S.SENT,
        "TEXT_SUCCESSFUL": S.SENT,  # the carrier has it; called final, and yet TEXT_DELIVERED may follow
        "TEXT_DELIVERED": S.DELIVERED,
        "TEXT_BLOCKED": S.UNDELIVERED,
        "TEXT_CARRIER_BLOCKED": S.UNDELIVERED,
        "TEXT_CARRIER_UNREACHABLE": S.UNDELIVERED,
        "TEXT_SPAM": S.UNDELIVERED,
        "TEXT_UNREACHABLE": S.UNDELIVERED,
        "TEXT_INVALID": S.FAILED,
        "TEXT_INVALID_MESSAGE": S.FAILED,
        "TEXT_PROTECT_BLOCKED": S.FAILED,
        "TEXT_TTL_EXPIRED": S.EXPIRED,
        "TEXT_UNKNOWN": S.UNKNOWN,  # also what AWS says of itself when 72 hours brought no word of the carrier
    }
)
"""Event types; any other is unknown. `isFinal` beside them moves nothing: AWS sets it on two events of one text."""

EVENT_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        "TEXT_BLOCKED": E.PERMANENT_NUMBER,  # the handset, or its carrier for it, takes no texts from us
        "TEXT_CARRIER_BLOCKED": E.PERMANENT_CONTENT,  # the carrier takes the text for malicious or unwanted
        "TEXT_CARRIER_UNREACHABLE": E.TRANSIENT,  # documented as a passing trouble of the carrier's network
        "TEXT_INVALID": E.PERMANENT_NUMBER,
        "TEXT_INVALID_MESSAGE": E.PERMANENT_CONTENT,
        "TEXT_PROTECT_BLOCKED": E.CONFIG,  # our own protect configuration
        "TEXT_SPAM": E.PERMANENT_CONTENT,
        "TEXT_TTL_EXPIRED": E.TRANSIENT,
        "TEXT_UNREACHABLE": E.TRANSIENT,  # switched off or without coverage
        "TEXT_UNKNOWN": E.UNKNOWN,
    }
)
"""What a text that did not arrive died of."""

ERROR_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        # reasons of ConflictException
        "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": E.CONFIG,
        "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": E.PERMANENT_NUMBER,  # somebody listed it
        "DESTINATION_PHONE_NUMBER_NOT_VERIFIED": E.CONFIG,  # a sandbox account writes to verified numbers only
        "DESTINATION_PHONE_NUMBER_OPTED_OUT": E.OPTED_OUT,
        "MESSAGE_TYPE_MISMATCH": E.SENDER_OR_REGISTRATION,  # the sender is not one for promotions, or only for those
        "NO_ORIGINATION_IDENTITIES_FOUND": E.SENDER_OR_REGISTRATION,
        "NUMBER_CAPABILITIES_MISMATCH": E.SENDER_OR_REGISTRATION,
        "PHONE_NUMBER_NOT_IN_REGISTRATION_REGION": E.SENDER_OR_REGISTRATION,
        "REGISTRATION_NOT_COMPLETE": E.SENDER_OR_REGISTRATION,
        "RESOURCE_NOT_ACTIVE": E.SENDER_OR_REGISTRATION,
        # reasons of ServiceQuotaExceededException
        "DAILY_DESTINATION_CALL_LIMIT": E.THROTTLED,
        "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT": E.ACCOUNT_OR_CREDIT,
        # reasons of ValidationException
        "COUNTRY_CODE_MISMATCH": E.PERMANENT_NUMBER,
        "COUNTRY_NOT_ENABLED": E.CONFIG,
        "DESTINATION_COUNTRY_BLOCKED": E.CONFIG,
        "INTERNATIONAL_SENDING_NOT_SUPPORTED": E.SENDER_OR_REGISTRATION,
        "INVALID_ARN": E.CONFIG,
        "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY": E.SENDER_OR_REGISTRATION,
        "PRICE_OVER_THRESHOLD": E.CONFIG,  # AWS_SMS_MAX_PRICE, which can be raised while the text waits
        "RESOURCE_NOT_ACCESSIBLE": E.CONFIG,
        "SENDER_ID_NOT_REGISTERED": E.SENDER_OR_REGISTRATION,
        "SENDER_ID_NOT_SUPPORTED": E.SENDER_OR_REGISTRATION,
        "SENDER_ID_REQUIRES_REGISTRATION": E.SENDER_OR_REGISTRATION,
        "UNKNOWN_OPERATION": E.CONFIG,
        # fields that a ValidationException names
        "field:ConfigurationSetName": E.CONFIG,
        "field:DestinationPhoneNumber": E.PERMANENT_NUMBER,
        "field:MaxPrice": E.CONFIG,
        "field:MessageBody": E.PERMANENT_CONTENT,
        "field:OriginationIdentity": E.SENDER_OR_REGISTRATION,
        "field:PhoneNumber": E.PERMANENT_NUMBER,
        # kinds of resource that a ResourceNotFoundException names
        "missing:phone-number": E.SENDER_OR_REGISTRATION,
        "missing:pool": E.SENDER_OR_REGISTRATION,
        "missing:sender-id": E.SENDER_OR_REGISTRATION,
        # reasons of AccessDeniedException
        "ACCOUNT_DISABLED": E.ACCOUNT_OR_CREDIT,
        "INSUFFICIENT_ACCOUNT_REPUTATION": E.ACCOUNT_OR_CREDIT,
        # exceptions whose reason is missing or new to us
        "AccessDeniedException": E.CONFIG,  # the IAM policy
        "ResourceNotFoundException": E.CONFIG,  # the configuration set, most likely
        "ServiceQuotaExceededException": E.ACCOUNT_OR_CREDIT,
        "ServiceUnavailableException": E.TRANSIENT,
        "ThrottlingException": E.THROTTLED,
        "TooManyRequestsException": E.THROTTLED,
        # what every service of AWS may answer before it looks at a request
        "ExpiredTokenException": E.CONFIG,
        "IncompleteSignatureException": E.CONFIG,
        "InvalidSignatureException": E.CONFIG,  # a wrong secret, or a clock that is off by minutes
        "MissingAuthenticationTokenException": E.CONFIG,
        "OptInRequired": E.CONFIG,  # a region or service this account does not use
        "RequestExpired": E.CONFIG,
        "SerializationException": E.CONFIG,
        "UnknownOperationException": E.CONFIG,
        "UnrecognizedClientException": E.CONFIG,
    }
)

LINE_TYPES: Mapping[str, LineType] = MappingProxyType(
    {
        "MOBILE": LineType.MOBILE,
        "PREPAID": LineType.MOBILE,  # a mobile line by the way it is paid for
        "LANDLINE": LineType.LANDLINE,
        "VOIP": LineType.VOIP,
        "INVALID": LineType.INVALID,
    }
)
"""What `CarrierLookup` calls kinds of numbers; any other (`OTHER`) is unknown."""

ERRORS = ErrorTable("AWS End User Messaging", ERROR_CLASSES)
"""What AWS's refusals mean."""

EVENTS = ErrorTable("AWS End User Messaging", EVENT_CLASSES)
"""What the event types of texts that did not arrive mean."""


def code_of(answer: Mapping[str, Any]) -> str:
    """Give the most telling code of an error body: its reason, else the field or resource at fault, else its name.

    `__type` is the exception's name, with or without a namespace before a `#`. A reason we do not know gives way to an
    exception we do.
    """
    kind = words(answer.get("__type")).rpartition("#")[2].partition(":")[0]
    reason = words(answer.get("Reason"))
    missing = f"missing:{words(answer.get('ResourceType'))}" if kind == "ResourceNotFoundException" else ""
    for code in (reason, *_fields(answer), missing, kind):
        if code in ERROR_CLASSES:
            return code
    return reason or kind


def state_of(event_type: str) -> S:
    """Give the state for an event type."""
    return STATES.get(event_type, S.UNKNOWN)


def error_of(event_type: str) -> str | None:
    """Give the error code of an event: its own type, as AWS has no codes beside it; None for one that is no failure."""
    is_good = state_of(event_type) in {S.ACCEPTED, S.SENT, S.DELIVERED}
    return None if is_good else event_type


def _fields(answer: Mapping[str, Any]) -> Sequence[str]:
    return [f"field:{words(mapping(field).get('Name'))}" for field in sequence(answer.get("Fields"))]
