"""With what do outside systems prove that they speak for one account, and how does that change without a gap?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta

from connector.ports.account_secrets import AccountSecretRow
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.time import Clock

SALESFORCE_INTAKE = "salesforce.intake"
"""What stands in the address to which an organisation sends its outbound messages."""

BOTH_HOLD = timedelta(days=7)
"""How long a replaced secret still opens: somebody has to enter the new one elsewhere, and what is under way for a day
(Salesforce's retries) must still come in."""


def fingerprint(secret: str) -> str:
    """Give the hash by which a secret is found."""
    return hashlib.sha256(secret.encode()).hexdigest()


class AccountSecrets:
    """Keeps the secrets of accounts, by what they open.

    Args of the constructor:
        new_secret: makes a secret that nobody can guess.
    """

    def __init__(self, ledger: Ledger, clock: Clock, new_secret: Callable[[], str]) -> None:
        self._ledger, self._clock, self._new_secret = ledger, clock, new_secret

    def owner(self, secret: str, name: str) -> str | None:
        """Give the account for which a secret opens something now; None when it opens nothing."""
        with self._ledger.begin(write=False) as uow:
            row = uow.secrets.by_hash(fingerprint(secret)) if secret else None
        is_good = row is not None and row.name == name and row.is_valid(self._clock.now())
        return row.account_id if row is not None and is_good else None

    def is_known(self, secret: str) -> bool:
        """Tell whether a secret opens anything here, or did: none is ever used for two things."""
        with self._ledger.begin(write=False) as uow:
            return uow.secrets.by_hash(fingerprint(secret)) is not None

    def valid(self, account_id: str, name: str) -> Sequence[AccountSecretRow]:
        """Give what opens something for an account now, newest first."""
        with self._ledger.begin(write=False) as uow:
            return uow.secrets.valid(account_id, name, self._clock.now())

    def ensure(self, account_id: str, name: str, given: str = "") -> AccountSecretRow:
        """Give the newest secret; make the first one, which is `given` where the other side chose it."""
        with self._ledger.begin() as uow:
            found = uow.secrets.valid(account_id, name, self._clock.now())
            made = found[0] if found else self._add(uow, account_id, name, given)
            uow.commit()
        return made

    def rotate(self, account_id: str, name: str, given: str = "", *, at_once: bool = False) -> AccountSecretRow:
        """Make or take a new secret; the last one holds for seven days more, or no longer.

        Never more than two are valid: the one before the last one ends here.
        """
        now = self._clock.now()
        with self._ledger.begin() as uow:
            ids = [each.id for each in uow.secrets.valid(account_id, name, now)]
            uow.secrets.retire(account_id, ids[1:], now)
            uow.secrets.retire(account_id, ids[:1], now if at_once else now + BOTH_HOLD)
            made = self._add(uow, account_id, name, given)
            uow.commit()
        return made

    def remove(self, account_id: str, name: str) -> int:
        """Let nothing open it any more; give how many secrets ended."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            ids = [each.id for each in uow.secrets.valid(account_id, name, now)]
            ended = uow.secrets.retire(account_id, ids, now)
            uow.commit()
        return ended

    def _add(self, uow: UnitOfWork, account_id: str, name: str, given: str) -> AccountSecretRow:
        secret = given or self._new_secret()
        made = AccountSecretRow(self._ledger.new_id(), account_id, name, fingerprint(secret), secret, self._clock.now())
        uow.secrets.add(made)
        return made
