"""Who may call the API, and for which account and what?

A key is 256 random bits behind a word that says what it is. Only its SHA-256 is kept: a slow hash such as argon2
protects secrets that people make up and that can be guessed, and these cannot.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connector.errors import ConfigurationError
from connector.ports.api_keys import APIKeyRow, APIScope
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.time import Clock

WORD = "smsk_"
"""Begins every key, so that people and scanners of source code know one when they see it."""

USUAL_PER_MINUTE = 600
"""Ten calls a second: a program that sends one by one is not slowed down, and a loop gone wrong is."""

_SHOWN = len(WORD) + 6  # characters kept in clear: enough to tell an account's keys apart, 220 of 256 bits stay secret
_NOTED_AFTER = timedelta(minutes=1)  # a call need not wait for a write to say that the key is in use


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made; `secret` is shown once and kept nowhere."""

    row: APIKeyRow
    secret: str = field(repr=False)


class APIKeys:
    """Keeps keys.

    Args of the constructor:
        new_secret: makes 256 random bits, as text.
    """

    def __init__(self, ledger: Ledger, clock: Clock, new_secret: Callable[[], str]) -> None:
        self._ledger, self._clock, self._new_secret = ledger, clock, new_secret

    def add(
        self,
        account_id: str,
        name: str,
        scopes: Collection[APIScope],
        *,
        per_minute: int = USUAL_PER_MINUTE,
        expires_at: datetime | None = None,
    ) -> NewKey:
        """Make a key.

        Raises:
            ConfigurationError: no name, no scope, or a limit below one call a minute.
        """
        if not name.strip():
            raise ConfigurationError("a key needs a name by which people know it, such as --name shop")
        if not scopes:
            raise ConfigurationError("a key needs at least one scope, such as --scope messages:send")
        if per_minute < 1:
            raise ConfigurationError("a key needs at least one call a minute")
        secret = WORD + self._new_secret()
        row = APIKeyRow(
            id=self._ledger.new_id(),
            account_id=account_id,
            name=name.strip(),
            prefix=secret[:_SHOWN],
            hash=_hash(secret),
            scopes=frozenset(scopes),
            per_minute=per_minute,
            created_at=self._clock.now(),
            expires_at=expires_at,
        )
        with self._ledger.begin() as uow:
            uow.api_keys.add(row)
            uow.commit()
        return NewKey(row, secret)

    def of_account(self, account_id: str) -> Sequence[APIKeyRow]:
        """Give an account's keys, oldest first."""
        with self._ledger.begin(write=False) as uow:
            return uow.api_keys.of_account(account_id)

    def revoke(self, account_id: str, key: str) -> APIKeyRow:
        """Let a key open nothing any more, by its id or the beginning that is shown.

        Raises:
            ConfigurationError: there is none such, or several.
        """
        found = [row for row in self.of_account(account_id) if key in {row.id, row.prefix} and row.revoked_at is None]
        if len(found) != 1:
            raise ConfigurationError(f"{len(found)} keys that are not revoked go by {key[:_SHOWN]}; see the list")
        with self._ledger.begin() as uow:
            uow.api_keys.revoke(account_id, found[0].id, self._clock.now())
            uow.commit()
        return found[0]

    def valid(self, secret: str) -> APIKeyRow | None:
        """Give the key behind a secret; None when it is unknown, revoked or expired.

        Whether the account's CRM is connected does not matter: an opt-out must always find a door.
        """
        if not secret.startswith(WORD):
            return None
        with self._ledger.begin(write=False) as uow:
            row = uow.api_keys.by_hash(_hash(secret))
            return row if row is not None and row.is_valid(self._clock.now()) else None

    def is_news(self, key: APIKeyRow) -> bool:
        """Tell whether the use of a key is to be noted: the last note is a minute old."""
        return key.last_used_at is None or self._clock.now() - key.last_used_at >= _NOTED_AFTER

    def note(self, uow: UnitOfWork, key: APIKeyRow) -> None:
        """Note that a key was used."""
        uow.api_keys.used(key.id, self._clock.now())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
