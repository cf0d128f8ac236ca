"""How is what is known of numbers kept in memory?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connector.adapters.memory.shelves import Due, Journal, Leased, Shelf, Turn, turn
from connector.ports.lookups import LookupState, NumberRow

_WANTED = "wanted"


def _wanted(entry: Leased[NumberRow]) -> Turn | None:
    return turn(_WANTED, entry.row.not_before, entry.lease_until) if entry.row.state is LookupState.WANTED else None


class MemoryNumberRepository:
    """What is known of numbers; see `connector.ports.lookups.NumberRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._due: Due[Leased[NumberRow]] = Due(_wanted)
        self._shelf: Shelf[Leased[NumberRow]] = Shelf(journal, self._due)

    def of(self, account_id: str, msisdns: Sequence[str]) -> Mapping[str, NumberRow]:
        """Read what is known, by number."""
        found = self._shelf.of([(account_id, msisdn) for msisdn in msisdns])
        return {entry.row.msisdn: entry.row for entry in found}

    def save(self, rows: Sequence[NumberRow]) -> None:
        """Insert or replace; ends the lease."""
        for row in rows:
            key = (row.account_id, row.msisdn)
            before = self._shelf.rows.get(key)
            asked_at = row.asked_at if row.asked_at is not None or before is None else before.row.asked_at
            self._shelf.put(key, Leased(replace(row, asked_at=asked_at)))

    def want(self, rows: Sequence[NumberRow]) -> int:
        """Insert those nothing is known of."""
        new = {(row.account_id, row.msisdn): row for row in rows if not self.of(row.account_id, [row.msisdn])}
        self.save(list(new.values()))
        return len(new)

    def claim(self, limit: int, now: datetime, lease_until: datetime) -> Sequence[NumberRow]:
        """Lease up to `limit` wanted rows whose time has come."""
        keys = self._due.first(_WANTED, now, limit)
        rows = [entry.row for entry in self._shelf.of(keys)]
        for row in rows:
            self._shelf.put((row.account_id, row.msisdn), Leased(row, lease_until))
        return rows

    def any_wanted(self, now: datetime) -> bool:
        """Tell whether any could be claimed now."""
        return bool(self._due.first(_WANTED, now, 1))

    def asked_since(self, account_id: str, since: datetime) -> int:
        """Count the numbers that lookups have answered about since a time."""
        rows = (entry.row for entry in self._shelf.rows.values())
        return sum(row.account_id == account_id and row.asked_at is not None and row.asked_at >= since for row in rows)
