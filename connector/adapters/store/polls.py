"""How is kept when each account is polled next?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

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

    def claim(self, now: datetime, lease_until: datetime, kind: str = "") -> Sequence[tuple[str, str]]:
        """Give the (account, event) pairs of a kind that are due, and put them off."""
        of_kind = poll.c.event.startswith(f"{kind}:", autoescape=True) if kind else ~poll.c.event.contains(":")
        query = select(poll).where(poll.c.due_at <= now, of_kind).order_by(poll.c.due_at)
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

    def any_due(self, now: datetime) -> bool:
        """Tell whether any poll is due."""
        return self._connection.execute(select(poll.c.id).where(poll.c.due_at <= now).limit(1)).first() is not None
