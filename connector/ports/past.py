"""How do services read again what really happened, to play it once more?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from connector.domain.timeline import TimelineEntry
from connector.ports.inbox import InboxRow
from connector.ports.messages import MessageRow


class PastRepository(Protocol):
    """What an account was told, in the order in which it was told; read in pages."""

    def raw_events(
        self, account_id: str, sources: Sequence[str], since: datetime, until: datetime, after: str, limit: int
    ) -> Sequence[InboxRow]:
        """Read understood raw events received in a time, those with an id behind `after` and a body that opens.

        Fewer than `limit` are the last ones.
        """
        ...

    def count_raw_events(self, account_id: str, sources: Sequence[str], since: datetime, until: datetime) -> int:
        """Count them, to tell how far a replay has come."""
        ...

    def recorded(self, account_id: str, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], TimelineEntry]:
        """Read the entries of received events by (subject, discriminator)."""
        ...

    def replies(self, account_id: str, since: datetime, until: datetime) -> Sequence[MessageRow]:
        """Read every reply received in a time that can be opened, oldest first."""
        ...
