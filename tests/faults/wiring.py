"""How is the send path wired for tests that break what it stands on: which parts are real, which stand in?

Real are the ledger, the adapters, the compliance rules and every service; only the limiter and the queue grant all.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from connector.adapters.compliance_file import load_compliance
from connector.adapters.store.unit_of_work import SQLLedger
from connector.domain.gateway_book import Budget, BudgetScope, GatewayBook, Rate, RouteRule
from connector.domain.message import Purpose
from connector.domain.prices import Price, PriceList
from connector.ports.gateway import IncomingSMS, SMSGateway
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.queue import Bucket
from connector.services.send_path import SendPath, SendPathParts, build_send_path
from tests.faults.emulated import status_url

_R = TypeVar("_R")
_I = TypeVar("_I")

BEGIN = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday noon in London, where everybody here lives

_COMPLIANCE = load_compliance(Path("mappings/compliance.yaml"))


class Wall:
    """Tells the time of this process, which the tests have in their hand."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class _NoLimit:
    """Grants everything."""

    def take(self, _bucket: str, *, rate: float, burst: int, wanted: int = 1) -> int:
        return wanted

    def take_each(self, asked: Sequence[Sequence[Bucket]], *, is_urgent: bool = True) -> Sequence[bool]:
        return [True] * len(asked)


class NoQueue:
    """A queue without workers: who proves looks for work himself."""

    def nudge(self, _lane: str) -> None:
        """Nudge nobody."""


class AtOnce:
    """Commits every wish by itself."""

    def __init__(self, ledger: SQLLedger) -> None:
        self._ledger = ledger

    def run(self, work: Callable[[UnitOfWork], _R]) -> _R:
        """Run and commit."""
        with self._ledger.begin() as uow:
            result = work(uow)
            uow.commit()
        return result

    def join(self, handler: Callable[[UnitOfWork, Sequence[_I]], Sequence[_R]], item: _I) -> _R:
        """Run and commit."""
        return self.run(lambda uow: handler(uow, [item])[0])


def book_of(*gateways: str) -> GatewayBook:
    """Give a book in which every purpose goes through these gateways, in this order, within generous budgets."""
    routes = {purpose.value: RouteRule(purpose.value, gateways) for purpose in Purpose}
    prices = {gateway: PriceList("USD", Decimal("0.01"), {}, "made up", BEGIN.date()) for gateway in gateways}
    budget = Budget(BudgetScope.GATEWAY, per_day_texts=10_000, per_day_spend=Price(Decimal(1000), "USD"))
    return GatewayBook(prices=prices, routes=routes, budgets=(budget,))


def send_path_over(
    ledger: Ledger, gateways: Mapping[str, SMSGateway], note_opt_out: Callable[[MessageRow], None]
) -> SendPath:
    """Wire the send path over adapters by slug, in the order of the route."""
    route = tuple(gateways)
    return build_send_path(
        SendPathParts(
            ledger=ledger,
            gateways=gateways,
            book=book_of(*route),
            usual_gateway=route[0],
            usual_rate=Rate(100, concurrency=4),
            unreported=frozenset(slug for slug, each in gateways.items() if not each.capabilities.receipts),
            compliance=_COMPLIANCE,
            limiter=_NoLimit(),
            clock=Wall(),
            rng=random.Random(1),
            take_reply=_nobody_writes,
            note_opt_out=lambda _uow, row, _attempt, _now: note_opt_out(row),
            status_url=status_url,
        )
    )


def _nobody_writes(_uow: UnitOfWork, _sms: IncomingSMS, _gateway: str, _now: datetime) -> str:
    raise AssertionError("a receipt was taken for a text that somebody wrote")
