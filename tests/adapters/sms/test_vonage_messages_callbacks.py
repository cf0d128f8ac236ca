from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.sms import vonage_messages_callbacks as callbacks
from connector.adapters.sms.vonage_messages_codes import ERRORS, code_of, state_of
from connector.domain.message import ErrorClass, MessageState
from connector.domain.receipt import RECEIPT_STATES
from connector.errors import SignatureError, UnsignedCallbackError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport
from connector.sandbox.gateways.vonage_messages import token

FIXTURES = Path(__file__).parent / "fixtures" / "vonage-messages"
URL = "https://sms.example.com/callbacks/vonage-messages/status/attempt-1"
SECRET, KEY, BODY = "short-secret", "abcd1234", b'{"status": "delivered"}'
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CLAIMS = {
    "iss": "Vonage",
    "iat": int(NOW.timestamp()),
    "jti": "1",
    "api_key": KEY,
    "payload_hash": hashlib.sha256(BODY).hexdigest(),
}


def request(body: bytes = BODY, authorization: str = "") -> CallbackRequest:
    headers = {"content-type": "application/json", **({"authorization": authorization} if authorization else {})}
    return CallbackRequest("POST", URL, headers, body)


def fixture(name: str) -> CallbackRequest:
    return request((FIXTURES / f"{name}.json").read_bytes())


def status(name: str, attempt_id: str | None = None) -> StatusReport:
    (report,) = callbacks.read_status(fixture(f"status_{name}"), attempt_id)
    return report


def verify(claims: dict[str, Any], body: bytes = BODY, secret: str = SECRET, **how: Any) -> None:
    callbacks.verify(request(body, f"Bearer {token(claims, secret, **how)}"), ["a-newer-secret", SECRET], KEY, NOW)


# -- the token


def test_token_about_this_body_verifies_with_any_of_our_secrets() -> None:
    verify(CLAIMS)
    verify(CLAIMS, secret="a-newer-secret")


def test_token_may_leave_the_account_out_and_write_the_hash_in_capitals() -> None:
    verify({"iat": CLAIMS["iat"], "payload_hash": str(CLAIMS["payload_hash"]).upper()})


def test_token_an_independent_library_made_verifies() -> None:
    secret = "a-secret-of-more-than-thirty-two-bytes"
    made = jwt.encode(CLAIMS, secret, "HS256")
    callbacks.verify(request(authorization=f"bearer {made}"), [secret], KEY, NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"payload_hash": hashlib.sha256(b"{}").hexdigest()},
        {"payload_hash": None},
        {"payload_hash": "ü"},
        {"api_key": "of-another-account"},
        {"iat": None},
        {"iat": "soon"},
        {"iat": int((NOW + timedelta(minutes=6)).timestamp())},
        {"iat": int((NOW - timedelta(hours=26)).timestamp())},
        {"iat": 10**17},
    ],
)
def test_token_about_anything_else_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SignatureError) as caught:
        verify({**CLAIMS, **change})
    assert not isinstance(caught.value, UnsignedCallbackError)


@pytest.mark.parametrize("age", [timedelta(hours=24), timedelta(minutes=-4)])
def test_token_is_good_until_the_last_retry(age: timedelta) -> None:
    verify({**CLAIMS, "iat": int((NOW - age).timestamp())})


def test_altered_body_is_refused() -> None:
    with pytest.raises(SignatureError):
        verify(CLAIMS, body=BODY + b" ")


def test_somebody_elses_secret_is_refused() -> None:
    with pytest.raises(SignatureError):
        verify(CLAIMS, secret="somebody-else")


@pytest.mark.parametrize("algorithm", ["none", "None", "HS384", "HS512", "RS256", ""])
def test_token_does_not_choose_how_it_is_checked(algorithm: str) -> None:
    with pytest.raises(SignatureError):
        verify(CLAIMS, algorithm=algorithm)


def test_token_without_a_signature_is_refused() -> None:
    unsigned = token(CLAIMS, SECRET, "none").rpartition(".")[0]
    with pytest.raises(SignatureError) as caught:
        callbacks.verify(request(authorization=f"Bearer {unsigned}."), [SECRET], KEY, NOW)
    assert not isinstance(caught.value, UnsignedCallbackError)


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_without_a_secret_nothing_verifies(secrets: tuple[str, ...]) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(request(authorization=f"Bearer {token(CLAIMS, '')}"), secrets, KEY, NOW)


