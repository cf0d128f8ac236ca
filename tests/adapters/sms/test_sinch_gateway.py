from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connector.adapters.sms.sinch import PLUGIN, REGIONS, SinchGateway, url_of
from connector.adapters.sms.sinch_callbacks import Trust
from connector.adapters.sms.sinch_lookup import Project
from connector.domain.message import ErrorClass, MessageState
from connector.errors import (
    ConfigurationError,
    PermanentSendError,
    SendError,
    SignatureError,
    TransientSendError,
    UnanswerableError,
)
from connector.ports.gateway import AttemptQuery, CallbackRequest, OutgoingSMS, SMSGateway
from connector.ports.number_lookup import LineType
from connector.sandbox.clock import SandboxClock
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.gateways.sinch import SinchSkin
from connector.sandbox.gateways.sinch_api import API_TOKEN, SERVICE_PLAN_ID
from connector.sandbox.gateways.sinch_lookup import KEY_ID, KEY_SECRET, PROJECT_ID
from tests.adapters.sms.contract import NUMBER, SENDER, Break, RemoteGatewayContract, sms
from tests.adapters.sms.emulated import Receiver, as_request

NOBODY = "http://127.0.0.1:9"  # the discard port, which nothing listens on
SECRET, INBOUND = "a-webhook-secret", "https://sms.example.com/callbacks/sinch/inbound"
SIGNED = Trust(("a-newer-secret", SECRET))


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock()


@pytest.fixture
def sandbox(receiver: Receiver, clock: SandboxClock) -> Iterator[GatewaySandbox]:
    box = GatewaySandbox(SinchSkin(SECRET), clock, post=receiver, inbound_url=INBOUND)
    with box.server:
        yield box


def make(url: str, trust: Trust = SIGNED, *, has_project: bool = True, **more: Any) -> SinchGateway:
    project = Project(PROJECT_ID, KEY_ID, KEY_SECRET, url, url) if has_project else None
    return SinchGateway(SERVICE_PLAN_ID, API_TOKEN, url, SENDER, trust, project=project, **more)


@pytest.fixture
def gateway(sandbox: GatewaySandbox, clock: SandboxClock) -> Iterator[SinchGateway]:
    one = make(sandbox.url, clock=clock.now)
    yield one
    one.close()


def query(text: OutgoingSMS, provider_id: str | None = None, *exclude: str) -> AttemptQuery:
    now = datetime.now(UTC)
    return AttemptQuery(text.attempt_id, provider_id, text.to, text.sender, text.body, now, frozenset(exclude))


def only(sandbox: GatewaySandbox) -> Message:
    (message,) = sandbox.world.messages()
    return message


