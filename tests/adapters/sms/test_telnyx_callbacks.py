from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.sms import telnyx_callbacks as callbacks
from connector.adapters.sms.telnyx_codes import ERROR_CLASSES, NO_SUCH_NUMBER, STATES, state_of
from connector.domain.message import ErrorClass, MessageState
from connector.domain.receipt import RECEIPT_STATES
from connector.errors import ConfigurationError, SignatureError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

FIXTURES = Path(__file__).parent / "fixtures" / "telnyx"
URL = "https://sms.example.com/callbacks/telnyx/status/attempt-1"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = [callbacks.public_key("A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=")]
OTHER = callbacks.public_key(
    base64.b64encode(Ed25519PrivateKey.from_private_bytes(b"x" * 32).public_key().public_bytes_raw()).decode()
)
THEN = datetime.fromtimestamp(1_700_000_000, UTC)
BODY = b'{"data":{"event_type":"message.finalized"}}'
SIGNATURE = "LhN3MIGk9cmb3dnYnff5iMTHrW35qZFb7JZ12PHvgI0YnPxwMnMdtxhqDg6tu14XL6YM3QpsXZORwlzAJqAxCA=="


def request(body: bytes = BODY, signature: str = SIGNATURE, timestamp: str = "1700000000") -> CallbackRequest:
    headers = {"Content-Type": "application/json", "Telnyx-Signature-Ed25519": signature, "Telnyx-Timestamp": timestamp}
    return CallbackRequest("POST", URL, headers, body)


def signed(body: bytes, at: datetime = THEN) -> CallbackRequest:
    timestamp = str(int(at.timestamp()))
    signature = base64.b64encode(PRIVATE.sign(f"{timestamp}|".encode() + body)).decode()
    return request(body, signature, timestamp)


def fixture(name: str) -> CallbackRequest:
    return request((FIXTURES / f"{name}.json").read_bytes())


def status(name: str) -> StatusReport:
    (report,) = callbacks.read_status(fixture(name), "attempt-1")
    return report


# -- signature


def test_known_signature_holds_over_time_and_body() -> None:
    callbacks.verify(request(), KEYS, THEN)
    for altered in (request(BODY + b" "), request(timestamp="1700000001"), request(signature="A" + SIGNATURE[1:])):
        with pytest.raises(SignatureError):
            callbacks.verify(altered, KEYS, THEN)


@pytest.mark.parametrize("seconds", [-300, -1, 0, 299, 300])
def test_signature_is_good_for_five_minutes_to_either_side(seconds: int) -> None:
    callbacks.verify(signed(BODY, THEN + timedelta(seconds=seconds)), KEYS, THEN)


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_signature_too_old_or_from_the_future_is_refused(seconds: int) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(signed(BODY, THEN + timedelta(seconds=seconds)), KEYS, THEN)


def test_any_of_our_keys_will_do_and_no_other() -> None:
    callbacks.verify(request(), [OTHER, *KEYS], THEN)
    for keys in ([OTHER], []):
        with pytest.raises(SignatureError):
            callbacks.verify(request(), keys, THEN)


@pytest.mark.parametrize("signature", ["", "x", "é", "====", base64.b64encode(b"short").decode()])
def test_signature_that_is_missing_or_odd_is_refused(signature: str) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(request(signature=signature), KEYS, THEN)


@pytest.mark.parametrize("timestamp", ["", "now", "-1700000000", "17e8", "1" * 18, "1" * 30, "٣"])
def test_time_that_is_missing_or_odd_is_refused(timestamp: str) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(request(timestamp=timestamp), KEYS, THEN)


@pytest.mark.parametrize("text", ["", "x", "AAAA", "é", "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=AA"])
def test_unreadable_public_key_is_named_by_its_setting(text: str) -> None:
    with pytest.raises(ConfigurationError, match="TELNYX_PUBLIC_KEYS"):
        callbacks.public_key(text)


# -- what events say


def test_delivered_text_has_segments_price_and_carrier() -> None:
    assert status("message.finalized") == StatusReport(
        "0b1c2d3e-0000-4000-8000-000000000001",
        MessageState.DELIVERED,
        "delivered",
        "attempt-1",
        segments=1,
        price=Decimal("0.0051"),
        currency="USD",
        carrier="Carrier B",
    )


@pytest.mark.parametrize(
    ("name", "state", "code", "error_class"),
    [
        ("message.sent", MessageState.SENT, None, None),
        ("message.finalized-failed", MessageState.UNDELIVERED, "40001", ErrorClass.PERMANENT_NUMBER),
        ("message.finalized-expired", MessageState.EXPIRED, "40014", ErrorClass.TRANSIENT),
    ],
)
def test_each_event_is_read(name: str, state: MessageState, code: str | None, error_class: ErrorClass | None) -> None:
    report = status(name)
    assert (report.state, report.error_code, report.error_class) == (state, code, error_class)


def test_id_of_the_url_and_id_of_the_signed_body_are_both_given() -> None:
    report = status("message.sent")
    assert (report.attempt_id, report.provider_message_id) == ("attempt-1", "0b1c2d3e-0000-4000-8000-000000000001")


def test_text_without_a_cost_has_no_price() -> None:
    report = status("message.finalized-expired")
    assert (report.price, report.currency) == (None, None)


@given(st.text())
def test_words_nobody_knows_are_unknown(word: str) -> None:
    if word.lower() not in STATES:
        assert state_of(word) is MessageState.UNKNOWN


def test_codes_nobody_knows_are_unknown() -> None:
    said = json.loads((FIXTURES / "message.finalized-failed.json").read_text(encoding="utf-8"))
    said["data"]["payload"]["errors"] = [{"code": "49999"}]
    (report,) = callbacks.read_status(request(json.dumps(said).encode()), None)
    assert report.error_class is ErrorClass.UNKNOWN


def test_every_word_is_a_state_that_receipts_may_name() -> None:
    assert set(STATES.values()) <= RECEIPT_STATES
    assert {ERROR_CLASSES[code] for code in NO_SUCH_NUMBER} == {ErrorClass.PERMANENT_NUMBER}


# -- what people write


def test_incoming_text_is_read() -> None:
    (sms,) = callbacks.read_incoming(fixture("message.received"))
    assert sms == IncomingSMS(
        "0b1c2d3e-0000-4000-8000-000000000002", "+12025550143", "+12025550100", "Yes, two of us ✓"
    )


def test_stop_that_telnyx_has_answered_is_marked() -> None:
    (sms,) = callbacks.read_incoming(fixture("message.received-stop"))
    assert (sms.body, sms.opt_out_handled) == ("Stop", "STOP")


def test_receipt_is_no_reply_and_a_reply_no_receipt() -> None:
    assert callbacks.read_incoming(fixture("message.finalized")) == ()
    assert callbacks.read_status(fixture("message.received"), None) == ()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["message.sent", "message.finalized", "message.received"]),
    st.dictionaries(st.sampled_from(["id", "to", "from", "errors", "cost", "parts", "text"]), _JSON),
)
def test_payload_of_the_wrong_shape_breaks_nothing(kind: str, payload: dict[str, Any]) -> None:
    odd = request(json.dumps({"data": {"event_type": kind, "payload": payload}}).encode())
    callbacks.read_status(odd, None)
    callbacks.read_incoming(odd)


@given(st.binary())
def test_bytes_nobody_understands_say_nothing(body: bytes) -> None:
    odd = replace(request(), body=body)
    assert callbacks.read_status(odd, None) == ()
    assert callbacks.read_incoming(odd) == ()
