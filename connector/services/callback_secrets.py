"""With what are callbacks to customers signed, and how does that change without one being lost?

A secret of its own for each account, random and encrypted in the ledger. One derived from `SECRET_KEYS` would need no
row, but it would change for every customer on the day an operator rotates those keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from connector.ports.api_keys import CallbackSecretRow
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.time import Clock

BOTH_HOLD = timedelta(days=7)
"""How long the secret before the last one still signs: a release of the customer's program takes days, not minutes."""


class CallbackSecrets:
    """Keeps each account's secrets.

    Args of the constructor:
        new_secret: makes a secret that nobody can guess.
    """

    def __init__(self, ledger: Ledger, clock: Clock, new_secret: Callable[[], str]) -> None:
        self._ledger, self._clock, self._new_secret = ledger, clock, new_secret

    def ensure(self, uow: UnitOfWork, account_id: str, now: datetime) -> Sequence[CallbackSecretRow]:
        """Give an account's valid secrets, newest first; make the first one."""
        return uow.callback_secrets.valid(account_id, now) or [self._add(uow, account_id, now)]

    def valid(self, account_id: str) -> Sequence[str]:
        """Give the secrets an account's callbacks are signed with now, newest first."""
        with self._ledger.begin(write=False) as uow:
            return [each.secret for each in uow.callback_secrets.valid(account_id, self._clock.now())]

    def shown(self, account_id: str) -> Sequence[CallbackSecretRow]:
        """Give an account's valid secrets, newest first; make the first one."""
        with self._ledger.begin() as uow:
            found = self.ensure(uow, account_id, self._clock.now())
            uow.commit()
        return found

    def rotate(self, account_id: str, *, at_once: bool = False) -> Sequence[CallbackSecretRow]:
        """Make a new secret; the last one holds for seven days more, or no longer. Give the valid ones, newest first.

        Never more than two are valid: the one before the last one ends here.
        """
        now = self._clock.now()
        with self._ledger.begin() as uow:
            last, *older = self.ensure(uow, account_id, now)
            uow.callback_secrets.retire([each.id for each in older], now)
            uow.callback_secrets.retire([last.id], now if at_once else now + BOTH_HOLD)
            self._add(uow, account_id, now)
            found = uow.callback_secrets.valid(account_id, now)
            uow.commit()
        return found

    def _add(self, uow: UnitOfWork, account_id: str, now: datetime) -> CallbackSecretRow:
        made = CallbackSecretRow(self._ledger.new_id(), account_id, self._new_secret(), now)
        uow.callback_secrets.add(made)
        return made
