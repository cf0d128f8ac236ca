from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connector.adapters.sms import messagebird
from connector.adapters.sms.messagebird import PLUGIN, MessageBirdGateway
from connector.domain.message import ErrorClass, MessageState
from connector.errors import (
    AmbiguousSendError,
    ConfigurationError,
    PermanentSendError,
    SendError,
    SignatureError,
    TransientSendError,
)
from connector.ports.gateway import AttemptQuery, CallbackRequest, OutgoingSMS, SMSGateway
from connector.ports.number_lookup import LineType
from connector.sandbox.gateways.messagebird import ACCESS_KEY, SIGNING_KEY, MessageBirdSkin
from connector.sandbox.gateways.sandbox import GatewaySandbox
from tests.adapters.sms.contract import NUMBER, SENDER, Break, RemoteGatewayContract, sms
from tests.adapters.sms.emulated import Receiver

NOBODY = "http://127.0.0.1:9"  # the discard port, which nothing listens on
OLDER_KEY = "an-older-signing-key-of-the-account-also-long-enough-to-sign"


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def sandbox(receiver: Receiver) -> Iterator[GatewaySandbox]:
    box = GatewaySandbox(MessageBirdSkin(), post=receiver, inbound_url="https://sms.example.com/callbacks/inbound")
    with box.server:
        yield box


@pytest.fixture
def gateway(sandbox: GatewaySandbox) -> Iterator[MessageBirdGateway]:
    one = MessageBirdGateway(ACCESS_KEY, [OLDER_KEY, SIGNING_KEY], sandbox.url, sender=SENDER)
    yield one
    one.close()


def asked(text: OutgoingSMS, at: datetime | None = None, provider_id: str | None = None) -> AttemptQuery:
    return AttemptQuery(text.attempt_id, provider_id, text.to, text.sender, text.body, at or datetime.now(UTC))


