"""How does each gateway fare, for operators: is its circuit closed, what does it deliver, where has it fallen?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.domain.circuit import CircuitState
from connector.domain.gateway_book import GatewayBook
from connector.domain.scoring import Estimate, Fallen, Tally
from connector.ports.gateway import Capabilities, SMSGateway
from connector.ports.ledger import Ledger
from connector.ports.time import Clock
from connector.services.gateway_health import HealthBoard
from connector.services.route_scores import Scoring

_OF_LATE = timedelta(hours=1)
"""What the counts of a status cover: long enough to see a trend, short enough to be about now."""


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """How one gateway fares.

    Attributes:
        routes: names of the routes that lead through it.
        sent, delivered, undelivered, failed: texts and requests of the last hour.
        estimate: how well it delivers, over all countries.
        fallen: countries and carriers for which it delivers much less than it did.
    """

    slug: str
    capabilities: Capabilities
    state: CircuitState
    share: float
    reason: str
    since: datetime
    until: datetime | None
    usual_seconds: float
    error_rate: float
    routes: Sequence[str]
    waiting: bool
    sent: int
    delivered: int
    undelivered: int
    failed: int
    estimate: Estimate
    fallen: Sequence[Fallen]


class Providers:
    """Tells how gateways fare."""

    def __init__(
        self,
        ledger: Ledger,
        gateways: Mapping[str, SMSGateway],
        book: GatewayBook,
        health: HealthBoard,
        scores: Scoring,
        clock: Clock,
    ) -> None:
        self._ledger, self._gateways, self._book = ledger, gateways, book
        self._health, self._scores, self._clock = health, scores, clock

    def status(self, slug: str | None = None) -> Sequence[ProviderStatus]:
        """Tell about every gateway in use, or about one; empty when it is not in use."""
        now = self._clock.now()
        with self._ledger.begin(write=False) as uow:
            tallies = uow.traffic.tallies(now - _OF_LATE)
            waiting = {gateway for gateway, _ in uow.messages.waiting_lanes(now)}
        fallen = self._scores.fallen()
        return [
            self._status(name, [tally for tally in tallies if tally.gateway == name], name in waiting, fallen)
            for name in self._gateways
            if slug in {None, name}
        ]

    def _status(
        self, name: str, tallies: Sequence[Tally], is_waiting: bool, fallen: Sequence[Fallen]
    ) -> ProviderStatus:
        health = self._health.of(name)
        return ProviderStatus(
            slug=name,
            capabilities=self._gateways[name].capabilities,
            state=health.state,
            share=health.share,
            reason=health.reason,
            since=health.since,
            until=health.until,
            usual_seconds=health.usual_seconds,
            error_rate=health.error_rate,
            routes=[route for route, rule in self._book.routes.items() if name in rule.gateways],
            waiting=is_waiting,
            sent=sum(tally.sent for tally in tallies),
            delivered=sum(tally.delivered for tally in tallies),
            undelivered=sum(tally.undelivered for tally in tallies),
            failed=sum(tally.failed for tally in tallies),
            estimate=self._scores.scores().of(name, None),
            fallen=[each for each in fallen if each.gateway == name],
        )
