"""How does the whole ledger live in memory, for journeys that are played and not run?

It keeps the promises of `connector.ports.ledger` that one thread can see: what is written once stays once, claims and
leases, moves along states, a rollback. It is for one thread and one writing unit of work at a time; a second one is
refused. Nothing is sealed, nothing outlives the process. Ids are numbers in a row, so that a run can be repeated.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from connector.adapters.memory.account_secrets import MemoryAccountSecretRepository
from connector.adapters.memory.accounts import MemoryAccountRepository
from connector.adapters.memory.api_keys import MemoryAPIKeyRepository, MemoryCallbackSecretRepository
from connector.adapters.memory.attempts import MemoryAttemptRepository
from connector.adapters.memory.consents import MemoryConsentRepository
from connector.adapters.memory.contacts import MemoryContactRepository
from connector.adapters.memory.cursors import MemoryCursorRepository
from connector.adapters.memory.effects import EffectShelf, MemoryEffectRepository
from connector.adapters.memory.enrollments import DUE, EnrollmentShelf, MemoryEnrollmentRepository
from connector.adapters.memory.erasures import MemoryErasureRepository
from connector.adapters.memory.habits import MemoryHabitRepository
from connector.adapters.memory.imports import MemoryImportRepository
from connector.adapters.memory.inbox import InboxShelf, MemoryInboxRepository
from connector.adapters.memory.installing import MemoryInstallRepository
from connector.adapters.memory.links import MemoryLinkRepository
from connector.adapters.memory.message_shelf import PAST, AttemptShelf, MessageShelf
from connector.adapters.memory.messages import MemoryMessageRepository
from connector.adapters.memory.numbers import MemoryNumberRepository
from connector.adapters.memory.past import MemoryPastRepository
from connector.adapters.memory.pieces import MemoryPieceRepository
from connector.adapters.memory.polls import MemoryPollRepository
from connector.adapters.memory.records import MemoryCRMRecordRepository, RecordShelf
from connector.adapters.memory.shelves import Journal
from connector.adapters.memory.splits import MemorySplitRepository
from connector.adapters.memory.timeline import MemoryTimelineRepository, TimelineShelf
from connector.adapters.memory.traffic import MemoryTrafficRepository
from connector.adapters.memory.versions import MemoryJourneyVersionRepository, MemoryPublicationRepository
from connector.adapters.memory.workflows import MemoryWorkflowCallRepository
from connector.domain.timeline import TimelineEntry
from connector.ports.account_secrets import AccountSecretRepository
from connector.ports.api_keys import APIKeyRepository, CallbackSecretRepository
from connector.ports.attempts import AttemptRepository
from connector.ports.consents import ConsentRepository
from connector.ports.contacts import ContactRepository
from connector.ports.cursors import CursorRepository
from connector.ports.effects import EffectRepository
from connector.ports.enrollments import (
    EnrollmentRepository,
    EnrollmentRow,
    JourneyVersionRepository,
    PublicationRepository,
    TimelineRepository,
)
from connector.ports.erasing import ErasureRepository
from connector.ports.habits import HabitRepository
from connector.ports.imports import ImportRepository
from connector.ports.inbox import InboxRepository
from connector.ports.installing import InstallRepository
from connector.ports.ledger import AccountRepository
from connector.ports.links import LinkRepository
from connector.ports.lookups import NumberRepository
from connector.ports.messages import MessageRepository, MessageRow
from connector.ports.past import PastRepository
from connector.ports.pieces import PieceRepository
from connector.ports.polls import PollRepository
from connector.ports.records import CRMRecordRepository
from connector.ports.splits import SplitRepository
from connector.ports.traffic import TrafficRepository
from connector.ports.workflows import WorkflowCallRepository


def _nobody(_lane: str) -> None:
    """Nudge nobody: whoever plays looks for work himself."""


class MemoryUnitOfWork:
    """One transaction; see `connector.ports.ledger.UnitOfWork`. Readers see what a writer has not committed yet."""

    def __init__(self, ledger: MemoryLedger, journal: Journal | None) -> None:
        """`journal` takes the notes of a writer; a reader has none."""
        self.accounts: AccountRepository = ledger.accounts
        self.inbox: InboxRepository = ledger.inbox
        self.contacts: ContactRepository = ledger.contacts
        self.versions: JourneyVersionRepository = ledger.versions
        self.publications: PublicationRepository = ledger.publications
        self.enrollments: EnrollmentRepository = ledger.enrollments
        self.messages: MessageRepository = ledger.messages
        self.attempts: AttemptRepository = ledger.attempts
        self.timeline: TimelineRepository = ledger.timeline
        self.consents: ConsentRepository = ledger.consents
        self.records: CRMRecordRepository = ledger.records
        self.polls: PollRepository = ledger.polls
        self.cursors: CursorRepository = ledger.cursors
        self.effects: EffectRepository = ledger.effects
        self.links: LinkRepository = ledger.links
        self.splits: SplitRepository = ledger.splits
        self.habits: HabitRepository = ledger.habits
        self.past: PastRepository = ledger.past
        self.api_keys: APIKeyRepository = ledger.api_keys
        self.callback_secrets: CallbackSecretRepository = ledger.callback_secrets
        self.secrets: AccountSecretRepository = ledger.secrets
        self.installs: InstallRepository = ledger.installs
        self.erasures: ErasureRepository = ledger.erasures
        self.traffic: TrafficRepository = ledger.traffic
        self.numbers: NumberRepository = ledger.numbers
        self.pieces: PieceRepository = ledger.pieces
        self.imports: ImportRepository = ledger.imports
        self.workflow_calls: WorkflowCallRepository = ledger.workflow_calls
        self._journal, self._release = journal, ledger.nudge
        self._nudges: dict[str, None] = {}

    def __enter__(self) -> Self:
        """Begin."""
        if self._journal is not None:
            self._journal.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Roll back what was not committed."""
        if self._journal is not None:
            self._journal.take_back()
            self._journal = None

    def lock_numbers(self, account_id: str, msisdns: Sequence[str]) -> None:
        """Hold numbers until commit: there is nobody to hold them against."""

    def nudge(self, lane: str) -> None:
        """Nudge `lane` after commit."""
        self._nudges[lane] = None

    def commit(self) -> None:
        """Commit, then let the nudges go."""
        if self._journal is not None:
            self._journal.keep()
            self._journal = None
        nudges, self._nudges = self._nudges, {}
        for lane in nudges:
            self._release(lane)


