"""What does a failed Salesforce call mean for us?

| what came back | meaning |
|---|---|
| 401 | the account is disconnected (a fresh token was tried before) |
| `REQUEST_LIMIT_EXCEEDED` (403), `UNABLE_TO_LOCK_ROW` (400, or 200 in a collection), 429; no connection; a redirect | \
certainly not done |
| 408, any 5xx; no answer, or none that can be read | may have been done |
| `API_DISABLED_FOR_ORG` | refused until the organisation is given the API |
| every other 3xx or 4xx | refused for good |

The `errorCode` decides, not the status: a quota that is gone and a missing right are both 403. Collections call the
same word `statusCode`. A call that may be repeated without harm is never ambiguous.

The text of simple-salesforce's own errors holds the whole address, and with it numbers out of queries, and the whole
answer: it is never used, and the cause is dropped.
"""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import requests
from requests.exceptions import ConnectTimeout, TooManyRedirects
from simple_salesforce.exceptions import SalesforceError
from urllib3.exceptions import MaxRetryError, NewConnectionError

from connector.errors import (
    CRMAmbiguousError,
    CRMDisconnectedError,
    CRMError,
    CRMRefusedError,
    CRMUnavailableError,
)
from connector.ports.crm import MISSING_SCOPES

QUOTA_GONE = "REQUEST_LIMIT_EXCEEDED"
LOCKED = "UNABLE_TO_LOCK_ROW"
UNKNOWN_NAMES = frozenset({"INVALID_FIELD", "INVALID_TYPE", "NOT_FOUND"})
"""Codes of a whole call that may only mean that the organisation changed since it was described."""

GONE_PEOPLE = frozenset(
    {
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "NOT_FOUND",
    }
)
"""Codes of a row whose contact or lead may have been merged or converted into another."""

_PAUSES = MappingProxyType(
    {
        QUOTA_GONE: timedelta(hours=1),  # the day rolls: some calls come free every hour, all in 24
        "STORAGE_LIMIT_EXCEEDED": timedelta(hours=1),  # an admin has to make room
        "SERVER_UNAVAILABLE": timedelta(minutes=1),
        "QUERY_TIMEOUT": timedelta(minutes=1),
    }
)
_SHORTEST_LOCK, _LONGEST_LOCK = 2.0, 10.0  # seconds; Salesforce itself waits ten for a lock before it gives up
_WAITING = frozenset({QUOTA_GONE, LOCKED, "STORAGE_LIMIT_EXCEEDED", "QUERY_TIMEOUT"})
_LACKING_RIGHTS = frozenset({"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"})
_NOT_DONE = frozenset({429})
_REQUEST_TIMEOUT = 408
# These quote the query or the value they refuse; what is behind the last line break, or before the value, does not.
_QUOTES_QUERY = frozenset(
    {"INVALID_FIELD", "INVALID_TYPE", "MALFORMED_QUERY", "INVALID_QUERY_FILTER_OPERATOR", "MALFORMED_SEARCH"}
)
_QUOTES_VALUE = re.compile(
    r"(data value too large|bad value for restricted picklist field|invalid email address):.*", re.DOTALL
)
_UNSHOWN = frozenset({"JSON_PARSER_ERROR", "XML_PARSER_ERROR", "DUPLICATE_VALUE"})
_PRIVATE = re.compile(r"\+?[0-9][0-9 ().-]{6,}[0-9]|[^\s@\"'<>:]+@[^\s@\"'<>,]+")
_LONGEST_REASON = 300  # enough for an admin's own validation text, short enough for a table cell


@contextlib.contextmanager
def translated(what: str, *, is_repeatable: bool) -> Iterator[None]:
    """Let a failed call inside raise `CRMError`s only.

    Args:
        what: the call in words, for messages.
        is_repeatable: doing it twice is the same as doing it once.
    """
    try:
        yield
    except SalesforceError as error:
        raise of_answer(what, int(error.status or 0), error.content, is_repeatable) from None
    except requests.RequestException as error:
        raise _of_transport(what, error, is_repeatable) from None
    except (ValueError, KeyError, IndexError, TypeError):
        # What the library raises for an answer of another shape than it expects.
        raise _unanswered(f"{what}: Salesforce's answer cannot be read", is_repeatable) from None


