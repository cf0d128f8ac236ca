"""How are the tallies and the health of gateways kept in memory, and what was spent through them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connector.adapters.memory.shelves import Journal, Shelf
from connector.domain.circuit import GatewayHealth
from connector.domain.scoring import Tally
from connector.ports.traffic import Spending


class MemoryTrafficRepository:
    """Tallies, health and spending; see `connector.ports.traffic.TrafficRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._tallies: Shelf[Tally] = Shelf(journal)
        self._health: Shelf[GatewayHealth] = Shelf(journal)
        self._spendings: Shelf[Spending] = Shelf(journal)

    def note(self, tallies: Sequence[Tally]) -> None:
        """Add to the tallies of their minutes."""
        for new in tallies:
            key = new.slot, new.gateway, new.country, new.sender, new.carrier
            old = self._tallies.rows.get(key)
            self._tallies.put(key, new if old is None else _sum(old, new))

    def tallies(self, since: datetime) -> Sequence[Tally]:
        """Read the tallies of every minute since a time."""
        found = [tally for tally in self._tallies.rows.values() if tally.slot >= since]
        return sorted(found, key=lambda tally: tally.slot)

    def forget_tallies(self, before: datetime) -> int:
        """Delete tallies too old to matter."""
        old = [key for key, tally in self._tallies.rows.items() if tally.slot < before]
        return sum(self._tallies.drop(key) for key in old)

    def health(self, gateway: str) -> GatewayHealth | None:
        """Read how a gateway fares."""
        return self._health.rows.get(gateway)

    def all_health(self) -> Mapping[str, GatewayHealth]:
        """Read how every gateway fares."""
        return dict(self._health.rows)

    def save_health(self, health: GatewayHealth) -> None:
        """Write how a gateway fares."""
        self._health.put(health.gateway, health)

    def spend(self, spendings: Sequence[Spending]) -> None:
        """Add to what was spent."""
        for new in spendings:
            key = new.account_id, new.day, new.utc_day, new.gateway, new.journey, new.currency
            old = self._spendings.rows.get(key)
            if old is not None:
                new = replace(old, texts=old.texts + new.texts, amount=old.amount + new.amount)  # noqa: PLW2901 - the sum
            self._spendings.put(key, new)

    def spent(self, days: Sequence[str]) -> Sequence[Spending]:
        """Read what all accounts spent on some days, by their own clocks or by UTC."""
        return [each for each in self._spendings.rows.values() if each.day in days or each.utc_day in days]


def _sum(old: Tally, new: Tally) -> Tally:
    return replace(
        old,
        sent=old.sent + new.sent,
        delivered=old.delivered + new.delivered,
        undelivered=old.undelivered + new.undelivered,
        failed=old.failed + new.failed,
        answer_seconds=old.answer_seconds + new.answer_seconds,
        delivery_seconds=old.delivery_seconds + new.delivery_seconds,
    )
