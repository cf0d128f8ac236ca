from __future__ import annotations

import hashlib
import random
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.sms import twilio_callbacks as callbacks
from connector.adapters.sms.twilio_codes import ERROR_CLASSES, ERRORS, STATES, state_of
from connector.domain.message import ErrorClass, MessageState
from connector.domain.receipt import RECEIPT_STATES
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest, StatusReport
from connector.sandbox.twilio.signing import sign

FIXTURES = Path(__file__).parent / "fixtures" / "twilio"
TOKEN, URL = "token-of-a-test", "https://sms.example.com/callbacks/twilio/status/0195d3c2"
FORM = {
    "MessageSid": "SM0123",
    "SmsSid": "SM0123",
    "MessageStatus": "delivered",
    "SmsStatus": "delivered",
    "To": "+12025550143",
    "From": "+12025550100",
    "AccountSid": "AC1",
    "ApiVersion": "2010-04-01",
}


def request(
    form: dict[str, str] | list[tuple[str, str]],
    url: str = URL,
    signature: str | None = None,
    method: str = "POST",
    content_type: str = "application/x-www-form-urlencoded",
) -> CallbackRequest:
    headers = {"Content-Type": content_type}
    if signature is not None:
        headers["X-Twilio-Signature"] = signature
    return CallbackRequest(method, url, headers, urlencode(form).encode())


def signed(form: dict[str, str], url: str = URL, seen_at: str | None = None) -> CallbackRequest:
    """A callback Twilio signed over `url` and we see at another spelling of it."""
    return request(form, seen_at or url, sign(TOKEN, url, form))


def read(**fields: str) -> StatusReport:
    (report,) = callbacks.read_status(request(FORM | fields), "attempt-1")
    return report


# -- signature


def test_published_signature_holds() -> None:
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    callbacks.verify(request(form, url, "RSOYDt4T1cUTdK1PDd93/VVr8B8="), ["12345"])
    with pytest.raises(SignatureError):
        callbacks.verify(request(form | {"Digits": "1235"}, url, "RSOYDt4T1cUTdK1PDd93/VVr8B8="), ["12345"])


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=20), max_size=8))
def test_any_parameters_may_come_and_all_of_them_count(extra: dict[str, str]) -> None:
    form = FORM | {key: value for key, value in extra.items() if not _is_lonely(key + value)}
    callbacks.verify(signed(form), [TOKEN])
    tampered = request(form | {"Unannounced": "added"}, URL, sign(TOKEN, URL, form))
    with pytest.raises(SignatureError):
        callbacks.verify(tampered, [TOKEN])


