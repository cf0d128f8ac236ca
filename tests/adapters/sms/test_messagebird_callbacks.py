from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine

from connector.adapters.sms import messagebird_callbacks as callbacks
from connector.adapters.sms.messagebird_codes import DELIVERY, REFUSALS, STATES, delivery_error, refusal_code
from connector.domain.message import ErrorClass, MessageState
from connector.domain.receipt import RECEIPT_STATES
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

FIXTURES = Path(__file__).parent / "fixtures" / "messagebird"
URL = "https://sms.example.com/callbacks/messagebird/status/0195d3c2-0000-7000-8000-000000000001"
ATTEMPT, MESSAGE_ID = "0195d3c2-0000-7000-8000-000000000001", "e8077d803532c0b5937c639b60216938"
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
KEY = "a-signing-key-of-a-test-that-is-long-enough-for-every-algorithm-here"

# -- the vendor's published vectors (github.com/messagebird/python-rest-api, webhook_signature_test_data.json)

VECTORS_AT = datetime(2021, 7, 5, 10, 0, tzinfo=UTC)
VECTORS_KEY = "36efdd1aace2e26cd490f0d951138253bef2f7c6d34d18981da781555cc4cebb"
HEAD = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
PLAIN_URL, URL_WITH_QUERY = "https://example.com/", "https://example.com/path?bar=1&foo=2"
NO_PARAMETERS = (
    "eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiI1OWEyNDRkYy1lOWFkLTRlMjMtOTc3O"
    "C0zNzFmYWEyMzhmNzIiLCJ1cmxfaGFzaCI6IjBmMTE1ZGIwNjJiN2MwZGQwMzBiMTY4NzhjOTlkZWE1YzM1NGI0OWRjMzdiMzhlYjg4NDYxNzljNz"
    "c4M2U5ZDcifQ.6Fp0rVOsRr1fj9S2GidXAfkmPVofKr8_RTffC6G6r2E"
)
WITH_PARAMETERS = (
    "eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiJjOTQ2YWY3Ny1lMTgyLTRlYWEtYjJmZ"
    "i0xYTU0NWI1ZTk5MWEiLCJ1cmxfaGFzaCI6IjQxZjA1ZjBkZGQwYTIyYWIyMDlhYzQ2ZjQ3YzQ1NzJkOWNlZmEyNTdlZDc0YjI0MDA0YmFlNzUzZW"
    "NlNmMyNjAifQ.huo2ou6JDoDc7sV25d75UMWeYhBeavQlLsqIibSZuac"
)
WITH_PAYLOAD = (
    "eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiI5M2U1NTAwNi1hMGU4LTQ1MjYtYTE5M"
    "C1mYTVmZjAwZWExMTYiLCJ1cmxfaGFzaCI6IjQxZjA1ZjBkZGQwYTIyYWIyMDlhYzQ2ZjQ3YzQ1NzJkOWNlZmEyNTdlZDc0YjI0MDA0YmFlNzUzZW"
    "NlNmMyNjAiLCJwYXlsb2FkX2hhc2giOiJkZmZkNjAyMWJiMmJkNWIwYWY2NzYyOTA4MDllYzNhNTMxOTFkZDgxYzdmNzBhNGIyODY4OGEzNjIxODI"
    "5ODZmIn0._H--TOuYFLpeEH39-rg5E3IHVkjHozBcaKVWPRC5m9I"
)
TOO_EARLY = (
    "eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ4MjgwMCwiZXhwIjoxNjI1NDgyODYwLCJqdGkiOiJmOWY4YzM4Mi0yNDQ5LTQzMTEtYjcyY"
    "i0xZGY3MTY4NzkzMWUiLCJ1cmxfaGFzaCI6IjBmMTE1ZGIwNjJiN2MwZGQwMzBiMTY4NzhjOTlkZWE1YzM1NGI0OWRjMzdiMzhlYjg4NDYxNzljNz"
    "c4M2U5ZDcifQ.ZELgDFNGhjZH9CffQKcq3sytBe2I0KciLxpBhcfstHQ"
)
TOO_LATE = (
    "eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3NTYwMCwiZXhwIjoxNjI1NDc1NjYwLCJqdGkiOiI1ZjAyZjUyMi02MDMwLTQ2YzgtYjVhM"
    "y0wMTI0NjQ3OGQ4YmMiLCJ1cmxfaGFzaCI6IjBmMTE1ZGIwNjJiN2MwZGQwMzBiMTY4NzhjOTlkZWE1YzM1NGI0OWRjMzdiMzhlYjg4NDYxNzljNz"
    "c4M2U5ZDcifQ.45MSST3B_2PsjNUeiuW54_vUQgVw4rBXrdWrOUEz3lM"
)


