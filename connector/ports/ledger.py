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

from connector.domain.account_status import AccountStatus
from connector.ports.account_secrets import AccountSecretRepository
from connector.ports.api_keys import APIKeyRepository, CallbackSecretRepository
from connector.ports.attempts import AttemptRepository
from connector.ports.consents import ConsentRepository
from connector.ports.contacts import ContactRepository
from connector.ports.cursors import CursorRepository
from connector.ports.effects import EffectRepository
from connector.ports.enrollments import (
    EnrollmentRepository,
    JourneyVersionRepository,
    PublicationRepository,
    TimelineRepository,
)
from connector.ports.erasing import ErasureRepository
from connector.ports.habits import HabitRepository
from connector.ports.imports import ImportRepository
from connector.ports.inbox import InboxRepository
from connector.ports.installing import InstallRepository
from connector.ports.links import LinkRepository
from connector.ports.lookups import NumberRepository
from connector.ports.messages import MessageRepository
from connector.ports.past import PastRepository
from connector.ports.pieces import PieceRepository
from connector.ports.polls import PollRepository
from connector.ports.records import CRMRecordRepository
from connector.ports.splits import SplitRepository
from connector.ports.traffic import TrafficRepository
from connector.ports.workflows import WorkflowCallRepository


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An installed portal or organisation.

    Its tokens stand in it, in clear, only where somebody asked for them (`AccountRepository.with_tokens`) and where it
    is to be added; never log one.
    """

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
        """Read one by our id, without its tokens, so that one that does not open stops nobody.

        Raises:
            KeyError: there is none.
        """
        ...

    def with_tokens(self, account_id: str) -> AccountRow:
        """Read one by our id with its tokens, for who calls the CRM with them.

        Raises:
            KeyError: there is none.
            DecryptionError: a token does not open (`MissingKeyError`: here).
        """
        ...

    def by_external_ids(self, crm: str, external_ids: Sequence[str]) -> Mapping[str, str]:
        """Map those of `external_ids` that are accounts to our account ids, whatever their status."""
        ...

    def installed(self, crm: str, external_ids: Sequence[str]) -> Mapping[str, str]:
        """Likewise, but for those that somebody ended (`domain.account_status.ENDED`)."""
        ...

    def with_status(self, statuses: Collection[AccountStatus]) -> Sequence[str]:
        """Give the ids of the accounts with one of these statuses, oldest first; opens no token."""
        ...

    def all(self) -> Sequence[AccountRow]:
        """Read every account, oldest first, without their tokens."""
        ...

    def connected(self, account_ids: Collection[str] | None = None) -> Sequence[AccountRow]:
        """Read those that are active, of these if given, oldest first; without their tokens."""
        ...

    def save_tokens(
        self, account_id: str, access_token: str, refresh_token: str | None, expires_at: datetime | None
    ) -> None:
        """Store tokens, whatever there was before."""
        ...

    def replace_tokens(
        self, used: AccountRow, access_token: str | None, refresh_token: str | None, expires_at: datetime | None
    ) -> bool:
        """Store tokens, or none, in place of those of a row that was read; tell whether they were stored.

        Only while the account has the refresh token of that row: what a refresh was told says nothing about another
        one, which an admin or another process has stored since; one that does not open is another one. Nobody else
        changes the account until commit. False may also mean that the very same token was stored anew meanwhile; then
        read it again.
        """
        ...

    def drop_tokens(self, account_id: str) -> None:
        """Forget an account's tokens."""
        ...

    def save_settings(self, account_id: str, settings: Mapping[str, Any], name: str) -> None:
        """Replace the account's settings and name."""
        ...

    def set_status(self, account_id: str, status: str, reason: str) -> None:
        """Set what `domain.account_status` calls it; one that somebody ended is never made `disconnected`."""
        ...

    def disconnect(self, account_id: str, connected_at: str | None, reason: str) -> bool:
        """Make an account `disconnected` because a call for it failed; tell whether it was changed.

        Only one that is active, and only while the connection that failed is still its own: while its settings say
        `connected_at` (`domain.account_status.CONNECTED_AT`) as they did then, None when they said nothing.
        """
        ...

    def uninstall(self, account_id: str, connected_at: str | None, reason: str) -> bool:
        """Make an account `uninstalled`, without tokens, because its CRM tells so; tell whether it was changed.

        Only while it has the connection that ended, as for `disconnect`, and unless it is being erased.
        """
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
    cursors: CursorRepository
    publications: PublicationRepository
    effects: EffectRepository
    links: LinkRepository
    splits: SplitRepository
    habits: HabitRepository
    past: PastRepository
    api_keys: APIKeyRepository
    callback_secrets: CallbackSecretRepository
    secrets: AccountSecretRepository
    installs: InstallRepository
    erasures: ErasureRepository
    traffic: TrafficRepository
    numbers: NumberRepository
    pieces: PieceRepository
    imports: ImportRepository
    workflow_calls: WorkflowCallRepository

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