def _is_lonely(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


@pytest.mark.parametrize(
    ("signed_url", "seen_at"),
    [
        ("https://sms.example.com:443/s/a", "https://sms.example.com/s/a"),
        ("https://sms.example.com/s/a", "https://sms.example.com:443/s/a"),
        ("https://sms.example.com/s/a", "https://sms.example.com:8443/s/a"),
        ("http://sms.example.com:80/s/a?x=1", "http://sms.example.com/s/a?x=1"),
    ],
)
def test_port_may_be_signed_or_not(signed_url: str, seen_at: str) -> None:
    callbacks.verify(signed(FORM, signed_url, seen_at), [TOKEN])


@pytest.mark.parametrize(
    "seen_at",
    [
        "http://sms.example.com/callbacks/twilio/status/0195d3c2",
        "https://other.example.com/callbacks/twilio/status/0195d3c2",
        "https://sms.example.com/callbacks/twilio/status/another-attempt",
        "https://sms.example.com/callbacks/twilio/status/0195d3c2?x=1",
    ],
)
def test_signature_of_another_url_does_not_hold(seen_at: str) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(signed(FORM, URL, seen_at), [TOKEN])


def test_repeated_values_are_signed_once_and_sorted() -> None:
    pairs = [("b", "2"), ("a", "z"), ("a", "b"), ("a", "z")]
    signature = sign(TOKEN, URL + "abazb2", {})
    for _ in range(5):
        random.Random(_).shuffle(pairs)
        callbacks.verify(request(pairs, URL, signature), [TOKEN])


def test_token_rotates_without_losing_a_callback() -> None:
    callbacks.verify(signed(FORM), ["the-new-token", TOKEN])
    with pytest.raises(SignatureError):
        callbacks.verify(signed(FORM), ["the-new-token"])


@pytest.mark.parametrize("tokens", [[], [""], ["", ""]])
def test_no_token_means_that_nobody_is_believed(tokens: list[str]) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(request(FORM, URL, sign("", URL, FORM)), tokens)


@pytest.mark.parametrize("signature", [None, "", "x", "é", "RSOYDt4T1cUTdK1PDd93/VVr8B8="])
def test_missing_or_odd_signature_is_refused_and_not_an_accident(signature: str | None) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(request(FORM, URL, signature), [TOKEN])


def test_header_is_found_in_any_case() -> None:
    shouted = CallbackRequest("POST", URL, {"X-TWILIO-SIGNATURE": sign(TOKEN, URL, {})}, b"")
    callbacks.verify(shouted, [TOKEN])


def test_parameters_of_a_get_are_in_its_url_and_signed_there() -> None:
    url = f"{URL}?{urlencode(FORM)}"
    seen = CallbackRequest("GET", url, {"X-Twilio-Signature": sign(TOKEN, url, {})}, b"")
    callbacks.verify(seen, [TOKEN])
    assert callbacks.read_status(seen, None)[0].state is MessageState.DELIVERED


def test_json_body_is_signed_by_its_hash_in_the_url() -> None:
    body = b'{"a": 1}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"content-type": "application/json; charset=utf-8", "x-twilio-signature": sign(TOKEN, url, {})}
    callbacks.verify(CallbackRequest("POST", url, headers, body), [TOKEN])
    for changed_url, changed_body in ((url, b'{"a": 2}'), (URL, body)):
        headers["x-twilio-signature"] = sign(TOKEN, changed_url, {})
        with pytest.raises(SignatureError):
            callbacks.verify(CallbackRequest("POST", changed_url, headers, changed_body), [TOKEN])


@pytest.mark.parametrize(
    "url", ["", "/relative", "https://[::1/x", "https://[::1]/x", "ftp://h/x", "https://sms.example.com:port/x"]
)
def test_odd_url_is_refused_and_not_an_accident(url: str) -> None:
    with pytest.raises(SignatureError):
        callbacks.verify(request(FORM, url, "x"), [TOKEN])


# -- status


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("accepted", MessageState.ACCEPTED),
        ("scheduled", MessageState.ACCEPTED),
        ("queued", MessageState.ACCEPTED),
        ("sending", MessageState.SENT),
        ("sent", MessageState.SENT),
        ("delivered", MessageState.DELIVERED),
        ("read", MessageState.DELIVERED),
        ("undelivered", MessageState.UNDELIVERED),
        ("failed", MessageState.FAILED),
        ("canceled", MessageState.FAILED),
        ("partially_delivered", MessageState.UNKNOWN),
        ("Delivered", MessageState.DELIVERED),
        ("a word of tomorrow", MessageState.UNKNOWN),
    ],
)
def test_words_become_states_and_are_kept(word: str, state: MessageState) -> None:
    report = read(MessageStatus=word)
    assert (report.state, report.raw_status) == (state, word)
    assert (report.provider_message_id, report.attempt_id) == ("SM0123", "attempt-1")


def test_every_state_is_one_a_receipt_may_name() -> None:
    assert set(STATES.values()) <= RECEIPT_STATES


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        ("21610", ErrorClass.OPTED_OUT),
        ("30003", ErrorClass.TRANSIENT),
        ("30007", ErrorClass.PERMANENT_CONTENT),
        ("30022", ErrorClass.THROTTLED),
        ("99999", ErrorClass.UNKNOWN),
        ("not a code", ErrorClass.UNKNOWN),
    ],
)
def test_error_code_becomes_a_class_and_is_kept(code: str, error_class: ErrorClass) -> None:
    report = read(MessageStatus="undelivered", ErrorCode=code)
    assert (report.error_code, report.error_class) == (code, error_class)


def test_delivered_carries_no_error() -> None:
    assert (read().error_code, read().error_class) == (None, None)
    assert ERRORS.class_of("") is None


@pytest.mark.parametrize("word", ["failed", "undelivered"])
def test_text_whose_time_ran_out_is_expired(word: str) -> None:
    assert read(MessageStatus=word, ErrorCode="30036").state is MessageState.EXPIRED
    assert state_of("delivered", "30036") is MessageState.DELIVERED


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("-0.00750", Decimal("0.00750")),
        ("0.0083", Decimal("0.0083")),
        ("", None),
        ("null", None),
        ("NaN", None),
        ("Infinity", None),
    ],
)
def test_price_is_a_positive_decimal_or_unknown(text: str, price: Decimal | None) -> None:
    report = read(Price=text, PriceUnit="USD")
    assert report.price == price
    assert report.currency == ("USD" if price is not None else None)


