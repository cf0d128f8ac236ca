"""How is kept when each account is polled next?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from connector.adapters.secrets import Vault
from connector.adapters.store.ids import new_id
from connector.adapters.store.rows import insert_new, locked
from connector.adapters.store.tables import poll


class SQLPollRepository:
    """Polls. See `connector.ports.polls.PollRepository`."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def ensure(self, account_id: str, event: str, now: datetime) -> None:
        """Make sure that an account is polled for an event."""
        values = {"id": new_id(), "account_id": account_id, "event": event, "due_at": now}
        insert_new(self._connection, poll, [values])

    def planned(self, kind: str = "") -> Collection[tuple[str, str]]:
        """Give every (account, event) pair of a kind."""
        query = select(poll.c.account_id, poll.c.event).where(_of(kind))
        return {(row.account_id, row.event) for row in self._connection.execute(query)}

    def claim(self, now: datetime, lease_until: datetime, most: int, kind: str = "") -> Sequence[tuple[str, str]]:
        """Give the (account, event) pairs of a kind that are due of up to `most` accounts, and put them off."""
        is_due = poll.c.due_at <= now, _of(kind)
        first = func.min(poll.c.due_at)
        accounts = select(poll.c.account_id).where(*is_due).group_by(poll.c.account_id).order_by(first).limit(most)
        query = select(poll).where(*is_due, poll.c.account_id.in_(accounts)).order_by(poll.c.due_at, poll.c.event)
        rows = self._connection.execute(locked(self._connection, query, skip=True)).all()
        if rows:
            ids = [row.id for row in rows]
            self._connection.execute(update(poll).where(poll.c.id.in_(ids)).values(due_at=lease_until))
        return [(row.account_id, row.event) for row in rows]

    def next(self, account_id: str, event: str, due_at: datetime) -> None:
        """Say when an account is polled next."""
        self._connection.execute(
            update(poll).where(poll.c.account_id == account_id, poll.c.event == event).values(due_at=due_at)
        )

    def drop(self, account_id: str, event: str) -> None:
        """Forget a pair that nobody needs any more."""
        self._connection.execute(delete(poll).where(poll.c.account_id == account_id, poll.c.event == event))

    def any_due(self, now: datetime) -> bool:
        """Tell whether any poll is due."""
        return self._connection.execute(select(poll.c.id).where(poll.c.due_at <= now).limit(1)).first() is not None


def _of(kind: str) -> ColumnElement[bool]:
    return poll.c.event.startswith(f"{kind}:", autoescape=True) if kind else ~poll.c.event.contains(":")
