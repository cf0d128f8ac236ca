"""How is a webhook accepted: once, durably, and without understanding it?

What arrives here has been verified. It is in the ledger when these functions return; only then may the sender be
answered 2xx (promise P1). Events of accounts that are not installed are "not for us": they are counted and not kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from connector.ports.gateway import CallbackRequest
from connector.ports.ledger import InboxRow, UnitOfWork
from connector.ports.queue import EVENTS, RECEIPTS
from connector.ports.time import Clock
from connector.services.receipts import source

_T = TypeVar("_T")

_KEPT_HEADERS = ("content-type", "i-twilio-idempotency-token")
"""What reading a stored callback needs; signatures were checked at the door and are not kept."""


class Committer(Protocol):
    """Runs a piece of work in a transaction and returns after its commit."""

    def run(self, work: Callable[[UnitOfWork], _T]) -> _T:
        """Run and commit."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """One CRM event as delivered.

    Attributes:
        external_account_id: the CRM's name for the account it belongs to, such as a portal id.
        external_id: the same for every delivery of the same event.
    """

    external_account_id: str
    external_id: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a delivery: events new to us, seen before, and of accounts that are not installed."""

    new: int
    known: int
    foreign: int


class Intake:
    """Writes what arrived into the inbox."""

    def __init__(self, committer: Committer, new_id: Callable[[], str], clock: Clock) -> None:
        self._committer, self._new_id, self._clock = committer, new_id, clock

    def take_events(self, crm: str, deliveries: Sequence[Delivery]) -> Taken:
        """Store a batch of CRM events, of one account or several."""
        now = self._clock.now()
        portals = sorted({delivery.external_account_id for delivery in deliveries})

        def store(uow: UnitOfWork) -> Taken:
            accounts = uow.accounts.by_external_ids(crm, portals)
            rows = [
                self._row(accounts[delivery.external_account_id], crm, delivery.external_id, delivery.body, {}, now)
                for delivery in deliveries
                if delivery.external_account_id in accounts
            ]
            new = uow.inbox.add(rows)
            if new:
                uow.nudge(EVENTS)
            return Taken(new, len(rows) - new, len(deliveries) - len(rows))

        return self._committer.run(store)

    def take_unreadable(self, crm: str, body: bytes, reason: str) -> None:
        """Keep a delivery that is signed but cannot be cut into events, marked for a person to look at."""
        now = self._clock.now()
        row = self._row(None, f"{crm}.unreadable", hashlib.sha256(body).hexdigest(), body, {"reason": reason}, now)

        def store(uow: UnitOfWork) -> None:
            if uow.inbox.add([row]):
                uow.inbox.finish([row.id], f"unreadable: {reason}", now)

        self._committer.run(store)

    def take_callback(self, gateway: str, kind: str, request: CallbackRequest, attempt_id: str | None) -> None:
        """Store a gateway's callback; the same bytes for the same attempt are the same callback."""
        now = self._clock.now()
        headers = {name.lower(): value for name, value in request.headers.items()}
        context = {
            "method": request.method,
            "url": request.url,
            "headers": {name: headers[name] for name in _KEPT_HEADERS if name in headers},
            "attempt_id": attempt_id,
        }
        identity = hashlib.sha256(b"\x00".join([(attempt_id or "").encode(), request.body])).hexdigest()
        row = self._row(None, source(gateway, kind), identity, request.body, context, now)

        def store(uow: UnitOfWork) -> None:
            if uow.inbox.add([row]):
                uow.nudge(RECEIPTS)

        self._committer.run(store)

    def _row(
        self,
        account_id: str | None,
        source_: str,
        external_id: str,
        body: bytes,
        context: dict[str, Any],
        now: datetime,
    ) -> InboxRow:
        return InboxRow(self._new_id(), account_id, source_, external_id, body, context, now)
