from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.sms import sinch_callbacks as callbacks
from connector.adapters.sms.sinch_codes import ERRORS, error_of, state_of
from connector.domain.message import ErrorClass, MessageState
from connector.domain.receipt import RECEIPT_STATES
from connector.errors import SignatureError, UnsignedCallbackError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

FIXTURES = Path(__file__).parent / "fixtures" / "sinch"
URL = "https://sms.example.com/callbacks/sinch/status/attempt-1"
BATCH = "01FC66621VHDBN119Z8PMV1QPU"
# A signature that Sinch's own library makes for the same body, nonce, time and secret.
SECRET, NONCE, SIGNED_AT = "sec", "n1", "1700000000"
BODY, SIGNATURE = b'{"type":"recipient_delivery_report_sms"}', "QeUtIyFhUmht7O6r1VPqKloSte9UIOMpeCGRzJfuk+I="
NOW = datetime.fromtimestamp(int(SIGNED_AT), UTC)
HEADERS = {
    "X-Sinch-Webhook-Signature": SIGNATURE,
    "X-Sinch-Webhook-Signature-Nonce": NONCE,
    "X-Sinch-Webhook-Signature-Timestamp": SIGNED_AT,
    "X-Sinch-Webhook-Signature-Algorithm": "HmacSHA256",
}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


def request(body: bytes, headers: dict[str, str] | None = None) -> CallbackRequest:
    return CallbackRequest("POST", URL, headers or {"Content-Type": "application/json"}, body)


def fixture(name: str) -> CallbackRequest:
    return request((FIXTURES / f"{name}.json").read_bytes())


def status(name: str, attempt_id: str | None = None) -> StatusReport:
    (report,) = callbacks.read_status(fixture(name), attempt_id)
    return report


# -- signature


def test_signature_of_the_vendors_own_library_holds() -> None:
    assert callbacks.signature(BODY, NONCE, SIGNED_AT, SECRET) == SIGNATURE
    callbacks.verify(request(BODY, HEADERS), ["a-newer-secret", SECRET], NOW)


