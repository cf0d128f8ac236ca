from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.sms import smsgatewayhub_callbacks as callbacks
from connector.adapters.sms.smsgatewayhub import SMSGatewayHubGateway
from connector.adapters.sms.smsgatewayhub_codes import ERRORS, STATES, code_of, state_of
from connector.domain.message import ErrorClass, MessageState
from connector.domain.receipt import RECEIPT_STATES
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

FIXTURES = Path(__file__).parent / "fixtures" / "smsgatewayhub"
URL = "https://sms.example.com/callbacks/smsgatewayhub/status"


def request(said: Any, url: str = URL) -> CallbackRequest:
    return CallbackRequest("POST", url, {"Content-Type": "application/json"}, json.dumps(said).encode())


def content(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


# -- whose they are


def gateway(*keys: str) -> SMSGatewayHubGateway:
    return SMSGatewayHubGateway("an-api-key", "ABCDEF", keys)


def test_push_is_known_by_any_of_our_keys_in_its_address() -> None:
    for key in ("newer", "older"):
        gateway("newer", "older").verify(request({}, f"{URL}?key={key}"))


@pytest.mark.parametrize("url", [URL, URL + "?key=", URL + "?key=wrong", URL + "?other=newer", URL + "?key=NEWER"])
def test_push_without_a_key_of_ours_is_refused(url: str) -> None:
    with pytest.raises(SignatureError):
        gateway("newer", "").verify(request({}, url))


@pytest.mark.parametrize("url", [URL, URL + "?key="])
def test_without_a_key_configured_no_push_is_believed(url: str) -> None:
    with pytest.raises(SignatureError):
        gateway("").verify(request({}, url))


# -- what receipts say


def test_receipt_names_the_message_alone() -> None:
    (report,) = callbacks.read_status(request(content("dlr")), None)
    assert report == StatusReport("AbCdEfGhIjKlMnOpQrStUv", MessageState.DELIVERED, "Delivered")


def test_bad_end_is_told() -> None:
    (report,) = callbacks.read_status(request(content("dlr-undelivered")), None)
    assert (report.state, report.raw_status) == (MessageState.UNDELIVERED, "Undelivered")


@pytest.mark.parametrize("as_text", [False, True])
def test_metadata_may_hold_our_attempt(as_text: bool) -> None:
    said = content("dlr-with-metadata")
    if as_text:
        said["metadata"] = json.dumps(said["metadata"])
    (report,) = callbacks.read_status(request(said), None)
    assert report.attempt_id == "attempt-1"


def test_attempt_of_the_address_is_taken_when_the_metadata_has_none() -> None:
    (report,) = callbacks.read_status(request(content("dlr")), "attempt-2")
    assert report.attempt_id == "attempt-2"


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Message in queue", MessageState.ACCEPTED),
        ("SUBMITTED  to carrier ", MessageState.SENT),
        ("sent", MessageState.SENT),
        ("Expire", MessageState.EXPIRED),
        ("EXPIRED", MessageState.EXPIRED),
        ("pondering", MessageState.UNKNOWN),
        ("", MessageState.UNKNOWN),
    ],
)
def test_words_are_read_whatever_their_capitals_and_blanks(word: str, state: MessageState) -> None:
    assert state_of(word) is state


@given(st.text())
def test_words_nobody_knows_are_unknown(word: str) -> None:
    assert state_of(word) in RECEIPT_STATES
    assert set(STATES.values()) <= RECEIPT_STATES


@pytest.mark.parametrize(
    ("text", "code"), [("0", "000"), ("000", "000"), ("0005", "005"), ("5", "005"), ("651", "651")]
)
def test_codes_are_compared_as_numbers(text: str, code: str) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize("text", ["", "x1", "-5", "5.0"])
def test_code_that_is_no_number_stays_as_it_is_and_unknown(text: str) -> None:
    assert code_of(text) == text
    assert ERRORS.class_of(text) is (ErrorClass.UNKNOWN if text else None)


# -- what people write


def test_incoming_text_has_full_numbers() -> None:
    (sms,) = callbacks.read_incoming(request(content("inbound")))
    assert sms == IncomingSMS("VuTsRqPoNmLkJiHgFeDcBa", "+12025550143", "+12025550100", "Yes, two of us ✓")


@pytest.mark.parametrize("from_", ["7000000000", "07000000000", "917000000000", "+917000000000"])
def test_national_number_of_india_becomes_a_full_one(from_: str) -> None:
    (sms,) = callbacks.read_incoming(request(content("inbound") | {"from": from_, "to": "56161"}))
    assert (sms.from_, sms.to) == ("+917000000000", "56161")


def test_each_address_takes_what_is_meant_for_it() -> None:
    assert callbacks.read_incoming(request(content("dlr"))) == ()
    assert callbacks.read_status(request(content("inbound")), None) == ()


_ODD = st.none() | st.integers() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text())


@given(
    st.sampled_from(["dlr", "inbound", "DLR", "", "more"]),
    st.dictionaries(st.sampled_from(["message_id", "to", "from", "status", "text", "metadata"]), _ODD),
)
def test_push_of_the_wrong_shape_breaks_nothing(kind: str, fields: dict[str, Any]) -> None:
    odd = request({"type": kind, **fields})
    callbacks.read_status(odd, None)
    callbacks.read_incoming(odd)


@given(st.binary())
def test_bytes_nobody_understands_say_nothing(body: bytes) -> None:
    odd = CallbackRequest("POST", URL, {}, body)
    assert callbacks.read_status(odd, None) == ()
    assert callbacks.read_incoming(odd) == ()
