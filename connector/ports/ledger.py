"""How do services read and write the ledger?

A unit of work is one transaction. Services ask its repositories; SQL lives in `adapters.store`. Nudges asked for in
a unit of work go out after its commit and are dropped on rollback.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self

from connector.ports.consents import ConsentRepository
from connector.ports.contacts import ContactRepository
from connector.ports.effects import EffectRepository
from connector.ports.enrollments import (
    EnrollmentRepository,
    JourneyVersionRepository,
    PublicationRepository,
    TimelineRepository,
)
from connector.ports.habits import HabitRepository
from connector.ports.links import LinkRepository
from connector.ports.messages import AttemptRepository, MessageRepository
from connector.ports.polls import PollRepository
from connector.ports.records import CRMRecordRepository
from connector.ports.splits import SplitRepository


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An installed portal or organisation; tokens in clear, so never log one."""

    id: str
    crm: str
    external_id: str
    name: str
    status: str
    status_reason: str
    settings: Mapping[str, Any]
    created_at: datetime
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    token_expires_at: datetime | None = None


class AccountRepository(Protocol):
    """Accounts."""

    def add(self, account: AccountRow) -> None:
        """Insert an account."""
        ...

    def get(self, account_id: str) -> AccountRow:
        """Read one by our id; KeyError when there is none."""
        ...

    def by_external_ids(self, crm: str, external_ids: Sequence[str]) -> Mapping[str, str]:
        """Map those of `external_ids` that are installed to our account ids, disconnected ones included."""
        ...

    def all(self) -> Sequence[AccountRow]:
        """Read every account, oldest first."""
        ...

    def save_tokens(
        self, account_id: str, access_token: str, refresh_token: str | None, expires_at: datetime | None
    ) -> None:
        """Store tokens, as returned by a refresh."""
        ...

    def save_settings(self, account_id: str, settings: Mapping[str, Any], name: str) -> None:
        """Replace the account's settings and name."""
        ...

    def set_status(self, account_id: str, status: str, reason: str) -> None:
        """Mark it `active` or `disconnected`."""
        ...


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One raw event to be stored, or claimed back to be understood.

    Attributes:
        body: the event as received, UTF-8.
        context: what the request carried beside the body: kept headers, the public URL, ids from the path.
    """

    id: str
    account_id: str | None
    source: str
    external_id: str
    body: bytes = field(repr=False)
    context: Mapping[str, Any]
    received_at: datetime
    attempts: int = 0


class InboxRepository(Protocol):
    """Raw events, kept before they are understood."""

    def add(self, rows: Sequence[InboxRow]) -> int:
        """Insert those not seen before, by (source, external_id); give how many were new."""
        ...

    def add_new(self, rows: Sequence[InboxRow]) -> Collection[str]:
        """Insert those not seen before, and give the ids of these."""
        ...

    def claim(self, sources: Sequence[str], limit: int, now: datetime, lease_until: datetime) -> Sequence[InboxRow]:
        """Lease up to `limit` unhandled rows whose time has come, oldest first."""
        ...

    def finish(self, ids: Sequence[str], outcome: str, now: datetime, account_id: str | None = None) -> int:
        """Mark rows handled, with a word for what they came to; give how many were not handled before."""
        ...

    def postpone(self, row_id: str, error: str, not_before: datetime) -> None:
        """Give a row back, to be tried again at `not_before`; counts an attempt."""
        ...

    def waiting(self, now: datetime) -> Mapping[str, int]:
        """Count rows by source that could be worked now."""
        ...


class UnitOfWork(Protocol):
    """One transaction over the ledger; rolls back unless committed."""

    accounts: AccountRepository
    inbox: InboxRepository
    contacts: ContactRepository
    versions: JourneyVersionRepository
    enrollments: EnrollmentRepository
    messages: MessageRepository
    attempts: AttemptRepository
    timeline: TimelineRepository
    consents: ConsentRepository
    records: CRMRecordRepository
    polls: PollRepository
    publications: PublicationRepository
    effects: EffectRepository
    links: LinkRepository
    splits: SplitRepository
    habits: HabitRepository

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Roll back what was not committed."""
        ...

    def lock_numbers(self, account_id: str, msisdns: Sequence[str]) -> None:
        """Hold an account's numbers until commit, before deciding whether they may be texted or that they may not.

        Without it an opt-out and a claim under way at the same time could miss each other (promise P3).
        """
        ...

    def nudge(self, lane: str) -> None:
        """Nudge `lane` after commit."""
        ...

    def commit(self) -> None:
        """Commit, then let the nudges go."""
        ...


class Ledger(Protocol):
    """The place where everything is written down."""

    def begin(self, *, write: bool = True) -> UnitOfWork:
        """Make a unit of work; `write=False` promises only to read."""
        ...

    def new_id(self) -> str:
        """Make a row id."""
        ...