def signed(url: str, token: str, body: bytes = b"", method: str = "GET") -> CallbackRequest:
    return CallbackRequest(method, url, {"MessageBird-Signature-JWT": token}, body)


@pytest.mark.parametrize(
    ("url", "token", "body"),
    [
        (PLAIN_URL, NO_PARAMETERS, b""),
        (URL_WITH_QUERY, WITH_PARAMETERS, b""),
        (URL_WITH_QUERY, WITH_PAYLOAD, b"Hello, World!"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_published_tokens_hold(url: str, token: str, body: bytes, method: str) -> None:
    with time_machine.travel(VECTORS_AT, tick=False):
        callbacks.verify(signed(url, HEAD + token, body, method), ["another" * 9, VECTORS_KEY])


@pytest.mark.parametrize(
    ("url", "token", "body"),
    [
        (PLAIN_URL, TOO_EARLY, b""),
        (PLAIN_URL, TOO_LATE, b""),
        (PLAIN_URL, WITH_PARAMETERS, b""),
        ("https://example.com/path?foo=2&bar=1", WITH_PARAMETERS, b""),
        (URL_WITH_QUERY, WITH_PAYLOAD, b""),
        (URL_WITH_QUERY, WITH_PAYLOAD, b"Hello, World?"),
        (URL_WITH_QUERY, WITH_PARAMETERS, b"Hello, World!"),
        (PLAIN_URL, NO_PARAMETERS[:-1] + "A", b""),
    ],
)
def test_published_tokens_hold_for_nothing_else(url: str, token: str, body: bytes) -> None:
    with time_machine.travel(VECTORS_AT, tick=False), pytest.raises(SignatureError):
        callbacks.verify(signed(url, HEAD + token, body), [VECTORS_KEY])


# -- tokens of our own


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def token(algorithm: str = "HS256", **changes: Any) -> str:
    at = int(NOW.timestamp())
    claims = {"iss": "MessageBird", "nbf": at, "exp": at + 60, "jti": "1"}
    claims |= {"url_hash": hashlib.sha256(URL.encode()).hexdigest()}
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    parts = [_base64(json.dumps(part).encode()) for part in ({"alg": algorithm, "typ": "JWT"}, claims)]
    text = ".".join(parts)
    digest = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}.get(algorithm)
    return f"{text}.{_base64(hmac.digest(KEY.encode(), text.encode(), digest)) if digest else ''}"


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_each_of_the_vendors_algorithms_is_taken(algorithm: str) -> None:
    with time_machine.travel(NOW, tick=False):
        callbacks.verify(signed(URL, token(algorithm)), [KEY])


@pytest.mark.parametrize(
    "changes",
    [
        {"algorithm": "none"},
        {"iss": "Somebody"},
        {"iss": None},
        {"nbf": None},
        {"exp": None},
        {"url_hash": None},
        {"url_hash": 1},
        {"payload_hash": "0" * 64},
    ],
)
def test_token_that_lacks_something_or_says_something_else_is_refused(changes: dict[str, Any]) -> None:
    with time_machine.travel(NOW, tick=False), pytest.raises(SignatureError):
        callbacks.verify(signed(URL, token(**changes)), [KEY])


@pytest.mark.parametrize("given", ["", "x", "a.b.c", "é", "eyJ9.eyJ9."])
def test_missing_or_odd_token_is_refused_and_not_an_accident(given: str) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(signed(URL, given), [KEY])


@pytest.mark.parametrize("keys", [[], [""]])
def test_no_key_means_that_nobody_is_believed(keys: list[str]) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(signed(URL, token()), keys)


# -- reports


def report(name: str, attempt_id: str | None = "from-the-address") -> StatusReport:
    query = (FIXTURES / name).read_text(encoding="ascii")
    (found,) = callbacks.read_status(CallbackRequest("GET", f"{URL}?{query}", {}, b""), attempt_id)
    return found


def test_delivered_tells_text_attempt_price_and_network() -> None:
    assert report("status_delivered.query") == StatusReport(
        MESSAGE_ID,
        MessageState.DELIVERED,
        "delivered",
        ATTEMPT,
        segments=1,
        price=Decimal("0.0500"),
        currency="EUR",
        carrier="310260",
    )


def test_buffered_is_at_the_carrier() -> None:
    assert report("status_buffered.query").state is MessageState.SENT


def test_failed_delivery_has_the_networks_reason() -> None:
    found = report("status_delivery_failed.query")
    assert (found.state, found.error_code, found.error_class, found.segments) == (
        MessageState.UNDELIVERED,
        "1",
        ErrorClass.PERMANENT_NUMBER,
        2,
    )


def test_opted_out_is_read_from_the_reason_where_no_code_says_it() -> None:
    found = report("status_opted_out.query")
    assert (found.error_code, found.error_class) == ("opted out", ErrorClass.OPTED_OUT)


def test_report_without_reference_takes_the_attempt_of_the_address() -> None:
    request = CallbackRequest("GET", f"{URL}?id=m&status=pondering", {}, b"")
    (found,) = callbacks.read_status(request, "a")
    assert (found.attempt_id, found.state, found.raw_status) == ("a", MessageState.UNKNOWN, "pondering")


@pytest.mark.parametrize("query", ["", "id=m", "status=delivered", "%zz", "id=&status=sent"])
def test_query_without_id_and_status_says_nothing(query: str) -> None:
    assert callbacks.read_status(CallbackRequest("GET", f"{URL}?{query}", {}, b""), "a") == ()


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        ("", "", (None, None)),
        ("0", "", (None, None)),
        ("4711", "", ("4711", ErrorClass.UNKNOWN)),
        ("", "something new", ("something new", ErrorClass.UNKNOWN)),
        ("4711", "opted out", ("4711", ErrorClass.OPTED_OUT)),
        ("102", "carrier rejected", ("102", ErrorClass.OPTED_OUT)),
    ],
)
def test_bad_end_has_the_class_of_its_code_or_of_its_reason(
    code: str, reason: str, expected: tuple[str | None, ErrorClass | None]
) -> None:
    assert delivery_error(MessageState.UNDELIVERED, code, reason) == expected
    assert delivery_error(MessageState.DELIVERED, code, reason) == (None, None)