def of_answer(what: str, status: int, content: object, is_repeatable: bool) -> CRMError:
    """Translate an answer that is not 2xx."""
    first = _first(content)
    code = _code(first)
    text = f"{what}: {reason(first) or f'HTTP {status}'}"
    if status == 401:
        return CRMDisconnectedError(text, status=status, category=code)
    if code in _WAITING or status in _NOT_DONE:
        return CRMUnavailableError(text, status=status, category=code, retry_after=_pause(code))
    if 300 <= status < 500 and status != _REQUEST_TIMEOUT:
        return CRMRefusedError(text, status=status, category=_category(code))
    return _unanswered(text, is_repeatable, status=status, category=code, retry_after=_pause(code))


def of_row(what: str, errors: Sequence[Mapping[str, Any]]) -> CRMError:
    """Translate the `errors` of one row of a collection, which came with HTTP 200; nothing of the row was done."""
    first = _first(errors)
    code = _code(first)
    text = f"{what}: {reason(first) or 'refused'}"
    if code in _WAITING or code == "SERVER_UNAVAILABLE":
        return CRMUnavailableError(text, status=400, category=code, retry_after=_pause(code))
    status = 404 if code in {"NOT_FOUND", "ENTITY_IS_DELETED"} else 400
    return CRMRefusedError(text, status=status, category=_category(code))


def reason(told: Mapping[str, Any]) -> str:
    """Give Salesforce's reason, shortened: its code, the fields meant, and its sentence without values and numbers."""
    code, message = _code(told), str(told.get("message") or "")
    if code in _QUOTES_QUERY:
        message = message.rpartition("\n")[2]
    if code in _UNSHOWN:
        message = ""
    message = _PRIVATE.sub("…", _QUOTES_VALUE.sub(r"\1", message))
    fields = ", ".join(str(each) for each in told.get("fields") or ())
    parts = [code, f"({fields})" if fields else "", message.strip()]
    return " ".join(part for part in parts if part)[:_LONGEST_REASON]


def _pause(code: str) -> timedelta | None:
    if code == LOCKED:
        return timedelta(seconds=random.uniform(_SHORTEST_LOCK, _LONGEST_LOCK))
    return _PAUSES.get(code)


def _category(code: str) -> str:
    return MISSING_SCOPES if code in _LACKING_RIGHTS else code


def _code(told: Mapping[str, Any]) -> str:
    return str(told.get("errorCode") or told.get("statusCode") or told.get("error") or "")


def _first(content: object) -> Mapping[str, Any]:
    """An error comes as a list with one object, and where a proxy answers as anything."""
    found = content[0] if isinstance(content, (list, tuple)) and content else content
    return found if isinstance(found, Mapping) else {}


def _of_transport(what: str, error: requests.RequestException, is_repeatable: bool) -> CRMError:
    cause = error.args[0] if error.args else None
    if isinstance(error, ConnectTimeout) or _was_never_sent(cause):
        return CRMUnavailableError(f"{what}: no connection to Salesforce")
    if isinstance(error, TooManyRedirects):
        return CRMUnavailableError(f"{what}: Salesforce's address answers with a redirect")
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return _unanswered(f"{what}: Salesforce's answer cannot be read", is_repeatable)
    return _unanswered(f"{what}: no answer from Salesforce", is_repeatable)


def _was_never_sent(cause: object) -> bool:
    inner = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(inner, NewConnectionError)


def _unanswered(
    text: str, is_repeatable: bool, *, status: int = 0, category: str = "", retry_after: timedelta | None = None
) -> CRMError:
    kind = CRMUnavailableError if is_repeatable else CRMAmbiguousError
    return kind(text, status=status, category=category, retry_after=retry_after)
