"""Does the ledger in memory take back what was not committed, repeat its runs and say what is due next?

That it keeps the promises of the ports is asked in `tests/adapters/store`, where every test of a ledger runs on it.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.adapters.memory.ledger import MemoryLedger
from connector.domain.message import MessageState
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.consents import ConsentEvent, ConsentKind, Scope
from connector.ports.effects import EffectKind, EffectRow, EffectState
from connector.ports.enrollments import EnrollmentRow
from connector.ports.messages import StateChange
from tests.adapters.store.factories import NOW, NUMBER, a_message, an_account, an_attempt, an_event

LATER = NOW + timedelta(minutes=5)
ROW = EnrollmentRow(
    id="enrollment-1",
    account_id="a",
    contact_id="contact-1",
    journey="welcome",
    journey_version_id="version-1",
    key="1",
    epoch=0,
    subject="contact:1",
    status="live",
    state={"run": {"cursor": "steps[0]"}},
    started_at=NOW,
    due_at=NOW,
)
MESSAGE = a_message("a", id="message-1", expires_at=LATER)
EFFECT = EffectRow("effect-1", "a", EffectKind.NOTIFY, "key-1", "ops", {}, NOW, LATER, NOW)
ENTRY = TimelineEntry("a", EntryKind.ENROLLED, "enrollment:1", "", NOW, "Enrolled", contact_id="contact-1")
STOP = ConsentEvent("consent-1", "a", NUMBER, ConsentKind.OPT_OUT, Scope.ALL, "keyword", "message:1", NOW)


@pytest.fixture
def ledger() -> MemoryLedger:
    ledger = MemoryLedger()
    with ledger.begin() as uow:
        uow.accounts.add(an_account(id="a", crm="hubspot"))
        uow.enrollments.add(ROW)
        uow.messages.add(MESSAGE)
        uow.effects.add(EFFECT)
        uow.timeline.add([ENTRY])
        uow.consents.record(STOP)
        uow.consents.suppress(STOP)
        uow.commit()
    return ledger


def test_a_rollback_takes_back_new_rows_and_changes_and_lets_what_was_claimed_be_claimed_again(
    ledger: MemoryLedger,
) -> None:
    with ledger.begin() as uow:
        [claimed] = uow.enrollments.claim(9, NOW, LATER)
        uow.enrollments.save(replace(claimed, status="ended", ended_at=NOW))
        uow.enrollments.add(replace(ROW, id="enrollment-2", key="2"))
        uow.messages.move([StateChange("message-1", MessageState.QUEUED, MessageState.DISPATCHING, "")], NOW)
        uow.attempts.add([an_attempt(MESSAGE, provider_message_id="SM1")])
        uow.effects.claim(9, NOW, LATER)
        uow.effects.end("effect-1", EffectState.DONE, NOW)
        uow.timeline.add([replace(ENTRY, discriminator="2")])
        uow.consents.lift("a", NUMBER, Scope.ALL)
        uow.inbox.add([an_event("a")])
        uow.accounts.set_status("a", "disconnected", "gone")
    with ledger.begin() as uow:
        assert uow.enrollments.of_contact("a", "contact-1") == [ROW]
        assert [row.id for row in uow.messages.queued("twilio", "transactional", 9, NOW)] == ["message-1"]
        assert uow.messages.find(None, "SM1") is None
        assert uow.timeline.of_contact("a", "contact-1", 9) == [ENTRY]
        assert uow.consents.suppressions("a", [NUMBER]).keys() == {NUMBER}
        assert uow.inbox.waiting(LATER) == {}
        assert uow.accounts.get("a").status == "active"
        assert [row.id for row in uow.enrollments.claim(9, NOW, LATER)] == ["enrollment-1"]
        assert [row.state for row in uow.effects.claim(9, NOW, LATER)] == [EffectState.WAITING]


def test_an_error_takes_back_what_was_done_before_it(ledger: MemoryLedger) -> None:
    def fail_half_way() -> None:
        with ledger.begin() as uow:
            uow.enrollments.add(replace(ROW, id="enrollment-2", key="2"))
            raise KeyError("something else")

    with pytest.raises(KeyError):
        fail_half_way()
    assert [row.id for row in ledger.all_enrollments()] == ["enrollment-1"]


def test_a_second_writer_is_refused_and_a_reader_is_not(ledger: MemoryLedger) -> None:
    with ledger.begin(), ledger.begin(write=False) as reading:
        assert reading.enrollments.find("a", "enrollment-1") == ROW
        with pytest.raises(RuntimeError, match="writing to this ledger already"):
            ledger.begin().__enter__()


def test_nothing_is_written_outside_a_unit_of_work_that_writes(ledger: MemoryLedger) -> None:
    with ledger.begin(write=False) as uow, pytest.raises(RuntimeError, match="in a unit of work that writes"):
        uow.messages.add(a_message("a"))
    with ledger.begin() as uow:
        uow.commit()
        with pytest.raises(RuntimeError, match="has not committed"):
            uow.messages.add(a_message("a"))


def test_ids_rise_and_are_the_same_in_every_run() -> None:
    runs = [[ledger.new_id() for _ in range(300)] for ledger in (MemoryLedger(), MemoryLedger())]
    assert runs[0] == runs[1] == sorted(set(runs[0]))
    assert MemoryLedger(counter=itertools.count(7)).new_id() == runs[0][6]
    assert len(runs[0][0]) == 36


def test_next_due_is_the_earliest_time_of_anything_that_waits(ledger: MemoryLedger) -> None:
    assert MemoryLedger().next_due() is None
    seen = []
    with ledger.begin() as uow:
        [claimed] = uow.enrollments.claim(1, NOW, LATER)
        uow.enrollments.save(replace(claimed, due_at=NOW + timedelta(days=1)))
        seen.append(ledger.next_due())
        uow.effects.end("effect-1", EffectState.DONE, NOW)
        held = a_message("a", state=MessageState.HELD, not_before=NOW + timedelta(hours=1))
        uow.messages.add(held)
        uow.messages.move([StateChange("message-1", MessageState.QUEUED, MessageState.HELD, "", LATER)], NOW)
        seen.append(ledger.next_due())
        uow.messages.move([StateChange("message-1", MessageState.HELD, MessageState.CANCELLED, "")], NOW)
        seen.append(ledger.next_due())
        uow.messages.move([StateChange(held.id, MessageState.HELD, MessageState.EXPIRED, "")], NOW)
        seen.append(ledger.next_due())
        uow.commit()
    assert seen == [NOW, LATER, NOW + timedelta(hours=1), NOW + timedelta(days=1)]


def test_the_ledger_can_be_looked_over_whole(ledger: MemoryLedger) -> None:
    assert list(ledger.all_enrollments()) == [ROW]
    assert [row.id for row in ledger.all_messages()] == ["message-1"]
    assert list(ledger.all_entries()) == [ENTRY]


def test_what_was_written_does_not_change_with_the_writers_own_copy(ledger: MemoryLedger) -> None:
    state = {"vars": {"tries": 1}}
    with ledger.begin() as uow:
        uow.enrollments.add(replace(ROW, id="enrollment-2", key="2", state=state))
        state["vars"]["tries"] = 2
        found = uow.enrollments.find("a", "enrollment-2")
    assert found is not None
    assert found.state == {"vars": {"tries": 1}}
