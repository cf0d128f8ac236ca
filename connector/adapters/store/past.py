"""How is what really happened read again, page by page?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, select, tuple_

from connector.adapters.secrets import Vault
from connector.adapters.store.inbox import inbox_row
from connector.adapters.store.message_rows import message_from_row
from connector.adapters.store.opening import those_that_open
from connector.adapters.store.tables import external_event, message, timeline_entry
from connector.adapters.store.timeline import entry_from_row
from connector.domain.message import Direction
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.inbox import InboxRow
from connector.ports.messages import MessageRow

_MOST_KEYS = 200  # pairs in one query; SQLite takes some hundreds of values, and a page has about as many events


class SQLPastRepository:
    """The past; see `connector.ports.past.PastRepository`. Walks tables by their primary key, in the background."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def raw_events(
        self, account_id: str, sources: Sequence[str], since: datetime, until: datetime, after: str, limit: int
    ) -> Sequence[InboxRow]:
        """Read understood raw events received in a time, those with an id behind `after`."""
        query = select(external_event).where(_received(account_id, sources, since, until)).order_by(external_event.c.id)
        found: list[InboxRow] = []
        while True:
            page = query.where(external_event.c.id > after).limit(limit - len(found))
            rows = self._connection.execute(page).all()
            opened = those_that_open("external_event", rows, lambda row: inbox_row(row, self._vault))
            found += opened
            if len(opened) == len(rows):  # else read on: a page without a row would be taken for the last one
                return found
            after = rows[-1].id

    def count_raw_events(self, account_id: str, sources: Sequence[str], since: datetime, until: datetime) -> int:
        """Count them."""
        query = select(func.count()).where(_received(account_id, sources, since, until))
        return self._connection.execute(query).scalar_one()

    def recorded(self, account_id: str, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], TimelineEntry]:
        """Read the entries of received events by (subject, discriminator)."""
        table, found = timeline_entry, dict[tuple[str, str], TimelineEntry]()
        for first in range(0, len(keys), _MOST_KEYS):
            query = select(table).where(
                table.c.account_id == account_id,
                table.c.kind == EntryKind.EVENT_RECEIVED.value,
                tuple_(table.c.subject, table.c.discriminator).in_(keys[first : first + _MOST_KEYS]),
            )
            entries = [entry_from_row(row) for row in self._connection.execute(query)]
            found |= {(entry.subject, entry.discriminator): entry for entry in entries}
        return found

    def replies(self, account_id: str, since: datetime, until: datetime) -> Sequence[MessageRow]:
        """Read every reply received in a time, oldest first."""
        query = (
            select(message)
            .where(message.c.account_id == account_id, message.c.direction == Direction.IN.value)
            .where(message.c.created_at >= since, message.c.created_at < until)
            .order_by(message.c.created_at, message.c.id)
        )
        rows = self._connection.execute(query)
        return those_that_open("message", rows, lambda row: message_from_row(row, self._vault))


def _received(account_id: str, sources: Sequence[str], since: datetime, until: datetime) -> ColumnElement[bool]:
    table = external_event
    return and_(
        table.c.account_id == account_id,
        table.c.source.in_(sources),
        table.c.handled_at.is_not(None),
        table.c.received_at >= since,
        table.c.received_at < until,
    )