def test_refusal_names_the_field_where_that_tells_more() -> None:
    assert refusal_code("9", "recipient") == "9 recipient"
    assert refusal_code("9", "+12025550143") == "9"
    assert refusal_code("25", "recipient") == "25"
    assert REFUSALS.class_of("10 originator") is ErrorClass.SENDER_OR_REGISTRATION
    assert DELIVERY.class_of("9") is ErrorClass.PERMANENT_NUMBER  # another 9: the network's, not the API's


def test_every_status_is_one_receipts_may_name() -> None:
    assert set(STATES.values()) <= RECEIPT_STATES


# -- replies


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("inbound.form", "application/x-www-form-urlencoded"), ("inbound.json", "application/json")],
)
def test_reply_has_its_plus(name: str, content_type: str) -> None:
    body = (FIXTURES / name).read_bytes()
    request = CallbackRequest("POST", URL, {"Content-Type": content_type}, body)
    assert callbacks.read_incoming(request) == (
        IncomingSMS("f9188e914643d1c6a48d74ac71327a49", "+12025550143", "+12025550100", "STOP please ✋"),
    )


def test_reply_may_come_as_a_query() -> None:
    query = (FIXTURES / "inbound.form").read_text(encoding="ascii")
    (reply,) = callbacks.read_incoming(CallbackRequest("GET", f"{URL}?{query}", {}, b""))
    assert (reply.from_, reply.body) == ("+12025550143", "STOP please ✋")


def test_report_is_no_reply() -> None:
    query = (FIXTURES / "status_delivered.query").read_text(encoding="ascii")
    assert callbacks.read_incoming(CallbackRequest("GET", f"{URL}?{query}", {}, b"")) == ()
