"""How is kept in memory how far was read elsewhere?"""

from __future__ import annotations

from datetime import datetime

from connector.adapters.memory.shelves import Journal, Shelf


class MemoryCursorRepository:
    """Places to read on from; see `connector.ports.cursors.CursorRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._shelf: Shelf[str] = Shelf(journal)

    def get(self, account_id: str, name: str) -> str | None:
        """Give where to read on."""
        return self._shelf.rows.get((account_id, name))

    def set(self, account_id: str, name: str, value: str, _now: datetime) -> None:
        """Say where to read on."""
        self._shelf.put((account_id, name), value)