class TestMessageBirdGateway(RemoteGatewayContract):
    @pytest.fixture(autouse=True)
    def take_sandbox(self, sandbox: GatewaySandbox, receiver: Receiver) -> None:
        self.sandbox, self.receiver = sandbox, receiver

    def deliver(self, gateway: SMSGateway) -> Sequence[CallbackRequest]:
        return self.receiver.after(self.sandbox.engine)

    @pytest.fixture
    def break_next(self, sandbox: GatewaySandbox) -> Break:
        def arm(kind: str, **options: Any) -> None:
            sandbox.faults.arm("messagebird.send", kind, **options)

        return arm

    @pytest.fixture
    def unreachable(self) -> MessageBirdGateway:
        return MessageBirdGateway(ACCESS_KEY, [SIGNING_KEY], NOBODY, sender=SENDER)

    @pytest.fixture
    def received(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: len(sandbox.world.messages())

    @pytest.fixture
    def requests(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: sandbox.world.calls["send"]

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (ACCESS_KEY, SIGNING_KEY, "AccessKey ")


# -- what is sent


def test_message_carries_our_reference_without_which_no_report_comes(
    gateway: MessageBirdGateway, sandbox: GatewaySandbox
) -> None:
    gateway.send(sms())
    assert sandbox.world.messages()[0].details == {
        "originator": SENDER[1:],
        "recipients": [NUMBER[1:]],
        "body": sms().body,
        "datacoding": "auto",
        "reference": "attempt-1",
        "reportUrl": "https://sms.example.com/callbacks/status/attempt-1",
        "validity": 3600,
    }


def test_unicode_is_asked_for_where_it_is_known_to_be_needed(
    gateway: MessageBirdGateway, sandbox: GatewaySandbox
) -> None:
    gateway.send(replace(sms(sender="ACME"), is_unicode=True, valid_for=None))
    details = sandbox.world.messages()[0].details
    assert (details["datacoding"], details["originator"]) == ("unicode", "ACME")
    assert "validity" not in details


def test_answer_tells_segments_price_and_sender(gateway: MessageBirdGateway) -> None:
    accepted = gateway.send(sms(body="x" * 161))
    assert (accepted.state, accepted.raw_status, accepted.sender) == (MessageState.SENT, "sent", SENDER[1:])
    assert (accepted.segments, accepted.price, accepted.currency) == (2, Decimal("0.0166"), "USD")


def test_half_a_surrogate_pair_is_sent_as_a_question_mark(gateway: MessageBirdGateway, sandbox: GatewaySandbox) -> None:
    gateway.send(sms(body="Hi \ud83d"))
    assert sandbox.world.messages()[0].body == "Hi ?"


# -- what is refused


def test_wrong_key_keeps_texts_waiting(sandbox: GatewaySandbox) -> None:
    gateway = MessageBirdGateway("wrong", [], sandbox.url, sender=SENDER)
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == ("2", ErrorClass.CONFIG)
    gateway.close()


def test_too_many_a_second_are_throttled(gateway: MessageBirdGateway, sandbox: GatewaySandbox) -> None:
    sandbox.world.max_per_second = 0
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert caught.value.error_class == ErrorClass.THROTTLED


@pytest.mark.parametrize(
    ("text", "code", "error_class"),
    [
        (replace(sms(), to="+1"), "10 recipients", ErrorClass.PERMANENT_NUMBER),
        (sms(sender="a sender far too long"), "10 originator", ErrorClass.SENDER_OR_REGISTRATION),
        (sms(body="é✓" * 700), "10 body", ErrorClass.PERMANENT_CONTENT),
    ],
)
def test_field_that_is_refused_tells_whose_fault_it_is(
    gateway: MessageBirdGateway, text: OutgoingSMS, code: str, error_class: ErrorClass
) -> None:
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(text)
    assert (caught.value.code, caught.value.error_class) == (code, error_class)


@pytest.mark.parametrize(
    ("status", "body", "kind", "error_class"),
    [
        (422, {"errors": [{"code": 25}]}, TransientSendError, "account_or_credit"),
        (422, {"errors": [{"code": 4711}]}, PermanentSendError, "unknown"),
        (422, {"errors": []}, PermanentSendError, "unknown"),
        (404, {"errors": [{"code": 98}]}, TransientSendError, "config"),
        (500, {"errors": [{"code": 99}]}, AmbiguousSendError, "unknown"),
        (503, {"errors": [{"code": 99}]}, TransientSendError, "transient"),
        (
            201,
            {"id": "m", "recipients": {"items": [{"status": "delivery_failed", "statusErrorCode": 102}]}},
            PermanentSendError,
            "opted_out",
        ),
        (
            201,
            {"id": "m", "recipients": {"items": [{"status": "delivery_failed", "statusErrorCode": 101}]}},
            TransientSendError,
            "transient",
        ),
    ],
)
def test_answers_off_the_beaten_track(
    gateway: MessageBirdGateway,
    sandbox: GatewaySandbox,
    status: int,
    body: dict[str, Any],
    kind: type[SendError],
    error_class: str,
) -> None:
    sandbox.faults.arm("messagebird.send", "status", status=status, body=json.dumps(body))
    with pytest.raises(kind) as caught:
        gateway.send(sms())
    assert caught.value.error_class == error_class


@pytest.mark.parametrize("recipients", [None, {"items": []}, {"items": [{"status": "pondering"}]}])
def test_success_with_a_status_nobody_knows_is_accepted_all_the_same(
    gateway: MessageBirdGateway, sandbox: GatewaySandbox, recipients: dict[str, Any] | None
) -> None:
    body = json.dumps({"id": "m", "recipients": recipients})
    sandbox.faults.arm("messagebird.send", "status", status=201, body=body)
    accepted = gateway.send(sms())
    assert (accepted.provider_message_id, accepted.state) == ("m", MessageState.ACCEPTED)
    assert accepted.raw_status


# -- what becomes of it


@pytest.mark.parametrize(
    ("oddity", "options", "state", "error_class"),
    [
        ("undelivered", {}, MessageState.UNDELIVERED, ErrorClass.TRANSIENT),
        ("undelivered", {"error_code": 102}, MessageState.UNDELIVERED, ErrorClass.OPTED_OUT),
        ("undelivered", {"error_code": 1}, MessageState.UNDELIVERED, ErrorClass.PERMANENT_NUMBER),
        ("failed", {}, MessageState.UNDELIVERED, ErrorClass.TRANSIENT),
    ],
)
def test_bad_end_is_told_by_report_and_by_asking(
    gateway: MessageBirdGateway,
    sandbox: GatewaySandbox,
    receiver: Receiver,
    oddity: str,
    options: dict[str, Any],
    state: MessageState,
    error_class: ErrorClass,
) -> None:
    sandbox.world.receipts.arm(oddity, **options)
    accepted = gateway.send(sms())
    last = receiver.after(sandbox.engine)[-1]
    assert last.method == "GET"
    (told,) = gateway.read_status(last, None)
    assert told == gateway.find(asked(sms(), provider_id=accepted.provider_message_id))
    assert (told.state, told.error_class, told.attempt_id) == (state, error_class, "attempt-1")


def test_text_that_messagebird_forgot_was_sent_all_the_same(gateway: MessageBirdGateway) -> None:
    report = gateway.find(asked(sms(), provider_id="0" * 32))
    assert report is not None
    assert (report.state, report.raw_status) == (MessageState.UNKNOWN, "not found")


def test_attempt_is_found_behind_a_pile_of_newer_texts(
    gateway: MessageBirdGateway, sandbox: GatewaySandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messagebird, "_PAGE_SIZE", 2)
    at = datetime.now(UTC)
    wanted = gateway.send(sms("wanted")).provider_message_id
    for number in range(5):
        gateway.send(sms(f"newer-{number}"))
    report = gateway.find(asked(sms("wanted"), at))
    assert report is not None
    assert report.provider_message_id == wanted
    assert gateway.find(replace(asked(sms("wanted"), at), exclude=frozenset({wanted}))) is None


def test_history_older_than_the_attempt_is_not_read(
    gateway: MessageBirdGateway, sandbox: GatewaySandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messagebird, "_PAGE_SIZE", 2)
    for number in range(9):
        gateway.send(sms(f"older-{number}"))
    assert gateway.find(asked(sms("wanted"), datetime.now(UTC) + timedelta(hours=1))) is None
    assert sandbox.world.calls["find"] == 1


def test_pile_without_end_is_given_up_and_said_so(gateway: MessageBirdGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messagebird, "_PAGE_SIZE", 1)
    monkeypatch.setattr(messagebird, "_MOST_PAGES", 2)
    at = datetime.now(UTC)
    for number in range(4):
        gateway.send(sms(f"newer-{number}"))
    with pytest.raises(TransientSendError) as caught:
        gateway.find(asked(sms("wanted"), at))
    assert caught.value.code == "too_many"


def test_list_that_does_not_begin_with_the_newest_is_read_to_its_end(
    gateway: MessageBirdGateway, sandbox: GatewaySandbox
) -> None:
    at = datetime.now(UTC)
    hours_ago = [{"id": f"m{hours}", "createdDatetime": (at - timedelta(hours=hours)).isoformat()} for hours in (9, 8)]
    wanted = {"id": "m0", "reference": "wanted", "createdDatetime": at.isoformat()}
    for items in (hours_ago, [wanted]):
        page = {"items": items, "totalCount": 3}
        sandbox.faults.arm("messagebird.find", "status", status=200, body=json.dumps(page))
    report = gateway.find(asked(sms("wanted"), at))
    assert report is not None
    assert report.provider_message_id == "m0"


def test_list_that_hides_what_it_counts_is_no_answer(gateway: MessageBirdGateway, sandbox: GatewaySandbox) -> None:
    sandbox.faults.arm("messagebird.find", "status", status=200, body=json.dumps({"items": [], "totalCount": 3}))
    with pytest.raises(TransientSendError):
        gateway.find(asked(sms("wanted")))


def test_messages_without_a_time_are_no_reason_to_stop_looking(
    gateway: MessageBirdGateway, sandbox: GatewaySandbox
) -> None:
    page = {"items": [{"id": "x", "createdDatetime": "yesterday"}], "totalCount": 3}
    for _ in range(2):
        sandbox.faults.arm("messagebird.find", "status", status=200, body=json.dumps(page))
    assert gateway.find(asked(sms("wanted"))) is None
    assert sandbox.world.calls["find"] == 3


@pytest.mark.parametrize(("status", "body"), [(200, "{}"), (401, '{"errors": [{"code": 2}]}'), (502, "oops")])
@pytest.mark.parametrize("provider_id", [None, "m"])
def test_query_that_failed_is_no_answer(
    gateway: MessageBirdGateway, sandbox: GatewaySandbox, status: int, body: str, provider_id: str | None
) -> None:
    sandbox.faults.arm("messagebird.find", "status", status=status, body=body)
    with pytest.raises(SendError):
        gateway.find(asked(sms(), provider_id=provider_id))


def test_forged_and_unsigned_reports_are_refused(
    gateway: MessageBirdGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    for oddity in ("forged", "unsigned"):
        sandbox.world.receipts.arm(oddity)
        gateway.send(sms(oddity))
    for request in receiver.after(sandbox.engine):
        with pytest.raises(SignatureError):
            gateway.verify(request)


def test_reply_is_verified_and_read(gateway: MessageBirdGateway, sandbox: GatewaySandbox, receiver: Receiver) -> None:
    written = sandbox.world.reply(NUMBER, SENDER, "Yes ✓")
    (request,) = receiver.after(sandbox.engine)
    gateway.verify(request)
    (reply,) = gateway.read_incoming(request)
    assert (reply.provider_message_id, reply.from_, reply.to, reply.body) == (written.id, NUMBER, SENDER, "Yes ✓")
    with pytest.raises(SignatureError):
        gateway.verify(replace(request, body=request.body + b"&body=No"))


# -- what a number is


@pytest.mark.parametrize(
    ("number", "line_type", "is_reachable", "country"),
    [(NUMBER, LineType.MOBILE, True, "US"), ("+442079460123", LineType.LANDLINE, None, "GB")],
)
def test_lookup_tells_line_country_and_network(
    gateway: MessageBirdGateway, number: str, line_type: LineType, is_reachable: bool | None, country: str
) -> None:
    answer = gateway.look_up(number)
    assert (answer.line_type, answer.is_reachable, answer.country) == (line_type, is_reachable, country)
    assert answer.carrier == ("310260" if is_reachable else None)


def test_number_that_does_not_exist_is_an_answer(gateway: MessageBirdGateway) -> None:
    assert gateway.look_up("+1").line_type is LineType.INVALID


@pytest.mark.parametrize(("status", "body"), [(500, "oops"), (401, '{"errors": [{"code": 2}]}'), (200, "{}")])
def test_lookup_that_failed_is_an_error(
    gateway: MessageBirdGateway, sandbox: GatewaySandbox, status: int, body: str
) -> None:
    sandbox.faults.arm("messagebird.lookup", "status", status=status, body=body)
    with pytest.raises(SendError):
        gateway.look_up(NUMBER)


# -- how it is configured


def test_missing_settings_are_named() -> None:
    with pytest.raises(ConfigurationError, match="MESSAGEBIRD_ACCESS_KEY"):
        MessageBirdGateway("", [SIGNING_KEY], sender=SENDER)
    with pytest.raises(ConfigurationError, match="MESSAGEBIRD_FROM"):
        MessageBirdGateway(ACCESS_KEY, [SIGNING_KEY], sender="")


def test_plugin_builds_the_gateway_from_its_settings(sandbox: GatewaySandbox) -> None:
    values = {setting.name: setting.default for setting in PLUGIN.settings}
    values |= {"MESSAGEBIRD_ACCESS_KEY": ACCESS_KEY, "MESSAGEBIRD_FROM": SENDER, "MESSAGEBIRD_API_URL": sandbox.url}
    gateway = PLUGIN.build(values)
    assert gateway.send(sms()).provider_message_id
    gateway.close()
