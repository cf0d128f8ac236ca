"""How does one transaction over the ledger begin, commit and let its nudges go?"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from connector.adapters.secrets import Vault
from connector.adapters.store.account_secrets import SQLAccountSecretRepository
from connector.adapters.store.accounts import SQLAccountRepository
from connector.adapters.store.api_keys import SQLAPIKeyRepository, SQLCallbackSecretRepository
from connector.adapters.store.attempts import SQLAttemptRepository
from connector.adapters.store.consents import SQLConsentRepository
from connector.adapters.store.contacts import SQLContactRepository
from connector.adapters.store.cursors import SQLCursorRepository
from connector.adapters.store.effects import SQLEffectRepository
from connector.adapters.store.enrollments import SQLEnrollmentRepository
from connector.adapters.store.erasures import SQLErasureRepository
from connector.adapters.store.habits import SQLHabitRepository
from connector.adapters.store.ids import new_id
from connector.adapters.store.imports import SQLImportRepository
from connector.adapters.store.inbox import SQLInboxRepository
from connector.adapters.store.installing import SQLInstallRepository
from connector.adapters.store.links import SQLLinkRepository
from connector.adapters.store.messages import SQLMessageRepository
from connector.adapters.store.number_locks import lock_numbers
from connector.adapters.store.numbers import SQLNumberRepository
from connector.adapters.store.past import SQLPastRepository
from connector.adapters.store.pieces import SQLPieceRepository
from connector.adapters.store.polls import SQLPollRepository
from connector.adapters.store.publications import SQLPublicationRepository
from connector.adapters.store.records import SQLCRMRecordRepository
from connector.adapters.store.splits import SQLSplitRepository
from connector.adapters.store.timeline import SQLTimelineRepository
from connector.adapters.store.traffic import SQLTrafficRepository
from connector.adapters.store.versions import SQLJourneyVersionRepository
from connector.adapters.store.workflows import SQLWorkflowCallRepository
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
from connector.ports.ledger import AccountRepository
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

_BUSY_SECONDS = 30  # a writer waits this long for SQLite's one write lock; drains hold it for milliseconds


def make_engine(database_url: str) -> Engine:
    """Open the database of a `DATABASE_URL`.

    `postgres://` and `postgresql://` (as platforms hand them out) mean psycopg. SQLite runs in WAL mode with
    `synchronous=FULL`, since an answered webhook must survive a power cut, and begins its transactions by hand:
    `BEGIN IMMEDIATE` for writers, so that two of them queue up instead of failing half-way.
    """
    url = make_url(database_url)
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=8, max_overflow=16, pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        hide_parameters=True,  # a failing statement's error is logged, and its values are numbers and texts (P10)
    )

    @event.listens_for(engine, "connect")
    def _configure(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None
        _enter_wal(dbapi_connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", True)
        statement = "BEGIN IMMEDIATE" if writes else "BEGIN"
        try:
            connection.connection.execute(statement)  # the driver's own execute, at a fifth of the cost
        except sqlite3.OperationalError as error:
            raise OperationalError(statement, None, error) from error

    return engine


def _enter_wal(dbapi_connection: Any) -> None:
    """Switch a new database file to WAL; two processes that do so at once do not wait for each other by themselves."""
    ends = time.monotonic() + _BUSY_SECONDS
    while dbapi_connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            dbapi_connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.01)


class SQLUnitOfWork:
    """One transaction; see `connector.ports.ledger.UnitOfWork`."""

    def __init__(self, engine: Engine, vault: Vault, nudge: Callable[[str], None]) -> None:
        self._engine, self._vault, self._release = engine, vault, nudge
        self._nudges: dict[str, None] = {}

    def __enter__(self) -> Self:
        """Begin."""
        connection = self._engine.connect()
        self._connection = connection
        self._transaction = connection.begin()
        vault = self._vault
        self.accounts: AccountRepository = SQLAccountRepository(connection, vault)
        self.inbox: InboxRepository = SQLInboxRepository(connection, vault)
        self.contacts: ContactRepository = SQLContactRepository(connection, vault)
        self.versions: JourneyVersionRepository = SQLJourneyVersionRepository(connection, vault)
        self.enrollments: EnrollmentRepository = SQLEnrollmentRepository(connection, vault)
        self.messages: MessageRepository = SQLMessageRepository(connection, vault)
        self.attempts: AttemptRepository = SQLAttemptRepository(connection, vault)
        self.timeline: TimelineRepository = SQLTimelineRepository(connection, vault)
        self.consents: ConsentRepository = SQLConsentRepository(connection, vault)
        self.records: CRMRecordRepository = SQLCRMRecordRepository(connection, vault)
        self.polls: PollRepository = SQLPollRepository(connection, vault)
        self.cursors: CursorRepository = SQLCursorRepository(connection)
        self.past: PastRepository = SQLPastRepository(connection, vault)
        self.publications: PublicationRepository = SQLPublicationRepository(connection, vault)
        self.effects: EffectRepository = SQLEffectRepository(connection, vault)
        self.links: LinkRepository = SQLLinkRepository(connection, vault)
        self.splits: SplitRepository = SQLSplitRepository(connection, vault)
        self.habits: HabitRepository = SQLHabitRepository(connection, vault)
        self.api_keys: APIKeyRepository = SQLAPIKeyRepository(connection)
        self.callback_secrets: CallbackSecretRepository = SQLCallbackSecretRepository(connection, vault)
        self.secrets: AccountSecretRepository = SQLAccountSecretRepository(connection, vault)
        self.installs: InstallRepository = SQLInstallRepository(connection, vault)
        self.erasures: ErasureRepository = SQLErasureRepository(connection)
        self.traffic: TrafficRepository = SQLTrafficRepository(connection, vault)
        self.numbers: NumberRepository = SQLNumberRepository(connection, vault)
        self.pieces: PieceRepository = SQLPieceRepository(connection, vault)
        self.imports: ImportRepository = SQLImportRepository(connection)
        self.workflow_calls: WorkflowCallRepository = SQLWorkflowCallRepository(connection, vault)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Roll back what was not committed."""
        try:
            if self._transaction.is_active:
                self._transaction.rollback()
        finally:
            self._connection.close()

    def lock_numbers(self, account_id: str, msisdns: Sequence[str]) -> None:
        """Hold an account's numbers until commit."""
        lock_numbers(self._connection, account_id, msisdns)

    def nudge(self, lane: str) -> None:
        """Nudge `lane` after commit."""
        self._nudges[lane] = None

    def commit(self) -> None:
        """Commit, then let the nudges go."""
        self._transaction.commit()
        nudges, self._nudges = self._nudges, {}
        for lane in nudges:
            self._release(lane)


class SQLLedger:
    """The ledger in a database; see `connector.ports.ledger.Ledger`."""

    def __init__(self, engine: Engine, vault: Vault, nudge: Callable[[str], None]) -> None:
        self.engine, self.vault = engine, vault
        self._nudge = nudge
        self._reading = engine.execution_options(writes=False)

    def begin(self, *, write: bool = True) -> SQLUnitOfWork:
        """Make a unit of work."""
        return SQLUnitOfWork(self.engine if write else self._reading, self.vault, self._nudge)

    def nudging(self, nudge: Callable[[str], None]) -> SQLLedger:
        """Give this very ledger with another way for nudges to leave after a commit."""
        return SQLLedger(self.engine, self.vault, nudge)

    def new_id(self) -> str:
        """Make a UUIDv7."""
        return new_id()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
