"""How are versions of journeys kept in memory, and which of them take people in?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connector.adapters.memory.documents import kept
from connector.adapters.memory.shelves import Group, Journal, Shelf
from connector.ports.enrollments import JourneyVersionRow, PublicationRow


class MemoryJourneyVersionRepository:
    """Versions of journeys; see `connector.ports.enrollments.JourneyVersionRepository`."""

    def __init__(self, journal: Journal, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._by_journey: Group[JourneyVersionRow] = Group(lambda row: (row.account_id, row.journey))
        self._shelf: Shelf[JourneyVersionRow] = Shelf(journal, self._by_journey)

    def ensure(
        self,
        account_id: str,
        journey: str,
        hash_: str,
        source: Mapping[str, Any],
        published_by: str,
        now: datetime,
    ) -> JourneyVersionRow:
        """Give the version with this hash, made now with the next number if it is new."""
        versions = self.of_journey(account_id, journey)
        for version in versions:
            if version.hash == hash_:
                return version
        row = JourneyVersionRow(
            id=self._new_id(),
            account_id=account_id,
            journey=journey,
            version=len(versions) + 1,
            hash=hash_,
            source=kept(source),
            published_by=published_by,
            published_at=now,
        )
        self._shelf.put(row.id, row)
        return row

    def get(self, account_id: str, version_id: str) -> JourneyVersionRow | None:
        """Read one."""
        row = self._shelf.rows.get(version_id)
        return row if row is not None and row.account_id == account_id else None

    def of_journey(self, account_id: str, journey: str) -> Sequence[JourneyVersionRow]:
        """Read every version of a journey, oldest first."""
        return self._shelf.of(self._by_journey.of((account_id, journey)))


class MemoryPublicationRepository:
    """Publications; see `connector.ports.enrollments.PublicationRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._by_account: Group[PublicationRow] = Group(lambda row: row.account_id)
        self._shelf: Shelf[PublicationRow] = Shelf(journal, self._by_account)

    def add(self, publication: PublicationRow) -> None:
        """Append one."""
        self._shelf.put(publication.id, publication)

    def stamp(self, account_id: str) -> str:
        """Give how many publications there are, and the latest id."""
        ids = self._by_account.of(account_id)
        return f"{len(ids)}:{max(ids)}" if ids else ""

    def current(self, account_id: str) -> Mapping[str, PublicationRow]:
        """Give the latest publication of every journey of an account, by journey."""
        return {row.journey: row for row in self._of(account_id)}

    def history(self, account_id: str, journey: str) -> Sequence[PublicationRow]:
        """Give every publication of a journey, oldest first."""
        return [row for row in self._of(account_id) if row.journey == journey]

    def _of(self, account_id: str) -> list[PublicationRow]:
        return self._shelf.of(self._by_account.of(account_id))
