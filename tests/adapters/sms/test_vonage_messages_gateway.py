from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connector.adapters.sms.vonage_messages import PLUGIN, VonageMessagesGateway
from connector.domain.message import ErrorClass, MessageState
from connector.errors import (
    ConfigurationError,
    PermanentSendError,
    SendError,
    SignatureError,
    TransientSendError,
    UnsignedCallbackError,
)
from connector.ports.gateway import AttemptQuery, CallbackRequest, DLTRegistration, OutgoingSMS, SMSGateway
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.gateways.vonage_account import API_KEY, API_SECRET, SIGNATURE_SECRET
from connector.sandbox.gateways.vonage_messages import VonageMessagesSkin
from tests.adapters.sms.contract import NUMBER, SENDER, Break, RemoteGatewayContract, sms
from tests.adapters.sms.emulated import Receiver, as_request

NOBODY = "http://127.0.0.1:9"  # the discard port, which nothing listens on
INBOUND = "https://sms.example.com/callbacks/vonage-messages/inbound"
LATER = timedelta(minutes=15)  # long enough for every text to be on record


def later() -> datetime:
    return datetime.now(UTC) + LATER


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def sandbox(receiver: Receiver) -> Iterator[GatewaySandbox]:
    box = GatewaySandbox(VonageMessagesSkin(page_size=2), post=receiver, inbound_url=INBOUND)
    with box.server:
        yield box


def make(url: str, clock: Callable[[], datetime] = later) -> VonageMessagesGateway:
    secrets = ["a-newer-secret", SIGNATURE_SECRET]
    return VonageMessagesGateway(API_KEY, API_SECRET, SENDER, secrets, api_url=url, clock=clock)


@pytest.fixture
def gateway(sandbox: GatewaySandbox) -> Iterator[VonageMessagesGateway]:
    one = make(sandbox.url)
    yield one
    one.close()


def query(text: OutgoingSMS, provider_id: str | None = None, *exclude: str) -> AttemptQuery:
    now = datetime.now(UTC)
    return AttemptQuery(text.attempt_id, provider_id, text.to, text.sender, text.body, now, frozenset(exclude))


def only(sandbox: GatewaySandbox) -> Message:
    (message,) = sandbox.world.messages()
    return message


