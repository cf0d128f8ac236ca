"""Does the ledger keep the calls of workflows, each once, and hand each to one worker at a time?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from connector.adapters.secrets import Vault
from connector.adapters.store.tables import workflow_call
from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.ledger import Ledger
from connector.ports.workflows import CallMove, CallState, WaitsFor, WorkflowCallRow
from tests.adapters.store.factories import NOW

SECOND, LEASE = timedelta(seconds=1), timedelta(minutes=2)
CALL = WorkflowCallRow(
    id="call-1",
    account_id="account-1",
    callback_id="ap-123-456-7-0",
    object_type="deal",
    object_id="9001",
    inputs={"body": "Hello Maya", "recipient": "contact"},
    waits_for=WaitsFor.DELIVERED,
    message_id="message-1",
    received_at=NOW,
    expires_at=NOW + timedelta(minutes=15),
    not_before=NOW,
    workflow="3",
)


def add(ledger: Ledger, *calls: WorkflowCallRow) -> None:
    with ledger.begin() as work:
        for call in calls:
            assert work.workflow_calls.add(call)
        work.commit()


def test_a_call_is_read_back_as_added_and_by_its_account_only(ledger: Ledger) -> None:
    add(ledger, CALL)
    with ledger.begin(write=False) as work:
        assert work.workflow_calls.by_callback("account-1", CALL.callback_id) == CALL
        assert work.workflow_calls.by_callback("account-2", CALL.callback_id) is None
        assert work.workflow_calls.by_callback("account-1", "ap-1") is None


def test_the_same_callback_is_kept_once_per_account(ledger: Ledger) -> None:
    add(ledger, CALL)
    with ledger.begin() as work:
        assert not work.workflow_calls.add(replace(CALL, id="call-2"))
        assert work.workflow_calls.add(replace(CALL, id="call-3", account_id="account-2"))


def test_what_is_to_be_sent_is_unreadable_at_rest(sql_ledger: SQLLedger) -> None:
    add(sql_ledger, CALL)
    with sql_ledger.engine.connect() as connection:
        sealed = connection.execute(sa.select(workflow_call.c.inputs_sealed)).scalar_one()
    assert b"Maya" not in bytes(sealed)


def test_a_call_that_cannot_be_opened_says_nothing_and_stops_no_other(sql_ledger: SQLLedger) -> None:
    add(sql_ledger, CALL, replace(CALL, id="call-2", callback_id="ap-2"))
    with sql_ledger.engine.begin() as connection:
        damaged = sa.update(workflow_call).where(workflow_call.c.id == CALL.id)
        connection.execute(damaged.values(inputs_sealed=b"damaged"))
    with sql_ledger.begin() as work:
        rows = work.workflow_calls.claim(10, NOW, NOW + LEASE)
    assert [row.inputs for row in rows] == [{}, CALL.inputs]


def test_a_call_whose_key_is_not_here_waits_for_who_has_it_until_its_time_is_over(sql_ledger: SQLLedger) -> None:
    add(sql_ledger, CALL)
    other = SQLLedger(sql_ledger.engine, Vault(["x" * 32]), lambda _lane: None)
    with other.begin() as work:
        assert work.workflow_calls.claim(10, NOW, NOW + LEASE) == []
    with sql_ledger.begin() as work:
        assert work.workflow_calls.claim(10, NOW, NOW + LEASE) == [CALL]
    with other.begin() as work:
        [row] = work.workflow_calls.claim(10, CALL.expires_at, CALL.expires_at + LEASE)
    assert row.inputs == {}


def test_due_calls_are_claimed_once_the_longest_due_first(ledger: Ledger) -> None:
    late = replace(CALL, id="call-2", callback_id="ap-2", not_before=NOW - SECOND)
    future = replace(CALL, id="call-3", callback_id="ap-3", not_before=NOW + SECOND)
    add(ledger, CALL, late, future)
    with ledger.begin() as work:
        assert work.workflow_calls.any_due(NOW)
        assert work.workflow_calls.claim(10, NOW, NOW + LEASE) == [late, CALL]
        assert work.workflow_calls.claim(10, NOW, NOW + LEASE) == []
        assert not work.workflow_calls.any_due(NOW)
        assert [row.id for row in work.workflow_calls.claim(10, NOW + LEASE, NOW + 2 * LEASE)] == [
            "call-2",
            "call-1",
            "call-3",
        ]


def test_a_limit_is_kept(ledger: Ledger) -> None:
    add(ledger, CALL, replace(CALL, id="call-2", callback_id="ap-2"))
    with ledger.begin() as work:
        assert len(work.workflow_calls.claim(1, NOW, NOW + LEASE)) == 1


def test_a_move_counts_only_from_the_state_it_was_decided_in(ledger: Ledger) -> None:
    add(ledger, CALL)
    to_waiting = CallMove(CALL.id, CallState.ORDERED, CallState.WAITING, not_before=CALL.expires_at)
    with ledger.begin() as work:
        calls = work.workflow_calls
        assert calls.move([to_waiting, replace(to_waiting, call_id="call-9")], NOW) == [CALL.id]
        assert calls.move([to_waiting], NOW) == []
        work.commit()
    with ledger.begin(write=False) as work:
        kept = work.workflow_calls.by_callback("account-1", CALL.callback_id)
        assert kept == replace(CALL, state=CallState.WAITING, not_before=CALL.expires_at)


def test_a_move_ends_the_lease_and_leaves_what_it_does_not_name(ledger: Ledger) -> None:
    add(ledger, CALL)
    known = CallMove(CALL.id, CallState.ORDERED, CallState.COMPLETING, "replied", "they said yes", "reply-1")
    again = CallMove(CALL.id, CallState.COMPLETING, CallState.COMPLETING, error="HubSpot is away", tried=True)
    with ledger.begin() as work:
        calls = work.workflow_calls
        calls.claim(1, NOW, NOW + LEASE)
        calls.move([known], NOW)
        assert [row.id for row in calls.claim(1, NOW, NOW + LEASE)] == [CALL.id]
        calls.move([again], NOW)
        kept = calls.by_callback("account-1", CALL.callback_id)
    assert kept is not None
    assert (kept.result, kept.reason, kept.reply_id) == ("replied", "they said yes", "reply-1")
    assert (kept.error, kept.attempts) == ("HubSpot is away", 1)


def test_a_call_that_is_done_is_never_claimed_again(ledger: Ledger) -> None:
    add(ledger, CALL)
    with ledger.begin() as work:
        work.workflow_calls.move([CallMove(CALL.id, CallState.ORDERED, CallState.DONE, "queued")], NOW)
        assert work.workflow_calls.claim(1, NOW + LEASE, NOW + 2 * LEASE) == []
        kept = work.workflow_calls.by_callback("account-1", CALL.callback_id)
    assert kept is not None
    assert (kept.state, kept.completed_at) == (CallState.DONE, NOW)


@pytest.mark.parametrize("state", list(CallState))
def test_only_calls_that_wait_are_found_by_their_text(ledger: Ledger, state: CallState) -> None:
    add(ledger, replace(CALL, state=state))
    with ledger.begin() as work:
        found = work.workflow_calls.waiting_for(["message-1", "message-2"])
        assert [row.id for row in found] == ([CALL.id] if state is CallState.WAITING else [])
        assert work.workflow_calls.waiting_for([]) == []


def test_a_rollback_forgets_a_call(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.workflow_calls.add(CALL)
    with ledger.begin(write=False) as work:
        assert work.workflow_calls.by_callback("account-1", CALL.callback_id) is None
