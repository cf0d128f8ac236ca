"""How do services read and write at which hours people answer?"""

from __future__ import annotations

from typing import Protocol

from connector.domain.habits import Habits, Hour


class HabitRepository(Protocol):
    """Counts of answers by the hour of the week."""

    def add(self, account_id: str, contact_id: str, country: str | None, hour: Hour) -> None:
        """Count one answer of a contact, for the contact, its country and the account."""
        ...

    def of(self, account_id: str, contact_id: str, country: str | None) -> Habits:
        """Read the counts of a contact, of its country and of the account."""
        ...
