"""How does what the ledger knows reach the CRM, exactly once and without slowing anything?

A drain claims waiting records of one account, says each from the present state of its message (so that states are
coalesced), and writes them in batches. Records about to be created are marked, and that is committed, right before
the call leaves: after a crash or a lost answer they are looked up before anything is created again. Failures leave the
records waiting in the ledger.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from connector.domain.retry import backoff
from connector.errors import CRMDisconnectedError, CRMUnavailableError
from connector.ports.crm import CRM, CRMAccount
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.records import CRMRecordRow
from connector.ports.time import Clock
from connector.services.disconnecting import disconnect
from connector.services.unknown_senders import UnknownSenders
from connector.services.writeback_batch import Batch, LeaseSpentError
from connector.services.writeback_flags import find_contacts, write_flags
from connector.services.writeback_properties import write_properties

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
"""Longer than a batch takes at the CRM's own rate when every row has to be tried alone (200 calls at 9 a second)."""

PATIENCE = timedelta(seconds=2)
"""How long a record may wait for company: most texts are accepted, many delivered by then, and calls are filled."""

_RETRY_BASE, _RETRY_CAP = timedelta(seconds=5), timedelta(minutes=10)
"""A throttled CRM is back within its window of ten seconds; one that is down is asked again every ten minutes."""


class WriteBack:
    """Drains the write-back lanes."""

    def __init__(
        self, ledger: Ledger, crms: Mapping[str, CRM], clock: Clock, rng: random.Random, senders: UnknownSenders
    ) -> None:
        self._ledger, self._crms, self._clock, self._rng = ledger, crms, clock, rng
        self._senders = senders
        self._away_until: dict[str, datetime] = {}

    def write_back(self, crm_slug: str, limit: int = 100) -> int:
        """Write up to `limit` records of one account; give how many were claimed.

        As many as `limit` means that more may wait.
        """
        batch = self._claim(crm_slug, limit)
        if batch is None:
            return 0
        try:
            batch.read()
            batch.write_records()
            write_flags(batch)
            write_properties(batch)
            find_contacts(batch)
            self._senders.find(batch)
        except CRMUnavailableError as error:
            self._put_off(batch, error)
        except CRMDisconnectedError as error:
            self._disconnect(batch, error)
        except LeaseSpentError:
            batch.give_back("the batch took too long", self._clock.now())
        return batch.size

    def _claim(self, crm_slug: str, limit: int) -> Batch | None:
        """Lease records of one account; None when there are none."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            rows = self._claim_reachable(uow, crm_slug, limit, now)
            if rows:
                account = uow.accounts.get(rows[0].account_id)
            uow.commit()
        if not rows:
            return None
        return Batch(
            ledger=self._ledger,
            crm=self._crms[crm_slug],
            account=CRMAccount(account.id, account.external_id, account.settings),
            clock=self._clock,
            wait=self._wait,
            lease_until=now + LEASE,
            rows=rows,
        )

    def _claim_reachable(self, uow: UnitOfWork, crm_slug: str, limit: int, now: datetime) -> Sequence[CRMRecordRow]:
        """Claim records, passing over accounts whose CRM is known to be away."""
        while rows := uow.records.claim(crm_slug, limit, now, now + LEASE, PATIENCE):
            account_id = rows[0].account_id
            until = self._away_until.get(account_id, now)
            if until <= now:
                break
            uow.records.postpone([row.id for row in rows], "the CRM is away", until, certain=False)
            uow.records.put_off(account_id, now, until)
        return rows

    def _wait(self, attempts: int) -> timedelta:
        return timedelta(seconds=1) + backoff(attempts + 1, self._rng, _RETRY_BASE, _RETRY_CAP)

    def _put_off(self, batch: Batch, error: CRMUnavailableError) -> None:
        """Let everything of this account wait, so that a CRM that is away is asked once and not per record."""
        now = self._clock.now()
        until = now + max(error.retry_after or timedelta(), self._wait(batch.attempts))
        account_id = batch.account.account_id
        self._away_until[account_id] = until
        log.warning("writeback.put_off", account_id=account_id, status=error.status, until=until.isoformat())
        batch.give_back(str(error), until)
        with self._ledger.begin() as uow:
            uow.records.put_off(account_id, now, until)
            uow.commit()

    def _disconnect(self, batch: Batch, error: CRMDisconnectedError) -> None:
        """Stop calling for this account; its records wait until it is connected again."""
        now = self._clock.now()
        batch.give_back(str(error), now)
        with self._ledger.begin() as uow:
            disconnect(uow, batch.account, error, now)
            uow.commit()
