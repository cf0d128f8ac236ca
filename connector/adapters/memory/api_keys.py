"""How are API keys and the secrets of callbacks kept in memory?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from connector.adapters.memory.shelves import Group, Journal, Shelf
from connector.ports.api_keys import APIKeyRow, CallbackSecretRow


class MemoryAPIKeyRepository:
    """Keys; see `connector.ports.api_keys.APIKeyRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._by_account: Group[APIKeyRow] = Group(lambda key: key.account_id)
        self._by_hash: Group[APIKeyRow] = Group(lambda key: key.hash)
        self._keys: Shelf[APIKeyRow] = Shelf(journal, self._by_account, self._by_hash)

    def add(self, key: APIKeyRow) -> None:
        """Insert a key."""
        if self.by_hash(key.hash) is not None:
            raise ValueError("this key is known already")
        self._keys.put(key.id, key)

    def by_hash(self, hash_: str) -> APIKeyRow | None:
        """Read the key of this hash, valid or not, whichever account it belongs to."""
        return next(iter(self._keys.of(self._by_hash.of(hash_))), None)

    def of_account(self, account_id: str) -> Sequence[APIKeyRow]:
        """Read an account's keys, oldest first."""
        return sorted(self._keys.of(self._by_account.of(account_id)), key=lambda key: (key.created_at, key.id))

    def revoke(self, account_id: str, key_id: str, now: datetime) -> bool:
        """Let a key open nothing any more; False when the account has none such, or it is revoked already."""
        key = self._keys.rows.get(key_id)
        if key is None or key.account_id != account_id or key.revoked_at is not None:
            return False
        self._keys.put(key_id, replace(key, revoked_at=now))
        return True

    def used(self, key_id: str, now: datetime) -> None:
        """Note that a key was used."""
        key = self._keys.rows.get(key_id)
        if key is not None:
            self._keys.put(key_id, replace(key, last_used_at=now))


class MemoryCallbackSecretRepository:
    """Secrets of callbacks; see `connector.ports.api_keys.CallbackSecretRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._by_account: Group[CallbackSecretRow] = Group(lambda secret: secret.account_id)
        self._secrets: Shelf[CallbackSecretRow] = Shelf(journal, self._by_account)

    def add(self, secret: CallbackSecretRow) -> None:
        """Insert a secret."""
        self._secrets.put(secret.id, secret)

    def valid(self, account_id: str, now: datetime) -> Sequence[CallbackSecretRow]:
        """Read what an account's callbacks are signed with now, newest first."""
        secrets = self._secrets.of(self._by_account.of(account_id))
        valid = [each for each in secrets if each.retires_at is None or each.retires_at > now]
        return sorted(valid, key=lambda secret: (secret.created_at, secret.id), reverse=True)

    def retire(self, secret_ids: Sequence[str], at: datetime) -> None:
        """Let secrets sign nothing from a time on."""
        for secret in self._secrets.of(secret_ids):
            self._secrets.put(secret.id, replace(secret, retires_at=at))
