from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.sms import vonage_callbacks as callbacks
from connector.adapters.sms.vonage_codes import DELIVERY_ERRORS, SEND_ERRORS, state_of
from connector.domain.message import ErrorClass, MessageState
from connector.domain.receipt import RECEIPT_STATES
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest, IncomingSMS, Piece, StatusReport

FIXTURES = Path(__file__).parent / "fixtures" / "vonage"
URL = "https://sms.example.com/callbacks/vonage/status/attempt-1"
SECRET, SIGNED_AT = "test-secret", 1_700_000_000
NOW = datetime.fromtimestamp(SIGNED_AT, UTC)
PARAMETERS = {
    "msisdn": "447700900001",
    "to": "AcmeInc",
    "messageId": "0A0000000123ABCD1",
    "status": "delivered",
    "timestamp": str(SIGNED_AT),
    "nonce": "aaaa-bbbb",
    "text": "a=b&c",
}
FROM_THE_FORMULA = [
    ("md5hash", "5678d6a1adf6bbdcc8b98ac61aaf1710"),
    ("md5", "7a9080bf05aee5eb8aa9dcc787f4aaa7"),
    ("sha256", "ba70ad65988b1396e92ce2b69965a092d84da027ca9917bd228e087c29b6b90f"),
]


def request(body: str, content_type: str = "application/json") -> CallbackRequest:
    return CallbackRequest("POST", URL, {"Content-Type": content_type}, body.encode())


def fixture(name: str) -> CallbackRequest:
    text = (FIXTURES / name).read_text(encoding="utf-8").strip()
    if name.endswith(".query"):
        return CallbackRequest("GET", f"{URL}?{text}", {}, b"")
    return request(text, "application/json" if name.endswith(".json") else "application/x-www-form-urlencoded")


def status(name: str, attempt_id: str | None = None) -> StatusReport:
    (report,) = callbacks.read_status(fixture(f"delivery_receipt_{name}"), attempt_id, "EUR")
    return report


def verify(parameters: dict[str, str], method: str = "md5hash", now: datetime = NOW, *secrets: str) -> None:
    callbacks.verify(request(json.dumps(parameters)), secrets or (SECRET,), method, now)


# -- signature


@pytest.mark.parametrize(("method", "sig"), FROM_THE_FORMULA)
def test_signature_holds_by_every_method(method: str, sig: str) -> None:
    assert callbacks.signature(PARAMETERS, SECRET, method) == sig
    verify({**PARAMETERS, "sig": sig}, method)
    verify({**PARAMETERS, "sig": sig.upper()}, method)


@pytest.mark.parametrize("content_type", ["form", "query"])
def test_signature_holds_in_forms_and_addresses(content_type: str) -> None:
    text = urlencode({**PARAMETERS, "sig": FROM_THE_FORMULA[0][1]})
    came = request(text) if content_type == "form" else CallbackRequest("GET", f"{URL}?{text}", {}, b"")
    callbacks.verify(came, [SECRET], "md5hash", NOW)