class TestVonageMessagesGateway(RemoteGatewayContract):
    @pytest.fixture(autouse=True)
    def take_sandbox(self, sandbox: GatewaySandbox, receiver: Receiver) -> None:
        self.sandbox, self.receiver = sandbox, receiver

    def deliver(self, gateway: SMSGateway) -> Sequence[CallbackRequest]:
        return self.receiver.after(self.sandbox.engine)

    @pytest.fixture
    def break_next(self, sandbox: GatewaySandbox) -> Break:
        def arm(kind: str, **options: Any) -> None:
            sandbox.faults.arm("vonage-messages.send", kind, **options)

        return arm

    @pytest.fixture
    def unreachable(self) -> VonageMessagesGateway:
        return make(NOBODY)

    @pytest.fixture
    def received(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: len(sandbox.world.messages())

    @pytest.fixture
    def requests(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: sandbox.world.calls["send"]

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (API_SECRET, "Basic ", SIGNATURE_SECRET)


# -- what is sent


def test_message_says_who_to_what_until_when_and_where_to_report(
    gateway: VonageMessagesGateway, sandbox: GatewaySandbox
) -> None:
    gateway.send(replace(sms(), is_unicode=True, dlt=DLTRegistration("1001", "2002")))
    assert only(sandbox).details == {
        "channel": "sms",
        "message_type": "text",
        "to": NUMBER[1:],
        "from": SENDER[1:],
        "text": sms().body,
        "client_ref": "attempt-1",
        "webhook_url": "https://sms.example.com/callbacks/status/attempt-1",
        "webhook_version": "v1",
        "ttl": 3600,
        "sms": {"encoding_type": "unicode", "entity_id": "1001", "content_id": "2002"},
    }


def test_vonage_finds_the_alphabet_when_it_is_not_told(gateway: VonageMessagesGateway, sandbox: GatewaySandbox) -> None:
    gateway.send(sms(sender="AcmeInc"))
    assert (only(sandbox).details["sms"], only(sandbox).sender) == ({"encoding_type": "auto"}, "AcmeInc")


@pytest.mark.parametrize(
    ("valid_for", "ttl"),
    [(timedelta(seconds=1), 20), (timedelta(seconds=90.9), 90), (timedelta(days=30), 604_800), (None, None)],
)
def test_validity_is_told_in_seconds_within_what_vonage_takes(
    gateway: VonageMessagesGateway, sandbox: GatewaySandbox, valid_for: timedelta | None, ttl: int | None
) -> None:
    gateway.send(replace(sms(), valid_for=valid_for))
    assert only(sandbox).details.get("ttl") == ttl


def test_half_a_surrogate_pair_is_sent_as_a_question_mark(
    gateway: VonageMessagesGateway, sandbox: GatewaySandbox
) -> None:
    gateway.send(sms(body="Hi \ud83d"))
    assert only(sandbox).body == "Hi ?"


# -- what Vonage answers


@pytest.mark.parametrize(
    ("text", "error", "code", "error_class"),
    [
        (sms(body="x" * 1001), PermanentSendError, "1090", ErrorClass.PERMANENT_CONTENT),
        (sms(sender="a-sender-nobody-may-have"), PermanentSendError, "1420", ErrorClass.SENDER_OR_REGISTRATION),
        (replace(sms(), to="+12"), PermanentSendError, "1430", ErrorClass.PERMANENT_NUMBER),
        (sms(attempt_id="a" * 101), TransientSendError, "1450", ErrorClass.CONFIG),
        (sms(body=""), TransientSendError, "1010", ErrorClass.CONFIG),
    ],
)
def test_refusal_is_told_with_its_code(
    gateway: VonageMessagesGateway, text: OutgoingSMS, error: type[SendError], code: str, error_class: ErrorClass
) -> None:
    with pytest.raises(error) as caught:
        gateway.send(text)
    assert (caught.value.code, caught.value.error_class) == (code, error_class)


@pytest.mark.parametrize(
    ("status", "kind", "error_class"),
    [
        (401, "#unauthorized", ErrorClass.CONFIG),
        (402, "#low-balance", ErrorClass.ACCOUNT_OR_CREDIT),
        (403, "#forbidden", ErrorClass.CONFIG),
        (429, "#throttled", ErrorClass.THROTTLED),
        (422, "/messages#1060", ErrorClass.ACCOUNT_OR_CREDIT),
    ],
)
def test_account_in_trouble_keeps_the_text_waiting(
    gateway: VonageMessagesGateway, sandbox: GatewaySandbox, status: int, kind: str, error_class: ErrorClass
) -> None:
    body = {"type": f"https://developer.vonage.com/api-errors{kind}", "title": "A title"}
    sandbox.faults.arm("vonage-messages.send", "status", status=status, body=body)
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms())
    assert caught.value.error_class is error_class


def test_code_nobody_knows_is_final_and_unknown(gateway: VonageMessagesGateway, sandbox: GatewaySandbox) -> None:
    sandbox.faults.arm("vonage-messages.send", "status", status=422, body={"title": "9999"})
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == ("9999", ErrorClass.UNKNOWN)


def test_wrong_secret_waits_for_somebody_to_mend_it(sandbox: GatewaySandbox) -> None:
    sandbox.world.credentials["api_secret"] = "changed"
    gateway = make(sandbox.url)
    with pytest.raises(TransientSendError) as sending:
        gateway.send(sms())
    gateway.close()
    assert sending.value.error_class is ErrorClass.CONFIG


# -- what became of it


@pytest.mark.parametrize("is_id_known", [True, False])
def test_record_tells_how_it_ended_and_what_it_cost(
    gateway: VonageMessagesGateway, sandbox: GatewaySandbox, is_id_known: bool
) -> None:
    sandbox.world.receipts.arm("undelivered", error_code="1240")
    accepted = gateway.send(sms())
    sandbox.engine.flush()
    report = gateway.find(query(sms(), accepted.provider_message_id if is_id_known else None))
    assert report is not None
    assert (report.state, report.error_code, report.error_class) == (MessageState.UNDELIVERED, "1240", "opted_out")
    assert (report.price, report.currency) == (only(sandbox).price, "EUR")


def test_record_of_a_text_on_its_way_has_no_error(gateway: VonageMessagesGateway) -> None:
    accepted = gateway.send(sms())
    report = gateway.find(query(sms(), accepted.provider_message_id))
    assert report is not None
    assert (report.state, report.error_code) == (MessageState.SENT, None)


def test_id_that_is_not_on_record_is_of_a_text_that_was_taken(gateway: VonageMessagesGateway) -> None:
    report = gateway.find(query(sms(), "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"))
    assert report is not None
    assert (report.state, report.raw_status) == (MessageState.UNKNOWN, "not found")


def test_nothing_on_record_means_nothing_yet(sandbox: GatewaySandbox) -> None:
    gateway = make(sandbox.url, clock=lambda: datetime.now(UTC))
    with pytest.raises(TransientSendError) as caught:
        gateway.find(query(sms()))
    assert caught.value.code == "too_early"
    gateway.close()


def test_record_is_found_on_a_later_page(gateway: VonageMessagesGateway, sandbox: GatewaySandbox) -> None:
    for number in range(5):
        gateway.send(sms(f"attempt-{number}"))
    report = gateway.find(query(sms("attempt-4")))
    assert report is not None
    assert report.provider_message_id == sandbox.world.messages()[-1].id


# -- callbacks


def test_receipts_tell_price_segments_and_carrier(
    gateway: VonageMessagesGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    gateway.send(sms(body="x" * 400))
    (_, last) = receiver.after(sandbox.engine)
    (report,) = gateway.read_status(last, None)
    assert (report.segments, report.price, report.currency) == (3, Decimal("0.02490"), "EUR")
    assert report.carrier == "23410"


@pytest.mark.parametrize(
    ("kind", "state", "code"),
    [
        ("undelivered", MessageState.UNDELIVERED, "1180"),
        ("failed", MessageState.FAILED, "1331"),
        ("held", MessageState.EXPIRED, "1360"),
    ],
)
def test_bad_end_is_told_with_its_code(
    gateway: VonageMessagesGateway,
    sandbox: GatewaySandbox,
    receiver: Receiver,
    kind: str,
    state: MessageState,
    code: str,
) -> None:
    sandbox.world.receipts.arm(kind, **({"seconds": 7200} if kind == "held" else {}))
    gateway.send(sms())
    (report,) = gateway.read_status(receiver.after(sandbox.engine)[-1], None)
    assert (report.state, report.error_code) == (state, code)


def test_reply_comes_whole_and_signed(
    gateway: VonageMessagesGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    sandbox.world.reply(NUMBER, SENDER, "שלום " * 40)
    (request,) = receiver.after(sandbox.engine)
    gateway.verify(request)
    (incoming,) = gateway.read_incoming(request)
    assert (incoming.from_, incoming.to, incoming.body) == (NUMBER, SENDER, "שלום " * 40)


def test_unsigned_callback_is_our_fault_and_comes_back_signed(
    gateway: VonageMessagesGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    sandbox.world.receipts.arm("unsigned")
    receiver.answers += [httpx.Response(503)]  # what the web answers to an unsigned callback
    gateway.send(sms())
    sandbox.engine.flush()
    first, *_, last = receiver.calls
    with pytest.raises(UnsignedCallbackError):
        gateway.verify(as_request(first))
    assert (last.url, last.body) == (first.url, first.body)
    gateway.verify(as_request(last))


def test_token_of_another_body_is_refused(
    gateway: VonageMessagesGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    sandbox.world.receipts.arm("forged")
    gateway.send(sms())
    for request in receiver.after(sandbox.engine):
        with pytest.raises(SignatureError, match="body"):
            gateway.verify(request)


# -- settings


def test_plugin_builds_the_gateway_from_its_settings() -> None:
    values = {setting.name: setting.default or "x" for setting in PLUGIN.settings}
    assert all(name.startswith("VONAGE_MESSAGES_") for name in values)
    PLUGIN.build(values).close()


def test_gateway_that_could_verify_nothing_is_not_built() -> None:
    with pytest.raises(ConfigurationError, match="VONAGE_MESSAGES_SIGNATURE_SECRETS"):
        VonageMessagesGateway(API_KEY, API_SECRET, SENDER, ["", ""])
