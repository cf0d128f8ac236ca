"""Does a text that a person has sent again begin anew, and is what became of it before still known?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connector.adapters.memory.ledger import MemoryLedger
from connector.domain.message import MessageState, Purpose
from connector.ports.ledger import Ledger
from connector.ports.message_filters import DeadLetterFilter
from connector.ports.messages import MessageRow, StateChange
from connector.services.dead_letters import DeadLetters
from tests.adapters.store.factories import NOW, a_message
from tests.services.sending.conftest import Desk
from tests.services.sending.texts import a_text, down, failing, with_plivo, work

LATER = NOW + timedelta(hours=1)


def given_up(desk: Desk, **changes: object) -> MessageRow:
    """Try a text until its tries, three of them, are used up."""
    desk.gateway.script = failing(down, 3)
    text = a_text(desk, **changes)
    desk.add(text)
    for _ in range(4):
        work(desk, f"send:twilio:{text.purpose}")
        desk.clock.advance(seconds=16)
        desk.wake()
    assert desk.state_of(text) is MessageState.DEAD_LETTER
    return text


def replay(desk: Desk, *, afresh: bool = False) -> None:
    letters = DeadLetters(desk.ledger, desk.clock)
    assert letters.replay(letters.find(DeadLetterFilter()), "sam", afresh=afresh).done


def test_a_text_sent_again_has_all_its_tries_anew_and_forgets_none(desk: Desk) -> None:
    text = given_up(desk)
    desk.clock.advance(hours=1)
    desk.gateway.script = failing(down, 2)
    replay(desk)
    row = desk.row(text)
    assert (row.tries, row.recent_tries, row.alive_since) == (3, 0, desk.clock.now())
    for _ in range(6):
        work(desk)
        desk.clock.advance(minutes=6)
        desk.wake()
    assert desk.state_of(text) is MessageState.ACCEPTED
    assert desk.row(text).tries == 6


def test_a_code_sent_again_lives_as_long_as_a_new_one(desk: Desk) -> None:
    desk.gateway.script = failing(down, 1)
    code = a_text(desk, purpose=Purpose.OTP, created_at=NOW - timedelta(hours=1), state=MessageState.DEAD_LETTER)
    desk.add(code)
    replay(desk, afresh=True)
    work(desk, "send:twilio:otp")
    assert desk.state_of(code) is MessageState.QUEUED
    desk.clock.advance(seconds=20)
    work(desk, "send:twilio:otp")
    assert desk.state_of(code) is MessageState.ACCEPTED


def test_gateways_that_failed_before_a_person_decided_are_chosen_as_ever(desk: Desk) -> None:
    desk, plivo = with_plivo(desk)
    desk.gateway.script = failing(down, 1)
    text = a_text(desk)
    desk.add(text)
    work(desk)
    with desk.ledger.begin() as uow:
        given = StateChange(text.id, MessageState.QUEUED, MessageState.DEAD_LETTER, "given up")
        assert uow.messages.move([given], desk.clock.now())
        uow.commit()
    desk.clock.advance(hours=1)
    replay(desk)
    work(desk)
    assert [attempt.gateway for attempt in desk.attempts(text)] == ["twilio", "twilio"]
    assert plivo.sent == []


def test_what_is_dropped_begins_nothing_anew(desk: Desk) -> None:
    text = a_text(desk, state=MessageState.DEAD_LETTER, tries=3)
    desk.add(text)
    letters = DeadLetters(desk.ledger, desk.clock)
    letters.drop(letters.find(DeadLetterFilter()), "sam")
    assert (desk.row(text).restarted_at, desk.row(text).tries_before) == (None, 0)


@pytest.mark.parametrize("kind", ["database", "memory"])
def test_every_ledger_knows_since_when_a_text_lives_anew(desk: Desk, kind: str) -> None:
    ledger: Ledger = desk.ledger if kind == "database" else MemoryLedger(desk.nudged.append)
    text = a_message(desk.account_id, state=MessageState.DEAD_LETTER, tries=4)
    again = StateChange(text.id, MessageState.DEAD_LETTER, MessageState.QUEUED, "sent again", restart=True)
    with ledger.begin() as uow:
        uow.messages.add(text)
        uow.messages.move_all([again], LATER)
        uow.messages.move_all([replace(again, from_state=MessageState.QUEUED, restart=False)], LATER)
        row = uow.messages.many([text.id])[text.id]
    assert (row.tries, row.tries_before, row.restarted_at, row.alive_since) == (4, 4, LATER, LATER)
    assert text.alive_since == text.created_at
