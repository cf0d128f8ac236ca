"""How is kept in memory what was erased?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connector.adapters.memory.shelves import Journal, Leased, Shelf
from connector.ports.erasing import ErasureRow


class MemoryErasureRepository:
    """Erasures; see `connector.ports.erasing.ErasureRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._erasures: Shelf[Leased[ErasureRow]] = Shelf(journal)

    def add(self, erasure: ErasureRow) -> None:
        """Insert one."""
        self._erasures.put(erasure.id, Leased(erasure))

    def get(self, erasure_id: str) -> ErasureRow | None:
        """Read one."""
        found = self._erasures.rows.get(erasure_id)
        return None if found is None else found.row

    def of_account(self, account_id: str) -> Sequence[ErasureRow]:
        """Read an account's erasures, oldest first."""
        return [each.row for each in self._in_order() if each.row.account_id == account_id]

    def any_due(self, now: datetime) -> bool:
        """Tell whether one is under way and nobody is at it."""
        return any(_is_due(each, now) for each in self._erasures.rows.values())

    def claim(self, now: datetime, lease_until: datetime, erasure_id: str | None = None) -> ErasureRow | None:
        """Lease one that is under way and nobody is at, the oldest or the named one."""
        for each in self._in_order():
            if _is_due(each, now) and erasure_id in {None, each.row.id}:
                self._erasures.put(each.row.id, Leased(each.row, lease_until))
                return each.row
        return None

    def count(self, erasure_id: str, counts: Mapping[str, int], lease_until: datetime) -> None:
        """Add to what went, and keep the lease until a time."""
        row = self._erasures.rows[erasure_id].row
        sums = Counter(row.counts) + Counter(counts)
        self._erasures.put(erasure_id, Leased(replace(row, counts=dict(sorted(sums.items()))), lease_until))

    def complete(self, sealed: ErasureRow) -> None:
        """Write how one ended."""
        row = self._erasures.rows[sealed.id].row
        if row.account_id != sealed.account_id:
            return
        ended = replace(row, subject=sealed.subject, completed_at=sealed.completed_at, seal=sealed.seal)
        self._erasures.put(row.id, Leased(ended))

    def _in_order(self) -> list[Leased[ErasureRow]]:
        return sorted(self._erasures.rows.values(), key=lambda each: (each.row.requested_at, each.row.id))


def _is_due(each: Leased[ErasureRow], now: datetime) -> bool:
    return each.row.completed_at is None and (each.lease_until is None or each.lease_until <= now)