def test_callback_without_a_token_may_come_back_with_one() -> None:
    with pytest.raises(UnsignedCallbackError):
        callbacks.verify(request(), [SECRET], KEY, NOW)


@pytest.mark.parametrize("given_", ["Bearer", "Bearer x", "Basic eA==", "Bearer a.b.c", "Bearer ü.ü.ü", "x y z"])
def test_anything_else_in_place_of_a_token_is_not_from_them(given_: str) -> None:
    with pytest.raises(SignatureError) as caught:
        callbacks.verify(request(authorization=given_), [SECRET], KEY, NOW)
    assert not isinstance(caught.value, UnsignedCallbackError)


# -- receipts


def test_status_says_all_vonage_tells() -> None:
    assert status("delivered", "from-the-address") == StatusReport(
        provider_message_id="aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
        state=MessageState.DELIVERED,
        raw_status="delivered",
        attempt_id="attempt-1",
        segments=2,
        price=Decimal("0.0333"),
        currency="EUR",
        carrier="23410",
    )


@pytest.mark.parametrize(
    ("name", "state", "code", "error_class"),
    [
        ("submitted", MessageState.SENT, None, None),
        ("read", MessageState.DELIVERED, None, None),
        ("rejected", MessageState.UNDELIVERED, "1180", ErrorClass.TRANSIENT),
        ("rejected_opted_out", MessageState.UNDELIVERED, "1240", ErrorClass.OPTED_OUT),
        ("rejected_expired", MessageState.EXPIRED, "1360", ErrorClass.TRANSIENT),
        ("undeliverable", MessageState.FAILED, "1331", ErrorClass.TRANSIENT),
    ],
)
def test_status_and_code_are_read(
    name: str, state: MessageState, code: str | None, error_class: ErrorClass | None
) -> None:
    report = status(name)
    assert (report.state, report.error_code, report.error_class) == (state, code, error_class)


def test_status_without_our_reference_belongs_to_the_attempt_in_the_address() -> None:
    bare = request(b'{"message_uuid": "x", "status": "new word"}')
    (report,) = callbacks.read_status(bare, "attempt-1")
    assert (report.attempt_id, report.state, report.raw_status) == ("attempt-1", MessageState.UNKNOWN, "new word")


@pytest.mark.parametrize(
    ("type_", "title", "code"),
    [
        ("https://developer.vonage.com/api-errors/messages#1000", "1000", "1000"),
        ("https://developer.vonage.com/api-errors#low-balance", "Low balance", "low-balance"),
        ("", "1420", "1420"),
        ("", "Invalid sender", ""),
        ("", "", ""),
    ],
)
def test_code_stands_in_the_type_or_else_in_the_title(type_: str, title: str, code: str) -> None:
    assert code_of(type_, title) == code


@given(st.text(), st.text(min_size=1))
def test_words_and_codes_nobody_knows_are_unknown_and_never_an_error(word: str, code: str) -> None:
    assert state_of(word, code) in RECEIPT_STATES
    assert ERRORS.class_of(code) in set(ErrorClass)


# -- replies


def test_reply_is_read() -> None:
    (sms,) = callbacks.read_incoming(fixture("inbound_sms"))
    message_id = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ac"
    assert sms == IncomingSMS(message_id, "+447700900461", "+447700900100", "Yes, two of us ✓")


def test_message_of_another_channel_is_not_for_us() -> None:
    assert callbacks.read_incoming(fixture("inbound_whatsapp")) == ()


def test_status_is_no_reply_and_a_reply_is_no_status() -> None:
    assert callbacks.read_incoming(fixture("status_delivered")) == ()
    assert callbacks.read_status(fixture("inbound_sms"), "attempt-1") == ()


@given(st.binary())
def test_odd_bytes_say_nothing_and_break_nothing(body: bytes) -> None:
    assert callbacks.read_status(request(body), "attempt-1") == ()
    assert callbacks.read_incoming(request(body)) == ()


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@given(ANY_JSON)
def test_odd_values_say_little_and_break_nothing(value: Any) -> None:
    names = ("message_uuid", "status", "error", "usage", "sms", "destination", "client_ref", "from", "to", "text")
    odd = request(json.dumps(dict.fromkeys(names, value)).encode())
    assert len(callbacks.read_status(odd, None)) <= 1
    assert len(callbacks.read_incoming(odd)) <= 1
