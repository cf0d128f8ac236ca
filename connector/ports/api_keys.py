"""How do services read and write who may call the API, and with what callbacks to customers are signed?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class APIScope(StrEnum):
    """What a key may do."""

    MESSAGES_SEND = "messages:send"
    MESSAGES_READ = "messages:read"
    MESSAGES_CANCEL = "messages:cancel"
    CONVERSATIONS_READ = "conversations:read"
    CONSENTS_READ = "consents:read"
    CONSENTS_WRITE = "consents:write"
    LOOKUPS_READ = "lookups:read"
    LOOKUPS_WRITE = "lookups:write"  # asks gateways, which costs money
    DEAD_LETTERS_READ = "dead_letters:read"
    DEAD_LETTERS_WRITE = "dead_letters:write"
    PROVIDERS_READ = "providers:read"
    CARD = "card"  # everything a card on a contact's record shows and does, settings among it


@dataclass(frozen=True, slots=True)
class APIKeyRow:
    """One key of one account.

    Attributes:
        name: what people call it, such as `shop`.
        prefix: the beginning of the key, by which people recognise it; opens nothing.
        hash: SHA-256 of the whole key, hex; the key itself is kept nowhere.
        per_minute: calls a minute it may make.
        last_used_at: to the minute.
        expires_at: opens nothing any more from then on; None for never.
    """

    id: str
    account_id: str
    name: str
    prefix: str
    hash: str = field(repr=False)
    scopes: frozenset[APIScope]
    per_minute: int
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Tell whether the key opens anything now."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class APIKeyRepository(Protocol):
    """Keys."""

    def add(self, key: APIKeyRow) -> None:
        """Insert a key."""
        ...

    def by_hash(self, hash_: str) -> APIKeyRow | None:
        """Read the key of this hash, valid or not, whichever account it belongs to."""
        ...

    def of_account(self, account_id: str) -> Sequence[APIKeyRow]:
        """Read an account's keys, oldest first."""
        ...

    def revoke(self, account_id: str, key_id: str, now: datetime) -> bool:
        """Let a key open nothing any more; False when the account has none such, or it is revoked already."""
        ...

    def used(self, key_id: str, now: datetime) -> None:
        """Note that a key was used."""
        ...


@dataclass(frozen=True, slots=True)
class CallbackSecretRow:
    """One secret of one account with which callbacks to it are signed.

    Attributes:
        secret: in clear; encrypted at rest.
        retires_at: signs nothing any more from then on; None for the one in use.
    """

    id: str
    account_id: str
    secret: str = field(repr=False)
    created_at: datetime
    retires_at: datetime | None = None


class CallbackSecretRepository(Protocol):
    """Secrets of callbacks."""

    def add(self, secret: CallbackSecretRow) -> None:
        """Insert a secret."""
        ...

    def valid(self, account_id: str, now: datetime) -> Sequence[CallbackSecretRow]:
        """Read what an account's callbacks are signed with now, newest first."""
        ...

    def retire(self, secret_ids: Sequence[str], at: datetime) -> None:
        """Let secrets sign nothing from a time on."""
        ...
