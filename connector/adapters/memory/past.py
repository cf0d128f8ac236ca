"""How is what happened read again from memory, page by page?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from connector.adapters.memory.inbox import InboxShelf
from connector.adapters.memory.message_shelf import MessageShelf
from connector.adapters.memory.timeline import TimelineShelf
from connector.domain.message import Direction
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.inbox import InboxRow
from connector.ports.messages import MessageRow


class MemoryPastRepository:
    """The past; see `connector.ports.past.PastRepository`."""

    def __init__(self, inbox: InboxShelf, timeline: TimelineShelf, messages: MessageShelf) -> None:
        self._inbox, self._timeline, self._messages = inbox, timeline, messages

    def raw_events(
        self, account_id: str, sources: Sequence[str], since: datetime, until: datetime, after: str, limit: int
    ) -> Sequence[InboxRow]:
        """Read understood raw events received in a time, those with an id behind `after`."""
        rows = [row for row in self._received(account_id, sources, since, until) if row.id > after]
        return sorted(rows, key=lambda row: row.id)[:limit]

    def count_raw_events(self, account_id: str, sources: Sequence[str], since: datetime, until: datetime) -> int:
        """Count them."""
        return len(self._received(account_id, sources, since, until))

    def recorded(self, account_id: str, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], TimelineEntry]:
        """Read the entries of received events by (subject, discriminator)."""
        lines = self._timeline.of((account_id, EntryKind.EVENT_RECEIVED, *key) for key in keys)
        return {(line.entry.subject, line.entry.discriminator): line.entry for line in lines}

    def replies(self, account_id: str, since: datetime, until: datetime) -> Sequence[MessageRow]:
        """Read every reply received in a time, oldest first."""
        rows = [message.row for message in self._messages.rows.values()]
        came_in = [row for row in rows if row.direction is Direction.IN and row.account_id == account_id]
        in_time = [row for row in came_in if since <= row.created_at < until]
        return sorted(in_time, key=lambda row: (row.created_at, row.id))

    def _received(self, account_id: str, sources: Sequence[str], since: datetime, until: datetime) -> list[InboxRow]:
        handled = [event.row for event in self._inbox.rows.values() if event.handled_at is not None]
        ours = [row for row in handled if row.account_id == account_id and row.source in sources]
        return [row for row in ours if since <= row.received_at < until]
