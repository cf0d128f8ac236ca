from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connector.adapters.sms.vonage import PLUGIN, VonageGateway
from connector.adapters.sms.vonage_callbacks import Trust
from connector.domain.message import ErrorClass, MessageState
from connector.errors import (
    AmbiguousSendError,
    ConfigurationError,
    PermanentSendError,
    SendError,
    SignatureError,
    TransientSendError,
)
from connector.ports.gateway import AttemptQuery, CallbackRequest, DLTRegistration, OutgoingSMS, SMSGateway
from connector.ports.number_lookup import LineType
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.gateways.vonage import DELIVERIES, VonageSkin
from connector.sandbox.gateways.vonage_account import API_KEY, API_SECRET
from tests.adapters.sms.contract import BODIES, NUMBER, SENDER, Break, RemoteGatewayContract, sms
from tests.adapters.sms.emulated import Receiver, as_request

NOBODY = "http://127.0.0.1:9"  # the discard port, which nothing listens on
SECRET, KEY = "a-signature-secret", "k1"
INBOUND = "https://sms.example.com/callbacks/vonage/inbound"
SIGNED = Trust(("a-newer-secret", SECRET), "sha256")
LATER = timedelta(minutes=15)  # long enough for every text to be on record


def later() -> datetime:
    return datetime.now(UTC) + LATER


@pytest.fixture
def skin() -> VonageSkin:
    return VonageSkin(SECRET, "sha256", page_size=2)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def sandbox(skin: VonageSkin, receiver: Receiver) -> Iterator[GatewaySandbox]:
    box = GatewaySandbox(skin, post=receiver, inbound_url=INBOUND)
    with box.server:
        yield box


@pytest.fixture
def gateway(sandbox: GatewaySandbox) -> Iterator[VonageGateway]:
    one = make(sandbox.url)
    yield one
    one.close()


def make(url: str, trust: Trust = SIGNED, clock: Callable[[], datetime] = later, **more: Any) -> VonageGateway:
    return VonageGateway(API_KEY, API_SECRET, SENDER, trust, rest_url=url, api_url=url, clock=clock, **more)


def query(text: OutgoingSMS, provider_id: str | None = None, *exclude: str) -> AttemptQuery:
    now = datetime.now(UTC)
    return AttemptQuery(text.attempt_id, provider_id, text.to, text.sender, text.body, now, frozenset(exclude))


def only(sandbox: GatewaySandbox) -> Message:
    (message,) = sandbox.world.messages()
    return message


