"""How are raw events kept until they are understood?

A body that does not open ends its row, which says so: one damaged row must not stop the lane for all. One sealed with
a key that this process does not have waits instead: while a release with a new key goes round, other processes seal
with it already.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, func, or_, select, update

from connector.adapters.secrets import Vault
from connector.adapters.store.rows import insert_new, locked
from connector.adapters.store.tables import external_event
from connector.errors import DecryptionError, MissingKeyError
from connector.ports.inbox import InboxRow

log = structlog.get_logger(__name__)

_COLUMN = "external_event.body"
_CLOSED = "cannot be opened"
_KEY_MISSING = "cannot be opened: sealed with a key that is not in SECRET_KEYS"
_KEY_PAUSE = timedelta(minutes=5)  # about as long as a release takes to reach every process


class SQLInboxRepository:
    """The inbox; bodies are sealed. See `connector.ports.inbox.InboxRepository`.

    Bodies are bound to the event's source, since the account may be unknown when they arrive.
    """

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def add(self, rows: Sequence[InboxRow]) -> int:
        """Insert those not seen before; give how many were new."""
        return insert_new(self._connection, external_event, [self._values(row) for row in rows])

    def add_new(self, rows: Sequence[InboxRow]) -> Collection[str]:
        """Insert those not seen before, and give the ids of these; ids are ours, so one that is there is new."""
        ids = [row.id for row in rows]
        if self.add(rows) == len(rows):
            return ids
        query = select(external_event.c.id).where(external_event.c.id.in_(ids))
        return frozenset(self._connection.execute(query).scalars())

    def claim(self, sources: Sequence[str], limit: int, now: datetime, lease_until: datetime) -> Sequence[InboxRow]:
        """Lease up to `limit` unhandled rows whose time has come, oldest first, and end those that do not open."""
        found: list[InboxRow] = []
        while True:
            rows = self._lease(sources, limit - len(found), now, lease_until)
            opened = [row for row in (self._opened(each, now) for each in rows) if row is not None]
            found += opened
            if len(opened) == len(rows):
                return found

    def _lease(self, sources: Sequence[str], limit: int, now: datetime, lease_until: datetime) -> Sequence[Row[Any]]:
        table = external_event
        query = (
            select(table)
            .where(table.c.source.in_(sources), table.c.handled_at.is_(None), table.c.not_before <= now)
            .where(or_(table.c.lease_until.is_(None), table.c.lease_until <= now))
            .order_by(table.c.not_before, table.c.id)
            .limit(limit)
        )
        rows = self._connection.execute(locked(self._connection, query, skip=True)).all()
        if rows:
            self._connection.execute(
                update(table).where(table.c.id.in_([row.id for row in rows])).values(lease_until=lease_until)
            )
        return rows

    def _opened(self, row: Row[Any], now: datetime) -> InboxRow | None:
        """Open a row; None for one that does not open, which is put off or ended, and told of once."""
        try:
            return inbox_row(row, self._vault)
        except MissingKeyError:
            self._put_off(row, now + _KEY_PAUSE)
        except DecryptionError:
            self.finish([row.id], _CLOSED, now)
            log.error("inbox.cannot_be_opened", inbox_id=row.id, source=row.source)
        return None

    def _put_off(self, row: Row[Any], not_before: datetime) -> None:
        """Give a row back until the key may be there; nobody has tried to understand it, so no attempt is counted."""
        values = {"not_before": not_before, "error": _KEY_MISSING, "lease_until": None}
        self._connection.execute(update(external_event).where(external_event.c.id == row.id).values(**values))
        if row.error != _KEY_MISSING:
            log.error("inbox.key_missing", inbox_id=row.id, source=row.source)

    def finish(self, ids: Sequence[str], outcome: str, now: datetime, account_id: str | None = None) -> int:
        """Mark rows handled, none of another account; give how many were not handled before."""
        values: dict[str, Any] = {"handled_at": now, "outcome": outcome, "lease_until": None}
        unhandled = external_event.c.id.in_(ids) & external_event.c.handled_at.is_(None)
        if account_id is not None:
            values["account_id"] = account_id
            unhandled &= external_event.c.account_id.is_(None) | (external_event.c.account_id == account_id)
        return self._connection.execute(update(external_event).where(unhandled).values(**values)).rowcount

    def give_up(self, source: str, before: datetime, outcome: str, now: datetime) -> int:
        """Mark what a source sent before a time and nobody has handled as handled; give how many there were."""
        table = external_event
        left = update(table).where(table.c.source == source, table.c.handled_at.is_(None), table.c.received_at < before)
        return self._connection.execute(left.values(handled_at=now, outcome=outcome, lease_until=None)).rowcount

    def postpone(self, row_id: str, error: str, not_before: datetime) -> None:
        """Give a row back, to be tried again at `not_before`."""
        table = external_event
        self._connection.execute(
            update(table)
            .where(table.c.id == row_id)
            .values(not_before=not_before, error=error, attempts=table.c.attempts + 1, lease_until=None)
        )

    def waiting(self, now: datetime) -> Mapping[str, int]:
        """Count rows by source that could be worked now."""
        table = external_event
        query = (
            select(table.c.source, func.count().label("waiting"))
            .where(table.c.handled_at.is_(None), table.c.not_before <= now)
            .where(or_(table.c.lease_until.is_(None), table.c.lease_until <= now))
            .group_by(table.c.source)
        )
        return {row.source: row.waiting for row in self._connection.execute(query)}

    def _values(self, row: InboxRow) -> dict[str, Any]:
        return {
            "id": row.id,
            "account_id": row.account_id,
            "source": row.source,
            "external_id": row.external_id,
            "body_sealed": self._vault.seal(row.body, account=row.account_id or row.source, column=_COLUMN),
            "context": dict(row.context),
            "received_at": row.received_at,
            "not_before": row.received_at,
        }


def inbox_row(row: Row[Any], vault: Vault) -> InboxRow:
    """Give the raw event of a row, its body opened."""
    return InboxRow(
        id=row.id,
        account_id=row.account_id,
        source=row.source,
        external_id=row.external_id,
        body=_body(row, vault),
        context=row.context,
        received_at=row.received_at,
        attempts=row.attempts,
    )


def _body(row: Row[Any], vault: Vault) -> bytes:
    """Open a body: bound to its account, or to its source where it came without one or from a version before this."""
    if row.account_id is not None:
        with contextlib.suppress(DecryptionError):
            return vault.open(row.body_sealed, account=row.account_id, column=_COLUMN)
    return vault.open(row.body_sealed, account=row.source, column=_COLUMN)
