from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.sms.aws_sms_callbacks import AWSCallbacks, read_status
from connector.adapters.sms.aws_sms_codes import ERROR_CLASSES, EVENT_CLASSES, STATES, code_of, state_of
from connector.domain.message import ErrorClass, MessageState
from connector.domain.receipt import RECEIPT_STATES
from connector.errors import SignatureError, UnsignedCallbackError
from connector.ports.gateway import CallbackRequest, StatusReport
from connector.sandbox.gateways.aws_sns_topic import SNSTopic
from connector.sandbox.gateways.skin import Call

FIXTURES = Path(__file__).parent / "fixtures" / "aws-sms"
URL, NOW = "https://sms.example.com/callbacks/aws-sms/status", datetime(2026, 11, 18, 10, 41, tzinfo=UTC)
EVENTS = sorted(path.stem for path in FIXTURES.glob("text_*.json"))


def fixture(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def bare(content: object) -> CallbackRequest:
    return CallbackRequest("POST", URL, {"Content-Type": "text/plain; charset=UTF-8"}, json.dumps(content).encode())


def wrapped(content: object) -> CallbackRequest:
    return bare(fixture("notification") | {"Message": json.dumps(content)})


def read(content: object, attempt_id: str | None = None) -> StatusReport:
    (report,) = read_status(wrapped(content), attempt_id)
    return report


class Host:
    """Stands in for SNS's host: shows the certificate, notes what was visited beside it."""

    def __init__(self, topic: SNSTopic, trouble: Exception | None = None) -> None:
        self.topic, self.trouble, self.visits = topic, trouble, list[str]()

    def __call__(self, url: str) -> bytes:
        if url.endswith(".pem"):
            return self.topic.identity.pem
        self.visits.append(url)
        if self.trouble:
            raise self.trouble
        return b"<ConfirmSubscriptionResponse/>"


def callbacks(host: Host, *keys: str, answers_keywords: bool = True) -> AWSCallbacks:
    return AWSCallbacks([host.topic.arn], keys, answers_keywords=answers_keywords, fetch=host, now=lambda: NOW)


def signed(topic: SNSTopic, call: Call) -> CallbackRequest:
    call = topic.sign(call, NOW)
    return CallbackRequest(call.method, call.url, call.headers, call.body)


# -- every event there is


@pytest.mark.parametrize("name", EVENTS)
def test_documented_event_is_read(name: str) -> None:
    report = read(fixture(name))
    assert report.raw_status == name.upper()
    assert report.state is STATES[name.upper()]
    assert (report.provider_message_id, report.attempt_id) == ("0f8d2c6a-6b1e-4c0e-9a54-3d1f6c7e9b20", "attempt-1")
    assert (report.price, report.currency, report.segments) == (Decimal("0.00881"), "USD", 1)
    is_good = report.state in {MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED}
    assert (report.error_code is None) == (report.error_class is None) == is_good


def test_each_event_type_has_its_example_and_its_state() -> None:
    assert {name.upper() for name in EVENTS} == set(STATES)
    assert set(STATES.values()) <= RECEIPT_STATES
    good = {MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED}
    assert set(EVENT_CLASSES) == {name for name, state in STATES.items() if state not in good}


def test_event_of_tomorrow_is_unknown_and_kept() -> None:
    report = read(fixture("text_delivered") | {"eventType": "TEXT_TELEPORTED"})
    assert (report.state, report.raw_status) == (MessageState.UNKNOWN, "TEXT_TELEPORTED")
    assert (report.error_code, report.error_class) == ("TEXT_TELEPORTED", ErrorClass.UNKNOWN)
    assert state_of("TEXT_SENT") is MessageState.UNKNOWN


@pytest.mark.parametrize(
    ("missing", "carrier"),
    [((), "Fiction Mobile"), (("carrierName",), "310800"), (("carrierName", "mcc", "mnc"), None)],
)
def test_carrier_goes_by_its_name_else_its_code(missing: tuple[str, ...], carrier: str | None) -> None:
    event = {key: value for key, value in fixture("text_delivered").items() if key not in missing}
    assert read(event).carrier == carrier


@pytest.mark.parametrize(
    ("message", "fee", "price"),
    [
        (0.00581, 0.003, Decimal("0.00881")),
        (5e-05, 0.0, Decimal("0.00005")),
        (0.1, None, Decimal("0.1")),
        (None, 0.003, None),
        ([], {}, None),
        ("NaN", 0, None),
    ],
)
def test_price_is_what_aws_charges_and_passes_on(message: Any, fee: Any, price: Decimal | None) -> None:
    report = read(fixture("text_delivered") | {"totalMessagePrice": message, "totalCarrierFee": fee})
    assert (report.price, report.currency) == (price, None if price is None else "USD")


def test_event_over_eventbridge_says_the_same_with_and_without_an_envelope() -> None:
    event = fixture("eventbridge_text_delivered")
    for request in (wrapped(event), bare(event)):
        (report,) = read_status(request, None)
        assert (report.state, report.attempt_id) == (MessageState.DELIVERED, "attempt-1")


def test_event_delivered_raw_says_the_same() -> None:
    (report,) = read_status(bare(fixture("text_delivered")), None)
    assert (report.state, report.attempt_id) == (MessageState.DELIVERED, "attempt-1")


@pytest.mark.parametrize("context", [{}, None, [], {"attempt_id": ""}, {"attempt_id": {}}])
def test_attempt_is_that_of_the_url_where_the_event_names_none(context: Any) -> None:
    assert read(fixture("text_delivered") | {"context": context}, "from-the-url").attempt_id == "from-the-url"


def test_attempt_in_the_signed_event_goes_before_the_one_in_the_url() -> None:
    assert read(fixture("text_delivered"), "another").attempt_id == "attempt-1"


@pytest.mark.parametrize(
    "name", ["voice_completed", "two_way_sms", "subscription_confirmation", "unsubscribe_confirmation"]
)
def test_what_is_not_about_a_text_of_ours_says_nothing(name: str) -> None:
    for request in (bare(fixture(name)), wrapped(fixture(name))):
        assert read_status(request, "attempt-1") == ()


@pytest.mark.parametrize("field", ["messageId", "eventType"])
def test_event_without_an_id_or_a_type_says_nothing(field: str) -> None:
    odd: list[Any] = [{}, [], None, ""]
    for value in odd:
        assert read_status(wrapped(fixture("text_delivered") | {field: value}), "attempt-1") == ()


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(fixture("text_delivered"))), inner)
    ),
    max_leaves=9,
)


