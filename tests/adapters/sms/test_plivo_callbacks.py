from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.sms import plivo_callbacks as callbacks
from connector.adapters.sms.plivo_codes import ERROR_CLASSES, STATES, state_of
from connector.domain.message import ErrorClass, MessageState
from connector.domain.receipt import RECEIPT_STATES
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport
from connector.sandbox.gateways.plivo_signing import signature_v3
from connector.sandbox.gateways.skin import Call

FIXTURES = Path(__file__).parent / "fixtures" / "plivo"
TOKEN, NONCE, URL = "token-of-a-test", "5678", "https://sms.example.com/callbacks/plivo/status/attempt-1"
FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}
PUBLISHED = {
    "From": "14155550100",
    "MessageUUID": "uuid-1",
    "Status": "delivered",
    "To": "14155550101",
}


def request(body: str, url: str = URL, signature: str = "", nonce: str = NONCE) -> CallbackRequest:
    headers = {**FORM_TYPE, "X-Plivo-Signature-V3": signature, "X-Plivo-Signature-V3-Nonce": nonce}
    return CallbackRequest("POST", url, headers, body.encode())


def signed(form: dict[str, str], url: str = URL, method: str = "POST") -> CallbackRequest:
    """A callback as Plivo signs it, seen by us."""
    body = urlencode(form).encode() if method == "POST" else b""
    full = url if method == "POST" else f"{url}{'&' if '?' in url else '?'}{urlencode(form)}"
    signature = signature_v3(Call(method, full, {}, body), TOKEN, NONCE)
    return replace(request(body.decode(), full, signature), method=method)


def fixture(name: str) -> CallbackRequest:
    return request((FIXTURES / f"{name}.form").read_text(encoding="utf-8").strip())


def status(name: str) -> StatusReport:
    (report,) = callbacks.read_status(fixture(name), "attempt-1")
    return report


# -- signature


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        ("https://example.com/plivo?ref=abc", "3t9Q8E/Q7KQvil0WZqxhLOoo2+XjrjT577b6p8lpyko="),
        ("https://example.com/plivo", "VhZXW/lShAWp1IYLKCaHJQWIs+4ThkzgafT9WRFtLs0="),
    ],
)
def test_signatures_of_plivos_own_library_hold(url: str, signature: str) -> None:
    callbacks.verify(request(urlencode(PUBLISHED), url, signature, "12345"), ["test-token"])
    for altered in (
        request(urlencode(PUBLISHED | {"Status": "failed"}), url, signature, "12345"),
        request(urlencode(PUBLISHED), url + "x", signature, "12345"),
        request(urlencode(PUBLISHED), url, signature, "12346"),
        request(urlencode(PUBLISHED), url, signature.swapcase(), "12345"),
    ):
        with pytest.raises(SignatureError):
            callbacks.verify(altered, ["test-token"])


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("url", [URL, URL + "?b=2&a=1", URL + "?a=x%26y%20z"])
@given(form=st.dictionaries(st.text("abcXYZ=&.+ é", min_size=1), st.text("abc=&.+ é✓"), max_size=5))
def test_any_parameters_may_come_by_get_or_post(method: str, url: str, form: dict[str, str]) -> None:
    callbacks.verify(signed(form, url, method), [TOKEN])


def test_any_of_several_signatures_and_any_of_our_tokens_will_do() -> None:
    good = signed(PUBLISHED)
    both = "somethingelse=, " + good.headers["X-Plivo-Signature-V3"]
    callbacks.verify(request(urlencode(PUBLISHED), URL, both), ["a-newer-token", TOKEN])


@pytest.mark.parametrize(("signature", "nonce"), [("", NONCE), ("x", ""), (" , ", NONCE), ("é", NONCE)])
def test_signature_that_is_missing_or_odd_is_refused(signature: str, nonce: str) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(request(urlencode(PUBLISHED), URL, signature, nonce), [TOKEN])


def test_without_a_token_nothing_is_believed() -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(signed(PUBLISHED), ["", ""])


# -- what receipts say


def test_delivered_text_has_segments_price_and_carrier() -> None:
    assert status("status-delivered") == StatusReport(
        "0a1b2c3d-0000-4000-8000-000000000001",
        MessageState.DELIVERED,
        "delivered",
        "attempt-1",
        segments=2,
        price=Decimal("0.01100"),
        currency="USD",
        carrier="310260",
    )


@pytest.mark.parametrize(
    ("name", "state", "code", "error_class"),
    [
        ("status-queued", MessageState.ACCEPTED, None, None),
        ("status-sent", MessageState.SENT, None, None),
        ("status-undelivered", MessageState.UNDELIVERED, "70", ErrorClass.PERMANENT_NUMBER),
        ("status-failed", MessageState.EXPIRED, "420", ErrorClass.TRANSIENT),
    ],
)
def test_each_receipt_is_read(name: str, state: MessageState, code: str | None, error_class: ErrorClass | None) -> None:
    report = status(name)
    assert (report.state, report.error_code, report.error_class) == (state, code, error_class)


def test_text_that_is_not_charged_yet_has_no_price() -> None:
    assert (status("status-queued").price, status("status-queued").currency) == (None, None)


def test_receipt_by_get_says_the_same() -> None:
    by_post = fixture("status-delivered")
    by_get = CallbackRequest("GET", f"{URL}?{by_post.body.decode()}", {}, b"")
    assert callbacks.read_status(by_get, "attempt-1") == callbacks.read_status(by_post, "attempt-1")


def test_stop_at_the_carrier_is_an_opt_out() -> None:
    body = urlencode(PUBLISHED | {"Status": "failed", "ErrorCode": "200"})
    (report,) = callbacks.read_status(request(body), None)
    assert report.error_class is ErrorClass.OPTED_OUT


@given(st.text(), st.text())
def test_words_and_codes_nobody_knows_are_unknown(word: str, code: str) -> None:
    if word.lower() not in STATES:
        assert state_of(word, code) is MessageState.UNKNOWN
    (report,) = callbacks.read_status(request("MessageUUID=u&Status=pondering&ErrorCode=7777"), None)
    assert (report.state, report.error_class) == (MessageState.UNKNOWN, ErrorClass.UNKNOWN)


def test_every_word_is_a_state_that_receipts_may_name() -> None:
    assert set(STATES.values()) <= RECEIPT_STATES
    assert set(ERROR_CLASSES.values()) <= set(ErrorClass)


# -- what people write


def test_incoming_text_has_full_numbers() -> None:
    (sms,) = callbacks.read_incoming(fixture("inbound"))
    assert sms == IncomingSMS(
        "0a1b2c3d-0000-4000-8000-000000000002", "+12025550143", "+12025550100", "Yes, two of us ✓"
    )


def test_stop_that_plivo_has_answered_is_marked() -> None:
    (sms,) = callbacks.read_incoming(fixture("inbound-stop"))
    assert (sms.body, sms.opt_out_handled) == ("Stop", "STOP")


def test_receipt_is_no_reply_and_a_reply_no_receipt() -> None:
    assert callbacks.read_incoming(fixture("status-delivered")) == ()
    assert callbacks.read_status(fixture("inbound"), None) == ()


@given(st.binary())
def test_bytes_nobody_understands_break_nothing(body: bytes) -> None:
    odd = CallbackRequest("POST", URL, FORM_TYPE, body)
    callbacks.read_status(odd, None)
    callbacks.read_incoming(odd)
    with pytest.raises(SignatureError):
        callbacks.verify(
            replace(odd, headers={"X-Plivo-Signature-V3": "x", "X-Plivo-Signature-V3-Nonce": "1"}), [TOKEN]
        )
