"""What does a failed HubSpot call mean for us?

| what came back | meaning |
|---|---|
| 401 | the account is disconnected |
| 423, 425, 429, 477, 521, 523, 525, 526; no connection; a redirect | certainly not done |
| 408, any other 5xx; no answer, or none that can be read | may have been done |
| 403 `MISSING_SCOPES` | refused until the app is given more scopes; other calls go on |
| every other 4xx | refused for good |

A 503 or 408 may come from a proxy on the way, after HubSpot did what was asked.

A call that may be repeated without harm (a read, an update) is never ambiguous: then "may have been done" and
"certainly not done" both mean "do it again later". Statuses beyond HTTP's own are HubSpot's and Cloudflare's
(developers.hubspot.com/docs/api-reference/error-handling).
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import urllib3
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ResponseError

from connector.errors import (
    CRMAmbiguousError,
    CRMDisconnectedError,
    CRMError,
    CRMRefusedError,
    CRMUnavailableError,
)

_CERTAINLY_NOT_DONE = frozenset({423, 425, 429, 477, 521, 523, 525, 526})
_REQUEST_TIMEOUT = 408
_PAUSES = MappingProxyType(
    {
        423: timedelta(seconds=2),  # locked: HubSpot asks for two seconds
        429: timedelta(seconds=10),  # the rolling window is ten seconds long
        477: timedelta(hours=1),  # the portal moves to another data centre, for up to a day
    }
)
_POLICY_PAUSES = MappingProxyType(
    {
        "SECONDLY": timedelta(seconds=1),
        "DAILY": timedelta(hours=1),  # resets at the portal's midnight: worth a look every hour
    }
)
_NO_CONNECTION = (ConnectTimeoutError, NewConnectionError)
# A row of a 207 answer carries a category and no status; these are not the row's fault.
_PASSING_CATEGORIES = frozenset({"RATE_LIMITS", "INTERNAL_ERROR", "UNAVAILABLE", "LOCKED"})
_PRIVATE = re.compile(r"\+[0-9][0-9 ().-]{6,}[0-9]|[^\s@\"'<>:]+@[^\s@\"'<>,]+")
_LONGEST_REASON = 300  # enough for HubSpot's sentence, short enough for a table cell


class UnreadableAnswerError(Exception):
    """A 2xx answer whose body is no JSON, as a proxy on the way may write it."""


@contextlib.contextmanager
def translated(what: str, *, is_repeatable: bool) -> Iterator[None]:
    """Let a failed HubSpot call inside raise `CRMError`s only.

    Args:
        what: the call in words, for messages.
        is_repeatable: doing it twice is the same as doing it once.
    """
    try:
        yield
    except urllib3.exceptions.HTTPError as error:
        raise _of_transport(what, error, is_repeatable) from error
    except (UnreadableAnswerError, UnicodeDecodeError):
        raise _unanswered(f"{what}: HubSpot's answer cannot be read", is_repeatable) from None
    except Exception as error:
        # Each package of the SDK has an ApiException of its own, without a common base: known by their shape.
        if not isinstance(status := getattr(error, "status", None), int) or isinstance(error, CRMError):
            raise
        # The cause is dropped on purpose: its text is HubSpot's whole answer, which quotes people's data.
        raise of_answer(what, status, getattr(error, "body", None), _headers(error), is_repeatable) from None


def of_answer(what: str, status: int, body: object, headers: Mapping[str, str], is_repeatable: bool) -> CRMError:
    """Translate an answer that is not 2xx."""
    told = _told(body)
    category = str(told.get("category") or told.get("errorType") or "")
    text = f"{what}: {reason(told) or f'HTTP {status}'}"
    if status == 401:
        return CRMDisconnectedError(text, status=status, category=category)
    pause = _pause(status, str(told.get("policyName") or ""), headers)
    if status in _CERTAINLY_NOT_DONE:
        return CRMUnavailableError(text, status=status, category=category, retry_after=pause)
    if 400 <= status < 500 and status != _REQUEST_TIMEOUT:
        return CRMRefusedError(text, status=status, category=category)
    return _unanswered(text, is_repeatable, status=status, category=category, retry_after=pause)


def of_row(what: str, row: Mapping[str, Any]) -> CRMError:
    """Translate one entry of the `errors` of a partly successful (207) answer."""
    category = str(row.get("category") or "")
    kind = CRMUnavailableError if category in _PASSING_CATEGORIES else CRMRefusedError
    status = 404 if category == "OBJECT_NOT_FOUND" else 400
    return kind(f"{what}: {reason(row) or category or 'refused'}", status=status, category=category)


def reason(told: Mapping[str, Any]) -> str:
    """Give HubSpot's reason, shortened, without the values, phone numbers and e-mail addresses it may quote.

    A refused property value comes as JSON behind a colon; the property and the code of `errors` say the same.
    """
    message = str(told.get("message") or "").partition(": [")[0]
    problems = "; ".join(filter(None, map(_problem, told.get("errors") or ())))
    text = f"{message}: {problems}" if problems else message
    return _PRIVATE.sub("…", text)[:_LONGEST_REASON]


def _problem(error: Any) -> str:
    context = error.get("context") if isinstance(error, dict) else None
    if not isinstance(context, dict):
        return ""
    named = [str(each) for key in ("propertyName", "requiredGranularScopes") for each in context.get(key) or ()]
    return " ".join([*named, str(error.get("code") or "")]).strip()


def _of_transport(what: str, error: urllib3.exceptions.HTTPError, is_repeatable: bool) -> CRMError:
    cause = error.reason if isinstance(error, MaxRetryError) else error
    if isinstance(cause, _NO_CONNECTION):
        return CRMUnavailableError(f"{what}: no connection to HubSpot")
    if isinstance(cause, ResponseError):
        return CRMUnavailableError(f"{what}: HubSpot's address answers with a redirect")
    return _unanswered(f"{what}: no answer from HubSpot", is_repeatable)


def _unanswered(
    text: str, is_repeatable: bool, *, status: int = 0, category: str = "", retry_after: timedelta | None = None
) -> CRMError:
    kind = CRMUnavailableError if is_repeatable else CRMAmbiguousError
    return kind(text, status=status, category=category, retry_after=retry_after)


def _told(body: object) -> Mapping[str, Any]:
    try:
        told = json.loads(body) if isinstance(body, (str, bytes)) else None
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _headers(error: Exception) -> Mapping[str, str]:
    return {str(name).lower(): str(value) for name, value in (getattr(error, "headers", None) or {}).items()}


def _pause(status: int, policy: str, headers: Mapping[str, str]) -> timedelta | None:
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return timedelta(seconds=min(int(asked), 86_400))  # HubSpot never asks for more than a day
    return _POLICY_PAUSES.get(policy, _PAUSES.get(status))
