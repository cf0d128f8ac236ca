from __future__ import annotations

import base64
import json
from decimal import Decimal
from pathlib import Path

import pytest

from connector.adapters.sms import infobip_callbacks as callbacks
from connector.adapters.sms.infobip_codes import STATES, delivery_error, state_of
from connector.domain.message import ErrorClass, MessageState
from connector.domain.receipt import RECEIPT_STATES
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

FIXTURES = Path(__file__).parent / "fixtures" / "infobip"
URL = "https://sms.example.com/callbacks/infobip/status/0195d3c2-0000-7000-8000-000000000001"
ATTEMPT = "0195d3c2-0000-7000-8000-000000000001"


def fixture(name: str) -> CallbackRequest:
    body = (FIXTURES / name).read_bytes()
    return CallbackRequest("POST", f"{URL}?key=k", {"Content-Type": "application/json"}, body)


def called(url: str = URL, login: str | None = None) -> CallbackRequest:
    headers = {} if login is None else {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}
    return CallbackRequest("POST", url, headers, b"{}")


# -- whose callback it is


def test_key_in_the_address_or_login_is_enough() -> None:
    callbacks.verify(called(f"{URL}?key=older"), ["newer", "older"], [])
    callbacks.verify(called(login="infobip:pässword"), [], ["other:one", "infobip:pässword"])
    callbacks.verify(called(f"{URL}?key=k", login="wrong:one"), ["k"], ["infobip:password"])


@pytest.mark.parametrize(
    ("request_", "keys", "logins"),
    [
        (called(), [], []),
        (called(), ["k"], ["u:p"]),
        (called(f"{URL}?key="), ["", "k"], []),
        (called(f"{URL}?key=x"), ["k"], []),
        (called(f"{URL}?key=k"), [], ["u:p"]),
        (called(login="u:x"), ["k"], ["u:p"]),
        (called(login=""), [], [""]),
        (CallbackRequest("POST", URL, {"Authorization": "é"}, b""), [], ["u:p"]),
    ],
)
def test_neither_key_nor_login_is_not_from_them(request_: CallbackRequest, keys: list[str], logins: list[str]) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(request_, keys, logins)


# -- reports


def test_delivered_tells_text_attempt_segments_whole_price_and_network() -> None:
    assert callbacks.read_status(fixture("delivery_report.json"), None) == (
        StatusReport(
            ATTEMPT,
            MessageState.DELIVERED,
            "DELIVERED_TO_HANDSET",
            ATTEMPT,
            segments=2,
            price=Decimal("0.0166"),
            currency="USD",
            carrier="310260",
        ),
    )


def test_delivered_to_the_operator_is_not_delivered_and_each_report_is_its_own() -> None:
    sent, dead = callbacks.read_status(fixture("delivery_reports_several.json"), "from-the-address")
    assert (sent.state, sent.attempt_id) == (MessageState.SENT, ATTEMPT)
    assert (dead.state, dead.attempt_id) == (MessageState.UNDELIVERED, None)
    assert (dead.error_code, dead.error_class) == ("EC_UNKNOWN_SUBSCRIBER", ErrorClass.PERMANENT_NUMBER)


def test_refused_duplicate_is_no_report_about_the_first_one() -> None:
    reports = callbacks.read_status(fixture("delivery_reports_several.json"), None)
    assert "0195d3c2-0000-7000-8000-000000000003" not in {report.provider_message_id for report in reports}


def test_do_not_disturb_is_opted_out_and_the_attempt_is_the_one_of_the_address() -> None:
    (report,) = callbacks.read_status(fixture("delivery_report_do_not_disturb.json"), "from-the-address")
    assert (report.state, report.error_code, report.error_class, report.attempt_id) == (
        MessageState.FAILED,
        "REJECTED_DND",
        ErrorClass.OPTED_OUT,
        "from-the-address",
    )


@pytest.mark.parametrize("group", [1, 2, 3, 4, 5])
def test_unknown_status_is_unknown_whatever_its_group(group: int) -> None:
    body = {"results": [{"messageId": "m", "status": {"id": 4711, "groupId": group}}]}
    (report,) = callbacks.read_status(CallbackRequest("POST", URL, {}, json.dumps(body).encode()), "a")
    assert (report.state, report.raw_status, report.error_class) == (MessageState.UNKNOWN, "4711", None)


def test_hundred_reports_are_read_from_one_callback() -> None:
    results = [{"messageId": f"m{number}", "status": {"id": 5}, "callbackData": f"a{number}"} for number in range(100)]
    request = CallbackRequest("POST", URL, {}, json.dumps({"results": results}).encode())
    reports = callbacks.read_status(request, "from-the-address")
    assert [report.attempt_id for report in reports] == [f"a{number}" for number in range(100)]


@pytest.mark.parametrize(
    "body",
    [
        b'{"results": 1}',
        b'{"results": [1, null, {}]}',
        b'{"results": [{"messageId": "m"}]}',
        b'{"results": [{"messageId": "m", "status": {"id": "x"}}]}',
        b"\xff",
    ],
)
def test_body_without_a_status_says_nothing(body: bytes) -> None:
    assert callbacks.read_status(CallbackRequest("POST", URL, {}, body), "a") == ()
    assert callbacks.read_incoming(CallbackRequest("POST", URL, {}, body)) == ()


@pytest.mark.parametrize(
    ("error", "is_permanent", "error_class"),
    [
        ("EC_ABSENT_SUBSCRIBER", False, ErrorClass.TRANSIENT),
        ("EC_ABSENT_SUBSCRIBER", None, ErrorClass.TRANSIENT),
        ("EC_ABSENT_SUBSCRIBER", True, ErrorClass.UNKNOWN),
        ("EC_UNKNOWN_SUBSCRIBER", True, ErrorClass.PERMANENT_NUMBER),
        ("EC_UNKNOWN_SUBSCRIBER", False, ErrorClass.TRANSIENT),
        ("EC_DEST_ADDRESS_BLACKLISTED", False, ErrorClass.OPTED_OUT),
        ("EC_SOMETHING_NEW", False, ErrorClass.TRANSIENT),
        ("EC_SOMETHING_NEW", True, ErrorClass.UNKNOWN),
        ("EC_SOMETHING_NEW", None, ErrorClass.UNKNOWN),
    ],
)
def test_permanent_has_the_last_word_on_trying_again(
    error: str, is_permanent: bool | None, error_class: ErrorClass
) -> None:
    found = delivery_error(MessageState.UNDELIVERED, "UNDELIVERABLE_NOT_DELIVERED", error, is_permanent=is_permanent)
    assert found == (error, error_class)


def test_good_end_has_no_error_even_where_one_is_named() -> None:
    assert delivery_error(MessageState.DELIVERED, "x", "EC_CALL_BARRED", is_permanent=True) == (None, None)


def test_every_status_is_one_receipts_may_name() -> None:
    assert set(STATES.values()) <= RECEIPT_STATES
    assert state_of(None) is MessageState.UNKNOWN


# -- replies


def test_reply_is_the_whole_text_with_its_keyword_and_no_report() -> None:
    assert callbacks.read_incoming(fixture("inbound.json")) == (
        IncomingSMS("817790313235066447", "+12025550143", "+12025550100", "STOP please ✋"),
    )
    assert callbacks.read_status(fixture("inbound.json"), "a") == ()


def test_report_is_no_reply() -> None:
    assert callbacks.read_incoming(fixture("delivery_report.json")) == ()
