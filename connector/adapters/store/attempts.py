"""How are attempts kept?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from connector.adapters.secrets import Vault
from connector.adapters.store.rows import locked
from connector.adapters.store.tables import attempt, message
from connector.domain.message import MessageState
from connector.ports.messages import AttemptRow

_SAVED = (
    "state", "sender", "provider_message_id", "raw_status", "error_class", "error_code",
    "price", "currency", "segments", "answered_at", "ask_at", "asked",
)  # fmt: skip

# Built once: building a statement costs several times what running it does.
_MANY = select(attempt).where(attempt.c.id.in_(bindparam("ids", expanding=True))).order_by(attempt.c.id)
_SAVE = (
    update(attempt)
    .where(attempt.c.id == bindparam("attempt_id"))
    .values({name: bindparam(f"new_{name}", type_=attempt.c[name].type) for name in _SAVED})
)


class SQLAttemptRepository:
    """Attempts. See `connector.ports.messages.AttemptRepository`."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def add(self, attempts: Sequence[AttemptRow]) -> None:
        """Insert attempts."""
        if attempts:
            self._connection.execute(insert(attempt), [_values(row) for row in attempts])

    def save(self, attempts: Sequence[AttemptRow]) -> None:
        """Write back what changed."""
        if not attempts:
            return
        self._connection.execute(
            _SAVE,
            [
                {"attempt_id": row.id}
                | {f"new_{name}": value for name, value in _values(row).items() if name in _SAVED}
                for row in attempts
            ],
        )

    def many(self, attempt_ids: Sequence[str]) -> Mapping[str, AttemptRow]:
        """Read attempts by id, locked until commit where the database can."""
        query = locked(self._connection, _MANY, skip=False)
        return {row.id: _row(row) for row in self._connection.execute(query, {"ids": list(attempt_ids)})}

    def by_provider_ids(self, gateway: str, provider_message_ids: Sequence[str]) -> Mapping[str, AttemptRow]:
        """Read attempts by the gateway's message ids."""
        query = select(attempt).where(
            attempt.c.gateway == gateway, attempt.c.provider_message_id.in_(provider_message_ids)
        )
        rows = self._connection.execute(locked(self._connection, query.order_by(attempt.c.id), skip=False))
        return {row.provider_message_id: _row(row) for row in rows}

    def of_messages(self, message_ids: Sequence[str]) -> Sequence[AttemptRow]:
        """Read all attempts of messages, oldest first."""
        query = select(attempt).where(attempt.c.message_id.in_(message_ids)).order_by(attempt.c.id)
        return [_row(row) for row in self._connection.execute(query)]

    def to_ask(self, now: datetime, limit: int, lease_until: datetime) -> Sequence[AttemptRow]:
        """Read attempts whose fate is to be asked for now, and put their next asking off."""
        query = select(attempt).where(attempt.c.ask_at <= now).order_by(attempt.c.ask_at).limit(limit)
        rows = self._connection.execute(locked(self._connection, query, skip=True)).all()
        if rows:
            self._connection.execute(
                update(attempt).where(attempt.c.id.in_([row.id for row in rows])).values(ask_at=lease_until)
            )
        return [_row(row) for row in rows]

    def any_to_ask(self, now: datetime) -> bool:
        """Tell whether any attempt's fate is to be asked for now."""
        return (
            self._connection.execute(select(attempt.c.id).where(attempt.c.ask_at <= now).limit(1)).first() is not None
        )

    def provider_ids_to(self, msisdn: str, since: datetime) -> frozenset[str]:
        """Give the gateway ids of all attempts to a number since a time."""
        query = (
            select(attempt.c.provider_message_id)
            .join(message, message.c.id == attempt.c.message_id)
            .where(message.c.msisdn == msisdn, attempt.c.requested_at >= since)
            .where(attempt.c.provider_message_id.is_not(None))
        )
        return frozenset(self._connection.execute(query).scalars())


def _values(row: AttemptRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "account_id": row.account_id,
        "message_id": row.message_id,
        "gateway": row.gateway,
        "sender": row.sender,
        "provider_message_id": row.provider_message_id,
        "state": row.state.value,
        "raw_status": row.raw_status,
        "error_class": row.error_class,
        "error_code": row.error_code,
        "price": None if row.price is None else str(row.price),
        "currency": row.currency,
        "segments": row.segments,
        "requested_at": row.requested_at,
        "answered_at": row.answered_at,
        "ask_at": row.ask_at,
        "asked": row.asked,
    }


def _row(row: Row[Any]) -> AttemptRow:
    return AttemptRow(
        id=row.id,
        account_id=row.account_id,
        message_id=row.message_id,
        gateway=row.gateway,
        state=MessageState(row.state),
        requested_at=row.requested_at,
        sender=row.sender,
        provider_message_id=row.provider_message_id,
        raw_status=row.raw_status,
        error_class=row.error_class,
        error_code=row.error_code,
        price=None if row.price is None else Decimal(row.price),
        currency=row.currency,
        segments=row.segments,
        answered_at=row.answered_at,
        ask_at=row.ask_at,
        asked=row.asked,
    )
