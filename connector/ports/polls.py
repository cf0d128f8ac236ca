"""How do services know when to look into a CRM that sends no webhook?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol


class PollRepository(Protocol):
    """When each account is polled next for each polled event."""

    def ensure(self, account_id: str, event: str, now: datetime) -> None:
        """Make sure that an account is polled for an event; a new one is due at once."""
        ...

    def claim(self, now: datetime, lease_until: datetime) -> Sequence[tuple[str, str]]:
        """Give the (account, event) pairs that are due, and put them off to `lease_until`."""
        ...

    def next(self, account_id: str, event: str, due_at: datetime) -> None:
        """Say when an account is polled next."""
        ...

    def any_due(self, now: datetime) -> bool:
        """Tell whether any poll is due."""
        ...
