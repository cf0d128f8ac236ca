"""How is a webhook of any other system accepted: proved, stored once for its account, and not yet understood?

Which account it is for stands in the address, which is no secret; the proof is the account's own secret for this
system. It is in the ledger when `take` returns; only then may the sender be answered 2xx (promise P1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from connector.domain.account_status import ENDED
from connector.domain.webhook_sources import Signature, WebhookSource
from connector.ports.inbox import InboxRow
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.queue import EVENTS
from connector.ports.time import Clock
from connector.services.happenings import WEBHOOK
from connector.services.intake import Committer

_LONGEST_TYPE = 200
"""Characters of a type in a header that are kept; no system has types as long."""


class Verify(Protocol):
    """Checks a proof; raises `SignatureError` when it does not hold."""

    def __call__(
        self, signature: Signature, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime, /
    ) -> None:
        """Check it."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one system delivers for one account."""

    account_id: str
    source: WebhookSource
    secrets: tuple[str, ...] = field(repr=False)


def secret_name(source: str) -> str:
    """Give the name under which an account's secrets for a system are kept."""
    return f"{WEBHOOK}.{source}"


class WebhookIntake:
    """Lets webhooks in.

    Args of the constructor:
        sources: the systems, by name, as `mappings/events/generic.yaml` describes them.
    """

    def __init__(
        self,
        committer: Committer,
        ledger: Ledger,
        sources: Mapping[str, WebhookSource],
        verify: Verify,
        new_id: Callable[[], str],
        clock: Clock,
    ) -> None:
        self._committer, self._ledger, self._sources = committer, ledger, sources
        self._verify, self._new_id, self._clock = verify, new_id, clock

    def endpoint(self, source: str, account_id: str) -> Endpoint | None:
        """Give where a system delivers for an account; None when nobody described it or opened it with a secret."""
        described = self._sources.get(source)
        if described is None:
            return None
        with self._ledger.begin(write=False) as uow:
            try:
                account = uow.accounts.get(account_id)
            except KeyError:
                return None
            rows = uow.secrets.valid(account.id, secret_name(source), self._clock.now())
        secrets = tuple(row.secret for row in rows if row.secret)
        return Endpoint(account.id, described, secrets) if secrets and account.status not in ENDED else None

    def take(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> bool:
        """Prove and store a delivery; False when the same event was stored before.

        Raises:
            SignatureError: not from them.
        """
        now, source = self._clock.now(), endpoint.source
        self._verify(source.signature, headers, body, endpoint.secrets, now)
        context = {"source": source.name}
        if source.type_header:
            named = (value for name, value in headers.items() if name.lower() == source.type_header.lower())
            context["type"] = next(named, "")[:_LONGEST_TYPE]
        external_id = f"{endpoint.account_id}:{source.name}:{source.identity(body, context.get('type', ''))}"
        row = InboxRow(self._new_id(), endpoint.account_id, WEBHOOK, external_id, body, context, now)
        return self._committer.join(_store, row)


def _store(uow: UnitOfWork, rows: Sequence[InboxRow]) -> Sequence[bool]:
    """Store what several requests brought; of those who bring the same event one is the first."""
    new = uow.inbox.add_new(rows)
    if new:
        uow.nudge(EVENTS)
    return [row.id in new for row in rows]