def test_headers_may_come_in_any_case_and_without_the_algorithm() -> None:
    headers = {key.lower(): value for key, value in HEADERS.items() if not key.endswith("Algorithm")}
    callbacks.verify(request(BODY, headers), [SECRET], NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"X-Sinch-Webhook-Signature": ""},
        {"X-Sinch-Webhook-Signature": "ü"},
        {"X-Sinch-Webhook-Signature": SIGNATURE.lower()},
        {"X-Sinch-Webhook-Signature-Nonce": "n2"},
        {"X-Sinch-Webhook-Signature-Timestamp": "1700000001"},
        {"X-Sinch-Webhook-Signature-Timestamp": ""},
        {"X-Sinch-Webhook-Signature-Algorithm": "HmacMD5"},
    ],
)
def test_anything_altered_breaks_the_signature(change: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(request(BODY, {**HEADERS, **change}), [SECRET], NOW)


def test_altered_body_is_refused() -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(request(BODY + b" ", HEADERS), [SECRET], NOW)


@pytest.mark.parametrize("secrets", [(), ("",), ("another",)])
def test_without_the_secret_nothing_verifies(secrets: tuple[str, ...]) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(request(BODY, HEADERS), secrets, NOW)


@pytest.mark.parametrize(("seconds", "holds"), [(172_799, True), (172_801, False), (-299, True), (-301, False)])
def test_signature_of_another_time_is_asked_for_again_and_not_refused_for_good(seconds: int, holds: bool) -> None:
    now = NOW + timedelta(seconds=seconds)
    if holds:
        callbacks.verify(request(BODY, HEADERS), [SECRET], now)
        return
    with pytest.raises(UnsignedCallbackError):
        callbacks.verify(request(BODY, HEADERS), [SECRET], now)


@pytest.mark.parametrize("moment", ["soon", "-1", "99999999999999999999"])
def test_signature_of_no_time_is_refused(moment: str) -> None:
    signed = callbacks.signature(BODY, NONCE, moment, SECRET)
    headers = {"X-Sinch-Webhook-Signature": signed, "X-Sinch-Webhook-Signature-Timestamp": moment}
    with pytest.raises(SignatureError):
        callbacks.verify(request(BODY, {**HEADERS, **headers}), [SECRET], NOW)


def test_with_neither_secret_nor_key_nothing_is_taken() -> None:
    with pytest.raises(SignatureError):
        callbacks.Trust().check(request(BODY, HEADERS), NOW)
    assert callbacks.Trust().address(URL) == URL


# -- receipts


def test_receipt_about_a_recipient_says_all_sinch_tells() -> None:
    assert status("recipient_delivery_report_sms_delivered", "from-the-address") == StatusReport(
        provider_message_id=BATCH,
        state=MessageState.DELIVERED,
        raw_status="Delivered",
        attempt_id="attempt-1",
        segments=2,
        carrier="35000",
    )


@pytest.mark.parametrize(
    ("name", "state", "code", "error_class"),
    [
        ("queued", MessageState.ACCEPTED, None, None),
        ("dispatched", MessageState.SENT, None, None),
        ("failed", MessageState.UNDELIVERED, "404", ErrorClass.TRANSIENT),
        ("rejected", MessageState.UNDELIVERED, "402", ErrorClass.SENDER_OR_REGISTRATION),
        ("aborted", MessageState.FAILED, "413", ErrorClass.ACCOUNT_OR_CREDIT),
        ("cancelled", MessageState.FAILED, "407", ErrorClass.UNKNOWN),
        ("deleted", MessageState.UNDELIVERED, "1", ErrorClass.UNKNOWN),
        ("expired", MessageState.EXPIRED, "406", ErrorClass.TRANSIENT),
        ("unknown", MessageState.UNKNOWN, "403", ErrorClass.UNKNOWN),
    ],
)
def test_status_and_code_are_read(
    name: str, state: MessageState, code: str | None, error_class: ErrorClass | None
) -> None:
    report = status(f"recipient_delivery_report_sms_{name}")
    assert (report.state, report.error_code, report.error_class) == (state, code, error_class)


def test_receipt_about_a_batch_says_the_same() -> None:
    report = status("delivery_report_sms_full")
    assert (report.provider_message_id, report.attempt_id) == (BATCH, "attempt-1")
    assert report.state is MessageState.DELIVERED


def test_row_that_counts_nobody_says_nothing() -> None:
    report = status("delivery_report_sms_summary", "from-the-address")
    assert (report.attempt_id, report.raw_status, report.error_code) == ("from-the-address", "Rejected", "402")


@given(st.text(), st.text())
def test_words_and_codes_nobody_knows_are_unknown_and_never_an_error(word: str, code: str) -> None:
    assert state_of(word) in RECEIPT_STATES
    assert ERRORS.class_of(error_of(code)) in {None, *ErrorClass}


# -- replies


def test_reply_is_read() -> None:
    (sms,) = callbacks.read_incoming(fixture("mo_text"))
    assert sms == IncomingSMS("01FC66621XXXXX119Z8PMV1QPU", "+447700900461", "+447700900100", "Yes, two of us ✓")


def test_binary_message_is_not_for_us() -> None:
    assert callbacks.read_incoming(fixture("mo_binary")) == ()


def test_receipt_is_no_reply_and_a_reply_is_no_receipt() -> None:
    assert callbacks.read_incoming(fixture("recipient_delivery_report_sms_delivered")) == ()
    assert callbacks.read_status(fixture("mo_text"), "attempt-1") == ()


@given(st.binary())
def test_odd_bytes_say_nothing_and_break_nothing(body: bytes) -> None:
    assert callbacks.read_status(request(body), "attempt-1") == ()
    assert callbacks.read_incoming(request(body)) == ()


@given(ANY_JSON)
def test_odd_values_break_nothing(value: Any) -> None:
    names = ("batch_id", "status", "code", "statuses", "count", "id", "from", "to", "body", "client_reference")
    odd = {**dict.fromkeys(names, value), "type": "mo_text"}
    for said in (odd, {"batch_id": "x", "statuses": [odd, value]}):
        came = request(json.dumps(said).encode())
        assert all(report.state in RECEIPT_STATES for report in callbacks.read_status(came, None))
        assert len(callbacks.read_incoming(came)) <= 1
