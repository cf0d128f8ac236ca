"""How is counted in memory at which hours people answer?"""

from __future__ import annotations

from connector.adapters.memory.shelves import Journal, Shelf
from connector.domain.habits import Habits, Hour

_Counts = dict[Hour, int]


class MemoryHabitRepository:
    """Counts of answers; see `connector.ports.habits.HabitRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._shelf: Shelf[_Counts] = Shelf(journal)

    def add(self, account_id: str, contact_id: str, country: str | None, hour: Hour) -> None:
        """Count one answer of a contact, for the contact, its country and the account."""
        for key in _keys(account_id, contact_id, country):
            counts = self._counts(key)
            self._shelf.put(key, {**counts, hour: counts.get(hour, 0) + 1})

    def of(self, account_id: str, contact_id: str, country: str | None) -> Habits:
        """Read the counts of a contact, of its country and of the account."""
        everyone, own, *alike = (self._counts(key) for key in _keys(account_id, contact_id, country))
        return Habits(own=own, alike=alike[0] if alike else {}, everyone=everyone)

    def _counts(self, key: tuple[str, ...]) -> _Counts:
        return self._shelf.rows.get(key, {})


def _keys(account_id: str, contact_id: str, country: str | None) -> list[tuple[str, ...]]:
    alike = [] if country is None else [(account_id, "country", country)]
    return [(account_id, "account"), (account_id, "contact", contact_id), *alike]
