"""Does a customer's program believe the connector, and nobody who only looks like it?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from connector.adapters.channels.endpoint import signature
from connector_client import SignatureMismatchError, webhooks

NOW = 1_795_183_200
SECRET = "whsec_1"
SAID: dict[str, Any] = {
    "id": "callback-1",
    "type": "message.replied",
    "at": "2026-11-20T14:00:00Z",
    "message": {
        "id": "message-1", "state": "delivered", "reason": "", "to": "+12025550143", "from": None,
        "purpose": "transactional", "segments": 1, "idempotency_key": None,
    },
    "reply": {"id": "reply-1", "from": "+12025550143", "to": None, "body": "Thanks"},
    "of_a_later_release": 1,
}  # fmt: skip
BODY = json.dumps(SAID).encode()


def signed(body: bytes = BODY, secret: str = SECRET, at: int = NOW) -> dict[str, str]:
    return {
        "X-SMS-Connector-Timestamp": str(at),
        "X-SMS-Connector-Signature": f"v1={signature(secret.encode(), str(at), body)}",
    }


def test_a_callback_is_read() -> None:
    callback = webhooks.read(BODY, signed(), secrets=[SECRET], now=NOW + 5)
    assert (callback.id, callback.at.isoformat()) == ("callback-1", "2026-11-20T14:00:00+00:00")
    assert callback.reply is not None
    assert (callback.reply.sender, callback.message.state) == ("+12025550143", "delivered")
    assert "Thanks" not in repr(callback)
    assert "+12025550143" not in repr(callback)


def test_headers_may_be_written_in_any_case() -> None:
    low = {name.lower(): value for name, value in signed().items()}
    webhooks.check(BODY, low, secrets=["whsec_2", SECRET], now=NOW)
    webhooks.check(BODY, Headers(low), secrets=["whsec_2", SECRET], now=NOW)


@pytest.mark.parametrize(
    ("body", "headers", "secrets"),
    [
        (BODY + b" ", signed(), [SECRET]),
        (BODY, signed(secret="whsec_guess"), [SECRET]),
        (BODY, signed(at=NOW - 301), [SECRET]),
        (BODY, signed(at=NOW + 301), [SECRET]),
        (BODY, signed() | {"X-SMS-Connector-Timestamp": str(NOW - 1)}, [SECRET]),
        (BODY, signed() | {"X-SMS-Connector-Timestamp": "now"}, [SECRET]),
        (BODY, signed() | {"X-SMS-Connector-Timestamp": "\u0661"}, [SECRET]),
        (BODY, signed() | {"X-SMS-Connector-Signature": ""}, [SECRET]),
        (BODY, signed() | {"X-SMS-Connector-Signature": "v1=\u00e4"}, [SECRET]),
        (BODY, {}, [SECRET]),
        (BODY, signed(secret=""), [""]),
        (BODY, signed(), []),
        (b"[]", signed(b"[]"), [SECRET]),
        (b"{}", signed(b"{}"), [SECRET]),
        (b"no", signed(b"no"), [SECRET]),
    ],
)
def test_what_is_not_the_connectors_is_not_believed(body: bytes, headers: dict[str, str], secrets: list[str]) -> None:
    with pytest.raises(SignatureMismatchError) as caught:
        webhooks.read(body, headers, secrets=secrets, now=NOW)
    assert SECRET not in str(caught.value)


def test_a_time_of_thousands_of_digits_is_no_time() -> None:
    headers = signed() | {"X-SMS-Connector-Timestamp": "9" * 5_000}
    with pytest.raises(SignatureMismatchError, match="its time"):
        webhooks.check(BODY, headers, secrets=[SECRET], now=NOW)
