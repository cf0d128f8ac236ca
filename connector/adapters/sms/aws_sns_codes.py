"""What do the error codes of Amazon SNS mean for a text sent to a number?

Sources: docs.aws.amazon.com/sns/latest/api (errors of Publish, common errors). SNS publishes no status of a text
outside its logs, so that there is no table of words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from connector.adapters.sms.error_table import ErrorTable
from connector.domain.message import ErrorClass as E

ERROR_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        "AccessDenied": E.CONFIG,
        "AccessDeniedException": E.CONFIG,
        "AuthorizationError": E.CONFIG,  # the IAM policy
        "ExpiredToken": E.CONFIG,
        "IncompleteSignature": E.CONFIG,
        "InvalidAction": E.CONFIG,
        "InvalidClientTokenId": E.CONFIG,
        "InvalidParameter": E.UNKNOWN,  # of which parameter, the next ones say
        "InvalidParameter:Message": E.PERMANENT_CONTENT,
        "InvalidParameter:MessageAttributes": E.CONFIG,
        "InvalidParameter:PhoneNumber": E.PERMANENT_NUMBER,
        "InvalidSecurity": E.CONFIG,
        "MissingAuthenticationToken": E.CONFIG,
        "OptInRequired": E.CONFIG,
        "OptedOut": E.OPTED_OUT,
        "ParameterValueInvalid": E.CONFIG,  # a message attribute, all of which are settings
        "RequestExpired": E.CONFIG,
        "ServiceUnavailable": E.TRANSIENT,
        "SignatureDoesNotMatch": E.CONFIG,  # a wrong secret, or a clock that is off by minutes
        "Throttled": E.THROTTLED,
        "ThrottledException": E.THROTTLED,
        "Throttling": E.THROTTLED,
        "ThrottlingException": E.THROTTLED,
        "UserError": E.ACCOUNT_OR_CREDIT,  # the account may not send: its sandbox, or its monthly spend limit
    }
)

ERRORS = ErrorTable("Amazon SNS", ERROR_CLASSES)
"""What SNS's refusals mean."""

_CODE = re.compile(r"<Code>\s*([\w.]{1,100})\s*</Code>", re.ASCII)
_PARAMETER = re.compile(r"<Message>\s*Invalid parameter:?\s*(PhoneNumber|MessageAttributes|Message)\b", re.ASCII)
_MESSAGE_ID = re.compile(r"<MessageId>\s*([\w-]{1,100})\s*</MessageId>", re.ASCII)


def code_of(answer: str) -> str:
    """Give the code of an error in XML, with the parameter at fault where it is told; empty when there is none."""
    code = _CODE.search(answer)
    if code is None:
        return ""
    parameter = _PARAMETER.search(answer)
    return f"{code[1]}:{parameter[1]}" if parameter and code[1] == "InvalidParameter" else code[1]


def message_id_of(answer: str) -> str:
    """Give the id of a message that was taken; empty when there is none.

    The answer is looked at rather than parsed: two elements are wanted, and an XML parser would have to be kept from
    following whatever else the other side may write.
    """
    found = _MESSAGE_ID.search(answer)
    return found[1] if found else ""
