"""How do services remember how far they have read elsewhere?"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class CursorRepository(Protocol):
    """Places to read on from, one per account and name, such as `backfill:contact` or `journal`."""

    def get(self, account_id: str, name: str) -> str | None:
        """Give where to read on, as its reader wrote it; None when nothing was read yet."""
        ...

    def set(self, account_id: str, name: str, value: str, now: datetime) -> None:
        """Say where to read on. Belongs into the transaction that keeps what was read up to there."""
        ...
