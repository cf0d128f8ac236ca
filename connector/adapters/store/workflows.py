"""How are the calls of workflows kept, leased and moved?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select, text, update

from connector.adapters.secrets import Vault
from connector.adapters.store.opening import key_is_here
from connector.adapters.store.rows import insert_new, locked
from connector.adapters.store.tables import workflow_call as table
from connector.domain.documents import clean_text
from connector.errors import DecryptionError
from connector.ports.workflows import CallMove, CallState, WaitsFor, WorkflowCallRow

INPUTS_COLUMN = "workflow_call.inputs"
_OPEN = text("workflow_call.state <> 'done'")  # as in the partial index: a bound value hides it


class SQLWorkflowCallRepository:
    """Calls; what is to be sent is sealed. See `connector.ports.workflows.WorkflowCallRepository`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def add(self, call: WorkflowCallRow) -> bool:
        """Insert; False when the account already has a call of this callback id."""
        return insert_new(self._connection, table, [self._values(call)]) == 1

    def by_callback(self, account_id: str, callback_id: str) -> WorkflowCallRow | None:
        """Read an account's call by the CRM's name for it."""
        query = select(table).where(table.c.account_id == account_id, table.c.callback_id == callback_id)
        row = self._connection.execute(query).first()
        return None if row is None else self._row(row)

    def claim(self, limit: int, now: datetime, lease_until: datetime) -> Sequence[WorkflowCallRow]:
        """Lease up to `limit` calls with something to be done, the longest due first.

        One whose key is not here is left to those who have it until its time is over.
        """
        query = select(table).where(_free(now), or_(key_is_here(table.c.inputs_sealed), table.c.expires_at <= now))
        query = locked(self._connection, query.order_by(table.c.not_before, table.c.id).limit(limit), skip=True)
        rows = self._connection.execute(query, {"beginnings": self._vault.beginnings}).all()
        if rows:
            ids = [row.id for row in rows]
            self._connection.execute(update(table).where(table.c.id.in_(ids)).values(lease_until=lease_until))
        return [self._row(row) for row in rows]

    def waiting_for(self, message_ids: Sequence[str]) -> Sequence[WorkflowCallRow]:
        """Read, and lock until commit, the calls that wait for what becomes of these texts."""
        if not message_ids:
            return []
        query = select(table).where(table.c.message_id.in_(message_ids), table.c.state == CallState.WAITING.value)
        found = self._connection.execute(locked(self._connection, query.order_by(table.c.id), skip=False))
        return [self._row(row) for row in found]

    def move(self, moves: Sequence[CallMove], now: datetime) -> Sequence[str]:
        """Apply conditional moves; give the ids of the calls that did move."""
        return [move.call_id for move in moves if self._moved(move, now)]

    def any_due(self, now: datetime) -> bool:
        """Tell whether any could be claimed now."""
        return self._connection.execute(select(table.c.id).where(_free(now)).limit(1)).first() is not None

    def _moved(self, move: CallMove, now: datetime) -> bool:
        values: dict[str, Any] = {
            "state": move.to_state.value,
            "not_before": move.not_before or now,
            "lease_until": None,
            "error": clean_text(move.error),
            "attempts": table.c.attempts + int(move.tried),
        }
        values |= {} if move.result is None else {"result": move.result}
        values |= {} if move.reason is None else {"reason": clean_text(move.reason)}
        values |= {} if move.reply_id is None else {"reply_id": move.reply_id}
        values |= {"completed_at": now} if move.to_state is CallState.DONE else {}
        is_there = table.c.id == move.call_id, table.c.state == move.from_state.value
        return self._connection.execute(update(table).where(*is_there).values(values)).rowcount == 1

    def _values(self, call: WorkflowCallRow) -> dict[str, Any]:
        return {
            "id": call.id,
            "account_id": call.account_id,
            "callback_id": call.callback_id,
            "workflow": call.workflow,
            "object_type": call.object_type,
            "object_id": call.object_id,
            "inputs_sealed": self._vault.seal(
                json.dumps(dict(call.inputs)), account=call.account_id, column=INPUTS_COLUMN
            ),
            "waits_for": call.waits_for.value,
            "state": call.state.value,
            "message_id": call.message_id,
            "result": call.result,
            "reason": clean_text(call.reason),
            "reply_id": call.reply_id,
            "received_at": call.received_at,
            "expires_at": call.expires_at,
            "not_before": call.not_before,
            "attempts": call.attempts,
            "error": clean_text(call.error),
            "completed_at": call.completed_at,
        }

    def _row(self, row: Row[Any]) -> WorkflowCallRow:
        return WorkflowCallRow(
            id=row.id,
            account_id=row.account_id,
            callback_id=row.callback_id,
            object_type=row.object_type,
            object_id=row.object_id,
            inputs=self._inputs(row),
            waits_for=WaitsFor(row.waits_for),
            message_id=row.message_id,
            received_at=row.received_at,
            expires_at=row.expires_at,
            not_before=row.not_before,
            workflow=row.workflow,
            state=CallState(row.state),
            result=row.result,
            reason=row.reason,
            reply_id=row.reply_id,
            attempts=row.attempts,
            error=row.error,
            completed_at=row.completed_at,
        )

    def _inputs(self, row: Row[Any]) -> dict[str, Any]:
        """Open what is to be sent; nothing when it does not open, since one such row must not stop the lane for all."""
        try:
            opened = self._vault.open(row.inputs_sealed, account=row.account_id, column=INPUTS_COLUMN)
            inputs: dict[str, Any] = json.loads(opened)
        except (DecryptionError, ValueError):
            return {}
        return inputs


def _free(now: datetime) -> ColumnElement[bool]:
    is_free = or_(table.c.lease_until.is_(None), table.c.lease_until <= now)
    return and_(_OPEN, table.c.not_before <= now, is_free)
