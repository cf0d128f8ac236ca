"""How is a webhook accepted: once, durably, and without understanding it?

What arrives here has been verified. It is in the ledger when these functions return; only then may the sender be
answered 2xx (promise P1). Events of accounts that are not installed are "not for us": they are counted and not kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from connector.ports.gateway import CallbackRequest
from connector.ports.inbox import InboxRow
from connector.ports.ledger import UnitOfWork
from connector.ports.queue import EVENTS, RECEIPTS
from connector.ports.time import Clock
from connector.services.receipts import source
from connector.services.stored_callbacks import body_of, context_of

_KNOWN_FOR = timedelta(seconds=10)
"""How long an account is taken to be installed still: bounds what is kept of one that was uninstalled just now, and
spares a busy portal's events a look at the accounts each."""

_T = TypeVar("_T")
_I = TypeVar("_I")


class Committer(Protocol):
    """Runs a piece of work in a transaction and returns after its commit."""

    def run(self, work: Callable[[UnitOfWork], _T]) -> _T:
        """Run and commit."""
        ...

    def join(self, handler: Callable[[UnitOfWork, Sequence[_I]], Sequence[_T]], item: _I) -> _T:
        """Let `handler` work the items of several callers in one call, and commit; give the result for this one's."""
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


@dataclass(frozen=True, slots=True)
class _Batch:
    crm: str
    deliveries: Sequence[Delivery]
    received_at: datetime


class Intake:
    """Writes what arrived into the inbox; what arrives together is written together."""

    def __init__(self, committer: Committer, new_id: Callable[[], str], clock: Clock) -> None:
        self._committer, self._new_id, self._clock = committer, new_id, clock
        self._accounts: dict[tuple[str, str], tuple[datetime, str]] = {}

    def take_events(self, crm: str, deliveries: Sequence[Delivery]) -> Taken:
        """Store a batch of CRM events, of one account or several."""
        return self._committer.join(self._store_events, _Batch(crm, deliveries, self._clock.now()))

    def _store_events(self, uow: UnitOfWork, batches: Sequence[_Batch]) -> Sequence[Taken]:
        self._meet_accounts(uow, batches)
        rows = [self._rows(batch) for batch in batches]
        new = uow.inbox.add_new([row for some in rows for row in some])
        if new:
            uow.nudge(EVENTS)
        counts = [sum(row.id in new for row in some) for some in rows]
        return [
            Taken(count, len(some) - count, len(batch.deliveries) - len(some))
            for batch, some, count in zip(batches, rows, counts, strict=True)
        ]

    def _meet_accounts(self, uow: UnitOfWork, batches: Sequence[_Batch]) -> None:
        """Look up the accounts of portals not met of late; those that somebody ended are not installed any more."""
        named = {(batch.crm, each.external_account_id) for batch in batches for each in batch.deliveries}
        now = self._clock.now()
        fresh = {key for key in named if key in self._accounts and self._accounts[key][0] > now}
        strangers: dict[str, list[str]] = {}
        for crm, portal in sorted(named - fresh):
            self._accounts.pop((crm, portal), None)
            strangers.setdefault(crm, []).append(portal)
        for crm, portals in strangers.items():
            found = uow.accounts.installed(crm, portals)
            self._accounts |= {(crm, portal): (now + _KNOWN_FOR, account_id) for portal, account_id in found.items()}

    def _account(self, crm: str, portal: str) -> str | None:
        known = self._accounts.get((crm, portal))
        return None if known is None else known[1]

    def _rows(self, batch: _Batch) -> list[InboxRow]:
        accounts = [self._account(batch.crm, each.external_account_id) for each in batch.deliveries]
        return [
            self._row(account_id, batch.crm, each.external_id, each.body, {}, batch.received_at)
            for account_id, each in zip(accounts, batch.deliveries, strict=True)
            if account_id is not None
        ]

    def take_unreadable(self, crm: str, body: bytes, reason: str, external_account_id: str | None = None) -> None:
        """Keep a delivery that is signed but cannot be cut into events, marked for a person to look at.

        Where the sender's account is known it is kept as that account's; nothing of one that is not installed.
        """
        now, source_ = self._clock.now(), f"{crm}.unreadable"
        digest = hashlib.sha256(body).hexdigest()
        identity = digest if external_account_id is None else f"{external_account_id}:{digest}"

        def store(uow: UnitOfWork) -> None:
            account_id = None
            if external_account_id is not None:
                account_id = uow.accounts.installed(crm, [external_account_id]).get(external_account_id)
                if account_id is None:
                    return
            row = self._row(account_id, source_, identity, body, {"reason": reason}, now)
            if uow.inbox.add([row]):
                uow.inbox.finish([row.id], f"unreadable: {reason}", now)

        self._committer.run(store)

    def take_callback(self, gateway: str, kind: str, request: CallbackRequest, attempt_id: str | None) -> None:
        """Store a gateway's callback; the same bytes for the same attempt are the same callback."""
        now = self._clock.now()
        body = body_of(request)
        said = request.body or request.url.partition("?")[0].encode() + body  # a GET says everything in its address
        identity = hashlib.sha256(b"\x00".join([(attempt_id or "").encode(), said])).hexdigest()
        row = self._row(None, source(gateway, kind), identity, body, context_of(request, attempt_id), now)

        self._committer.join(_store_callbacks, row)

    def _row(
        self,
        account_id: str | None,
        source_: str,
        external_id: str,
        body: bytes,
        context: Mapping[str, Any],
        now: datetime,
    ) -> InboxRow:
        return InboxRow(self._new_id(), account_id, source_, external_id, body, context, now)


def _store_callbacks(uow: UnitOfWork, rows: Sequence[InboxRow]) -> Sequence[None]:
    if uow.inbox.add_new(rows):
        uow.nudge(RECEIPTS)
    return [None] * len(rows)