@given(_JSON, st.dictionaries(st.sampled_from(sorted(fixture("text_delivered"))), _JSON))
def test_nothing_that_may_come_breaks_the_reading(anything: Any, changes: dict[str, Any]) -> None:
    one = callbacks(Host(SNSTopic()))
    for content in (anything, fixture("text_delivered") | changes, fixture("two_way_sms") | changes):
        for request in (bare(content), wrapped(content)):
            for report in read_status(request, None):
                assert report.state in RECEIPT_STATES
            assert len(one.read_incoming(request)) <= 1


# -- replies


def test_reply_is_read_with_its_words_and_both_numbers() -> None:
    (reply,) = callbacks(Host(SNSTopic())).read_incoming(wrapped(fixture("two_way_sms")))
    assert reply.provider_message_id == "7b0a9c11-2d5e-4e0f-8a7c-5c1f0e6d4b32"
    assert (reply.from_, reply.to) == ("+12025550143", "+12025550100")
    assert (reply.body, reply.opt_out_handled) == ("See you at 19:30 ✓", None)


@pytest.mark.parametrize(
    ("body", "handled"),
    [
        ("STOP", "STOP"),
        (" stop\n", "STOP"),
        ("Unsubscribe", "STOP"),
        ("help", "HELP"),
        ("please don't stop", None),
        ("START", None),
        ("", None),
    ],
)
def test_word_that_aws_answers_itself_is_marked_unless_opt_outs_are_self_managed(
    body: str, handled: str | None
) -> None:
    request = wrapped(fixture("two_way_sms") | {"messageBody": body})
    assert callbacks(Host(SNSTopic())).read_incoming(request)[0].opt_out_handled == handled
    own = callbacks(Host(SNSTopic()), answers_keywords=False)
    assert own.read_incoming(request)[0].opt_out_handled is None


def test_number_without_its_plus_gets_one_and_a_short_code_stays() -> None:
    content = fixture("two_way_sms") | {"originationNumber": "12025550143", "destinationNumber": "12345"}
    (reply,) = callbacks(Host(SNSTopic())).read_incoming(wrapped(content))
    assert (reply.from_, reply.to) == ("+12025550143", "12345")


