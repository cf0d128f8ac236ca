from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.adapters.sms.infobip import PLUGIN, InfobipGateway
from connector.domain.message import ErrorClass, MessageState
from connector.errors import (
    AmbiguousSendError,
    ConfigurationError,
    PermanentSendError,
    SendError,
    SignatureError,
    TransientSendError,
    UnanswerableError,
)
from connector.ports.gateway import AttemptQuery, CallbackRequest, DLTRegistration, OutgoingSMS, SMSGateway
from connector.sandbox.gateways.infobip import API_KEY, InfobipSkin
from connector.sandbox.gateways.sandbox import GatewaySandbox
from tests.adapters.sms.contract import NUMBER, SENDER, Break, RemoteGatewayContract, sms
from tests.adapters.sms.emulated import Receiver

NOBODY = "http://127.0.0.1:9"  # the discard port, which nothing listens on
KEYS, LOGIN = ("a-newer-key", "an-older-key"), "infobip:a-password"
INBOUND_URL = f"https://sms.example.com/callbacks/inbound?key={KEYS[1]}"


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def skin() -> InfobipSkin:
    return InfobipSkin()


@pytest.fixture
def sandbox(skin: InfobipSkin, receiver: Receiver) -> Iterator[GatewaySandbox]:
    box = GatewaySandbox(skin, post=receiver, inbound_url=INBOUND_URL)
    with box.server:
        yield box


@pytest.fixture
def gateway(sandbox: GatewaySandbox) -> Iterator[InfobipGateway]:
    one = InfobipGateway(API_KEY, sandbox.url, sender=SENDER, callback_keys=KEYS)
    yield one
    one.close()


def asked(text: OutgoingSMS, at: datetime | None = None, provider_id: str | None = None) -> AttemptQuery:
    return AttemptQuery(text.attempt_id, provider_id, text.to, text.sender, text.body, at or datetime.now(UTC))


def refused(status_id: int, name: str) -> dict[str, Any]:
    return {"messages": [{"messageId": "m", "status": {"id": status_id, "name": name}}]}


