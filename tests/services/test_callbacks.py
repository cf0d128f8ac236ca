"""Does whoever ordered a text hear what becomes of it: once per news, signed, again while it fails, and on demand?"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.compliance_file import load_compliance
from connector.domain.message import Direction, MessageState, Purpose
from connector.domain.timeline import EntryKind
from connector.errors import ChannelError, ChannelRefusedError, ChannelUnavailableError
from connector.ports.channels import Delivery
from connector.ports.effects import EffectKind, EffectRow, EffectState
from connector.ports.messages import MessageRow
from connector.ports.queue import EFFECTS
from connector.services.callback_secrets import BOTH_HOLD, CallbackSecrets
from connector.services.callbacks import TRIED_FOR, CallbackReplay, reference_of, tell_move, tell_reply
from connector.services.effect_outcomes import EffectRecorder
from connector.services.effect_permission import EffectDesk
from connector.services.effects import EffectRunner
from tests.services.stage import NUMBER, SENDER, START, Stage
from tests.services.theatre import MAPPINGS

URL = "https://shop.example/hooks/sms?token=s3cret"
DESK = EffectDesk(load_compliance(MAPPINGS / "compliance.yaml"))


class Customer:
    """A customer's program; raises what it is given, one per delivery."""

    is_repeatable = True

    def __init__(self) -> None:
        self.heard: list[Delivery] = []
        self.errors: list[ChannelError] = []

    def deliver(self, delivery: Delivery) -> Any:
        self.heard.append(delivery)
        if self.errors:
            raise self.errors.pop(0)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


@pytest.fixture
def customer() -> Customer:
    return Customer()


@pytest.fixture
def runner(stage: Stage, customer: Customer) -> EffectRunner:
    return EffectRunner(stage.ledger, {}, DESK, EffectRecorder(random.Random(7)), stage.clock, customer)


def an_order(stage: Stage, **changes: Any) -> MessageRow:
    return stage.add_message(**{"callback_url": URL, "idempotency_key": "order:table-7", **changes})


def wanted(stage: Stage, *keys: str) -> list[EffectRow]:
    with stage.ledger.begin(write=False) as uow:
        found = uow.effects.by_keys("account-1", keys)
    return [found[key] for key in keys if key in found]


def test_each_move_is_told_once_with_what_the_customer_needs(
    stage: Stage, runner: EffectRunner, customer: Customer
) -> None:
    row = stage.move(an_order(stage), MessageState.ACCEPTED, "the gateway took it")
    stage.move(row, MessageState.DELIVERED, "the gateway reports delivered")
    assert EFFECTS in stage.nudged
    runner.drain()
    runner.drain()
    told = {each.data["type"]: each for each in customer.heard}  # several at once, in any order
    assert (len(customer.heard), set(told)) == (2, {"message.accepted", "message.delivered"})
    last = told["message.delivered"]
    assert (last.url, last.account_id) == (URL, "account-1")
    assert last.data["at"] == "2026-11-20T14:00:00Z"
    assert last.data["message"] == {
        "id": row.id,
        "state": "delivered",
        "reason": "the gateway reports delivered",
        "to": NUMBER,
        "from": SENDER,
        "purpose": "transactional",
        "segments": 1,
        "idempotency_key": "table-7",
    }


def test_the_same_news_twice_is_told_once(stage: Stage, runner: EffectRunner, customer: Customer) -> None:
    row = an_order(stage)
    for _ in range(2):
        stage.move(row, MessageState.HELD, "the window is closed")
    runner.drain()
    assert len(customer.heard) == 1


def test_a_second_try_is_news(stage: Stage, runner: EffectRunner, customer: Customer) -> None:
    row = an_order(stage)
    stage.move(row, MessageState.HELD, "the window is closed")
    stage.move(replace(row, tries=1), MessageState.HELD, "the window is closed")
    runner.drain()
    assert len({each.id for each in customer.heard}) == 2


@pytest.mark.parametrize("state", [MessageState.QUEUED, MessageState.DISPATCHING])
def test_how_we_work_is_not_told(stage: Stage, runner: EffectRunner, customer: Customer, state: MessageState) -> None:
    stage.move(an_order(stage, state=MessageState.HELD), state)
    runner.drain()
    assert customer.heard == []


def test_nobody_is_told_of_a_text_without_a_callback(stage: Stage) -> None:
    row = stage.move(stage.add_message(), MessageState.FAILED)
    with stage.ledger.begin() as uow:
        tell_reply(uow, replace(row, direction=Direction.IN), row, START)
        assert not uow.effects.any_due(START)


def a_reply(stage: Stage, **changes: Any) -> MessageRow:
    values: dict[str, Any] = {"direction": Direction.IN, "body": "Thanks", "contact_id": None}
    return stage.add_message(MessageState.RECEIVED, **values | changes)


