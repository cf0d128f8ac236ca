"""How is an endpoint of the admin's own called: which request, signed how, and what does its answer mean?

The other side checks `X-SMS-Connector-Signature` (`v1=` and the hex HMAC-SHA256 of `{timestamp}.{body}` under the
shared secret), refuses timestamps that are minutes old, and knows a repeated call by `Idempotency-Key`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connector.adapters.channels.posting import Answer, Poster, raise_for
from connector.ports.channels import Delivery

_DEEPEST = 50
"""Levels of lists and objects in an answer: many times what an API says, and far from where keeping it, level by level,
would exhaust the stack of whoever takes the journey on."""


class EndpointChannel:
    """A generic signed POST; its JSON answer is handed back."""

    is_repeatable = True

    def __init__(self, poster: Poster, url: str, secret: str, now: Callable[[], datetime]) -> None:
        poster.check(url)
        self._poster, self._url, self._secret, self._now = poster, url, secret.encode(), now

    def deliver(self, delivery: Delivery) -> Any:
        """Post what a call sends, or title and text of a notification; give the JSON answer, None when it has none."""
        body = json.dumps(_content(delivery), ensure_ascii=False).encode("utf-8", "replace")
        timestamp = str(int(self._now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": delivery.id,
            "X-SMS-Connector-Id": delivery.id,
            "X-SMS-Connector-Timestamp": timestamp,
            "X-SMS-Connector-Signature": f"v1={signature(self._secret, timestamp, body)}",
        }
        answer = self._poster.post(self._url, body, headers)
        raise_for(answer, is_repeatable=self.is_repeatable)
        return _read(answer)


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """Sign a body and the time it is sent at; hex."""
    return hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _content(delivery: Delivery) -> Mapping[str, Any]:
    is_told = bool(delivery.title or delivery.text)
    return {"title": delivery.title, "text": delivery.text} if is_told else delivery.data


def _read(answer: Answer) -> Any:
    """Read a JSON answer. Any other says only that it was done: the other side must not be asked to do it again."""
    if "json" not in answer.headers.get("content-type", "").lower():
        return None
    try:
        value = json.loads(answer.body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return value if _is_shallow(value) else None


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST + 1):
        groups = [each for each in level if isinstance(each, dict | list)]
        level = [inner for each in groups for inner in (each.values() if isinstance(each, dict) else each)]
        if not groups:
            return True
    return False


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")