class TestInfobipGateway(RemoteGatewayContract):
    @pytest.fixture(autouse=True)
    def take_sandbox(self, sandbox: GatewaySandbox, receiver: Receiver) -> None:
        self.sandbox, self.receiver = sandbox, receiver

    def deliver(self, gateway: SMSGateway) -> Sequence[CallbackRequest]:
        return self.receiver.after(self.sandbox.engine)

    @pytest.fixture
    def break_next(self, sandbox: GatewaySandbox) -> Break:
        def arm(kind: str, **options: Any) -> None:
            sandbox.faults.arm("infobip.send", kind, **options)

        return arm

    @pytest.fixture
    def unreachable(self) -> InfobipGateway:
        return InfobipGateway(API_KEY, NOBODY, sender=SENDER)

    @pytest.fixture
    def received(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: len(sandbox.world.messages())

    @pytest.fixture
    def requests(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: sandbox.world.calls["send"]

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (API_KEY, "App ", *KEYS)


# -- what is sent


def test_message_bears_our_attempt_id_and_the_newest_key(gateway: InfobipGateway, sandbox: GatewaySandbox) -> None:
    accepted = gateway.send(sms())
    (message,) = sandbox.world.messages()
    assert message.id == accepted.provider_message_id == "attempt-1"
    assert message.callback_url == "https://sms.example.com/callbacks/status/attempt-1?key=a-newer-key"
    assert (message.to, message.sender, message.reference) == (NUMBER, SENDER[1:], "attempt-1")
    assert message.valid_for == timedelta(hours=1)
    assert (accepted.state, accepted.raw_status) == (MessageState.ACCEPTED, "PENDING_ACCEPTED")


def test_indian_registration_is_passed_on(gateway: InfobipGateway, sandbox: GatewaySandbox) -> None:
    gateway.send(replace(sms(sender="ACME"), dlt=DLTRegistration("1001000000000000001", "1007000000000000002")))
    (message,) = sandbox.world.messages()
    assert message.sender == "ACME"
    assert message.details["indiaDlt"] == {
        "principalEntityId": "1001000000000000001",
        "contentTemplateId": "1007000000000000002",
    }


def test_answer_tells_segments(gateway: InfobipGateway) -> None:
    assert gateway.send(sms(body="x" * 161)).segments == 2


def test_text_without_a_time_to_live_names_none(gateway: InfobipGateway, sandbox: GatewaySandbox) -> None:
    gateway.send(replace(sms(), valid_for=None))
    assert sandbox.world.messages()[0].valid_for is None


def test_half_a_surrogate_pair_is_sent_as_a_question_mark(gateway: InfobipGateway, sandbox: GatewaySandbox) -> None:
    gateway.send(sms(body="Hi \ud83d"))
    assert sandbox.world.messages()[0].body == "Hi ?"


def test_attempt_that_comes_twice_is_one_text_and_both_times_accepted(
    gateway: InfobipGateway, sandbox: GatewaySandbox
) -> None:
    sandbox.faults.arm("infobip.send", "accept_then_timeout", then="reset")
    with pytest.raises(AmbiguousSendError):
        gateway.send(sms())
    again = gateway.send(sms())
    assert (again.provider_message_id, again.state) == ("attempt-1", MessageState.ACCEPTED)
    assert again.raw_status == "REJECTED_DUPLICATE_MESSAGE_ID"
    assert len(sandbox.world.messages()) == 1


# -- what is refused


def test_wrong_key_keeps_texts_waiting(sandbox: GatewaySandbox) -> None:
    gateway = InfobipGateway("wrong", sandbox.url, sender=SENDER)
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == ("E401", ErrorClass.CONFIG)
    gateway.close()


def test_too_many_a_second_are_throttled(gateway: InfobipGateway, sandbox: GatewaySandbox) -> None:
    sandbox.world.max_per_second = 0
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == ("E429", ErrorClass.THROTTLED)


def test_blocked_number_is_refused_in_a_success_and_is_opted_out(gateway: InfobipGateway, skin: InfobipSkin) -> None:
    skin.blocklist.add(NUMBER)
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(sms())
    assert caught.value.code == "REJECTED_DESTINATION_BLOCKLISTED"
    assert caught.value.error_class == ErrorClass.OPTED_OUT


def test_number_that_is_none_is_final(gateway: InfobipGateway) -> None:
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(replace(sms(), to="+1"))
    assert (caught.value.code, caught.value.error_class) == ("REJECTED_DESTINATION", ErrorClass.PERMANENT_NUMBER)


@pytest.mark.parametrize(
    ("status", "body", "kind", "error_class"),
    [
        (400, {"errorCode": "E400"}, PermanentSendError, "unknown"),
        (
            401,
            {"requestError": {"serviceException": {"messageId": "UNAUTHORIZED"}}},
            TransientSendError,
            "config",
        ),
        (500, {"errorCode": "E500"}, AmbiguousSendError, "unknown"),
        (503, {"errorCode": "E503"}, TransientSendError, "transient"),
        (200, refused(12, "REJECTED_NOT_ENOUGH_CREDITS"), TransientSendError, "account_or_credit"),
        (200, refused(21, "REJECTED_SYSTEM_ERROR"), TransientSendError, "transient"),
        (200, refused(25, "REJECTED_MESSAGE_TOO_LONG"), PermanentSendError, "permanent_content"),
        (200, refused(11, "REJECTED_SOURCE"), PermanentSendError, "sender_or_registration"),
        (200, {"messages": [{"messageId": "m", "status": {"id": 87}}]}, PermanentSendError, "unknown"),
        (200, {"messages": [{"messageId": "m"}]}, AmbiguousSendError, "unknown"),
        (200, {"messages": [{"status": {"id": 26}}]}, AmbiguousSendError, "unknown"),
        (200, {"messages": []}, AmbiguousSendError, "unknown"),
    ],
)
def test_answers_off_the_beaten_track(
    gateway: InfobipGateway,
    sandbox: GatewaySandbox,
    status: int,
    body: dict[str, Any],
    kind: type[SendError],
    error_class: str,
) -> None:
    sandbox.faults.arm("infobip.send", "status", status=status, body=json.dumps(body))
    with pytest.raises(kind) as caught:
        gateway.send(sms())
    assert caught.value.error_class == error_class


def test_success_with_a_status_nobody_knows_is_accepted_all_the_same(
    gateway: InfobipGateway, sandbox: GatewaySandbox
) -> None:
    body = json.dumps({"messages": [{"messageId": "m", "status": {"id": 4711, "groupId": 5}}]})
    sandbox.faults.arm("infobip.send", "status", status=200, body=body)
    accepted = gateway.send(sms())
    assert (accepted.state, accepted.raw_status) == (MessageState.ACCEPTED, "4711")


# -- what becomes of it


@pytest.mark.parametrize(
    ("oddity", "options", "state", "error_class"),
    [
        ("undelivered", {}, MessageState.UNDELIVERED, ErrorClass.TRANSIENT),
        ("undelivered", {"error_code": 2050}, MessageState.UNDELIVERED, ErrorClass.OPTED_OUT),
        ("undelivered", {"error_code": 1}, MessageState.UNDELIVERED, ErrorClass.PERMANENT_NUMBER),
        ("held", {"seconds": 7200}, MessageState.EXPIRED, ErrorClass.TRANSIENT),
        ("failed", {}, MessageState.FAILED, ErrorClass.TRANSIENT),
    ],
)
def test_bad_end_is_told_by_report_and_by_asking(
    gateway: InfobipGateway,
    sandbox: GatewaySandbox,
    receiver: Receiver,
    oddity: str,
    options: dict[str, Any],
    state: MessageState,
    error_class: ErrorClass,
) -> None:
    sandbox.world.receipts.arm(oddity, **options)
    gateway.send(sms())
    (last,) = receiver.after(sandbox.engine)
    (told,) = gateway.read_status(last, None)
    assert told == gateway.find(asked(sms()))
    assert (told.state, told.error_class, told.attempt_id) == (state, error_class, "attempt-1")


def test_refused_duplicate_does_not_hide_the_text_that_was_sent(
    gateway: InfobipGateway, sandbox: GatewaySandbox
) -> None:
    duplicate = {"messageId": "attempt-1", "status": {"id": 23, "name": "REJECTED_DUPLICATE_MESSAGE_ID"}}
    delivered = {"messageId": "attempt-1", "status": {"id": 5, "name": "DELIVERED_TO_HANDSET"}}
    for results, state in (
        ([duplicate, delivered], MessageState.DELIVERED),
        ([duplicate], MessageState.UNKNOWN),
        ([{"messageId": "attempt-2", "status": {"id": 5}}], None),
    ):
        sandbox.faults.arm("infobip.find", "status", status=200, body=json.dumps({"results": results}))
        found = gateway.find(asked(sms()))
        assert (found.state if found else None) is state


def test_text_that_infobip_forgot_was_sent_all_the_same(gateway: InfobipGateway) -> None:
    report = gateway.find(asked(sms(), provider_id="attempt-1"))
    assert report is not None
    assert (report.state, report.raw_status) == (MessageState.UNKNOWN, "not found")


def test_attempt_older_than_the_logs_cannot_be_asked_about(gateway: InfobipGateway) -> None:
    with pytest.raises(UnanswerableError):
        gateway.find(asked(sms(), datetime.now(UTC) - timedelta(hours=48)))
    assert gateway.find(asked(sms(), datetime.now(UTC) - timedelta(hours=40))) is None


@pytest.mark.parametrize(("status", "body"), [(200, "{}"), (401, "{}"), (429, ""), (502, "oops")])
def test_query_that_failed_is_no_answer(
    gateway: InfobipGateway, sandbox: GatewaySandbox, status: int, body: str
) -> None:
    sandbox.faults.arm("infobip.find", "status", status=status, body=body)
    with pytest.raises(SendError):
        gateway.find(asked(sms()))


def test_forged_report_is_refused(gateway: InfobipGateway, sandbox: GatewaySandbox, receiver: Receiver) -> None:
    sandbox.world.receipts.arm("forged")
    gateway.send(sms())
    (request,) = receiver.after(sandbox.engine)
    with pytest.raises(SignatureError):
        gateway.verify(request)


def test_subscription_may_use_a_login_instead_of_the_key(receiver: Receiver) -> None:
    box = GatewaySandbox(InfobipSkin(login=LOGIN), post=receiver)
    with box.server:
        gateway = InfobipGateway(API_KEY, box.url, sender=SENDER, callback_logins=[LOGIN])
        gateway.send(sms())
        (request,) = receiver.after(box.engine)
        assert request.url == "https://sms.example.com/callbacks/status/attempt-1"
        gateway.verify(request)
        with pytest.raises(SignatureError):
            gateway.verify(replace(request, headers={}))
        gateway.close()


def test_reply_is_verified_and_read(gateway: InfobipGateway, sandbox: GatewaySandbox, receiver: Receiver) -> None:
    written = sandbox.world.reply(NUMBER, SENDER, "Yes ✓")
    (request,) = receiver.after(sandbox.engine)
    gateway.verify(request)
    (reply,) = gateway.read_incoming(request)
    assert (reply.provider_message_id, reply.from_, reply.to, reply.body) == (written.id, NUMBER, SENDER, "Yes ✓")


# -- how it is configured


@pytest.mark.parametrize("missing", ["INFOBIP_API_KEY", "INFOBIP_API_URL", "INFOBIP_FROM"])
def test_missing_settings_are_named(missing: str) -> None:
    values = {setting.name: setting.default or setting.example for setting in PLUGIN.settings} | {missing: ""}
    with pytest.raises(ConfigurationError, match=missing):
        PLUGIN.build(values)


def test_plugin_builds_the_gateway_from_its_settings(sandbox: GatewaySandbox) -> None:
    values = {setting.name: setting.default for setting in PLUGIN.settings}
    values |= {"INFOBIP_API_KEY": API_KEY, "INFOBIP_FROM": SENDER, "INFOBIP_API_URL": sandbox.url}
    gateway = PLUGIN.build(values)
    assert gateway.send(sms()).provider_message_id == "attempt-1"
    gateway.close()
