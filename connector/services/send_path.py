"""How is the send path put together: claim, send, record, hear, ask?"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from connector.domain.circuit import CircuitState
from connector.domain.compliance import Compliance
from connector.domain.gateway_book import GatewayBook, Rate
from connector.ports.attempts import EVERY, Gateways
from connector.ports.gateway import IncomingSMS, SMSGateway
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.queue import SendLimiter
from connector.ports.time import Clock
from connector.services.aftermath import Aftermath
from connector.services.budgets import BudgetDesk
from connector.services.claiming import Claimer, Desks
from connector.services.dispatch import Dispatcher, Traffic
from connector.services.gateway_health import HealthBoard
from connector.services.number_checks import NumberDesk
from connector.services.number_facts import NumberEar
from connector.services.outcomes import OutcomeRecorder
from connector.services.pacing import Pacer
from connector.services.permissions import PermissionDesk
from connector.services.receipts import ReceiptReader
from connector.services.reconcile import Reconciler
from connector.services.retrying import Retries
from connector.services.route_scores import ScoreBoard, Scoring
from connector.services.routing import Router


@dataclass(frozen=True, slots=True)
class SendPathParts:
    """What the send path stands on.

    Attributes:
        gateways: every configured gateway, by slug.
        usual_gateway: for accounts and purposes that name none.
        usual_rate: of gateways the book says nothing of.
        served: those that this process sends through and asks; the others have a process of their own.
        in_use: gateways that ways may lead through, when these are not just those of `gateways`: a rehearsal has none.
        scores: how well they deliver; None reads it from the ledger.
        unreported: gateways that never tell what became of a text.
        take_reply: see `services.replies`.
        note_opt_out: see `services.aftermath`.
        status_url: gives the public address for receipts of an attempt, by gateway and attempt id.
        is_wanted_elsewhere: see `services.dispatch`.
    """

    ledger: Ledger
    gateways: Mapping[str, SMSGateway]
    book: GatewayBook
    usual_gateway: str
    usual_rate: Rate
    unreported: frozenset[str]
    compliance: Compliance
    limiter: SendLimiter
    clock: Clock
    rng: random.Random
    take_reply: Callable[[UnitOfWork, IncomingSMS, str, datetime], str]
    note_opt_out: Callable[[UnitOfWork, MessageRow, str, datetime], None]
    status_url: Callable[[str, str], str]
    is_wanted_elsewhere: Callable[[], bool] = lambda: False
    served: Gateways = EVERY
    in_use: frozenset[str] | None = None
    scores: Scoring | None = None


@dataclass(frozen=True, slots=True)
class SendPath:
    """The send path, wired."""

    health: HealthBoard
    scores: Scoring
    router: Router
    claimer: Claimer
    recorder: OutcomeRecorder
    dispatcher: Dispatcher
    receipts: ReceiptReader
    reconciler: Reconciler


def build_send_path(parts: SendPathParts) -> SendPath:
    """Wire the send path."""
    ledger, book, clock = parts.ledger, parts.book, parts.clock
    in_use = frozenset(parts.gateways) if parts.in_use is None else parts.in_use
    health = HealthBoard(ledger, in_use, clock, [gateway for gateway in in_use if gateway not in parts.served])
    scores = parts.scores or ScoreBoard(ledger, clock, parts.unreported)
    router = Router(book, parts.usual_gateway, in_use, health, scores)
    pacer, budgets = Pacer(book, parts.usual_rate, parts.limiter, health), BudgetDesk(book)
    desks = Desks(router, PermissionDesk(parts.compliance), NumberDesk(book.lookups), budgets, pacer)
    retries = Retries(book, router.others, parts.rng)
    aftermath = Aftermath(retries, budgets, NumberEar(ledger.new_id), parts.note_opt_out)
    claimer, recorder = Claimer(ledger, desks, clock), OutcomeRecorder(ledger, clock, aftermath)
    receipts = ReceiptReader(ledger, parts.gateways, parts.take_reply, aftermath, clock, parts.rng)
    return SendPath(
        health=health,
        scores=scores,
        router=router,
        claimer=claimer,
        recorder=recorder,
        dispatcher=Dispatcher(
            ledger,
            parts.gateways,
            claimer,
            recorder,
            Traffic(pacer, health, book, parts.served, parts.is_wanted_elsewhere),
            clock,
            parts.status_url,
        ),
        receipts=receipts,
        reconciler=Reconciler(
            ledger,
            parts.gateways,
            receipts,
            aftermath,
            parts.limiter,
            clock,
            parts.served,
            is_open=lambda gateway: health.of(gateway).state is CircuitState.OPEN,
        ),
    )