def test_a_reply_is_told_with_its_text(stage: Stage, runner: EffectRunner, customer: Customer) -> None:
    order, reply = an_order(stage, state=MessageState.DELIVERED), a_reply(stage)
    for _ in range(2):
        with stage.ledger.begin() as uow:
            tell_reply(uow, reply, order, START)
            uow.commit()
    runner.drain()
    (told,) = customer.heard
    assert told.data["type"] == "message.replied"
    assert told.data["message"]["state"] == "delivered"
    assert told.data["reply"] == {"id": reply.id, "from": NUMBER, "to": SENDER, "body": "Thanks"}


def test_a_one_time_code_in_a_reply_is_not_passed_on(stage: Stage, runner: EffectRunner, customer: Customer) -> None:
    order, reply = an_order(stage), a_reply(stage, purpose=Purpose.OTP, body="my code is 123456")
    with stage.ledger.begin() as uow:
        tell_reply(uow, reply, order, START)
        uow.commit()
    runner.drain()
    assert "123456" not in customer.heard[0].data["reply"]["body"]


def test_a_callback_is_named_by_its_host_and_its_address_is_no_secret_of_the_log(stage: Stage) -> None:
    order = an_order(stage)
    stage.move(order, MessageState.FAILED, "refused")
    (row,) = wanted(stage, f"callback:{order.id}:failed:0")
    assert row.channel == "https://shop.example"
    assert "s3cret" not in repr(row)
    assert "s3cret" not in repr(order)


def test_ids_of_callbacks_are_uuids_of_their_time(stage: Stage) -> None:
    order = an_order(stage)
    stage.move(order, MessageState.FAILED, "refused")
    (row,) = wanted(stage, f"callback:{order.id}:failed:0")
    read = uuid.UUID(row.id)
    assert (read.version, read.variant, str(read)) == (7, uuid.RFC_4122, row.id)
    assert read.int >> 80 == int(START.timestamp() * 1000)


def test_a_customer_that_is_down_is_tried_again_and_then_heard(
    stage: Stage, runner: EffectRunner, customer: Customer
) -> None:
    customer.errors = [ChannelUnavailableError("it answered HTTP 500", status=500) for _ in range(3)]
    stage.move(an_order(stage), MessageState.ACCEPTED)
    for _ in range(20):
        runner.drain()
        stage.pass_time(minutes=1)
    assert len(customer.heard) == 4
    assert len({each.id for each in customer.heard}) == 1


def failed(stage: Stage, runner: EffectRunner, customer: Customer) -> EffectRow:
    order = an_order(stage)
    stage.move(order, MessageState.DELIVERED)
    customer.errors = [ChannelRefusedError("it answered HTTP 410", status=410)]
    runner.drain()
    (row,) = CallbackReplay(stage.ledger, stage.clock).failed("account-1", 10)
    assert row.state is EffectState.FAILED
    return row


def test_one_that_failed_is_shown_to_a_person_and_not_told_as_news_of_the_contact(
    stage: Stage, runner: EffectRunner, customer: Customer
) -> None:
    row = failed(stage, runner, customer)
    with stage.ledger.begin(write=False) as uow:
        entries = uow.timeline.of_message("account-1", row.payload["message_id"])
    kinds = [entry.kind for entry in entries if entry.kind is not EntryKind.MESSAGE_MOVED]
    assert kinds == [EntryKind.EFFECT_FAILED, EntryKind.ATTENTION_NEEDED]
    assert all("s3cret" not in entry.summary and "https://shop.example" in entry.summary for entry in entries[1:])


def test_one_that_was_told_leaves_no_entry(stage: Stage, runner: EffectRunner) -> None:
    order = an_order(stage)
    stage.move(order, MessageState.DELIVERED)
    runner.drain()
    (row,) = wanted(stage, f"callback:{order.id}:delivered:0")
    assert row.state is EffectState.DONE
    with stage.ledger.begin(write=False) as uow:
        assert [e.kind for e in uow.timeline.of_message("account-1", order.id)] == [EntryKind.MESSAGE_MOVED]


def test_one_that_failed_is_replayed_under_its_id_and_may_fail_again(
    stage: Stage, runner: EffectRunner, customer: Customer
) -> None:
    row, replay = failed(stage, runner, customer), CallbackReplay(stage.ledger, stage.clock)
    stage.nudged.clear()
    stage.pass_time(days=3)
    assert replay.replay("account-1", [row.id]) == [row.id]
    assert stage.nudged == [EFFECTS]
    stage.clock.at += TRIED_FOR - timedelta(seconds=1)
    customer.errors = [ChannelRefusedError("it answered HTTP 410", status=410)]
    runner.drain()
    assert [each.id for each in customer.heard] == [row.id, row.id]
    with stage.ledger.begin(write=False) as uow:
        entries = uow.timeline.of_message("account-1", row.payload["message_id"])
    assert [entry.kind for entry in entries].count(EntryKind.EFFECT_FAILED) == 2


def test_nobody_replays_the_callbacks_of_another_account(
    stage: Stage, runner: EffectRunner, customer: Customer
) -> None:
    row, replay = failed(stage, runner, customer), CallbackReplay(stage.ledger, stage.clock)
    stage.nudged.clear()
    assert replay.replay("account-2", [row.id]) == []
    assert replay.failed("account-2", 10) == []
    assert stage.nudged == []


