"""How is kept in memory when each account is looked at next?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from connector.adapters.memory.shelves import Journal, Shelf


class _Poll(NamedTuple):
    due_at: datetime
    account_id: str
    event: str


class MemoryPollRepository:
    """Polls and timers, of which there are few; see `connector.ports.polls.PollRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._shelf: Shelf[_Poll] = Shelf(journal)

    def ensure(self, account_id: str, event: str, now: datetime) -> None:
        """Make sure that an account is polled for an event."""
        if (account_id, event) not in self._shelf.rows:
            self._shelf.put((account_id, event), _Poll(now, account_id, event))

    def planned(self, kind: str = "") -> Collection[tuple[str, str]]:
        """Give every (account, event) pair of a kind."""
        return {(poll.account_id, poll.event) for poll in self._shelf.rows.values() if _kind(poll.event) == kind}

    def claim(self, now: datetime, lease_until: datetime, most: int, kind: str = "") -> Sequence[tuple[str, str]]:
        """Give the (account, event) pairs of a kind that are due of up to `most` accounts, and put them off."""
        waiting = sorted(poll for poll in self._shelf.rows.values() if poll.due_at <= now and _kind(poll.event) == kind)
        accounts = [*dict.fromkeys(poll.account_id for poll in waiting)][:most]
        due = [poll for poll in waiting if poll.account_id in accounts]
        for poll in due:
            self.next(poll.account_id, poll.event, lease_until)
        return [(poll.account_id, poll.event) for poll in due]

    def next(self, account_id: str, event: str, due_at: datetime) -> None:
        """Say when an account is polled next."""
        if (account_id, event) in self._shelf.rows:
            self._shelf.put((account_id, event), _Poll(due_at, account_id, event))

    def drop(self, account_id: str, event: str) -> None:
        """Forget a pair that nobody needs any more."""
        self._shelf.drop((account_id, event))

    def any_due(self, now: datetime) -> bool:
        """Tell whether any poll or timer is due."""
        return any(poll.due_at <= now for poll in self._shelf.rows.values())


def _kind(event: str) -> str:
    kind, colon, _ = event.partition(":")
    return kind if colon else ""
