from __future__ import annotations

import base64
from pathlib import Path

import pytest

from connector.adapters.sms import telesign_callbacks as callbacks
from connector.adapters.sms.telesign_codes import ERRORS, STATES, state_of
from connector.domain.message import ErrorClass, MessageState
from connector.domain.receipt import RECEIPT_STATES
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

FIXTURES = Path(__file__).parent / "fixtures" / "telesign"
URL = "https://sms.example.com/callbacks/telesign/status/0195d3c2-0000-7000-8000-000000000001"
ATTEMPT = "0195d3c2-0000-7000-8000-000000000001"
REFERENCE = "35C1B4B6FC1C0C01E9DB1D8D23B2A10F"
CUSTOMER, KEY = "FFFFFFFF-EEEE-DDDD-1234-AB1234567890", b"telesign-test-key-0123456789abcd"

VECTOR_BODY = b'{"reference_id":"0123456789ABCDEF0123456789ABCDEF","status":{"code":200}}'
VECTOR = "B3ar+OsZmTKq9l+ZZK/lmQjjmq4NvL1dPk7wNIWMsmU="


def fixture(name: str) -> CallbackRequest:
    body = (FIXTURES / name).read_bytes()
    return CallbackRequest("POST", URL, {"Content-Type": "application/json"}, body)


def signed(body: bytes, **headers: str) -> CallbackRequest:
    return CallbackRequest("POST", URL, {name.replace("_", "-"): value for name, value in headers.items()}, body)


# -- signature


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"TSA {CUSTOMER}:{VECTOR}"},
        {"x_ts_authorization": f"TSA {CUSTOMER}:{VECTOR}"},
        {"X_TS_Authorization": VECTOR},
        {"Authorization": "Basic of-a-proxy", "X_TS_Authorization": VECTOR},
    ],
)
def test_signature_is_read_from_either_header(headers: dict[str, str]) -> None:
    callbacks.verify(signed(VECTOR_BODY, **headers), CUSTOMER, [KEY])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "TSA"},
        {"Authorization": f"TSA another-customer:{VECTOR}"},
        {"Authorization": f"TSA {CUSTOMER}:"},
        {"Authorization": f"TSA {CUSTOMER}:é"},
        {"Authorization": f"Bearer {VECTOR}"},
        {"X_TS_Authorization": VECTOR[:-2] + "A="},
    ],
)
def test_missing_or_odd_signature_is_refused_and_not_an_accident(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(signed(VECTOR_BODY, **headers), CUSTOMER, [KEY])


def test_altered_body_is_refused() -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(signed(VECTOR_BODY + b" ", Authorization=f"TSA {CUSTOMER}:{VECTOR}"), CUSTOMER, [KEY])


def test_key_rotates_without_losing_a_callback() -> None:
    request = signed(VECTOR_BODY, Authorization=f"TSA {CUSTOMER}:{VECTOR}")
    callbacks.verify(request, CUSTOMER, [base64.b64decode("bmV3ZXI="), KEY])
    with pytest.raises(SignatureError):
        callbacks.verify(request, CUSTOMER, [base64.b64decode("bmV3ZXI=")])


@pytest.mark.parametrize("keys", [[], [b""]])
def test_no_key_means_that_nobody_is_believed(keys: list[bytes]) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(signed(VECTOR_BODY, Authorization=f"TSA {CUSTOMER}:{VECTOR}"), CUSTOMER, keys)


# -- statuses


def test_delivered_names_text_and_attempt() -> None:
    assert callbacks.read_status(fixture("status_delivered.json"), None) == (
        StatusReport(REFERENCE, MessageState.DELIVERED, "200", ATTEMPT),
    )


def test_attempt_comes_from_the_address_where_the_callback_does_not_name_it() -> None:
    (report,) = callbacks.read_status(fixture("status_without_external_id.json"), "from-the-address")
    assert (report.attempt_id, report.state) == ("from-the-address", MessageState.SENT)


def test_signed_attempt_goes_before_the_one_of_the_address() -> None:
    (report,) = callbacks.read_status(fixture("status_delivered.json"), "somebody-else-s")
    assert report.attempt_id == ATTEMPT


def test_blocking_subscriber_is_opted_out_whatever_the_errors_add() -> None:
    (report,) = callbacks.read_status(fixture("status_blocked_by_subscriber.json"), "a")
    assert (report.state, report.error_code, report.error_class) == (
        MessageState.UNDELIVERED,
        "510",
        ErrorClass.OPTED_OUT,
    )


def test_each_status_of_a_batch_is_read_and_none_takes_the_attempt_of_the_address() -> None:
    delivered, expired = callbacks.read_status(fixture("status_batch.json"), "from-the-address")
    assert (delivered.attempt_id, delivered.state) == (ATTEMPT, MessageState.DELIVERED)
    assert (expired.attempt_id, expired.state) == (None, MessageState.EXPIRED)
    assert expired.provider_message_id == "46D2C5C70D2D1D12FAEC2E9E34C3B21A"


@pytest.mark.parametrize("code", ["1", "299", "99999", "\\u00e9"])
def test_unknown_status_is_unknown_and_kept(code: str) -> None:
    body = f'{{"reference_id": "{REFERENCE}", "status": {{"code": "{code}"}}}}'.encode()
    (report,) = callbacks.read_status(signed(body), "a")
    assert report.state is MessageState.UNKNOWN
    assert report.raw_status
    assert report.error_class is None


@pytest.mark.parametrize(
    "body", [b"[1, null]", b"{}", b'{"reference_id": []}', b'{"reference_id": "x", "status": 200}', b"\xff"]
)
def test_body_without_a_status_says_nothing(body: bytes) -> None:
    assert callbacks.read_status(signed(body), "a") == ()
    assert callbacks.read_incoming(signed(body)) == ()


def test_every_status_is_one_receipts_may_name_and_every_bad_end_has_a_class() -> None:
    assert set(STATES.values()) <= RECEIPT_STATES
    bad = {code for code, state in STATES.items() if state in {MessageState.UNDELIVERED, MessageState.EXPIRED}}
    assert bad - {"207"} <= set(ERRORS.classes)  # 207: reason unknown to Telesign too
    assert state_of("") is MessageState.UNKNOWN


# -- replies


def test_reply_has_its_plus_and_is_no_status() -> None:
    assert callbacks.read_incoming(fixture("inbound_sms.json")) == (
        IncomingSMS("57E3D6D81E3E2E23ABFD3FAF45D4C32B", "+12025550143", "+12025550100", "STOP please ✋"),
    )
    assert callbacks.read_status(fixture("inbound_sms.json"), "a") == ()


def test_status_is_no_reply() -> None:
    assert callbacks.read_incoming(fixture("status_delivered.json")) == ()


def test_reply_without_a_number_is_not_one() -> None:
    body = b'{"reference_id": "x", "user_response": {"mo_message": "Hi", "sender_id": "1"}}'
    assert callbacks.read_incoming(signed(body)) == ()
