"""What does the send path stand on in its tests? A real ledger on SQLite, a scripted gateway, a clock moved by hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connector.adapters.compliance_file import load_compliance
from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.domain.message import MessageState
from connector.domain.retry import RetryPolicy
from connector.errors import SendError
from connector.ports.gateway import Accepted, AttemptQuery, CallbackRequest, IncomingSMS, OutgoingSMS, StatusReport
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import AttemptRow, MessageRow
from connector.services.dispatch import Dispatcher, SendRates
from connector.services.outcomes import OutcomeRecorder
from connector.services.permissions import PermissionDesk
from connector.services.receipts import ReceiptReader
from connector.services.reconcile import Reconciler
from tests.adapters.store.factories import NOW, an_account


@dataclass
class HandClock:
    """A clock that stands still until it is moved."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time

    def advance(self, **delta: float) -> None:
        self.time += timedelta(**delta)


@dataclass
class OpenLimiter:
    """Grants everything, or what `grants` says."""

    grants: int | None = None

    def take(self, _bucket: str, *, rate: float, burst: int, wanted: int = 1) -> int:
        return wanted if self.grants is None else min(self.grants, wanted)


@dataclass
class ScriptedGateway:
    """Answers as told; `found` is what it says when asked about an attempt."""

    slug: str = "twilio"
    script: list[SendError | MessageState] = field(default_factory=list)
    sent: list[OutgoingSMS] = field(default_factory=list)
    found: StatusReport | SendError | None = None
    asked: list[AttemptQuery] = field(default_factory=list)
    before_answer: Callable[[OutgoingSMS], None] = lambda _sms: None

    def send(self, sms: OutgoingSMS) -> Accepted:
        self.sent.append(sms)
        self.before_answer(sms)
        step = self.script.pop(0) if self.script else MessageState.ACCEPTED
        if isinstance(step, SendError):
            raise step
        return Accepted(f"SM{len(self.sent):030d}", step, "queued", sender="+12025550100")

    def find(self, query: AttemptQuery) -> StatusReport | None:
        self.asked.append(query)
        if isinstance(self.found, SendError):
            raise self.found
        return self.found

    def verify(self, request: CallbackRequest) -> None:
        """Believe everybody."""

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        sid, state = request.body.decode().split()
        return [StatusReport(sid, MessageState(state), state, attempt_id)]

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        sid, body = request.body.decode().split(" ", 1)
        return [IncomingSMS(sid, "+12025550143", "+12025550100", body)]

    def close(self) -> None:
        """Hold nothing."""


@dataclass
class Desk:
    """The send path, wired."""

    ledger: SQLLedger
    clock: HandClock
    gateway: ScriptedGateway
    limiter: OpenLimiter
    nudged: list[str]
    account_id: str
    opted_out: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = random.Random(1)
        recorder = OutcomeRecorder(self.ledger, self.clock, RetryPolicy(max_tries=3), rng, self._note_opt_out)
        self.dispatcher = Dispatcher(
            self.ledger,
            {"twilio": self.gateway},
            PermissionDesk(load_compliance(Path("mappings/compliance.yaml"))),
            recorder,
            self.limiter,
            SendRates(per_second=100, concurrency=4),
            self.clock,
            lambda gateway, attempt_id: f"https://sms.example.com/callbacks/{gateway}/status/{attempt_id}",
        )
        self.receipts = ReceiptReader(
            self.ledger, {"twilio": self.gateway}, self._take_reply, self._note_opt_out, self.clock, rng
        )
        self.reconciler = Reconciler(self.ledger, {"twilio": self.gateway}, self.receipts, self.clock)

    def _note_opt_out(self, _uow: UnitOfWork, message: MessageRow, _attempt_id: str, _now: datetime) -> None:
        self.opted_out.append(message.msisdn)

    def _take_reply(self, _uow: UnitOfWork, sms: IncomingSMS, _gateway: str, _now: datetime) -> str:
        self.replies.append(sms.body)
        return "reply"

    def add(self, *messages: MessageRow) -> None:
        with self.ledger.begin() as uow:
            for message in messages:
                assert uow.messages.add(message)
            uow.commit()

    def send(self) -> bool:
        return self.dispatcher.drain("twilio", "transactional")

    def state_of(self, message: MessageRow) -> MessageState:
        return self.row(message).state

    def row(self, message: MessageRow) -> MessageRow:
        with self.ledger.begin(write=False) as uow:
            return uow.messages.many([message.id])[message.id]

    def attempts(self, message: MessageRow) -> Sequence[AttemptRow]:
        with self.ledger.begin(write=False) as uow:
            return uow.attempts.of_messages([message.id])

    def trace(self, message: MessageRow) -> list[str]:
        with self.ledger.begin(write=False) as uow:
            return [entry.summary for entry in uow.timeline.of_message(self.account_id, message.id)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    nudged: list[str] = []
    ledger = SQLLedger(make_engine(f"sqlite:///{tmp_path}/ledger.sqlite3"), Vault(["k" * 32]), nudged.append)
    metadata.create_all(ledger.engine)
    account = an_account()
    with ledger.begin() as uow:
        uow.accounts.add(account)
        uow.commit()
    yield Desk(ledger, HandClock(), ScriptedGateway(), OpenLimiter(), nudged, account.id)
    ledger.close()
