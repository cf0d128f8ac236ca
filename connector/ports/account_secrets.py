"""How do services read and write the secrets that outside systems show us on behalf of one account?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AccountSecretRow:
    """One secret of one account.

    Attributes:
        name: what it opens, such as `salesforce.intake` or `generic.<source>`.
        hash: SHA-256 of the secret, hex: finds the account of a secret that stands in a path.
        secret: in clear; encrypted at rest. Signatures are checked with it.
        retires_at: opens nothing any more from then on; None for the one in use.
    """

    id: str
    account_id: str
    name: str
    hash: str = field(repr=False)
    secret: str = field(repr=False)
    created_at: datetime
    retires_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Tell whether the secret opens anything now."""
        return self.retires_at is None or now < self.retires_at


class AccountSecretRepository(Protocol):
    """Secrets of accounts."""

    def add(self, secret: AccountSecretRow) -> None:
        """Insert a secret."""
        ...

    def by_hash(self, hash_: str) -> AccountSecretRow | None:
        """Read the secret of this hash, valid or not, whichever account it belongs to."""
        ...

    def valid(self, account_id: str, name: str, now: datetime) -> Sequence[AccountSecretRow]:
        """Read what opens `name` for an account now, newest first."""
        ...

    def retire(self, account_id: str, secret_ids: Sequence[str], at: datetime) -> int:
        """Let secrets of an account open nothing from a time on; give how many of them it has."""
        ...
