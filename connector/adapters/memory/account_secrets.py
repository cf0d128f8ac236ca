"""How are the secrets kept in memory that outside systems show us on behalf of one account?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from connector.adapters.memory.shelves import Group, Journal, Shelf
from connector.ports.account_secrets import AccountSecretRow


class MemoryAccountSecretRepository:
    """Secrets of accounts; see `connector.ports.account_secrets.AccountSecretRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._by_account: Group[AccountSecretRow] = Group(lambda secret: secret.account_id)
        self._by_hash: Group[AccountSecretRow] = Group(lambda secret: secret.hash)
        self._secrets: Shelf[AccountSecretRow] = Shelf(journal, self._by_account, self._by_hash)

    def add(self, secret: AccountSecretRow) -> None:
        """Insert a secret."""
        if self.by_hash(secret.hash) is not None:
            raise ValueError("this secret is known already")
        self._secrets.put(secret.id, secret)

    def by_hash(self, hash_: str) -> AccountSecretRow | None:
        """Read the secret of this hash, valid or not, whichever account it belongs to."""
        return next(iter(self._secrets.of(self._by_hash.of(hash_))), None)

    def valid(self, account_id: str, name: str, now: datetime) -> Sequence[AccountSecretRow]:
        """Read what opens `name` for an account now, newest first."""
        secrets = self._secrets.of(self._by_account.of(account_id))
        valid = [each for each in secrets if each.name == name and each.is_valid(now)]
        return sorted(valid, key=lambda secret: (secret.created_at, secret.id), reverse=True)

    def retire(self, account_id: str, secret_ids: Sequence[str], at: datetime) -> int:
        """Let secrets of an account open nothing from a time on; give how many of them it has."""
        theirs = [each for each in self._secrets.of(secret_ids) if each.account_id == account_id]
        for secret in theirs:
            self._secrets.put(secret.id, replace(secret, retires_at=at))
        return len(theirs)
