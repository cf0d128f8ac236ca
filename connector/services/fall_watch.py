"""Which countries and carriers has a gateway stopped reaching, and has somebody been told?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from connector.domain.falls import Fallen
from connector.domain.scoring import LOOK_BACK
from connector.ports.ledger import Ledger
from connector.ports.time import Clock

log = structlog.get_logger(__name__)

_LOOK_EVERY = timedelta(minutes=1)  # tallies are kept by the minute; reading a day of them takes a fraction of a second
_FORGET_EVERY = timedelta(hours=1)  # a day is looked back on: an hour more costs a few thousand rows


class FallWatch:
    """Tells of ways that have fallen, once when they fall and once when they are back. For one thread.

    Args of the constructor:
        fallen: gives those that deliver much less than they did.
    """

    def __init__(self, ledger: Ledger, fallen: Callable[[], Sequence[Fallen]], clock: Clock) -> None:
        self._ledger, self._fallen, self._clock = ledger, fallen, clock
        self._known: frozenset[tuple[str, str, str]] = frozenset()
        self._looked_at: datetime | None = None
        self._forgot_at: datetime | None = None

    def look(self) -> None:
        """Tell what has changed since the last look, and forget tallies that say nothing any more; rarely enough."""
        now = self._clock.now()
        if _is_time(self._looked_at, _LOOK_EVERY, now):
            self._looked_at = now
            self._tell()
        if _is_time(self._forgot_at, _FORGET_EVERY, now):
            self._forgot_at = now
            with self._ledger.begin() as uow:
                uow.traffic.forget_tallies(now - LOOK_BACK)
                uow.commit()

    def _tell(self) -> None:
        found = {(each.gateway, each.country, each.carrier): each for each in self._fallen()}
        for name in sorted(found.keys() - self._known):
            each = found[name]
            log.warning(
                "gateway.fallen",
                gateway=each.gateway,
                country=each.country,
                carrier=each.carrier,
                before=round(each.before, 3),
                now=round(each.now_rate, 3),
            )
        for gateway, country, carrier in sorted(self._known - found.keys()):
            log.info("gateway.back", gateway=gateway, country=country, carrier=carrier)
        self._known = frozenset(found)


def _is_time(last: datetime | None, every: timedelta, now: datetime) -> bool:
    return last is None or not timedelta() <= now - last < every
