"""How do services know when to look again at something nobody tells them about?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol


class PollRepository(Protocol):
    """When each account is looked at next: for each event that is polled for, and for each timer.

    An event goes by its dotted name. A timer goes by its kind, a colon and what it is about, such as
    `split:welcome:tone`; each kind is claimed by its own service.
    """

    def ensure(self, account_id: str, event: str, now: datetime) -> None:
        """Make sure that an account is polled for an event; a new one is due at once."""
        ...

    def planned(self, kind: str = "") -> Collection[tuple[str, str]]:
        """Give every (account, event) pair that there is: events without a kind, or the timers of a `kind`."""
        ...

    def claim(self, now: datetime, lease_until: datetime, most: int, kind: str = "") -> Sequence[tuple[str, str]]:
        """Give the (account, event) pairs that are due of up to `most` accounts, and put them off to `lease_until`.

        Whoever waits longest is given first. Only events without a kind, unless a `kind` such as `split` is given; then
        only the timers of that kind.
        """
        ...

    def next(self, account_id: str, event: str, due_at: datetime) -> None:
        """Say when an account is polled next."""
        ...

    def drop(self, account_id: str, event: str) -> None:
        """Forget a pair that nobody needs any more; planned again, it is due at once."""
        ...

    def any_due(self, now: datetime) -> bool:
        """Tell whether any poll or timer is due."""
        ...