class TestVonageGateway(RemoteGatewayContract):
    @pytest.fixture(autouse=True)
    def take_sandbox(self, sandbox: GatewaySandbox, receiver: Receiver) -> None:
        self.sandbox, self.receiver = sandbox, receiver

    def deliver(self, gateway: SMSGateway) -> Sequence[CallbackRequest]:
        return self.receiver.after(self.sandbox.engine)

    @pytest.fixture
    def break_next(self, sandbox: GatewaySandbox) -> Break:
        def arm(kind: str, **options: Any) -> None:
            sandbox.faults.arm("vonage.send", kind, **options)

        return arm

    @pytest.fixture
    def unreachable(self) -> VonageGateway:
        return make(NOBODY)

    @pytest.fixture
    def received(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: len(sandbox.world.messages())

    @pytest.fixture
    def requests(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: sandbox.world.calls["send"]

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (API_SECRET, "Basic ", SECRET)


# -- what is sent


def test_form_says_who_to_what_until_when_and_where_to_report(gateway: VonageGateway, sandbox: GatewaySandbox) -> None:
    gateway.send(replace(sms(), is_unicode=True, dlt=DLTRegistration("1001", "2002")))
    assert only(sandbox).details == {
        "from": SENDER[1:],
        "to": NUMBER[1:],
        "text": sms().body,
        "type": "unicode",
        "client-ref": "attempt-1",
        "status-report-req": "1",
        "callback": "https://sms.example.com/callbacks/status/attempt-1",
        "ttl": "3600000",
        "entity-id": "1001",
        "content-id": "2002",
    }


@pytest.mark.parametrize("body", BODIES)
def test_text_arrives_as_it_was_written_when_vonage_is_told_its_alphabet(
    gateway: VonageGateway, sandbox: GatewaySandbox, body: str
) -> None:
    gateway.send(replace(sms(body=body), is_unicode=not body.isascii() and "€" not in body))
    assert only(sandbox).body == body


def test_half_a_surrogate_pair_is_sent_as_a_question_mark(gateway: VonageGateway, sandbox: GatewaySandbox) -> None:
    gateway.send(sms(body="Hi \ud83d"))
    assert only(sandbox).body == "Hi ?"


@pytest.mark.parametrize(
    ("valid_for", "ttl"),
    [
        (timedelta(seconds=1), "20000"),
        (timedelta(seconds=90, milliseconds=5), "90005"),
        (timedelta(days=30), "604800000"),
        (None, None),
    ],
)
def test_validity_is_told_in_milliseconds_within_what_vonage_takes(
    gateway: VonageGateway, sandbox: GatewaySandbox, valid_for: timedelta | None, ttl: str | None
) -> None:
    gateway.send(replace(sms(), valid_for=valid_for))
    assert only(sandbox).details.get("ttl") == ttl


def test_address_vonage_would_find_too_long_is_left_out_and_the_receipt_finds_its_attempt_all_the_same(
    gateway: VonageGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    sandbox.world.status_url = "https://sms.example.com/callbacks/vonage/status"  # the account's own
    accepted = gateway.send(replace(sms(), status_url=f"https://sms.example.com/{'x' * 100}/attempt-1"))
    assert "callback" not in only(sandbox).details
    (*_, last) = receiver.after(sandbox.engine)
    (report,) = gateway.read_status(last, None)
    assert (report.attempt_id, report.provider_message_id) == ("attempt-1", accepted.provider_message_id)


# -- what Vonage answers


def test_answer_gives_an_id_for_each_part_and_the_price_of_all(gateway: VonageGateway, sandbox: GatewaySandbox) -> None:
    accepted = gateway.send(sms(body="x" * 400))
    message = only(sandbox)
    assert accepted.part_ids == message.part_ids
    assert (accepted.segments, accepted.price, accepted.currency) == (3, message.price, "EUR")
    assert accepted.state is MessageState.ACCEPTED


def test_text_of_one_part_has_no_ids_of_parts(gateway: VonageGateway) -> None:
    assert gateway.send(sms(body="Hi")).part_ids == ()


@pytest.mark.parametrize(
    ("status", "error", "error_class"),
    [
        ("1", TransientSendError, ErrorClass.THROTTLED),
        ("4", TransientSendError, ErrorClass.CONFIG),
        ("5", TransientSendError, ErrorClass.TRANSIENT),
        ("7", PermanentSendError, ErrorClass.PERMANENT_NUMBER),
        ("9", TransientSendError, ErrorClass.ACCOUNT_OR_CREDIT),
        ("12", PermanentSendError, ErrorClass.PERMANENT_CONTENT),
        ("15", PermanentSendError, ErrorClass.SENDER_OR_REGISTRATION),
        ("777", PermanentSendError, ErrorClass.UNKNOWN),
    ],
)
def test_refusal_inside_a_success_is_a_refusal(
    gateway: VonageGateway,
    skin: VonageSkin,
    sandbox: GatewaySandbox,
    status: str,
    error: type[SendError],
    error_class: ErrorClass,
) -> None:
    skin.refused_parts.append((1, status))
    with pytest.raises(error) as caught:
        gateway.send(sms(body="Hi"))
    assert (caught.value.code, caught.value.error_class) == (status, error_class)
    assert sandbox.world.messages() == []


@pytest.mark.parametrize("number", [1, 2, 3])
def test_text_of_which_a_part_was_refused_has_neither_gone_out_nor_not(
    gateway: VonageGateway, skin: VonageSkin, sandbox: GatewaySandbox, number: int
) -> None:
    skin.refused_parts.append((number, "1"))
    text = sms(body="x" * 400)
    with pytest.raises(AmbiguousSendError) as caught:
        gateway.send(text)
    assert caught.value.code == "1"
    sandbox.engine.flush()  # the other parts arrive
    report = gateway.find(query(text))
    assert report is not None
    assert (report.state, report.raw_status) == (MessageState.UNKNOWN, "2 parts only")


def test_part_without_an_id_makes_the_answer_unreadable(gateway: VonageGateway, sandbox: GatewaySandbox) -> None:
    body = {"message-count": "1", "messages": [{"status": "0"}]}
    sandbox.faults.arm("vonage.send", "status", status=200, body=body)
    with pytest.raises(AmbiguousSendError) as caught:
        gateway.send(sms())
    assert caught.value.code == "unreadable_answer"


def test_pace_over_the_accounts_is_throttled(gateway: VonageGateway, sandbox: GatewaySandbox) -> None:
    sandbox.world.max_per_second = 1
    gateway.send(sms("attempt-1"))
    with pytest.raises(TransientSendError) as caught:
        gateway.send(sms("attempt-2"))
    assert caught.value.error_class is ErrorClass.THROTTLED


def test_wrong_secret_waits_for_somebody_to_mend_it(sandbox: GatewaySandbox) -> None:
    sandbox.world.credentials["api_secret"] = "changed"
    gateway = make(sandbox.url)
    with pytest.raises(TransientSendError) as sending:
        gateway.send(sms())
    with pytest.raises(SendError) as asking:
        gateway.find(query(sms(), "0C000000217B7F02"))
    with pytest.raises(TransientSendError) as looking:
        gateway.look_up(NUMBER)
    gateway.close()
    assert {each.value.error_class for each in (sending, asking, looking)} == {ErrorClass.CONFIG}


# -- what became of it


def test_long_text_is_delivered_when_all_its_parts_are(gateway: VonageGateway, sandbox: GatewaySandbox) -> None:
    text = sms(body="x" * 400)
    accepted = gateway.send(text)
    sandbox.engine.flush()
    report = gateway.find(query(text, accepted.provider_message_id))
    assert report is not None
    assert (report.state, report.segments, report.price) == (MessageState.DELIVERED, 3, accepted.price)
    assert (report.currency, report.carrier, report.error_code) == ("EUR", "23410", None)


def test_text_that_failed_is_told_with_its_code(gateway: VonageGateway, sandbox: GatewaySandbox) -> None:
    sandbox.world.receipts.arm("undelivered", error_code="9")
    accepted = gateway.send(sms())
    sandbox.engine.flush()
    report = gateway.find(query(sms(), accepted.provider_message_id))
    assert report is not None
    assert (report.state, report.error_code, report.error_class) == (MessageState.UNDELIVERED, "9", "opted_out")


def test_record_is_found_on_a_later_page(gateway: VonageGateway, sandbox: GatewaySandbox) -> None:
    for number in range(5):
        gateway.send(sms(f"attempt-{number}", "Hi"))
    report = gateway.find(query(sms("attempt-4", "Hi")))
    assert report is not None
    assert report.provider_message_id == sandbox.world.messages()[-1].id
    assert sandbox.world.calls["find"] == 3


def test_record_of_another_attempt_is_left_out(gateway: VonageGateway) -> None:
    taken = gateway.send(sms(body="Hi")).provider_message_id
    assert gateway.find(query(sms(body="Hi"), None, taken)) is None


def test_id_that_is_not_on_record_is_of_a_text_that_was_taken(gateway: VonageGateway) -> None:
    report = gateway.find(query(sms(), "0C00000021FFFFFF"))
    assert report is not None
    assert (report.state, report.raw_status) == (MessageState.UNKNOWN, "not found")


def test_answer_that_only_names_what_is_missing_has_no_record(gateway: VonageGateway, sandbox: GatewaySandbox) -> None:
    body = {"ids_not_found": "0C00000021FFFFFF"}
    sandbox.faults.arm("vonage.find", "status", status=200, body=body)
    report = gateway.find(query(sms(), "0C00000021FFFFFF"))
    assert report is not None
    assert report.state is MessageState.UNKNOWN


def test_price_is_told_when_every_part_has_one(gateway: VonageGateway, sandbox: GatewaySandbox) -> None:
    part = {"client_ref": "attempt-1", "status": "delivered", "currency": "EUR"}
    records = [{**part, "message_id": "1", "total_price": "0.0333"}, {**part, "message_id": "2", "total_price": None}]
    sandbox.faults.arm("vonage.find", "status", status=200, body={"records": records})
    report = gateway.find(query(sms(body="x" * 200)))
    assert report is not None
    assert (report.state, report.price, report.currency) == (MessageState.DELIVERED, None, None)


def test_nothing_on_record_means_nothing_yet(sandbox: GatewaySandbox) -> None:
    gateway = make(sandbox.url, clock=lambda: datetime.now(UTC))
    with pytest.raises(TransientSendError) as caught:
        gateway.find(query(sms()))
    assert caught.value.code == "too_early"
    gateway.close()


@pytest.mark.parametrize(
    ("fault", "error_class"),
    [({"status": 429}, ErrorClass.THROTTLED), ({"status": 200, "body": "[]"}, "unknown"), ({"status": 500}, "unknown")],
)
def test_reports_that_cannot_be_read_are_no_answer(
    gateway: VonageGateway, sandbox: GatewaySandbox, fault: dict[str, Any], error_class: str
) -> None:
    sandbox.faults.arm("vonage.find", "status", **fault)
    with pytest.raises(SendError) as caught:
        gateway.find(query(sms()))
    assert caught.value.error_class == error_class


def test_endless_pages_are_given_up(gateway: VonageGateway, sandbox: GatewaySandbox) -> None:
    page = {"records": [], "_links": {"next": {"href": "https://elsewhere.example/v2/reports/records?cursor=x"}}}
    sandbox.faults.arm("vonage.find", "status", times=None, status=200, body=page)
    with pytest.raises(TransientSendError) as caught:
        gateway.find(query(sms()))
    assert caught.value.code == "too_many"


# -- callbacks


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("method", ["md5hash", "md5", "sha1", "sha256", "sha512"])
def test_receipts_and_replies_are_read_however_the_account_has_them_sent(
    receiver: Receiver, delivery: str, method: str
) -> None:
    box = GatewaySandbox(VonageSkin(SECRET, method, delivery), post=receiver, inbound_url=INBOUND)
    with box.server:
        gateway = make(box.url, Trust((SECRET,), method))
        accepted = gateway.send(sms(body="Hi & bye = so long"))
        box.world.reply(NUMBER, SENDER, "a & b = c ✓")
        *receipts, reply = sorted(receiver.after(box.engine), key=lambda request: "inbound" in request.url)
        gateway.close()
    for request in (*receipts, reply):
        gateway.verify(request)
    reports = [report for request in receipts for report in gateway.read_status(request, None)]
    assert [report.state for report in reports] == [MessageState.SENT, MessageState.DELIVERED]
    assert {(report.provider_message_id, report.attempt_id, report.currency) for report in reports} == {
        (accepted.provider_message_id, "attempt-1", "EUR")
    }
    (incoming,) = gateway.read_incoming(reply)
    assert (incoming.from_, incoming.to, incoming.body) == (NUMBER, SENDER, "a & b = c ✓")
    assert incoming.piece is None


def test_receipts_of_a_long_text_come_for_each_part(
    gateway: VonageGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    accepted = gateway.send(sms(body="x" * 400))
    reports = [gateway.read_status(request, None)[0] for request in receiver.after(sandbox.engine)]
    delivered = [report for report in reports if report.state is MessageState.DELIVERED]
    assert [report.provider_message_id for report in delivered] == list(accepted.part_ids)
    assert sum(report.price or Decimal() for report in delivered) == accepted.price


def test_long_reply_comes_in_pieces_that_make_the_whole(
    gateway: VonageGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    written = "שלום " * 40
    sandbox.world.reply(NUMBER, SENDER, written)
    pieces = [gateway.read_incoming(request)[0] for request in receiver.after(sandbox.engine)]
    assert "".join(piece.body for piece in pieces) == written
    assert [(piece.piece.number, piece.piece.total) for piece in pieces if piece.piece] == [(1, 3), (2, 3), (3, 3)]
    assert len({piece.piece.reference for piece in pieces if piece.piece}) == 1
    assert len({piece.provider_message_id for piece in pieces}) == 3


@pytest.mark.parametrize("kind", ["unsigned", "forged"])
def test_receipt_without_its_signature_is_refused(
    gateway: VonageGateway, sandbox: GatewaySandbox, receiver: Receiver, kind: str
) -> None:
    sandbox.world.receipts.arm(kind)
    gateway.send(sms())
    for request in receiver.after(sandbox.engine):
        with pytest.raises(SignatureError):
            gateway.verify(request)


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_key_in_the_address_speaks_for_callbacks_that_nobody_signs(receiver: Receiver, delivery: str) -> None:
    box = GatewaySandbox(VonageSkin(delivery=delivery), post=receiver, inbound_url=f"{INBOUND}?key=old")
    with box.server:
        gateway = make(box.url, Trust(keys=(KEY, "old")))
        gateway.send(sms())
        box.world.reply(NUMBER, SENDER, "Hi")
        requests = receiver.after(box.engine)
        gateway.close()
    assert len(requests) == 3
    for request in requests:
        gateway.verify(request)
        with pytest.raises(SignatureError):
            gateway.verify(replace(request, url=request.url.replace("key=", "kee=")))


def test_callback_that_failed_is_tried_again_and_still_verifies(
    gateway: VonageGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    receiver.answers += [httpx.Response(503), httpx.Response(500)]
    gateway.send(sms())
    sandbox.engine.flush()
    assert len(receiver.calls) == 4
    for call in receiver.calls:
        gateway.verify(as_request(call))


# -- lookups


def test_lookup_tells_line_carrier_country_and_price(gateway: VonageGateway) -> None:
    answer = gateway.look_up(NUMBER)
    assert (answer.line_type, answer.carrier, answer.country) == (LineType.MOBILE, "Sandbox Mobile", "US")
    assert (answer.price, answer.currency, answer.is_reachable) == (Decimal("0.00500000"), "EUR", None)


def test_number_that_does_not_exist_is_an_answer(gateway: VonageGateway) -> None:
    assert gateway.look_up("+12").line_type is LineType.INVALID


@pytest.mark.parametrize(
    ("fault", "error_class"),
    [
        ({"status": 200, "body": {"status": 1}}, ErrorClass.THROTTLED),
        ({"status": 200, "body": {"status": 9}}, ErrorClass.ACCOUNT_OR_CREDIT),
        ({"status": 200, "body": "<html>"}, "unknown"),
        ({"status": 429}, ErrorClass.THROTTLED),
    ],
)
def test_lookup_that_was_not_answered_is_an_error(
    gateway: VonageGateway, sandbox: GatewaySandbox, fault: dict[str, Any], error_class: str
) -> None:
    sandbox.faults.arm("vonage.lookup", "status", **fault)
    with pytest.raises(SendError) as caught:
        gateway.look_up(NUMBER)
    assert caught.value.error_class == error_class


def test_line_that_vonage_has_no_word_for_is_unknown(gateway: VonageGateway, sandbox: GatewaySandbox) -> None:
    body = {"status": 44, "current_carrier": {"network_type": "pager", "network_code": "23410"}}
    sandbox.faults.arm("vonage.lookup", "status", status=200, body=body)
    answer = gateway.look_up(NUMBER)
    assert (answer.line_type, answer.carrier, answer.price) == (LineType.UNKNOWN, "23410", None)


# -- settings


def test_plugin_builds_the_gateway_from_its_settings() -> None:
    values = {setting.name: setting.default for setting in PLUGIN.settings}
    assert all(name.startswith("VONAGE_") for name in values)
    values |= {"VONAGE_API_KEY": "k", "VONAGE_API_SECRET": "s", "VONAGE_FROM": SENDER}
    PLUGIN.build(values).close()


def test_method_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="VONAGE_SIGNATURE_METHOD"):
        Trust(method="rot13")
