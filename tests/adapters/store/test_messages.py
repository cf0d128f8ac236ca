"""Does the store keep the promises of the message and attempt repositories?"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from connector.adapters.store.unit_of_work import SQLLedger
from connector.domain.message import MessageState, Purpose
from connector.ports.attempts import PartRow
from connector.ports.ledger import Ledger
from connector.ports.messages import Standing, StateChange
from tests.adapters.store.factories import NOW, NUMBER, SENDER, a_message, an_account, an_attempt

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def account_id(ledger: Ledger) -> str:
    account = an_account()
    with ledger.begin() as uow:
        uow.accounts.add(account)
        uow.commit()
    return account.id


def test_a_message_reads_back_as_it_was_written(ledger: Ledger, account_id: str) -> None:
    message = a_message(
        account_id,
        caps=("3 per 7 days",),
        time_zones=("Europe/London",),
        cost=Decimal("0.0075"),
        currency="USD",
        expires_at=LATER,
        country="GB",
        updated_at=NOW,
    )
    with ledger.begin() as uow:
        assert uow.messages.add(message)
        uow.commit()
    with ledger.begin(write=False) as uow:
        assert uow.messages.get(account_id, message.id) == message


def test_a_body_is_unreadable_at_rest(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as uow:
        uow.messages.add(a_message("a", body="meet me at noon"))
        uow.commit()
        sealed = sql_ledger.begin()
    with sealed as uow:
        rows = uow._connection.execute(text("SELECT body_sealed FROM message")).scalars().all()
    assert all(b"noon" not in bytes(row) for row in rows)


def test_one_intent_is_one_message(ledger: Ledger, account_id: str) -> None:
    with ledger.begin() as uow:
        assert uow.messages.add(a_message(account_id, idempotency_key="enrollment:steps[0]"))
        assert not uow.messages.add(a_message(account_id, idempotency_key="enrollment:steps[0]"))
        uow.commit()


def test_another_account_cannot_read_a_message(ledger: Ledger, account_id: str) -> None:
    message = a_message(account_id)
    with ledger.begin() as uow:
        uow.messages.add(message)
        assert uow.messages.get("another", message.id) is None
        assert uow.messages.find("another", message.id) is None


def test_a_rolled_back_unit_of_work_writes_and_nudges_nothing(
    ledger: Ledger, account_id: str, nudged: list[str]
) -> None:
    with ledger.begin() as uow:
        uow.messages.add(a_message(account_id))
        uow.nudge("events")
    with ledger.begin(write=False) as uow:
        assert uow.messages.counts() == {}
    assert nudged == []


def test_nudges_go_out_once_after_the_commit(ledger: Ledger, nudged: list[str]) -> None:
    with ledger.begin() as uow:
        uow.nudge("events")
        uow.nudge("events")
        assert nudged == []
        uow.commit()
    assert nudged == ["events"]


def test_only_due_messages_of_the_lane_are_queued(ledger: Ledger, account_id: str) -> None:
    due, later, other = a_message(account_id), a_message(account_id, not_before=LATER), a_message(account_id)
    with ledger.begin() as uow:
        uow.messages.add(due)
        uow.messages.add(later)
        uow.messages.add(replace(other, purpose=Purpose.OTP))
        assert [row.id for row in uow.messages.queued("twilio", "transactional", 10, NOW)] == [due.id]
        assert uow.messages.waiting_lanes(NOW) == [("twilio", "otp"), ("twilio", "transactional")] or set(
            uow.messages.waiting_lanes(NOW)
        ) == {("twilio", "otp"), ("twilio", "transactional")}


def test_a_move_applies_only_from_the_state_it_was_decided_on(ledger: Ledger, account_id: str) -> None:
    message = a_message(account_id)
    claim = StateChange(message.id, MessageState.QUEUED, MessageState.DISPATCHING, "", tried=True)
    with ledger.begin() as uow:
        uow.messages.add(message)
        assert uow.messages.move([claim], LATER) == [message.id]
        assert uow.messages.move([claim], LATER) == []
        found = uow.messages.get(account_id, message.id)
        assert found is not None
        assert (found.state, found.tries, found.updated_at) == (MessageState.DISPATCHING, 1, LATER)


def test_a_move_of_what_was_locked_refuses_any_other_state(ledger: Ledger, account_id: str) -> None:
    queued, sent = a_message(account_id), a_message(account_id, state=MessageState.SENT)
    changes = [StateChange(row.id, MessageState.QUEUED, MessageState.DISPATCHING, "") for row in (queued, sent)]
    with ledger.begin() as uow:
        uow.messages.add(queued)
        uow.messages.add(sent)
        uow.messages.move_all([], NOW)
        with pytest.raises(RuntimeError, match="1 of 2"):
            uow.messages.move_all(changes, NOW)


def test_a_move_keeps_what_it_does_not_name(ledger: Ledger, account_id: str) -> None:
    message = a_message(account_id, state=MessageState.DISPATCHING)
    accepted = StateChange(
        message.id,
        MessageState.DISPATCHING,
        MessageState.ACCEPTED,
        "taken",
        sent_at=LATER,
        sender=SENDER,
        provider_message_id="SM1",
        cost=Decimal("0.01"),
        currency="USD",
    )
    with ledger.begin() as uow:
        uow.messages.add(message)
        uow.messages.move([accepted], LATER)
        uow.messages.move([StateChange(message.id, MessageState.ACCEPTED, MessageState.SENT, "left")], LATER)
        found = uow.messages.get(account_id, message.id)
    assert found is not None
    assert (found.sender, found.provider_message_id, found.sent_at) == (SENDER, "SM1", LATER)
    assert (found.cost, found.currency, found.not_before) == (Decimal("0.01"), "USD", NOW)


def test_two_workers_never_claim_one_message(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as uow:
        for _ in range(40):
            uow.messages.add(a_message("a"))
        uow.commit()
    claimed: list[str] = []
    barrier = threading.Barrier(4)

    def claim() -> None:
        barrier.wait()
        while True:
            with sql_ledger.begin() as uow:
                rows = uow.messages.queued("twilio", "transactional", 5, NOW)
                changes = [StateChange(row.id, row.state, MessageState.DISPATCHING, "") for row in rows]
                claimed.extend(uow.messages.move(changes, NOW))
                uow.commit()
            if not rows:
                return

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 40


def test_a_claim_is_abandoned_when_its_lease_runs_out(ledger: Ledger, account_id: str) -> None:
    message = a_message(account_id)
    claim = StateChange(message.id, MessageState.QUEUED, MessageState.DISPATCHING, "", lease_until=LATER)
    with ledger.begin() as uow:
        uow.messages.add(message)
        uow.messages.move([claim], NOW)
        assert uow.messages.abandoned(NOW, 10) == []
        assert [row.id for row in uow.messages.abandoned(LATER, 10)] == [message.id]


def test_a_move_ends_the_lease(ledger: Ledger, account_id: str) -> None:
    message = a_message(account_id)
    claim = StateChange(message.id, MessageState.QUEUED, MessageState.DISPATCHING, "", tried=True, lease_until=LATER)
    back = StateChange(message.id, MessageState.DISPATCHING, MessageState.QUEUED, "busy")
    again = StateChange(message.id, MessageState.QUEUED, MessageState.DISPATCHING, "", tried=True)
    with ledger.begin() as uow:
        uow.messages.add(message)
        for change in (claim, back, again):
            assert uow.messages.move([change], NOW) == [message.id]
        assert uow.messages.abandoned(LATER, 10) == []
        standing = uow.messages.standing([message.id, "another"])
        assert standing == {message.id: Standing(MessageState.DISPATCHING, tries=2, sent_at=None)}


def test_a_receipt_that_adds_nothing_leaves_the_time_and_the_lease_alone(ledger: Ledger, account_id: str) -> None:
    message = a_message(account_id)
    claim = StateChange(message.id, MessageState.QUEUED, MessageState.DISPATCHING, "", tried=True, lease_until=LATER)
    stays = StateChange(message.id, MessageState.DISPATCHING, MessageState.DISPATCHING, "", provider_message_id="SM1")
    with ledger.begin() as uow:
        uow.messages.add(message)
        uow.messages.move([claim], NOW)
        uow.messages.move([stays], LATER)
        [found] = uow.messages.abandoned(LATER, 10)
    assert (found.updated_at, found.provider_message_id) == (NOW, "SM1")


def test_due_are_held_messages_whose_time_has_come_and_those_past_their_life(ledger: Ledger, account_id: str) -> None:
    opened = a_message(account_id, state=MessageState.HELD)
    closed = a_message(account_id, state=MessageState.HELD, not_before=LATER)
    dead = a_message(account_id, state=MessageState.QUEUED, not_before=LATER, expires_at=NOW)
    with ledger.begin() as uow:
        for row in (opened, closed, dead):
            uow.messages.add(row)
        assert {row.id for row in uow.messages.due(NOW, 10)} == {opened.id, dead.id}


def test_open_texts_to_a_number_are_those_that_have_not_gone_out(ledger: Ledger, account_id: str) -> None:
    queued, held = a_message(account_id), a_message(account_id, state=MessageState.HELD)
    sent = a_message(account_id, state=MessageState.SENT)
    elsewhere = a_message(account_id, msisdn="+12025550199")
    with ledger.begin() as uow:
        for row in (queued, held, sent, elsewhere):
            uow.messages.add(row)
        assert {row.id for row in uow.messages.open_to(account_id, NUMBER)} == {queued.id, held.id}


def test_caps_count_texts_that_may_have_reached_the_person(ledger: Ledger, account_id: str) -> None:
    with ledger.begin() as uow:
        uow.messages.add(a_message(account_id, state=MessageState.DELIVERED, sent_at=NOW))
        uow.messages.add(a_message(account_id, state=MessageState.UNKNOWN, sent_at=None, updated_at=NOW))
        uow.messages.add(a_message(account_id, state=MessageState.FAILED, sent_at=NOW))
        uow.messages.add(a_message(account_id, state=MessageState.DELIVERED, sent_at=NOW - timedelta(days=9)))
        times = uow.messages.sent_times(account_id, [NUMBER], NOW - timedelta(days=7))
    assert [at for at, _, _ in times[NUMBER]] == [NOW, NOW]


def test_the_last_text_to_a_number_is_found_per_account_by_when_it_left(ledger: Ledger, account_id: str) -> None:
    other = an_account()
    older = a_message(account_id, state=MessageState.SENT, sender=SENDER, sent_at=NOW, created_at=LATER)
    held_overnight = a_message(account_id, state=MessageState.DELIVERED, sender=SENDER, sent_at=LATER)
    theirs = a_message(other.id, state=MessageState.UNKNOWN, sender=None, updated_at=NOW + timedelta(seconds=5))
    expired = a_message(account_id, state=MessageState.EXPIRED, created_at=LATER + timedelta(seconds=5))
    queued = a_message(account_id, created_at=LATER + timedelta(seconds=5))
    with ledger.begin() as uow:
        uow.accounts.add(other)
        for row in (older, held_overnight, theirs, expired, queued):
            uow.messages.add(row)
        assert [row.id for row in uow.messages.last_sent_to(NUMBER, SENDER)] == [held_overnight.id, theirs.id]


def test_an_attempt_is_saved_and_found_by_both_ids(ledger: Ledger, account_id: str) -> None:
    message = a_message(account_id)
    attempt = an_attempt(message)
    told = replace(
        attempt, state=MessageState.SENT, provider_message_id="SM9", price=Decimal("0.0075"), currency="USD", segments=2
    )
    with ledger.begin() as uow:
        uow.messages.add(message)
        uow.attempts.add([attempt])
        uow.attempts.save([told])
        assert uow.attempts.many([attempt.id])[attempt.id] == told
        assert uow.attempts.by_provider_ids("twilio", ["SM9"])["SM9"] == told
        assert uow.attempts.of_messages([message.id]) == [told]
        assert uow.attempts.provider_ids_to(NUMBER, NOW) == {"SM9"}
        found = uow.messages.find(None, "SM9")
    assert found is not None
    assert found.id == message.id


def test_a_gateway_id_belongs_to_one_attempt(ledger: Ledger, account_id: str) -> None:
    message = a_message(account_id)
    with ledger.begin() as uow:
        uow.messages.add(message)
        uow.attempts.add([an_attempt(message, provider_message_id="SM9")])
        with pytest.raises((IntegrityError, ValueError)):
            uow.attempts.add([an_attempt(message, provider_message_id="SM9")])


def test_an_attempt_to_be_asked_for_is_given_to_one_asker(ledger: Ledger, account_id: str) -> None:
    message = a_message(account_id)
    attempt = an_attempt(message, ask_at=NOW)
    with ledger.begin() as uow:
        uow.messages.add(message)
        uow.attempts.add([attempt, an_attempt(message)])
        assert uow.attempts.any_to_ask(NOW)
        assert [row.id for row in uow.attempts.to_ask(NOW, 10, LATER)] == [attempt.id]
        assert uow.attempts.to_ask(NOW, 10, LATER) == []
        assert not uow.attempts.any_to_ask(NOW)


def test_urgent_attempts_are_asked_for_first_up_to_half_of_a_batch(ledger: Ledger, account_id: str) -> None:
    message = a_message(account_id)
    silent = [an_attempt(message, ask_at=NOW - timedelta(minutes=9 - n)) for n in range(4)]
    urgent = [an_attempt(message, ask_at=NOW - timedelta(seconds=9 - n), is_urgent=True) for n in range(3)]
    with ledger.begin() as uow:
        uow.messages.add(message)
        uow.attempts.add([*silent, *urgent])
        first, second = uow.attempts.to_ask(NOW, 4, LATER), uow.attempts.to_ask(NOW, 9, LATER)
    assert [row.id for row in first] == [row.id for row in (*urgent[:2], *silent[:2])]
    assert {row.id for row in second} == {row.id for row in (urgent[2], *silent[2:])}


def test_attempts_are_found_by_the_ids_that_a_gateway_gave_them_or_their_parts(ledger: Ledger, account_id: str) -> None:
    message = a_message(account_id)
    whole, long, other = (an_attempt(message, provider_message_id=name) for name in ("SM1", "SM2", "SM3"))
    with ledger.begin() as uow:
        uow.messages.add(message)
        uow.attempts.add([whole, long, other])
        uow.attempts.add_parts([PartRow(long.id, long.gateway, "P7", 1, MessageState.SENT)])
        assert uow.attempts.named(whole.gateway, ["SM1", "P7", "?"]) == sorted([whole.id, long.id])
        assert uow.attempts.named("another", ["SM1", "P7"]) == []
        assert uow.attempts.named(whole.gateway, []) == []


def test_an_attempt_to_be_forgotten_is_given_to_one_worker(ledger: Ledger, account_id: str) -> None:
    message = a_message(account_id)
    attempt, later = an_attempt(message, redact_at=NOW), an_attempt(message, redact_at=LATER)
    with ledger.begin() as uow:
        uow.messages.add(message)
        uow.attempts.add([attempt, later, an_attempt(message)])
        assert uow.attempts.many([attempt.id])[attempt.id].redact_at == NOW
        assert uow.attempts.any_to_redact(NOW)
        assert [row.id for row in uow.attempts.to_redact(NOW, 10, LATER)] == [attempt.id]
        assert uow.attempts.to_redact(NOW, 10, LATER) == []
        assert not uow.attempts.any_to_redact(NOW)
        uow.attempts.save([replace(attempt, redact_at=None)])
        assert [row.id for row in uow.attempts.to_redact(LATER, 10, LATER)] == [later.id]
