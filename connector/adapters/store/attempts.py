"""How are attempts kept?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    false,
    insert,
    select,
    true,
    update,
)

from connector.adapters.secrets import Vault
from connector.adapters.store.ids import new_id
from connector.adapters.store.rows import insert_new, locked
from connector.adapters.store.tables import attempt, attempt_part, message
from connector.domain.message import MessageState
from connector.ports.attempts import EVERY, AttemptRow, Gateways, PartRow

_SAVED = (
    "state", "sender", "provider_message_id", "raw_status", "error_class", "error_code",
    "price", "currency", "segments", "answered_at", "ask_at", "asked", "carrier", "estimate", "spent_on",
    "settled_at", "redact_at", "is_urgent",
)  # fmt: skip

# Built once: building a statement costs several times what running it does.
_MANY = select(attempt).where(attempt.c.id.in_(bindparam("ids", expanding=True))).order_by(attempt.c.id)
_SAVE = (
    update(attempt)
    .where(attempt.c.id == bindparam("attempt_id"), attempt.c.account_id == bindparam("of_account"))
    .values({name: bindparam(f"new_{name}", type_=attempt.c[name].type) for name in _SAVED})
)


_URGENT = attempt.c.is_urgent == true()  # a comparison, not the bare column: SQLite then takes its index


class SQLAttemptRepository:
    """Attempts. See `connector.ports.attempts.AttemptRepository`."""

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
                {"attempt_id": row.id, "of_account": row.account_id}
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

    def named(self, gateway: str, provider_message_ids: Sequence[str]) -> Sequence[str]:
        """Give our ids of the attempts that a gateway's ids name."""
        wholes = select(attempt.c.id).where(
            attempt.c.provider_message_id.in_(provider_message_ids), attempt.c.gateway == gateway
        )
        parts = select(attempt_part.c.attempt_id).where(
            attempt_part.c.provider_message_id.in_(provider_message_ids), attempt_part.c.gateway == gateway
        )
        return sorted({*self._connection.execute(wholes).scalars(), *self._connection.execute(parts).scalars()})

    def of_messages(self, message_ids: Sequence[str]) -> Sequence[AttemptRow]:
        """Read all attempts of messages, oldest first."""
        query = select(attempt).where(attempt.c.message_id.in_(message_ids)).order_by(attempt.c.id)
        return [_row(row) for row in self._connection.execute(query)]

    def to_ask(
        self, now: datetime, limit: int, lease_until: datetime, gateways: Gateways = EVERY
    ) -> Sequence[AttemptRow]:
        """Read attempts whose fate is to be asked for now, and put their next asking off."""
        due = select(attempt).where(attempt.c.ask_at <= now, _is_of(gateways)).order_by(attempt.c.ask_at)
        rows = self._lease_asked(due.where(_URGENT).limit(limit // 2), lease_until)
        return [*rows, *self._lease_asked(due.limit(limit - len(rows)), lease_until)]

    def _lease_asked(self, query: Select[Any], lease_until: datetime) -> Sequence[AttemptRow]:
        """Lease at once, so that the next query does not find the same ones."""
        rows = self._connection.execute(locked(self._connection, query, skip=True)).all()
        if rows:
            self._connection.execute(
                update(attempt).where(attempt.c.id.in_([row.id for row in rows])).values(ask_at=lease_until)
            )
        return [_row(row) for row in rows]

    def any_to_ask(self, now: datetime) -> bool:
        """Tell whether any attempt's fate is to be asked for now."""
        query = select(attempt.c.id).where(attempt.c.ask_at <= now).limit(1)
        return self._connection.execute(query).first() is not None

    def to_redact(self, now: datetime, limit: int, lease_until: datetime) -> Sequence[AttemptRow]:
        """Read attempts whose body the vendor is to forget now, and put their next try off."""
        query = select(attempt).where(attempt.c.redact_at <= now).order_by(attempt.c.redact_at).limit(limit)
        rows = self._connection.execute(locked(self._connection, query, skip=True)).all()
        if rows:
            self._connection.execute(
                update(attempt).where(attempt.c.id.in_([row.id for row in rows])).values(redact_at=lease_until)
            )
        return [_row(row) for row in rows]

    def any_to_redact(self, now: datetime) -> bool:
        """Tell whether the vendor is to forget any attempt's body now."""
        query = select(attempt.c.id).where(attempt.c.redact_at <= now).limit(1)
        return self._connection.execute(query).first() is not None

    def provider_ids_to(self, msisdn: str, since: datetime) -> frozenset[str]:
        """Give the gateway ids of all attempts to a number since a time."""
        query = (
            select(attempt.c.provider_message_id)
            .join(message, message.c.id == attempt.c.message_id)
            .where(message.c.msisdn == msisdn, attempt.c.requested_at >= since)
            .where(attempt.c.provider_message_id.is_not(None))
        )
        return frozenset(self._connection.execute(query).scalars())

    def add_parts(self, parts: Sequence[PartRow]) -> None:
        """Insert the parts of long texts."""
        insert_new(
            self._connection,
            attempt_part,
            [
                {
                    "id": new_id(),
                    "attempt_id": part.attempt_id,
                    "gateway": part.gateway,
                    "provider_message_id": part.provider_message_id,
                    "number": part.number,
                    "state": part.state.value,
                }
                for part in parts
            ],
        )

    def part(self, gateway: str, provider_message_id: str) -> PartRow | None:
        """Read a part by the gateway's id of it."""
        query = select(attempt_part).where(
            attempt_part.c.provider_message_id == provider_message_id, attempt_part.c.gateway == gateway
        )
        row = self._connection.execute(query).first()
        return None if row is None else _part(row)

    def parts_of(self, attempt_id: str) -> Sequence[PartRow]:
        """Read all parts of an attempt, the first one first."""
        query = select(attempt_part).where(attempt_part.c.attempt_id == attempt_id).order_by(attempt_part.c.number)
        return [_part(row) for row in self._connection.execute(query)]

    def move_part(self, part: PartRow) -> None:
        """Write back a part's state."""
        self._connection.execute(
            update(attempt_part)
            .where(attempt_part.c.provider_message_id == part.provider_message_id)
            .where(attempt_part.c.gateway == part.gateway)
            .values(state=part.state.value)
        )


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
        "carrier": row.carrier,
        "estimate": None if row.estimate is None else str(row.estimate),
        "spent_on": row.spent_on,
        "settled_at": row.settled_at,
        "redact_at": row.redact_at,
        "is_urgent": row.is_urgent,
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
        carrier=row.carrier,
        estimate=None if row.estimate is None else Decimal(row.estimate),
        spent_on=row.spent_on,
        settled_at=row.settled_at,
        redact_at=row.redact_at,
        is_urgent=row.is_urgent,
    )


def _is_of(gateways: Gateways) -> ColumnElement[bool]:
    if not gateways.names:
        return true() if gateways.is_all_but else false()
    names = sorted(gateways.names)
    return attempt.c.gateway.not_in(names) if gateways.is_all_but else attempt.c.gateway.in_(names)


def _part(row: Row[Any]) -> PartRow:
    return PartRow(row.attempt_id, row.gateway, row.provider_message_id, row.number, MessageState(row.state))
