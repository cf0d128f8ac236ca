"""What does the send path stand on in its tests? A real ledger on SQLite, a scripted gateway, a clock moved by hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.compliance_file import load_compliance
from connector.adapters.secrets import Vault
from connector.adapters.sms.twilio import CAPABILITIES
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.domain.gateway_book import GatewayBook, Rate, RetryRule
from connector.domain.message import MessageState, Purpose
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import SendError
from connector.ports.attempts import AttemptRow
from connector.ports.gateway import (
    Accepted,
    AttemptQuery,
    CallbackRequest,
    Capabilities,
    IncomingSMS,
    OutgoingSMS,
    Piece,
    SMSGateway,
    StatusReport,
)
from connector.ports.inbox import InboxRow
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.queue import Bucket
from connector.services.receipts import STATUS, source
from connector.services.send_path import SendPathParts, build_send_path
from connector.services.wakeup import Alarm
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

    def take_each(self, asked: Sequence[Sequence[Bucket]], *, is_urgent: bool = True) -> Sequence[bool]:
        most = len(asked) if self.grants is None else self.grants
        return [number < most for number in range(len(asked))]


@dataclass
class ScriptedGateway:
    """Answers as told; `found` is what it says when asked about an attempt.

    Attributes:
        parts: gives every text so many parts with ids of their own.
        price: it asks per text, told with the answer.
    """

    slug: str = "twilio"
    capabilities: Capabilities = CAPABILITIES
    script: list[SendError | MessageState] = field(default_factory=list)
    sent: list[OutgoingSMS] = field(default_factory=list)
    found: StatusReport | SendError | None = None
    asked: list[AttemptQuery] = field(default_factory=list)
    before_answer: Callable[[OutgoingSMS], None] = lambda _sms: None
    parts: int = 0
    price: Decimal | None = None

    def send(self, sms: OutgoingSMS) -> Accepted:
        self.sent.append(sms)
        self.before_answer(sms)
        step = self.script.pop(0) if self.script else MessageState.ACCEPTED
        if isinstance(step, SendError):
            raise step
        id_ = f"SM{len(self.sent):030d}"
        return Accepted(
            id_,
            step,
            "queued",
            sender="+12025550100",
            price=self.price,
            currency=None if self.price is None else "USD",
            part_ids=(id_, *(f"{id_}-{number}" for number in range(2, self.parts + 1))) if self.parts else (),
        )

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
        """Read "ID text", or "ID ref/number/total|text" for a part of a long one."""
        sid, body = request.body.decode().split(" ", 1)
        head, bar, rest = body.partition("|")
        if not bar:
            return [IncomingSMS(sid, "+12025550143", "+12025550100", body)]
        reference, number, total = head.split("/")
        piece = Piece(reference, int(number), int(total))
        return [IncomingSMS(sid, "+12025550143", "+12025550100", rest, piece=piece)]

    def close(self) -> None:
        """Hold nothing."""


PATIENT = GatewayBook(
    retries={
        purpose: RetryRule(
            tries=3, base=timedelta(seconds=2), cap=timedelta(minutes=5), unknown_after=timedelta(days=1)
        )
        for purpose in (Purpose.TRANSACTIONAL, Purpose.MARKETING)
    }
)


@dataclass
class Desk:
    """The send path, wired."""

    ledger: SQLLedger
    clock: HandClock
    gateway: ScriptedGateway
    limiter: OpenLimiter
    nudged: list[str]
    account_id: str
    book: GatewayBook = PATIENT
    others: dict[str, SMSGateway] = field(default_factory=dict)
    opted_out: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gateways: dict[str, SMSGateway] = {"twilio": self.gateway, **self.others}
        self.path = build_send_path(
            SendPathParts(
                ledger=self.ledger,
                gateways=self.gateways,
                book=self.book,
                usual_gateway="twilio",
                usual_rate=Rate(100, concurrency=4),
                unreported=frozenset(),
                compliance=load_compliance(Path("mappings/compliance.yaml")),
                limiter=self.limiter,
                clock=self.clock,
                rng=random.Random(1),
                take_reply=self._take_reply,
                note_opt_out=self._note_opt_out,
                status_url=lambda gateway, attempt_id: (
                    f"https://sms.example.com/callbacks/{gateway}/status/{attempt_id}"
                ),
            )
        )
        self.dispatcher, self.receipts = self.path.dispatcher, self.path.receipts
        self.reconciler = self.path.reconciler

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

    def apply(self, message: MessageRow, state: MessageState, **changes: Any) -> str | None:
        """Apply a receipt about a text's first attempt, or the one under `number`."""
        attempt = self.attempts(message)[changes.pop("number", 0)]
        known = attempt.provider_message_id or ""
        values: dict[str, Any] = {
            "provider_message_id": known,
            "state": state,
            "raw_status": state.value,
            "attempt_id": attempt.id,
        }
        with self.ledger.begin() as uow:
            outcome = self.receipts.apply(uow, attempt.gateway, StatusReport(**values | changes), self.clock.now())
            uow.commit()
        return outcome

    def callback(
        self, body: str, *, kind: str = STATUS, attempt_id: str | None = None, gateway: str = "twilio"
    ) -> None:
        """Have a gateway call back; it waits in the inbox until `receipts.drain`."""
        context: dict[str, object] = {
            "method": "POST",
            "url": "https://sms.example.com/",
            "headers": {},
            "attempt_id": attempt_id,
        }
        id_ = self.ledger.new_id()
        row = InboxRow(id_, None, source(gateway, kind), id_, body.encode(), context, self.clock.now())
        with self.ledger.begin() as uow:
            uow.inbox.add([row])
            uow.commit()

    def wake(self) -> None:
        """Release what is held and due."""
        Alarm(self.ledger, _Silent(), self.clock).ring()

    def entries(self, message: MessageRow, kind: EntryKind) -> list[TimelineEntry]:
        with self.ledger.begin(write=False) as uow:
            return [each for each in uow.timeline.of_message(self.account_id, message.id) if each.kind is kind]

    def trace(self, message: MessageRow) -> list[str]:
        with self.ledger.begin(write=False) as uow:
            return [entry.summary for entry in uow.timeline.of_message(self.account_id, message.id)]


class _Silent:
    def nudge(self, lane: str) -> None:
        """Carry nothing."""


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


@pytest.fixture
def on_postgres(desk: Desk, postgres_url: str) -> Iterator[Desk]:
    """The desk over PostgreSQL, where transactions wait for each other."""
    ledger = SQLLedger(make_engine(postgres_url), Vault(["k" * 32]), desk.nudged.append)
    metadata.create_all(ledger.engine)
    account = an_account()
    with ledger.begin() as uow:
        uow.accounts.add(account)
        uow.commit()
    yield replace(desk, ledger=ledger, account_id=account.id)
    ledger.close()