def fixture(name: str) -> CallbackRequest:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return CallbackRequest("POST", URL, headers, (FIXTURES / f"{name}.form").read_bytes().strip())


@pytest.mark.parametrize(
    ("name", "state", "code"),
    [
        ("status_queued", MessageState.ACCEPTED, None),
        ("status_sending", MessageState.SENT, None),
        ("status_sent", MessageState.SENT, None),
        ("status_delivered", MessageState.DELIVERED, None),
        ("status_undelivered", MessageState.UNDELIVERED, "30005"),
        ("status_failed", MessageState.FAILED, "30034"),
        ("status_expired", MessageState.EXPIRED, "30036"),
        ("status_canceled", MessageState.FAILED, None),
    ],
)
def test_every_documented_status_callback_is_understood(name: str, state: MessageState, code: str | None) -> None:
    (report,) = callbacks.read_status(fixture(name), "attempt-1")
    assert (report.state, report.error_code, report.attempt_id) == (state, code, "attempt-1")
    assert (report.provider_message_id[:2], report.sender) == ("SM", "+12025550100")


@pytest.mark.parametrize(
    ("name", "body", "opt_out"),
    [("inbound", "See you at 7 👍", None), ("inbound_opt_out", "Stop", "STOP"), ("inbound_picture", "", None)],
)
def test_every_documented_inbound_callback_is_understood(name: str, body: str, opt_out: str | None) -> None:
    (reply,) = callbacks.read_incoming(fixture(name))
    assert (reply.from_, reply.to, reply.body) == ("+12025550143", "+12025550100", body)
    assert reply.opt_out_handled == opt_out


def test_receipt_tells_who_a_messaging_service_sent_it_from() -> None:
    assert read(MessagingServiceSid="MG1").sender == "+12025550100"
    assert read(From="").sender is None


def test_old_names_of_fields_are_understood() -> None:
    (report,) = callbacks.read_status(request({"SmsSid": "SM9", "SmsStatus": "sent"}), None)
    assert (report.provider_message_id, report.state, report.attempt_id) == ("SM9", MessageState.SENT, None)


@pytest.mark.parametrize("missing", [("MessageSid", "SmsSid"), ("MessageStatus", "SmsStatus")])
def test_callback_without_an_id_or_a_status_says_nothing(missing: tuple[str, str]) -> None:
    form = {key: value for key, value in FORM.items() if key not in missing}
    assert callbacks.read_status(request(form), "attempt-1") == ()


def test_every_class_has_codes_of_its_own_or_a_rule() -> None:
    assert set(ERROR_CLASSES.values()) == set(ErrorClass)


# -- inbound


def test_reply_is_read_with_its_words_and_both_numbers() -> None:
    (reply,) = callbacks.read_incoming(
        request({"MessageSid": "SM7", "From": "+12025550143", "To": "+12025550100", "Body": "STOP 👋 & go"})
    )
    assert (reply.provider_message_id, reply.from_, reply.to) == ("SM7", "+12025550143", "+12025550100")
    assert (reply.body, reply.opt_out_handled) == ("STOP 👋 & go", None)


@pytest.mark.parametrize("kind", ["STOP", "START", "HELP"])
def test_word_that_twilio_handled_itself_is_marked(kind: str) -> None:
    form = {"MessageSid": "SM7", "From": "+12025550143", "To": "+12025550100", "Body": "x", "OptOutType": kind}
    assert callbacks.read_incoming(request(form))[0].opt_out_handled == kind


@pytest.mark.parametrize("body", [{}, {"Body": ""}])
def test_picture_without_words_is_a_reply_with_an_empty_body(body: dict[str, str]) -> None:
    form = {"MessageSid": "MM7", "From": "+12025550143", "To": "+12025550100", "NumMedia": "1"} | body
    assert callbacks.read_incoming(request(form))[0].body == ""


@pytest.mark.parametrize("missing", ["MessageSid", "From", "To"])
def test_reply_nobody_can_place_is_nothing(missing: str) -> None:
    form = {"MessageSid": "SM7", "From": "+12025550143", "To": "+12025550100", "Body": "Hi"}
    del form[missing]
    assert callbacks.read_incoming(request(form)) == ()


def test_flood_of_fields_is_not_parsed() -> None:
    assert len(callbacks.read_status(request(list(FORM.items())), None)) == 1
    assert callbacks.read_status(request([*FORM.items(), *[("a", "b")] * 1000]), None) == ()
