"""How do enrollments whose time has come move on?

A drain leases due enrollments, reads again from the CRM what has become stale (outside any transaction), and decides
and records the whole batch in one transaction. Whatever a crash leaves behind is due again when the lease ends, and
repeating it changes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from connector.domain.retry import backoff
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import CRMDisconnectedError, CRMError, CRMRefusedError, UnreadableVersionError
from connector.ports.consents import Suppression
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.time import Clock
from connector.services.crm_reading import acting_for
from connector.services.disconnecting import disconnect
from connector.services.enrollment_stepping import EnrollmentStepper
from connector.services.events import ACTIVE, MOST_TRIES, PATIENCE, SETTLES
from connector.services.freshness import FRESH_FOR, Freshener, Known

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)
"""A batch makes at most half a dozen CRM calls of at most 15 seconds each before it is recorded."""

_RETRY_BASE, _RETRY_CAP = timedelta(seconds=5), timedelta(minutes=10)
"""A throttled CRM is back within its window of ten seconds; one that is down is asked again every ten minutes."""


class JourneyRunner:
    """Drains due enrollments."""

    def __init__(
        self, ledger: Ledger, freshener: Freshener, stepper: EnrollmentStepper, clock: Clock, rng: random.Random
    ) -> None:
        self._ledger, self._freshener, self._stepper = ledger, freshener, stepper
        self._clock, self._rng = clock, rng

    def advance(self, limit: int = 100) -> int:
        """Work up to `limit` due enrollments; give how many were claimed: `limit` means that more may wait."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            rows = uow.enrollments.claim(limit, now, now + LEASE)
            uow.commit()
        by_account: dict[str, list[EnrollmentRow]] = {}
        for row in rows:
            by_account.setdefault(row.account_id, []).append(row)
        for account_id, group in by_account.items():
            self._work_account(account_id, group, now + LEASE)
        return len(rows)

    def _work_account(self, account_id: str, rows: Sequence[EnrollmentRow], lease_until: datetime) -> None:
        """Work one account's enrollments: those that need nothing of the CRM go on even when it is away."""
        now = self._clock.now()
        fresh = [row for row in rows if _is_fresh(row, now)]
        stale = [row for row in rows if not _is_fresh(row, now)]
        for group in (fresh, stale):
            if group:
                self._work(account_id, group, lease_until)

    def _work(self, account_id: str, rows: Sequence[EnrollmentRow], lease_until: datetime) -> None:
        """Read what is known of enrollments and decide; each alone when they cannot be read together."""
        if self._clock.now() >= lease_until:
            log.warning("journeys.lease_ran_out", account_id=account_id, rows=len(rows))
            return  # whoever claims them next works them
        try:
            with self._ledger.begin(write=False) as uow:
                account = uow.accounts.get(account_id)
            known = self._known(account, rows)
        except CRMError as error:
            if isinstance(error, CRMRefusedError) and len(rows) > 1:
                self._each_alone(account_id, rows, lease_until)
            else:
                self._crm_is_away(rows, error)
        except Exception as error:  # noqa: BLE001 - whatever one enrollment holds, it must not block the others
            log.error("journeys.unreadable", account_id=account_id, rows=len(rows), error=type(error).__name__)
            if len(rows) == 1:
                self._failed_alone(rows[0], error)
            else:
                self._each_alone(account_id, rows, lease_until)
        else:
            self._decide(account, known, lease_until)

    def _each_alone(self, account_id: str, rows: Sequence[EnrollmentRow], lease_until: datetime) -> None:
        for row in rows:
            self._work(account_id, [row], lease_until)

    def _known(self, account: AccountRow, rows: Sequence[EnrollmentRow]) -> Sequence[Known]:
        if account.status != ACTIVE:
            raise CRMDisconnectedError(account.status_reason or "its CRM lets us in no more")
        try:
            return self._freshener.freshen(account, rows)
        except CRMDisconnectedError as error:
            self._disconnect(account, error)
            raise

    def _decide(self, account: AccountRow, known: Sequence[Known], lease_until: datetime) -> None:
        """Decide together; each alone when they fail together."""
        now = self._clock.now()
        if now >= lease_until:
            log.warning("journeys.lease_ran_out", account_id=account.id, rows=len(known))
            return  # whoever claims them next decides; two at once could undo each other's step
        try:
            with self._ledger.begin() as uow:
                suppressed = _suppressions(uow, account, known)
                for each in known:
                    number = each.contact.msisdn if each.contact is not None else None
                    self._stepper.step(uow, account, each, suppressed.get(number or "", ()), now)
                uow.commit()
        except Exception as error:  # noqa: BLE001 - whatever one enrollment holds, it must not block the others
            log.error("journeys.failed", account_id=account.id, rows=len(known), error=type(error).__name__)
            if len(known) == 1:
                self._failed_alone(known[0].row, error)
                return
            for each in known:
                self._decide(account, [each], lease_until)

    def _failed_alone(self, row: EnrollmentRow, error: Exception) -> None:
        """Try again later; end it only after as long as it takes to notice a bad release and take it back.

        While a release is rolled out, workers of the older one meet versions that only the newer one reads.
        """
        now, why = self._clock.now(), _why(error)
        since: datetime = row.state.get("failing_since") or now
        with self._ledger.begin() as uow:
            if row.attempts >= MOST_TRIES and now - since >= SETTLES:
                self._stepper.end(uow, row, f"could not be worked ({why})", now, needs_attention=True)
            else:
                waits_for = f"another try after an error ({why})"
                state = {**row.state, "failing_since": since}
                due_at = now + self._wait(row.attempts)
                uow.enrollments.save(replace(row, state=state, due_at=due_at, waits_for=waits_for))
            uow.commit()

    def _crm_is_away(self, rows: Sequence[EnrollmentRow], error: CRMError) -> None:
        """Put enrollments off, and end those that have waited for the CRM, or for their account, for a day."""
        now = self._clock.now()
        log.warning("journeys.put_off", account_id=rows[0].account_id, rows=len(rows), status=error.status)
        is_disconnected = isinstance(error, CRMDisconnectedError)
        why = "the account is disconnected" if is_disconnected else "the CRM cannot be read"
        for_a_day = "the account was disconnected" if is_disconnected else "the CRM could not be read"
        with self._ledger.begin() as uow:
            for row in rows:
                since: datetime = row.state.get("away_since") or now
                if now - since > PATIENCE:
                    self._stepper.end(uow, row, f"{for_a_day} for a day: {error}", now, needs_attention=True)
                    continue
                uow.timeline.add([_put_off(row, since, f"{why}: {error}")])
                uow.enrollments.save(
                    replace(
                        row,
                        state={**row.state, "away_since": since},
                        due_at=now + (error.retry_after or self._wait((now - since) // _RETRY_BASE)),
                        attempts=0,
                        waits_for=why if is_disconnected else "the CRM, which cannot be read now",
                    )
                )
            uow.commit()

    def _disconnect(self, account: AccountRow, error: CRMDisconnectedError) -> None:
        with self._ledger.begin() as uow:
            disconnect(uow, acting_for(account), error, self._clock.now())
            uow.commit()

    def _wait(self, tries: int) -> timedelta:
        return timedelta(seconds=1) + backoff(max(1, tries), self._rng, _RETRY_BASE, _RETRY_CAP)


def _why(error: Exception) -> str:
    """Say what went wrong; of what nobody foresaw the kind only, for its words may hold what no trace may show."""
    return str(error) if isinstance(error, UnreadableVersionError) else type(error).__name__


def _is_fresh(row: EnrollmentRow, now: datetime) -> bool:
    at = row.state.get("read_at")
    return isinstance(at, datetime) and now - at <= FRESH_FOR


def _suppressions(uow: UnitOfWork, account: AccountRow, known: Sequence[Known]) -> Mapping[str, Sequence[Suppression]]:
    numbers = {each.contact.msisdn for each in known if each.contact is not None and each.contact.msisdn}
    return uow.consents.suppressions(account.id, sorted(numbers)) if numbers else {}


def _put_off(row: EnrollmentRow, since: datetime, why: str) -> TimelineEntry:
    return TimelineEntry(
        account_id=row.account_id,
        kind=EntryKind.STEP_TAKEN,
        subject=f"enrollment:{row.id}",
        discriminator=f"crm away:{since.isoformat()}",
        at=since,
        summary=f"Waits, since {why}",
        contact_id=row.contact_id,
        enrollment_id=row.id,
        ref=row.subject,
    )
