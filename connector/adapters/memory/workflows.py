"""How are the calls of workflows kept in memory, leased and moved?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from connector.adapters.memory.documents import kept_text
from connector.adapters.memory.shelves import Due, Group, Journal, Leased, Shelf, Turn, turn
from connector.ports.workflows import CallMove, CallState, WorkflowCallRow

_Call = Leased[WorkflowCallRow]
_LANE = "calls"


def _waits(call: _Call) -> Turn | None:
    is_over = call.row.state is CallState.DONE
    return None if is_over else turn(_LANE, call.row.not_before, call.lease_until)


class MemoryWorkflowCallRepository:
    """Calls; see `connector.ports.workflows.WorkflowCallRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._due: Due[_Call] = Due(_waits)
        self._by_callback: Group[_Call] = Group(lambda call: (call.row.account_id, call.row.callback_id))
        self._by_message: Group[_Call] = Group(lambda call: call.row.message_id)
        self._shelf: Shelf[_Call] = Shelf(journal, self._due, self._by_callback, self._by_message)

    def add(self, call: WorkflowCallRow) -> bool:
        """Insert; False when the account already has a call of this callback id."""
        if self._by_callback.of((call.account_id, call.callback_id)):
            return False
        self._shelf.put(call.id, Leased(replace(call, inputs=dict(call.inputs))))
        return True

    def by_callback(self, account_id: str, callback_id: str) -> WorkflowCallRow | None:
        """Read an account's call by the CRM's name for it."""
        found = self._shelf.of(self._by_callback.of((account_id, callback_id)))
        return found[0].row if found else None

    def claim(self, limit: int, now: datetime, lease_until: datetime) -> Sequence[WorkflowCallRow]:
        """Lease up to `limit` calls with something to be done, the longest due first."""
        due = self._shelf.of(self._due.first(_LANE, now, limit))
        found = sorted(due, key=lambda call: (call.row.not_before, call.row.id))
        for call in found:
            self._shelf.put(call.row.id, Leased(call.row, lease_until))
        return [call.row for call in found]

    def waiting_for(self, message_ids: Sequence[str]) -> Sequence[WorkflowCallRow]:
        """Read the calls that wait for what becomes of these texts."""
        found = self._shelf.of(id_ for each in message_ids for id_ in self._by_message.of(each))
        rows = [call.row for call in found if call.row.state is CallState.WAITING]
        return sorted(rows, key=lambda row: row.id)

    def move(self, moves: Sequence[CallMove], now: datetime) -> Sequence[str]:
        """Apply conditional moves; give the ids of the calls that did move."""
        moved = []
        for move in moves:
            call = self._shelf.rows.get(move.call_id)
            if call is not None and call.row.state is move.from_state:
                self._shelf.put(move.call_id, Leased(_moved(call.row, move, now)))
                moved.append(move.call_id)
        return moved

    def any_due(self, now: datetime) -> bool:
        """Tell whether any could be claimed now."""
        return bool(self._due.first(_LANE, now, 1))


def _moved(row: WorkflowCallRow, move: CallMove, now: datetime) -> WorkflowCallRow:
    return replace(
        row,
        state=move.to_state,
        result=row.result if move.result is None else move.result,
        reason=row.reason if move.reason is None else kept_text(move.reason),
        reply_id=move.reply_id or row.reply_id,
        not_before=move.not_before or now,
        error=kept_text(move.error),
        attempts=row.attempts + move.tried,
        completed_at=now if move.to_state is CallState.DONE else row.completed_at,
    )