@pytest.mark.parametrize("missing", ["inboundMessageId", "originationNumber", "destinationNumber"])
def test_reply_nobody_can_place_is_nothing(missing: str) -> None:
    content = {key: value for key, value in fixture("two_way_sms").items() if key != missing}
    assert callbacks(Host(SNSTopic())).read_incoming(wrapped(content)) == ()


# -- who may call


def test_notification_of_our_topic_is_believed_and_visits_nothing() -> None:
    host = Host(SNSTopic())
    callbacks(host).verify(signed(host.topic, host.topic.notification(URL, json.dumps(fixture("text_delivered")))))
    assert host.visits == []


def test_documented_envelopes_are_signed_by_nobody() -> None:
    for name in ("notification", "subscription_confirmation", "unsubscribe_confirmation"):
        host = Host(SNSTopic())
        with pytest.raises(SignatureError):
            callbacks(host).verify(bare(fixture(name)))
        assert host.visits == []


def test_subscription_is_confirmed_after_all_checks() -> None:
    host = Host(SNSTopic())
    request = signed(host.topic, host.topic.confirmation(URL))
    callbacks(host).verify(request)
    assert host.visits == [json.loads(request.body)["SubscribeURL"]]
    assert read_status(request, None) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"SubscribeURL": "https://evil.example/?Action=ConfirmSubscription"},
        {"Token": "another"},
        {"Signature": "YQ=="},
        {"TopicArn": "arn:aws:sns:us-east-1:210987654321:texts"},
        {"SignatureVersion": "1"},
    ],
)
def test_subscription_that_fails_a_check_is_not_confirmed(change: dict[str, str]) -> None:
    host = Host(SNSTopic())
    request = signed(host.topic, host.topic.confirmation(URL))
    with pytest.raises(SignatureError):
        callbacks(host).verify(bare(json.loads(request.body) | change))
    assert host.visits == []


def test_subscription_signed_for_another_address_is_not_confirmed() -> None:
    host = Host(SNSTopic())
    call = host.topic.confirmation(URL)
    body = json.loads(call.body) | {"SubscribeURL": "https://evil.example/?Action=ConfirmSubscription"}
    with pytest.raises(SignatureError, match="does not confirm"):
        callbacks(host).verify(signed(host.topic, Call("POST", URL, {}, json.dumps(body).encode())))
    assert host.visits == []


def test_confirmation_that_did_not_reach_aws_is_asked_for_again() -> None:
    host = Host(SNSTopic(), UnsignedCallbackError("SNS cannot be asked now"))
    with pytest.raises(UnsignedCallbackError):
        callbacks(host).verify(signed(host.topic, host.topic.confirmation(URL)))


def test_end_of_a_subscription_is_believed_and_not_undone() -> None:
    host = Host(SNSTopic())
    callbacks(host).verify(signed(host.topic, host.topic.confirmation(URL, "UnsubscribeConfirmation")))
    assert host.visits == []


@pytest.mark.parametrize("name", ["text_delivered", "eventbridge_text_delivered", "two_way_sms"])
def test_event_without_an_envelope_needs_our_key_in_its_address(name: str) -> None:
    body = json.dumps(fixture(name)).encode()
    with_keys = callbacks(Host(SNSTopic()), "new", "old")
    for key in ("new", "old"):
        with_keys.verify(CallbackRequest("POST", f"{URL}?key={key}", {}, body))
    for one, url in ((with_keys, URL), (with_keys, f"{URL}?key="), (callbacks(Host(SNSTopic())), f"{URL}?key=")):
        with pytest.raises(SignatureError):
            one.verify(CallbackRequest("POST", url, {}, body))


def test_envelope_is_not_believed_for_a_key() -> None:
    with pytest.raises(SignatureError):
        callbacks(Host(SNSTopic()), "key").verify(
            CallbackRequest("POST", f"{URL}?key=key", {}, json.dumps(fixture("notification")).encode())
        )


# -- refusals


def test_every_class_has_reasons_of_its_own() -> None:
    assert set(ERROR_CLASSES.values()) == set(ErrorClass) - {ErrorClass.UNKNOWN}


@pytest.mark.parametrize(
    "answer",
    [{}, {"__type": 1}, {"__type": []}, {"Reason": None}, {"Fields": [1, {}, {"Name": []}]}, {"__type": "a#b#"}],
)
def test_odd_refusal_has_an_odd_code_and_is_no_accident(answer: dict[str, Any]) -> None:
    assert code_of(answer) not in ERROR_CLASSES
