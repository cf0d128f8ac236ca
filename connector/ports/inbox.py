"""How do services keep raw events until they are understood?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One raw event to be stored, or claimed back to be understood.

    Attributes:
        body: the event as received, UTF-8.
        context: what the request carried beside the body: kept headers, the public URL, ids from the path.
    """

    id: str
    account_id: str | None
    source: str
    external_id: str
    body: bytes = field(repr=False)
    context: Mapping[str, Any]
    received_at: datetime
    attempts: int = 0


class InboxRepository(Protocol):
    """Raw events, kept before they are understood."""

    def add(self, rows: Sequence[InboxRow]) -> int:
        """Insert those not seen before, by (source, external_id); give how many were new."""
        ...

    def add_new(self, rows: Sequence[InboxRow]) -> Collection[str]:
        """Insert those not seen before, and give the ids of these."""
        ...

    def claim(self, sources: Sequence[str], limit: int, now: datetime, lease_until: datetime) -> Sequence[InboxRow]:
        """Lease up to `limit` unhandled rows whose time has come, oldest first.

        A row whose body cannot be opened is none of them: it is ended, or left to those who have its key, and says why.
        Where many are damaged, a claim ends some of them and may give none though others wait behind.
        """
        ...

    def finish(self, ids: Sequence[str], outcome: str, now: datetime, account_id: str | None = None) -> int:
        """Mark rows handled, with a word for what they came to; give how many were not handled before.

        `account_id` says whose they turned out to be; rows that are another account's are left as they are.
        """
        ...

    def give_up(self, source: str, before: datetime, outcome: str, now: datetime) -> int:
        """Mark what a source sent before a time and nobody has handled as handled; give how many there were."""
        ...

    def postpone(self, row_id: str, error: str, not_before: datetime) -> None:
        """Give a row back, to be tried again at `not_before`; counts an attempt."""
        ...

    def waiting(self, now: datetime) -> Mapping[str, int]:
        """Count rows by source that could be worked now."""
        ...
