"""How do services read and write what was erased, and how is a whole account's data found?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class ErasureScope(StrEnum):
    """How much is to go."""

    ACCOUNT = "account"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class ErasureRow:
    """One request to erase, and what came of it: says what went, never whose texts or numbers they were.

    Attributes:
        subject: of a contact: our id of it while the erasure is under way, then a fingerprint of the CRM's id.
        counts: rows that went or were emptied, by table.
        completed_at: None while it is under way.
        seal: HMAC of the certificate, hex; empty while it is under way.
    """

    id: str
    account_id: str
    crm: str
    external_id: str
    scope: ErasureScope
    requested_by: str
    requested_at: datetime
    subject: str = ""
    reason: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    completed_at: datetime | None = None
    seal: str = ""


def numbers_note(erasure_id: str) -> str:
    """Name the cursor that keeps a contact's numbers while its erasure is under way, since they go at once."""
    return f"erasing:{erasure_id}"


class ErasureRepository(Protocol):
    """Erasures; they outlive the account."""

    def add(self, erasure: ErasureRow) -> None:
        """Insert one."""
        ...

    def get(self, erasure_id: str) -> ErasureRow | None:
        """Read one."""
        ...

    def of_account(self, account_id: str) -> Sequence[ErasureRow]:
        """Read an account's erasures, oldest first."""
        ...

    def any_due(self, now: datetime) -> bool:
        """Tell whether one is under way and nobody is at it."""
        ...

    def claim(self, now: datetime, lease_until: datetime, erasure_id: str | None = None) -> ErasureRow | None:
        """Lease one that is under way and nobody is at, the oldest or the named one."""
        ...

    def count(self, erasure_id: str, counts: Mapping[str, int], lease_until: datetime) -> None:
        """Add to what went, and keep the lease until a time."""
        ...

    def complete(self, sealed: ErasureRow) -> None:
        """Write how one ended: its subject, its time and its seal."""
        ...


class ContactData(Protocol):
    """What is kept of one contact."""

    def empty(
        self, erasure_id: str, account_id: str, contact_id: str, limit: int, lease_until: datetime, *, is_last: bool
    ) -> Mapping[str, int]:
        """Empty a batch and count it in the erasure, in one transaction; gives what was done, empty when nothing is
        left that can be emptied now. Raw events are looked through at the last look only.
        """
        ...

    def end_contact(self, erasure_id: str, account_id: str, contact_id: str) -> bool:
        """Forget which numbers were looked for; False while texts to the contact are under way, or callbacks about it
        wait to be understood.
        """
        ...


class TenantData(Protocol):
    """Every row of an account, in whichever table."""

    def erase(
        self, erasure_id: str, account_id: str, limit: int, lease_until: datetime, *, is_last: bool
    ) -> Mapping[str, int]:
        """Delete up to `limit` rows of a table, and count them in the erasure, in one transaction.

        Gives what went by table; empty when nothing is left but the account itself. Texts and their attempts, by which
        callbacks of gateways are found, go at the last look, and the callbacks before them.
        """
        ...

    def look_again(self, erasure_id: str) -> None:
        """Let the next batches look through everything anew."""
        ...

    def end_account(self, erasure_id: str, account_id: str) -> bool:
        """Delete the account's own row and count it; False, and nothing deleted, when other rows of it are there."""
        ...
