"""How does an account end: told to the CRM or by it, and with everything that was still to happen?

Whoever ends an account, its status says so first, and from then on nothing new begins. What was under way ends in
batches: by whoever asked for it, and again by maintenance, until nothing is left; so a crash delays it and no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from connector.domain.account_status import ENDED, AccountStatus
from connector.errors import ConfigurationError, CRMError
from connector.ports.installing import OAuthDoor
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.queue import MAINTENANCE
from connector.ports.time import Clock
from connector.services.enrollment_ending import cancel_texts, end_enrollment

log = structlog.get_logger(__name__)

BATCH = 100
"""Texts or enrollments ended in one transaction: short enough not to hold up the webhooks that share the ledger."""

LOOKED_AFTER = timedelta(minutes=1)
"""How often an account that ended is looked at again: a worker in the middle of a step may have left something."""


_WHY: Mapping[AccountStatus, str] = {
    AccountStatus.LEAVING: "the account is being uninstalled",
    AccountStatus.UNINSTALLED: "the account was uninstalled",
    AccountStatus.ERASING: "the account's data is being erased",
}


@dataclass(frozen=True, slots=True)
class Left:
    """How far an account has gone.

    Attributes:
        account: as it stands now.
        by_hand: what a person still has to do in the CRM, in words.
        not_told: why the CRM could not be told; empty when it was, or was not to be.
    """

    account: AccountRow
    by_hand: Sequence[str] = ()
    not_told: str = ""


class Departures:
    """Ends accounts."""

    def __init__(self, ledger: Ledger, doors: Mapping[str, OAuthDoor], clock: Clock) -> None:
        self._ledger, self._doors, self._clock = ledger, doors, clock
        self._looked_at: dict[str, datetime] = {}

    def remove(self, crm: str, external_id: str, by: str, *, tells_crm: bool = True) -> Left:
        """Uninstall an account: in the CRM, then here; its data stays until it is asked to be erased.

        Where the CRM does not answer, the account is left `leaving`: it does nothing any more, and removing it again
        tries again. `tells_crm=False` ends it without a call.

        Raises:
            ConfigurationError: there is no such account.
        """
        account_id = self._find(crm, external_id)
        self._mark(account_id, AccountStatus.LEAVING, f"being uninstalled by {by}")
        self._end_all(account_id)
        by_hand: Sequence[str] = ()
        door = self._doors.get(crm)
        if tells_crm and door is not None:
            try:
                by_hand = door.leave(account_id)
            except (CRMError, ConfigurationError) as error:
                log.warning("account.not_told", account_id=account_id, error=type(error).__name__)
                return Left(self._account(account_id), not_told=str(error))
        self._finish(account_id, f"uninstalled by {by}")
        return Left(self._account(account_id), by_hand)

    def gone(self, account_id: str, connected_at: str | None, why: str) -> None:
        """Take over that somebody uninstalled us in the CRM.

        What ended is the connection that the account's settings gave as `connected_at`: one that was installed again
        meanwhile goes on, and so does one being erased.
        """
        with self._ledger.begin() as uow:
            if not uow.accounts.uninstall(account_id, connected_at, why):
                return
            uow.nudge(MAINTENANCE)
            uow.commit()
        self._looked_at.pop(account_id, None)

    def settle(self) -> bool:
        """End what accounts that ended still have under way; tell whether more is left."""
        now = self._clock.now()
        with self._ledger.begin(write=False) as uow:
            ended = uow.accounts.with_status(ENDED)
        due = [each for each in ended if self._looked_at.get(each, now) <= now]
        is_more = False
        for account_id in due:
            if self._end_some(account_id):
                is_more = True
            else:
                self._looked_at[account_id] = now + LOOKED_AFTER
        self._looked_at = {each: at for each, at in self._looked_at.items() if each in ended}
        return is_more

    def _end_all(self, account_id: str) -> None:
        while self._end_some(account_id):
            pass

    def _end_some(self, account_id: str) -> bool:
        """End a batch of what an account has under way; tell whether there may be more."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            why = _why(uow, account_id)
            if why is None:
                return False
            rows = uow.enrollments.live_of_account(account_id, BATCH)
            for row in rows:
                end_enrollment(uow, row, why, now)
            texts = uow.messages.open_of(account_id, BATCH)
            cancel_texts(uow, texts, why, now)
            uow.commit()
        return BATCH in {len(rows), len(texts)}

    def _mark(self, account_id: str, status: AccountStatus, why: str) -> None:
        with self._ledger.begin() as uow:
            if uow.accounts.get(account_id).status == AccountStatus.ERASING:
                return  # further gone than this
            uow.accounts.set_status(account_id, status, why)
            uow.nudge(MAINTENANCE)
            uow.commit()
        self._looked_at.pop(account_id, None)

    def _finish(self, account_id: str, why: str) -> None:
        """Take an account's tokens once its CRM was told; one connected again meanwhile has new ones and keeps them."""
        with self._ledger.begin() as uow:
            if uow.accounts.get(account_id).status != AccountStatus.LEAVING:
                return
            uow.accounts.set_status(account_id, AccountStatus.UNINSTALLED, why)
            uow.accounts.drop_tokens(account_id)
            uow.nudge(MAINTENANCE)
            uow.commit()
        self._looked_at.pop(account_id, None)

    def _find(self, crm: str, external_id: str) -> str:
        with self._ledger.begin(write=False) as uow:
            found = uow.accounts.by_external_ids(crm, [external_id]).get(external_id)
        if found is None:
            raise ConfigurationError(f"there is no {crm} account {external_id}")
        return found

    def _account(self, account_id: str) -> AccountRow:
        with self._ledger.begin(write=False) as uow:
            return uow.accounts.get(account_id)


def _why(uow: UnitOfWork, account_id: str) -> str | None:
    """Say why an account ended; None for one that has gone altogether or was connected again meanwhile."""
    try:
        status = AccountStatus(uow.accounts.get(account_id).status)
    except KeyError:
        return None
    return _WHY.get(status)
