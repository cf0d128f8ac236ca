"""Which columns of a message does a move change?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, bindparam, case, func, update
from sqlalchemy.sql.elements import KeyedColumnElement

from connector.adapters.store.tables import message
from connector.ports.messages import StateChange

_OPTIONAL = (
    "not_before", "sent_at", "sender", "provider_message_id", "cost", "currency", "gateway", "routed_at", "expires_at",
)  # fmt: skip


def move_together(connection: Connection, changes: Sequence[StateChange], now: datetime) -> int:
    """Move messages that are in the state they are to leave; give how many were."""
    return connection.execute(_MOVE, [_move_values(change, now) for change in changes]).rowcount


def _given(name: str) -> tuple[KeyedColumnElement[Any], ColumnElement[Any]]:
    """Set a column only when a value is given."""
    column = message.c[name]
    return column, func.coalesce(bindparam(f"new_{name}", type_=column.type), column)


# Built once: building a statement costs several times what running it does.
_STAYS = message.c.state == bindparam("to_state")
_IS_ROUTED = bindparam("is_routed", type_=Boolean()).is_(True)
_IS_RESTARTED = bindparam("is_restarted", type_=Boolean()).is_(True)
_NEW_SENDER = bindparam("new_sender", type_=message.c.sender.type)

_MOVE = (
    update(message)
    .where(message.c.id == bindparam("message_id"), message.c.state == bindparam("from_state"))
    .values(
        dict(map(_given, _OPTIONAL))
        | {
            message.c.state: bindparam("to_state"),
            # Another gateway may choose by itself: then the sender of the one before must not stay.
            message.c.sender: case((_IS_ROUTED, _NEW_SENDER), else_=func.coalesce(_NEW_SENDER, message.c.sender)),
            message.c.state_reason: bindparam("reason"),
            message.c.tries: message.c.tries + bindparam("new_tries"),
            message.c.tries_before: case((_IS_RESTARTED, message.c.tries), else_=message.c.tries_before),
            message.c.restarted_at: case(
                (_IS_RESTARTED, bindparam("moved_at", type_=message.c.updated_at.type)), else_=message.c.restarted_at
            ),
            # A receipt that adds nothing to the state leaves alone when it was reached and who is at work on it.
            message.c.updated_at: case(
                (_STAYS, message.c.updated_at), else_=bindparam("moved_at", type_=message.c.updated_at.type)
            ),
            message.c.lease_until: case(
                (_STAYS, message.c.lease_until), else_=bindparam("new_lease", type_=message.c.lease_until.type)
            ),
        }
    )
)


def _move_values(change: StateChange, now: datetime) -> dict[str, Any]:
    given = {f"new_{name}": getattr(change, name) for name in _OPTIONAL}
    given["new_cost"] = None if change.cost is None else str(change.cost)
    return given | {
        "message_id": change.message_id,
        "from_state": change.from_state.value,
        "to_state": change.to_state.value,
        "reason": change.reason,
        "is_routed": change.routed_at is not None,
        "is_restarted": change.restart,
        "new_tries": int(change.tried),
        "moved_at": now,
        "new_lease": change.lease_until,
    }
