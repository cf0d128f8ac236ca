"""How are raw events kept in memory until they are understood?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from connector.adapters.memory.documents import kept
from connector.adapters.memory.shelves import Due, Group, Journal, Shelf, Turn, turn
from connector.ports.inbox import InboxRow


@dataclass(frozen=True, slots=True)
class RawEvent:
    """A raw event and how far it has come."""

    row: InboxRow
    not_before: datetime
    lease_until: datetime | None = None
    handled_at: datetime | None = None


def _waits(event: RawEvent) -> Turn | None:
    if event.handled_at is not None:
        return None
    return turn(event.row.source, event.not_before, event.lease_until)


class InboxShelf(Shelf[RawEvent]):
    """Raw events by id."""

    def __init__(self, journal: Journal) -> None:
        self.waiting: Due[RawEvent] = Due(_waits)
        self.by_external_id: Group[RawEvent] = Group(lambda event: (event.row.source, event.row.external_id))
        super().__init__(journal, self.waiting, self.by_external_id)


class MemoryInboxRepository:
    """The inbox; see `connector.ports.inbox.InboxRepository`."""

    def __init__(self, shelf: InboxShelf) -> None:
        self._shelf = shelf

    def add(self, rows: Sequence[InboxRow]) -> int:
        """Insert those not seen before; give how many were new."""
        return len(self.add_new(rows))

    def add_new(self, rows: Sequence[InboxRow]) -> Collection[str]:
        """Insert those not seen before, and give the ids of these."""
        new: list[str] = []
        for row in rows:
            if not self._shelf.by_external_id.of((row.source, row.external_id)):
                event = RawEvent(replace(row, context=kept(row.context), attempts=0), row.received_at)
                self._shelf.put(row.id, event)
                new.append(row.id)
        return new

    def claim(self, sources: Sequence[str], limit: int, now: datetime, lease_until: datetime) -> Sequence[InboxRow]:
        """Lease up to `limit` unhandled rows whose time has come, oldest first."""
        due = [key for source in dict.fromkeys(sources) for key in self._shelf.waiting.first(source, now, limit)]
        events = sorted(self._shelf.of(due), key=lambda event: (event.not_before, event.row.id))[:limit]
        for event in events:
            self._shelf.put(event.row.id, replace(event, lease_until=lease_until))
        return [event.row for event in events]

    def finish(self, ids: Sequence[str], outcome: str, now: datetime, account_id: str | None = None) -> int:  # noqa: ARG002 - nobody reads outcomes in memory
        """Mark rows handled, none of another account; give how many were not handled before."""
        events = [event for event in self._shelf.of(dict.fromkeys(ids)) if event.handled_at is None]
        if account_id is not None:
            events = [event for event in events if event.row.account_id in {None, account_id}]
        for event in events:
            row = event.row if account_id is None else replace(event.row, account_id=account_id)
            self._shelf.put(row.id, replace(event, row=row, handled_at=now, lease_until=None))
        return len(events)

    def give_up(self, source: str, before: datetime, outcome: str, now: datetime) -> int:
        """Mark what a source sent before a time and nobody has handled as handled; give how many there were."""
        left = [
            event.row.id
            for event in self._shelf.rows.values()
            if event.row.source == source and event.handled_at is None and event.row.received_at < before
        ]
        return self.finish(left, outcome, now)

    def postpone(self, row_id: str, error: str, not_before: datetime) -> None:  # noqa: ARG002 - nobody reads errors in memory
        """Give a row back, to be tried again at `not_before`."""
        for event in self._shelf.of([row_id]):
            row = replace(event.row, attempts=event.row.attempts + 1)
            self._shelf.put(row_id, replace(event, row=row, not_before=not_before, lease_until=None))

    def waiting(self, now: datetime) -> Mapping[str, int]:
        """Count rows by source that could be worked now."""
        counts = {str(source): self._shelf.waiting.count(source, now) for source in self._shelf.waiting.lanes()}
        return {source: count for source, count in counts.items() if count}
