"""How do services read and write how gateways fare, and what was spent through them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from connector.domain.circuit import GatewayHealth
from connector.domain.scoring import Tally


@dataclass(frozen=True, slots=True)
class Spending:
    """What an account sent through a gateway for a journey on one day of its clock.

    Attributes:
        day: ISO date.
        journey: empty for texts outside journeys.
        currency: ISO 4217; empty while no price is known.
        amount: what was paid, or what is expected where the gateway has not told yet.
        utc_day: ISO date of the day by UTC, which budgets of gateways go by: one midnight for all accounts.
    """

    account_id: str
    day: str
    gateway: str
    journey: str
    currency: str
    texts: int
    amount: Decimal
    utc_day: str


class TrafficRepository(Protocol):
    """Tallies, health and spending. What is added up here is written last in a transaction: others wait for it."""

    def note(self, tallies: Sequence[Tally]) -> None:
        """Add to the tallies of their minutes."""
        ...

    def tallies(self, since: datetime) -> Sequence[Tally]:
        """Read the tallies of every minute since a time."""
        ...

    def forget_tallies(self, before: datetime) -> int:
        """Delete tallies too old to matter; give how many."""
        ...

    def health(self, gateway: str) -> GatewayHealth | None:
        """Read how a gateway fares, locked until commit where the database can; None when nothing is known."""
        ...

    def all_health(self) -> Mapping[str, GatewayHealth]:
        """Read how every gateway fares."""
        ...

    def save_health(self, health: GatewayHealth) -> None:
        """Write how a gateway fares."""
        ...

    def spend(self, spendings: Sequence[Spending]) -> None:
        """Add to what was spent; amounts and texts may be negative to correct what was expected."""
        ...

    def spent(self, days: Sequence[str]) -> Sequence[Spending]:
        """Read what all accounts spent on some days, by their own clocks or by UTC."""
        ...
