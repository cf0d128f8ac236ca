"""How are attempts to install kept in memory?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connector.adapters.memory.documents import kept
from connector.adapters.memory.shelves import Journal, Shelf
from connector.ports.installing import InstallAttemptRow


class MemoryInstallRepository:
    """Attempts; see `connector.ports.installing.InstallRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._by_state: Shelf[InstallAttemptRow] = Shelf(journal)

    def add(self, attempt: InstallAttemptRow) -> None:
        """Insert an attempt."""
        if attempt.state_hash in self._by_state.rows:
            raise ValueError("this state is known already")
        self._by_state.put(attempt.state_hash, replace(attempt, details=kept(attempt.details)))

    def use(self, crm: str, state_hash: str, now: datetime) -> InstallAttemptRow | None:
        """Give the attempt with this state, once and in time."""
        found = self._by_state.rows.get(state_hash)
        if found is None or found.crm != crm or found.used_at is not None or found.expires_at <= now:
            return None
        used = replace(found, used_at=now)
        self._by_state.put(state_hash, used)
        return used

    def forget(self, before: datetime) -> int:
        """Delete attempts whose time was over before a time."""
        old = [state for state, attempt in self._by_state.rows.items() if attempt.expires_at < before]
        return sum(self._by_state.drop(state) for state in old)
