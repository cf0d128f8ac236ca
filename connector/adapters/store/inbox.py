"""How are raw events kept until they are understood?

A body that does not open ends its row, which says so: one damaged row must not stop the lane for all. One sealed with
a key that this process does not have is no work of this one: while a release with a new key goes round, other
processes seal with it already, and open it at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Row, and_, func, not_, or_, select, update

from connector.adapters.secrets import Vault
from connector.adapters.store.opening import key_is_here
from connector.adapters.store.rows import insert_new, locked
from connector.adapters.store.tables import external_event
from connector.errors import DecryptionError
from connector.ports.inbox import InboxRow

log = structlog.get_logger(__name__)

_COLUMN = "external_event.body"
_CLOSED = "cannot be opened"
_KEY_MISSING = "cannot be opened: sealed with a key that is not in SECRET_KEYS"
_SWEPT = 500  # rows read anew where some did not open: a statement that names them all stays a small one
_ROUNDS = 10  # in one claim: writers wait meanwhile, and what is left is swept by the claims after it


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
        most = limit
        for _ in range(_ROUNDS):
            rows = self._due(sources, most, now, [row.id for row in found])
            opened = self._opened(rows, now)
            found += opened[: limit - len(found)]
            if len(opened) == len(rows) or len(found) == limit:
                break
            most = max(limit, _SWEPT)
        if len(found) < limit:
            self._tell_of_those_left(sources, now)
        if found:
            leased = update(external_event).where(external_event.c.id.in_([row.id for row in found]))
            self._connection.execute(leased.values(lease_until=lease_until))
        return found

    def _due(self, sources: Sequence[str], most: int, now: datetime, but: Sequence[str]) -> Sequence[Row[Any]]:
        """Read and lock what could be worked here now, but for some rows."""
        table = external_event
        query = select(table).where(_free(sources, now), key_is_here(table.c.body_sealed))
        if but:
            query = query.where(table.c.id.not_in(but))
        query = locked(self._connection, query.order_by(table.c.not_before, table.c.id).limit(most), skip=True)
        return self._connection.execute(query, {"beginnings": self._vault.beginnings}).all()

    def _opened(self, rows: Sequence[Row[Any]], now: datetime) -> Sequence[InboxRow]:
        """Open rows; those that do not open are ended, and told of once."""
        opened, closed = list[InboxRow](), list[Row[Any]]()
        for row in rows:
            try:
                opened.append(inbox_row(row, self._vault))
            except DecryptionError:
                closed.append(row)
        if closed:
            self.finish([row.id for row in closed], _CLOSED, now)
            log.error("inbox.cannot_be_opened", inbox_id=closed[0].id, source=closed[0].source, rows=len(closed))
        return opened

    def _tell_of_those_left(self, sources: Sequence[str], now: datetime) -> None:
        """Note on rows whose key is not here that it is missing, and tell of them once."""
        table = external_event
        query = (
            select(table.c.id, table.c.source)
            .where(_free(sources, now), not_(key_is_here(table.c.body_sealed)), table.c.error != _KEY_MISSING)
            .order_by(table.c.not_before, table.c.id)
            .limit(_SWEPT)
        )
        query = locked(self._connection, query, skip=True)
        left = self._connection.execute(query, {"beginnings": self._vault.beginnings}).all()
        if left:
            noted = update(table).where(table.c.id.in_([row.id for row in left]))
            self._connection.execute(noted.values(error=_KEY_MISSING))
            log.error("inbox.key_missing", inbox_id=left[0].id, source=left[0].source, rows=len(left))

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


def _free(sources: Sequence[str], now: datetime) -> ColumnElement[bool]:
    """Be of these sources, not handled, and nobody's now; its time has come."""
    table = external_event
    is_free = or_(table.c.lease_until.is_(None), table.c.lease_until <= now)
    return and_(table.c.source.in_(sources), table.c.handled_at.is_(None), table.c.not_before <= now, is_free)


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