def test_after_a_day_it_is_given_up(stage: Stage, runner: EffectRunner, customer: Customer) -> None:
    stage.move(an_order(stage), MessageState.DELIVERED)
    stage.clock.at += TRIED_FOR
    runner.drain()
    (row,) = CallbackReplay(stage.ledger, stage.clock).failed("account-1", 10)
    assert customer.heard == []
    assert "its time is over" in row.error


def test_a_host_that_one_account_cannot_reach_is_still_asked_for_another(
    stage: Stage, runner: EffectRunner, customer: Customer
) -> None:
    stage.add_account("account-2")
    customer.errors = [ChannelUnavailableError("it answered HTTP 404", status=404)]
    stage.move(an_order(stage), MessageState.DELIVERED)
    runner.drain()
    stage.move(an_order(stage, account_id="account-2", contact_id=None), MessageState.DELIVERED)
    stage.move(an_order(stage, idempotency_key="order:8"), MessageState.DELIVERED)
    runner.drain()
    assert [each.account_id for each in customer.heard] == ["account-1", "account-2"]


def test_callbacks_wait_where_nobody_can_deliver_them(stage: Stage) -> None:
    order = an_order(stage)
    stage.move(order, MessageState.DELIVERED)
    EffectRunner(stage.ledger, {}, DESK, EffectRecorder(random.Random(7)), stage.clock).drain()
    (row,) = wanted(stage, f"callback:{order.id}:delivered:0")
    assert (row.kind, row.state) == (EffectKind.CALLBACK, EffectState.WAITING)
    assert row.error == "there is no channel https://shop.example"


def test_only_what_was_ordered_under_a_key_has_a_reference(stage: Stage) -> None:
    assert reference_of(an_order(stage)) == "table-7"
    assert reference_of(stage.add_message()) is None
    own = stage.add_message()
    assert reference_of(replace(own, idempotency_key=f"order:{own.id}")) is None


@pytest.fixture
def secrets(stage: Stage) -> CallbackSecrets:
    made = iter(range(1, 10))
    return CallbackSecrets(stage.ledger, stage.clock, lambda: f"whsec_{next(made)}")


def test_a_secret_is_made_when_it_is_first_looked_at(secrets: CallbackSecrets) -> None:
    assert secrets.valid("account-1") == []
    assert [each.secret for each in secrets.shown("account-1")] == ["whsec_1"]
    assert [each.secret for each in secrets.shown("account-1")] == ["whsec_1"]
    assert [each.secret for each in secrets.shown("account-2")] == ["whsec_2"]


def test_two_secrets_hold_while_one_is_changed_and_then_one(secrets: CallbackSecrets, stage: Stage) -> None:
    secrets.shown("account-1")
    rotated = secrets.rotate("account-1")
    assert [(each.secret, each.retires_at) for each in rotated] == [("whsec_2", None), ("whsec_1", START + BOTH_HOLD)]
    assert secrets.valid("account-1") == ["whsec_2", "whsec_1"]
    stage.clock.at += BOTH_HOLD
    assert secrets.valid("account-1") == ["whsec_2"]


def test_never_more_than_two_secrets_hold(secrets: CallbackSecrets) -> None:
    secrets.shown("account-1")
    secrets.rotate("account-1")
    assert [each.secret for each in secrets.rotate("account-1")] == ["whsec_3", "whsec_2"]


def test_a_secret_that_got_out_ends_at_once(secrets: CallbackSecrets) -> None:
    secrets.shown("account-1")
    assert [each.secret for each in secrets.rotate("account-1", at_once=True)] == ["whsec_2"]


def test_a_text_given_up_again_after_it_was_sent_again_is_news(stage: Stage) -> None:
    row = an_order(stage, state=MessageState.QUEUED)
    stage.move(row, MessageState.DEAD_LETTER, "no gateway may take it")
    anew = replace(row, restarted_at=stage.clock.at)
    for _ in range(2):
        with stage.ledger.begin() as uow:
            tell_move(uow, anew, MessageState.DEAD_LETTER, "no gateway may take it", stage.clock.at)
            uow.commit()
    again = f":{int(stage.clock.at.timestamp() * 1000)}"
    first = f"callback:{row.id}:dead_letter:0"
    assert [each.key for each in wanted(stage, first, first + again)] == [first, first + again]


def test_a_callback_asked_to_wait_for_longer_than_its_day_is_tried_once_more(
    stage: Stage, runner: EffectRunner, customer: Customer
) -> None:
    stage.move(an_order(stage), MessageState.DELIVERED, "the gateway reports delivered")
    customer.errors = [ChannelUnavailableError("maintenance", status=503, retry_after=timedelta(days=7))]
    runner.drain()
    stage.pass_time(hours=23, minutes=59, seconds=30)
    runner.drain()
    assert len(customer.heard) == 2