class TestSinchGateway(RemoteGatewayContract):
    @pytest.fixture(autouse=True)
    def take_sandbox(self, sandbox: GatewaySandbox, receiver: Receiver) -> None:
        self.sandbox, self.receiver = sandbox, receiver

    def deliver(self, gateway: SMSGateway) -> Sequence[CallbackRequest]:
        return self.receiver.after(self.sandbox.engine)

    @pytest.fixture
    def break_next(self, sandbox: GatewaySandbox) -> Break:
        def arm(kind: str, **options: Any) -> None:
            sandbox.faults.arm("sinch.send", kind, **options)

        return arm

    @pytest.fixture
    def unreachable(self) -> SinchGateway:
        return make(NOBODY)

    @pytest.fixture
    def received(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: len(sandbox.world.messages())

    @pytest.fixture
    def requests(self, sandbox: GatewaySandbox) -> Callable[[], int]:
        return lambda: sandbox.world.calls["send"]

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (API_TOKEN, "Bearer ", KEY_SECRET, SECRET)


# -- what is sent


def test_batch_has_one_recipient_and_asks_for_every_receipt(gateway: SinchGateway, sandbox: GatewaySandbox) -> None:
    gateway.send(replace(sms(), valid_for=None))
    assert only(sandbox).details == {
        "type": "mt_text",
        "to": [NUMBER],
        "from": SENDER,
        "body": sms().body,
        "client_reference": "attempt-1",
        "callback_url": "https://sms.example.com/callbacks/status/attempt-1",
        "delivery_report": "per_recipient",
    }


@pytest.mark.parametrize(
    ("valid_for", "meant"),
    [
        (timedelta(seconds=1), timedelta(minutes=1)),
        (timedelta(hours=5), timedelta(hours=5)),
        (timedelta(days=30), timedelta(days=3)),
    ],
)
def test_validity_is_told_as_a_time_within_what_sinch_takes(
    sandbox: GatewaySandbox, valid_for: timedelta, meant: timedelta
) -> None:
    now = datetime.now(UTC)
    gateway = make(sandbox.url, clock=lambda: now)
    gateway.send(replace(sms(), valid_for=valid_for))
    gateway.close()
    told = datetime.fromisoformat(only(sandbox).details["expire_at"])
    assert abs(told - (now + meant)) < timedelta(milliseconds=2)


@pytest.mark.parametrize("body", ["Pay ${amount} now", "${a}${a}${b.c-d_1}", "${} ${öl} $x {y}", "${" + "x" * 17 + "}"])
def test_text_that_looks_like_a_parameter_arrives_as_it_was_written(
    gateway: SinchGateway, sandbox: GatewaySandbox, body: str
) -> None:
    gateway.send(sms(body=body))
    assert only(sandbox).body == body


def test_plan_chooses_the_sender_when_there_is_none(sandbox: GatewaySandbox) -> None:
    gateway = SinchGateway(SERVICE_PLAN_ID, API_TOKEN, sandbox.url, "", SIGNED)
    accepted = gateway.send(sms())
    gateway.close()
    assert "from" not in only(sandbox).details
    assert accepted.sender == only(sandbox).sender


def test_half_a_surrogate_pair_is_sent_as_a_question_mark(gateway: SinchGateway, sandbox: GatewaySandbox) -> None:
    gateway.send(sms(body="Hi \ud83d"))
    assert only(sandbox).body == "Hi ?"


# -- what Sinch answers


@pytest.mark.parametrize(
    ("status", "code", "error", "error_class"),
    [
        (400, "syntax_invalid_parameter_format", PermanentSendError, ErrorClass.UNKNOWN),
        (400, "a_word_nobody_knows", PermanentSendError, ErrorClass.UNKNOWN),
        (400, "unknown_campaign", PermanentSendError, ErrorClass.SENDER_OR_REGISTRATION),
        (401, "unauthorized", TransientSendError, ErrorClass.CONFIG),
        (403, "", TransientSendError, ErrorClass.CONFIG),
        (429, "", TransientSendError, ErrorClass.THROTTLED),
    ],
)
def test_refusal_is_told_with_its_code(
    gateway: SinchGateway,
    sandbox: GatewaySandbox,
    status: int,
    code: str,
    error: type[SendError],
    error_class: ErrorClass,
) -> None:
    sandbox.faults.arm("sinch.send", "status", status=status, body={"code": code, "text": "words"})
    with pytest.raises(error) as caught:
        gateway.send(sms())
    assert (caught.value.code, caught.value.error_class) == (code or str(status), error_class)


def test_number_that_cannot_be_is_refused_for_good(gateway: SinchGateway) -> None:
    with pytest.raises(PermanentSendError) as caught:
        gateway.send(replace(sms(), to="+12"))
    assert caught.value.code == "syntax_constraint_violation"


def test_wrong_token_waits_for_somebody_to_mend_it(sandbox: GatewaySandbox) -> None:
    sandbox.world.credentials["api_token"] = "changed"
    gateway = make(sandbox.url)
    for ask in (lambda: gateway.send(sms()), lambda: gateway.find(query(sms()))):
        with pytest.raises(TransientSendError) as caught:
            ask()
        assert caught.value.error_class is ErrorClass.CONFIG
    gateway.close()


# -- what became of it


@pytest.mark.parametrize("is_id_known", [True, False])
def test_report_tells_how_it_ended(gateway: SinchGateway, sandbox: GatewaySandbox, is_id_known: bool) -> None:
    sandbox.world.receipts.arm("undelivered", error_code=404)
    accepted = gateway.send(sms())
    sandbox.engine.flush()
    report = gateway.find(query(sms(), accepted.provider_message_id if is_id_known else None))
    assert report is not None
    assert (report.state, report.error_code, report.error_class) == (MessageState.UNDELIVERED, "404", "transient")


def test_text_on_its_way_is_told_as_queued(gateway: SinchGateway) -> None:
    gateway.send(sms())
    report = gateway.find(query(sms()))
    assert report is not None
    assert (report.state, report.raw_status, report.error_code) == (MessageState.ACCEPTED, "Queued", None)


def test_batch_sinch_does_not_know_is_of_a_text_that_was_taken(gateway: SinchGateway) -> None:
    report = gateway.find(query(sms(), "01FC66621VHDBN119Z8PMV1QPU"))
    assert report is not None
    assert (report.state, report.raw_status) == (MessageState.UNKNOWN, "not found")


def test_batch_of_another_attempt_is_left_out(gateway: SinchGateway) -> None:
    taken = gateway.send(sms()).provider_message_id
    assert gateway.find(query(sms(), None, taken)) is None


def test_list_reaches_back_to_the_attempt_however_long_ago_it_was(
    gateway: SinchGateway, sandbox: GatewaySandbox, clock: SandboxClock
) -> None:
    asked = query(sms())
    gateway.send(sms())
    clock.advance(timedelta(days=2))
    assert gateway.find(asked) is not None


@pytest.mark.parametrize("body", ["[]", "{}", '{"batches": "none"}', "<html>"])
def test_list_nobody_can_read_is_no_answer(gateway: SinchGateway, sandbox: GatewaySandbox, body: str) -> None:
    sandbox.faults.arm("sinch.find", "status", status=200, body=body)
    with pytest.raises(TransientSendError) as caught:
        gateway.find(query(sms()))
    assert caught.value.code == "unreadable_answer"


def test_report_nobody_can_read_is_no_answer(gateway: SinchGateway, sandbox: GatewaySandbox) -> None:
    sandbox.faults.arm("sinch.find", "status", status=200, body="{}")
    with pytest.raises(TransientSendError) as caught:
        gateway.find(query(sms(), "01FC66621VHDBN119Z8PMV1QPU"))
    assert caught.value.code == "unreadable_answer"


# -- callbacks


def test_receipts_tell_every_stage(gateway: SinchGateway, sandbox: GatewaySandbox, receiver: Receiver) -> None:
    gateway.send(sms())
    reports = [gateway.read_status(request, None)[0] for request in receiver.after(sandbox.engine)]
    assert [report.state for report in reports] == [MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED]
    assert {report.carrier for report in reports} == {"23410"}


@pytest.mark.parametrize(
    ("kind", "state", "code"),
    [
        ("undelivered", MessageState.UNDELIVERED, "404"),
        ("failed", MessageState.FAILED, "403"),
        ("held", MessageState.EXPIRED, "406"),
    ],
)
def test_bad_end_is_told_with_its_code(
    gateway: SinchGateway, sandbox: GatewaySandbox, receiver: Receiver, kind: str, state: MessageState, code: str
) -> None:
    sandbox.world.receipts.arm(kind, **({"seconds": 7200} if kind == "held" else {}))
    gateway.send(sms())
    (report,) = gateway.read_status(receiver.after(sandbox.engine)[-1], None)
    assert (report.state, report.error_code) == (state, code)


def test_reply_comes_whole_and_signed(gateway: SinchGateway, sandbox: GatewaySandbox, receiver: Receiver) -> None:
    sandbox.world.reply(NUMBER, SENDER, "שלום " * 40)
    (request,) = receiver.after(sandbox.engine)
    gateway.verify(request)
    (incoming,) = gateway.read_incoming(request)
    assert (incoming.from_, incoming.to, incoming.body) == (NUMBER, SENDER, "שלום " * 40)


@pytest.mark.parametrize("kind", ["unsigned", "forged"])
def test_receipt_without_its_signature_is_refused(
    gateway: SinchGateway, sandbox: GatewaySandbox, receiver: Receiver, kind: str
) -> None:
    sandbox.world.receipts.arm(kind)
    gateway.send(sms())
    for request in receiver.after(sandbox.engine):
        with pytest.raises(SignatureError):
            gateway.verify(request)


def test_callback_played_again_later_is_refused(
    gateway: SinchGateway, sandbox: GatewaySandbox, receiver: Receiver, clock: SandboxClock
) -> None:
    gateway.send(sms())
    (first, *_) = receiver.after(sandbox.engine)
    gateway.verify(first)
    clock.advance(timedelta(hours=49))
    with pytest.raises(SignatureError):
        gateway.verify(first)


def test_key_in_the_address_speaks_for_callbacks_that_nobody_signs(receiver: Receiver) -> None:
    box = GatewaySandbox(SinchSkin(), post=receiver, inbound_url=f"{INBOUND}?key=old")
    with box.server:
        gateway = make(box.url, Trust(keys=("new", "old")))
        gateway.send(sms())
        box.world.reply(NUMBER, SENDER, "Hi")
        requests = receiver.after(box.engine)
        gateway.close()
    assert len(requests) == 4
    for request in requests:
        gateway.verify(request)
        with pytest.raises(SignatureError):
            gateway.verify(replace(request, url=request.url.replace("key=", "kee=")))


def test_callback_that_failed_is_tried_again_and_signed_anew(
    gateway: SinchGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    receiver.answers += [httpx.Response(503), httpx.Response(429)]
    gateway.send(sms())
    sandbox.engine.flush()
    assert len(receiver.calls) == 5
    for call in receiver.calls:
        gateway.verify(as_request(call))


def test_callback_that_was_refused_does_not_come_again(
    gateway: SinchGateway, sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    receiver.answers += [httpx.Response(401)] * 3
    gateway.send(sms())
    sandbox.engine.flush()
    assert len(receiver.calls) == 3


# -- lookups


def test_lookup_tells_line_carrier_and_country(gateway: SinchGateway) -> None:
    answer = gateway.look_up(NUMBER)
    assert (answer.line_type, answer.carrier, answer.country) == (LineType.MOBILE, "Sandbox Mobile", "US")


def test_number_that_does_not_exist_is_an_answer(gateway: SinchGateway) -> None:
    assert gateway.look_up("+12").line_type is LineType.INVALID


def test_token_is_fetched_once_an_hour(gateway: SinchGateway, sandbox: GatewaySandbox, clock: SandboxClock) -> None:
    for _ in range(3):
        gateway.look_up(NUMBER)
    assert sandbox.world.calls["token"] == 1
    clock.advance(timedelta(hours=1))
    gateway.look_up(NUMBER)
    assert sandbox.world.calls["token"] == 2


def test_token_that_is_refused_is_fetched_anew_next_time(gateway: SinchGateway, sandbox: GatewaySandbox) -> None:
    gateway.look_up(NUMBER)
    sandbox.faults.arm("sinch.lookup", "status", status=401)
    with pytest.raises(TransientSendError) as caught:
        gateway.look_up(NUMBER)
    assert caught.value.error_class is ErrorClass.CONFIG
    gateway.look_up(NUMBER)
    assert sandbox.world.calls["token"] == 2


@pytest.mark.parametrize(
    ("operation", "fault", "code"),
    [
        ("sinch.token", {"status": 401}, "401"),
        ("sinch.token", {"status": 200, "body": "{}"}, "unreadable_answer"),
        ("sinch.token", {"status": 200, "body": {"access_token": "x", "expires_in": "soon"}}, "unreadable_answer"),
        ("sinch.lookup", {"status": 429}, "429"),
        ("sinch.lookup", {"status": 200, "body": "<html>"}, "unreadable_answer"),
    ],
)
def test_lookup_that_was_not_answered_is_an_error(
    gateway: SinchGateway, sandbox: GatewaySandbox, operation: str, fault: dict[str, Any], code: str
) -> None:
    sandbox.faults.arm(operation, "status", **fault)
    with pytest.raises(TransientSendError) as caught:
        gateway.look_up(NUMBER)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("line", "line_type", "carrier"),
    [
        ({"type": "Freephone", "mobileCountryCode": "310", "mobileNetworkCode": "260"}, LineType.TOLL_FREE, "310260"),
        ({"type": "Landline"}, LineType.LANDLINE, None),
        ({"type": "VoIP", "carrier": "Somebody"}, LineType.VOIP, "Somebody"),
        ({"type": "Special"}, LineType.UNKNOWN, None),
        ({"error": {"code": "x", "message": "y"}}, LineType.UNKNOWN, None),
    ],
)
def test_line_types_are_read(
    gateway: SinchGateway, sandbox: GatewaySandbox, line: dict[str, Any], line_type: LineType, carrier: str | None
) -> None:
    sandbox.faults.arm("sinch.lookup", "status", status=200, body={"number": NUMBER, "line": line})
    answer = gateway.look_up(NUMBER)
    assert (answer.line_type, answer.carrier) == (line_type, carrier)


def test_without_a_project_there_are_no_lookups(sandbox: GatewaySandbox) -> None:
    gateway = make(sandbox.url, has_project=False)
    with pytest.raises(UnanswerableError):
        gateway.look_up(NUMBER)
    gateway.close()
    assert not sandbox.world.calls


# -- settings


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_has_a_host_of_its_own(region: str) -> None:
    assert url_of(region) == f"https://{region}.sms.api.sinch.com"


def test_region_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="SINCH_REGION"):
        url_of("mars")


def test_plugin_builds_the_gateway_from_its_settings() -> None:
    values = {setting.name: setting.default for setting in PLUGIN.settings}
    assert all(name.startswith("SINCH_") for name in values)
    values |= {"SINCH_SERVICE_PLAN_ID": "p", "SINCH_API_TOKEN": "t"}
    PLUGIN.build(values).close()


@pytest.mark.parametrize("detail", ["features is invalid", "", "the Number Lookup product is not enabled"])
def test_lookup_that_is_refused_for_another_reason_says_nothing_about_the_number(
    gateway: SinchGateway, sandbox: GatewaySandbox, detail: str
) -> None:
    sandbox.faults.arm("sinch.lookup", "status", status=400, body={"status": 400, "detail": detail})
    with pytest.raises(PermanentSendError):
        gateway.look_up(NUMBER)