def test_older_secret_still_verifies() -> None:
    verify({**PARAMETERS, "sig": FROM_THE_FORMULA[0][1]}, "md5hash", NOW, "a-newer-one", SECRET)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "failed"},
        {"text": "a_b_c "},
        {"sig": ""},
        {"sig": "5678"},
        {"sig": "ü"},
        {"more": "x"},
        {"timestamp": "1700000001"},
    ],
)
def test_anything_altered_breaks_the_signature(change: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        verify({**PARAMETERS, "sig": FROM_THE_FORMULA[0][1], **change})


@pytest.mark.parametrize("secrets", [(), ("",), ("another",)])
def test_without_the_secret_nothing_verifies(secrets: tuple[str, ...]) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(request(json.dumps({**PARAMETERS, "sig": FROM_THE_FORMULA[0][1]})), secrets, "md5hash", NOW)


@pytest.mark.parametrize(
    ("age", "holds"),
    [
        (timedelta(hours=24), True),
        (timedelta(hours=26), False),
        (timedelta(minutes=-4), True),
        (timedelta(minutes=-6), False),
    ],
)
def test_signature_is_good_until_the_last_retry_and_not_from_the_future(age: timedelta, holds: bool) -> None:
    signed = {**PARAMETERS, "sig": FROM_THE_FORMULA[0][1]}
    if holds:
        verify(signed, now=NOW + age)
        return
    with pytest.raises(SignatureError):
        verify(signed, now=NOW + age)


def test_signed_callback_without_a_time_is_taken() -> None:
    timeless = {key: value for key, value in PARAMETERS.items() if key != "timestamp"}
    verify({**timeless, "sig": callbacks.signature(timeless, SECRET, "md5hash")})


@pytest.mark.parametrize("moment", ["", "soon", "2026-11-21 09:00:00", "-1"])
def test_signature_of_a_time_nobody_can_read_is_refused(moment: str) -> None:
    signed = {**PARAMETERS, "timestamp": moment}
    with pytest.raises(SignatureError):
        verify({**signed, "sig": callbacks.signature(signed, SECRET, "md5hash")})


def test_parameters_whose_names_let_one_signature_hold_for_another_reading_are_refused() -> None:
    genuine = {**PARAMETERS, "a": "1", "b": "2"}
    sig = callbacks.signature(genuine, SECRET, "md5hash")
    verify({**genuine, "sig": sig})
    forged = {key: value for key, value in genuine.items() if key not in {"a", "b"}} | {"a=1&b": "2", "sig": sig}
    with pytest.raises(SignatureError, match="several readings"):
        verify(forged)


@given(
    st.dictionaries(st.text().filter(lambda key: not set(key) & set("&=")), st.text()),
    st.sampled_from(sorted(callbacks.METHODS)),
)
def test_sender_and_receiver_agree_on_every_signature(parameters: dict[str, str], method: str) -> None:
    parameters = {key: value for key, value in parameters.items() if key not in {"sig", "timestamp"}}
    verify({**parameters, "sig": callbacks.signature(parameters, SECRET, method)}, method)


# -- receipts


@pytest.mark.parametrize("kind", ["json", "form", "query"])
def test_receipt_says_the_same_however_it_comes(kind: str) -> None:
    assert status(f"delivered.{kind}", "from-the-address") == StatusReport(
        provider_message_id="0C000000217B7F02",
        state=MessageState.DELIVERED,
        raw_status="delivered",
        attempt_id="attempt-1",
        price=Decimal("0.03330000"),
        currency="EUR",
        carrier="23410",
    )


@pytest.mark.parametrize(
    ("name", "state", "code", "error_class"),
    [
        ("accepted", MessageState.SENT, None, None),
        ("buffered", MessageState.SENT, None, None),
        ("failed", MessageState.UNDELIVERED, "2", ErrorClass.TRANSIENT),
        ("rejected", MessageState.UNDELIVERED, "6", ErrorClass.PERMANENT_CONTENT),
        ("opted_out", MessageState.UNDELIVERED, "9", ErrorClass.OPTED_OUT),
        ("expired", MessageState.EXPIRED, "1", ErrorClass.UNKNOWN),
        ("unknown", MessageState.UNKNOWN, "99", ErrorClass.UNKNOWN),
    ],
)
def test_status_and_code_are_read(
    name: str, state: MessageState, code: str | None, error_class: ErrorClass | None
) -> None:
    report = status(f"{name}.json")
    assert (report.state, report.error_code, report.error_class) == (state, code, error_class)


def test_receipt_without_our_reference_belongs_to_the_attempt_in_the_address() -> None:
    bare = request(json.dumps({"messageId": "x", "status": "delivered"}))
    assert callbacks.read_status(bare, "attempt-1", "EUR")[0].attempt_id == "attempt-1"
    assert callbacks.read_status(bare, None, "EUR")[0].attempt_id is None


@pytest.mark.parametrize("code", ["0", "00", "000", ""])
def test_no_error_is_no_error_however_many_noughts_it_has(code: str) -> None:
    said = {"messageId": "x", "status": "delivered", "err-code": code}
    (report,) = callbacks.read_status(request(json.dumps(said)), None, "EUR")
    assert (report.error_code, report.error_class) == (None, None)


def test_answers_and_receipts_number_independently() -> None:
    assert SEND_ERRORS.class_of("9") is ErrorClass.ACCOUNT_OR_CREDIT
    assert DELIVERY_ERRORS.class_of("9") is ErrorClass.OPTED_OUT


@given(st.text(), st.text(min_size=1))
def test_words_and_codes_nobody_knows_are_unknown_and_never_an_error(word: str, code: str) -> None:
    assert state_of(word) in RECEIPT_STATES
    assert DELIVERY_ERRORS.class_of(code) in set(ErrorClass)


# -- replies


@pytest.mark.parametrize("kind", ["json", "form", "query"])
def test_reply_says_the_same_however_it_comes(kind: str) -> None:
    (sms,) = callbacks.read_incoming(fixture(f"inbound.{kind}"))
    assert sms == IncomingSMS("0A0000000123ABCD1", "+447700900461", "+447700900100", "Yes, two of us ✓")


def test_part_of_a_long_reply_says_which() -> None:
    (sms,) = callbacks.read_incoming(fixture("inbound_part.json"))
    assert (sms.body, sms.piece) == ("and so on", Piece("1A", 2, 3))


@pytest.mark.parametrize(
    "change",
    [{"concat": "false"}, {"concat-part": "4"}, {"concat-part": "0"}, {"concat-total": "x"}, {"concat-ref": ""}],
)
def test_part_that_makes_no_sense_is_taken_for_the_whole(change: dict[str, str]) -> None:
    part = json.loads(fixture("inbound_part.json").body) | change
    assert callbacks.read_incoming(request(json.dumps(part)))[0].piece is None


def test_truth_may_be_written_as_json_writes_it() -> None:
    part = json.loads(fixture("inbound_part.json").body) | {"concat": True, "concat-part": 2}
    assert callbacks.read_incoming(request(json.dumps(part)))[0].piece == Piece("1A", 2, 3)


def test_binary_reply_has_no_text() -> None:
    (sms,) = callbacks.read_incoming(fixture("inbound_binary.json"))
    assert sms.body == ""


def test_receipt_is_no_reply_and_a_reply_is_no_receipt() -> None:
    assert callbacks.read_incoming(fixture("delivery_receipt_delivered.json")) == ()
    assert callbacks.read_status(fixture("inbound.json"), "attempt-1", "EUR") == ()


@given(st.binary(), st.sampled_from(["GET", "POST"]))
def test_odd_bytes_say_nothing_and_break_nothing(body: bytes, method: str) -> None:
    odd = CallbackRequest(method, f"{URL}?{body.decode('latin-1')}", {}, body)
    assert len(callbacks.read_status(odd, None, "EUR")) <= 1
    assert len(callbacks.read_incoming(odd)) <= 1
    with pytest.raises(SignatureError):
        callbacks.verify(odd, [SECRET], "md5hash", NOW)
