"""How does a gateway's callback lie in the inbox until it is understood, and how is it read again?

Some gateways call by GET: their query holds the number and the text of a reply, or a key of ours. An inbox row's body
is sealed and its context is not, so the query lies before the body, with its length in the context.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from connector.ports.gateway import CallbackRequest
from connector.ports.inbox import InboxRow

_KEPT_HEADERS = ("content-type", "i-twilio-idempotency-token")
"""What reading a stored callback needs; signatures were checked at the door and are not kept."""

_KEY = "key"
"""The parameter by which gateways that do not sign show that they are known; nobody needs it once it was checked."""

_QUERY_LENGTH = "query_length"
"""Bytes of the body that are the query. Rows of older releases have none: their query stands in the URL."""


def body_of(request: CallbackRequest) -> bytes:
    """Give what is to be sealed of a callback."""
    return _query(request.url).encode() + request.body


def context_of(request: CallbackRequest, attempt_id: str | None) -> Mapping[str, Any]:
    """Give what may be kept in clear of a callback."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return {
        "method": request.method,
        "url": request.url.partition("?")[0],
        "headers": {name: headers[name] for name in _KEPT_HEADERS if name in headers},
        "attempt_id": attempt_id,
        _QUERY_LENGTH: len(_query(request.url).encode()),
    }


def request_of(row: InboxRow) -> CallbackRequest:
    """Give a stored callback as it arrived, but for its signature and our key."""
    context = row.context
    length = context.get(_QUERY_LENGTH, 0)
    query, body = row.body[:length].decode(), row.body[length:]
    url = f"{context['url']}?{query}" if query else context["url"]
    return CallbackRequest(method=context["method"], url=url, headers=context["headers"], body=body)


def _query(url: str) -> str:
    """Give the query of a URL without our key."""
    fields = url.partition("?")[2].split("&")
    return "&".join(field for field in fields if unquote_plus(field.partition("=")[0]) != _KEY)
