"""Do texts move along, and do the callbacks about them come signed, in the order and number asked for?"""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.gateways.delivery import DeliveryEngine
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.skin import Call
from connector.sandbox.gateways.world import GatewayWorld
from tests.adapters.sms.emulated import Receiver
from tests.sandbox.gateways.plain import INBOUND_URL, PERSON, SENDER, STATUS_URL, PlainSkin, is_signed

WAY = ["sending", "sent", "delivered"]


def take(world: GatewayWorld, **more: Any) -> Message:
    return world.take(**{"to": PERSON, "sender": SENDER, "body": "Hello"} | more)


def told(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(call.body) for call in receiver.calls]


def statuses(receiver: Receiver) -> list[str]:
    return [said["status"] for said in told(receiver)]


def test_callbacks_tell_every_stage_signed_with_our_reference(
    world: GatewayWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    message = take(world, reference="attempt-1")
    assert (message.status, message.segments, str(message.price)) == ("accepted", 1, "0.00830")
    engine.flush()
    assert statuses(receiver) == WAY
    assert all(is_signed(call) and call.url == STATUS_URL for call in receiver.calls)
    assert {(said["id"], said["ref"]) for said in told(receiver)} == {(message.id, "attempt-1")}
    assert world.by_reference("attempt-1") == [message]
    assert world.calls["callbacks.status"] == 3


def test_url_of_the_message_goes_before_that_of_the_account(
    world: GatewayWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    take(world, callback_url="https://connector.example/here")
    engine.flush()
    assert {call.url for call in receiver.calls} == {"https://connector.example/here"}


def test_text_without_any_url_is_delivered_and_nobody_is_told(clock: SandboxClock, receiver: Receiver) -> None:
    world = GatewayWorld(PlainSkin(), clock)
    message = take(world)
    DeliveryEngine(world, post=receiver).flush()
    assert (message.status, receiver.calls) == ("delivered", [])


def test_receipts_come_when_the_sandbox_clock_says_so(
    world: GatewayWorld, clock: SandboxClock, engine: DeliveryEngine, receiver: Receiver
) -> None:
    created_at = take(world).created_at
    engine.step(created_at + timedelta(seconds=0.2))
    assert statuses(receiver) == []
    engine.step(created_at + timedelta(seconds=2))
    assert statuses(receiver) == WAY[:2]
    clock.advance(timedelta(hours=1))
    engine.step()
    assert statuses(receiver) == WAY


def test_each_part_of_a_long_text_has_an_id_it_is_found_by_and_a_receipt(
    clock: SandboxClock, receiver: Receiver
) -> None:
    world = GatewayWorld(PlainSkin(part_ids=True), clock, status_url=STATUS_URL)
    message = take(world, body="x" * 400, has_part_ids=True)
    DeliveryEngine(world, post=receiver).flush()
    assert len(set(message.part_ids)) == message.segments == 3
    assert [world.message(part) for part in message.part_ids] == [message] * 3
    assert [said["id"] for said in told(receiver) if said["status"] == "delivered"] == list(message.part_ids)


def test_torn_text_is_undelivered_for_one_part_of_it(clock: SandboxClock, receiver: Receiver) -> None:
    world = GatewayWorld(PlainSkin(part_ids=True), clock, status_url=STATUS_URL)
    world.receipts.arm("torn", part=3)
    message = take(world, body="x" * 400, has_part_ids=True)
    DeliveryEngine(world, post=receiver).flush()
    assert [(said["status"], said["code"]) for said in told(receiver)[-3:]] == [
        ("delivered", None),
        ("delivered", None),
        ("undelivered", "absent"),
    ]
    assert (message.status, message.error_code) == ("undelivered", "absent")


def test_forged_callback_of_a_vendor_that_signs_nothing_does_not_know_the_key_in_the_address() -> None:
    class KeySkin(PlainSkin):
        def sign(self, call: Call, at: datetime) -> Call:
            return call

    call = Call("POST", f"{STATUS_URL}?key=secret", {}, b"{}")
    assert KeySkin().forge(call, datetime.now(UTC)).url == STATUS_URL


def test_message_id_the_client_chose_is_kept_and_nobody_elses_is_found(world: GatewayWorld) -> None:
    message = take(world, message_id="attempt-1")
    assert world.message("attempt-1") is message
    assert world.message("attempt-2") is None


def test_text_is_on_the_phone_once_it_is_delivered(
    world: GatewayWorld, clock: SandboxClock, engine: DeliveryEngine
) -> None:
    take(world)
    assert world.conversation(PERSON) == []
    clock.advance(timedelta(minutes=1))
    engine.step()
    world.reply(PERSON, SENDER, "Thanks")
    assert [message.body for message in world.conversation(PERSON)] == ["Hello", "Thanks"]


@pytest.mark.parametrize(("change", "code"), [({"is_on": False}, "absent"), ({"is_blocking": True}, "barred")])
def test_phone_that_is_off_or_blocks_is_not_reached_for_the_vendors_reason(
    world: GatewayWorld, engine: DeliveryEngine, change: dict[str, bool], code: str
) -> None:
    handset = world.add_handset(PERSON, "Ada")
    for name, value in change.items():
        setattr(handset, name, value)
    message = take(world)
    engine.flush()
    assert (message.status, message.error_code) == ("undelivered", code)


@pytest.mark.parametrize(
    ("kind", "options", "expected", "code"),
    [
        ("undelivered", {}, ["sending", "sent", "undelivered"], "absent"),
        ("undelivered", {"error_code": 42}, ["sending", "sent", "undelivered"], 42),
        ("failed", {}, ["failed"], "lost"),
        ("stalled", {}, ["sending", "sent"], None),
        ("silent", {}, [], None),
        ("shuffled", {}, ["delivered", "sent", "sending"], None),
        ("duplicated", {}, [each for status in WAY for each in (status, status)], None),
        ("held", {"seconds": 60}, WAY, None),
        ("held", {"seconds": 600}, ["expired"], "too-old"),
    ],
)
def test_one_message_meets_what_was_armed_and_the_next_one_does_not(
    world: GatewayWorld,
    engine: DeliveryEngine,
    receiver: Receiver,
    kind: str,
    options: dict[str, Any],
    expected: list[str],
    code: str | int | None,
) -> None:
    world.receipts.arm(kind, **options)
    message = take(world, valid_for=timedelta(seconds=300))
    engine.flush()
    assert (statuses(receiver), message.error_code) == (expected, code)
    receiver.calls.clear()
    take(world)
    engine.flush()
    assert statuses(receiver) == WAY


def test_late_receipts_come_after_the_message_arrived(
    world: GatewayWorld, clock: SandboxClock, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.receipts.arm("late", seconds=7200)
    message = take(world)
    clock.advance(timedelta(hours=1))
    engine.step()
    assert (message.status, receiver.calls) == ("delivered", [])
    clock.advance(timedelta(hours=2))
    engine.step()
    assert statuses(receiver) == WAY


def test_unsigned_callback_that_is_tried_again_is_signed(
    world: GatewayWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.receipts.arm("unsigned")
    world.receipts.arm("failed")
    receiver.answers = [httpx.Response(500)]
    take(world)
    engine.flush()
    assert [is_signed(call) for call in receiver.calls] == [False, True]
    assert "X-Signature" not in receiver.calls[0].headers


def test_forged_callback_carries_a_signature_that_is_not_its_own(
    world: GatewayWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.receipts.arm("forged")
    take(world)
    take(world)
    engine.flush()
    assert [is_signed(call) for call in receiver.calls].count(False) == 3
    assert all(call.headers["X-Signature"] and call.url == STATUS_URL for call in receiver.calls)


def test_message_keeps_its_end_when_another_one_comes(world: GatewayWorld, engine: DeliveryEngine) -> None:
    message = take(world)
    assert world.cancel(message.id)
    engine.flush()
    assert message.status == "cancelled"
    assert not world.cancel(message.id)
    assert not world.cancel("nobody's")


def test_scheduled_text_waits_for_its_time_and_can_be_cancelled_until_then(
    world: GatewayWorld, clock: SandboxClock, engine: DeliveryEngine
) -> None:
    message = take(world, delay=timedelta(hours=3))
    clock.advance(timedelta(hours=2))
    engine.step()
    assert message.status == "accepted"
    clock.advance(timedelta(hours=2))
    engine.step()
    assert message.status == "delivered"


def test_texts_to_a_country_that_is_out_are_accepted_and_never_arrive(
    world: GatewayWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.outages.add("+44")
    lost, arrived = take(world, to="+447700900123"), take(world)
    engine.flush()
    assert (lost.status, arrived.status) == ("sent", "delivered")
    assert [said["status"] for said in told(receiver) if said["id"] == lost.id] == WAY[:2]


def test_limit_lets_so_many_through_in_a_second_and_again_in_the_next(world: GatewayWorld, clock: SandboxClock) -> None:
    assert not any(world.is_throttled() for _ in range(50))
    world.max_per_second = 2
    assert [world.is_throttled() for _ in range(4)] == [False, False, True, True]
    clock.advance(timedelta(seconds=1))
    assert not world.is_throttled()


def test_reply_is_posted_to_the_accounts_url(world: GatewayWorld, engine: DeliveryEngine, receiver: Receiver) -> None:
    message = world.reply(PERSON, SENDER, "YES please")
    world.reply(PERSON, SENDER, "Really", signing="forged")
    engine.step()
    assert [is_signed(call) for call in receiver.calls] == [True, False]
    assert receiver.calls[0].url == INBOUND_URL
    said = told(receiver)[0]
    assert (said["id"], said["from"], said["to"], said["text"]) == (message.id, PERSON, SENDER, "YES please")


def test_many_threads_may_send_at_once(world: GatewayWorld, engine: DeliveryEngine) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = {message.id for message in pool.map(lambda _: take(world), range(200))}
    engine.flush()
    assert len(ids) == len(world.messages(PERSON)) == 200
    assert world.calls["callbacks.status"] == 600