class MemoryLedger:
    """The ledger in memory; see `connector.ports.ledger.Ledger` and `connector.ports.rehearsal.PlayableLedger`.

    Args:
        nudge: where nudges go after a commit.
        counter: gives the numbers that ids are made of, rising.
    """

    def __init__(self, nudge: Callable[[str], None] = _nobody, counter: Iterator[int] | None = None) -> None:
        self.nudge = nudge
        self._counter = itertools.count(1) if counter is None else counter
        self._journal = journal = Journal()
        self._enrollments, self._effects = EnrollmentShelf(journal), EffectShelf(journal)
        self._messages, self._timeline = MessageShelf(journal), TimelineShelf(journal)
        accounts, attempts = MemoryAccountRepository(journal), AttemptShelf(journal)
        inbox, records = InboxShelf(journal), RecordShelf(journal)
        self.accounts = accounts
        self.inbox = MemoryInboxRepository(inbox)
        self.links = links = MemoryLinkRepository(journal)
        self.contacts = MemoryContactRepository(journal, records, self._effects, links)
        self.versions = MemoryJourneyVersionRepository(journal, self.new_id)
        self.publications = MemoryPublicationRepository(journal)
        self.enrollments = MemoryEnrollmentRepository(self._enrollments)
        self.messages = MemoryMessageRepository(self._messages, attempts)
        self.attempts = MemoryAttemptRepository(attempts, self._messages, journal)
        self.timeline = MemoryTimelineRepository(self._timeline)
        self.consents = MemoryConsentRepository(journal)
        self.records = MemoryCRMRecordRepository(records, accounts)
        self.cursors = MemoryCursorRepository(journal)
        self.polls = MemoryPollRepository(journal)
        self.effects = MemoryEffectRepository(self._effects, accounts)
        self.splits = MemorySplitRepository(journal, self._messages)
        self.habits = MemoryHabitRepository(journal)
        self.traffic = MemoryTrafficRepository(journal)
        self.numbers = MemoryNumberRepository(journal)
        self.pieces = MemoryPieceRepository(journal)
        self.imports = MemoryImportRepository(journal)
        self.workflow_calls = MemoryWorkflowCallRepository(journal)
        self.past = MemoryPastRepository(inbox, self._timeline, self._messages)
        self.api_keys = MemoryAPIKeyRepository(journal)
        self.callback_secrets = MemoryCallbackSecretRepository(journal)
        self.secrets = MemoryAccountSecretRepository(journal)
        self.installs = MemoryInstallRepository(journal)
        self.erasures = MemoryErasureRepository(journal)

    def begin(self, *, write: bool = True) -> MemoryUnitOfWork:
        """Make a unit of work."""
        return MemoryUnitOfWork(self, self._journal if write else None)

    def new_id(self) -> str:
        """Make an id that looks like any other and sorts behind all before it."""
        return f"00000000-0000-7000-8000-{next(self._counter):012x}"

    def next_due(self) -> datetime | None:
        """Give the earliest time at which a live enrollment, an open message or an effect is due; None for never."""
        opens = self._messages.open
        heads = [self._enrollments.due.next(DUE), self._messages.expiring.next(PAST)]
        heads += [self._effects.waiting.next(account) for account in self.accounts.active()]
        heads += [opens.next(lane) for lane in opens.lanes()]
        return min((head[0] for head in heads if head is not None), default=None)

    def all_enrollments(self) -> Iterable[EnrollmentRow]:
        """Give every enrollment, oldest first."""
        return list(self._enrollments.rows.values())

    def all_messages(self) -> Iterable[MessageRow]:
        """Give every message, oldest first."""
        return [message.row for message in self._messages.rows.values()]

    def all_entries(self) -> Iterable[TimelineEntry]:
        """Give the whole timeline, in the order it was written."""
        return [line.entry for line in self._timeline.rows.values()]
