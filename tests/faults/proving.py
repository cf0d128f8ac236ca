"""Where is a text sent through a gateway that fails: a real ledger, the real send path, two vendors, a clock?

Time stands still until `settle` moves it to the next moment at which anybody has something to do.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from sqlalchemy import Engine, case, event, func, select

from connector.adapters.secrets import Vault
from connector.adapters.store.ids import new_id
from connector.adapters.store.tables import attempt, external_event, message, metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.domain.message import LIFETIMES, Purpose, default_policy
from connector.domain.timeline import TimelineEntry
from connector.errors import SignatureError, UnsignedCallbackError
from connector.ports.attempts import AttemptRow
from connector.ports.consents import ConsentEvent, ConsentKind, Mechanism, Scope
from connector.ports.gateway import CallbackRequest, SMSGateway
from connector.ports.messages import MessageRow
from connector.ports.queue import MAINTENANCE, RECEIPTS
from connector.services.intake import Intake
from connector.services.wakeup import Alarm
from tests.adapters.store.factories import a_message, an_account
from tests.faults.wiring import BEGIN, AtOnce, NoQueue, Wall, send_path_over

_ROUNDS = 300  # a text has some twenty moments at which something happens to it
_OFTEN, _ODD_EVERY = 3, timedelta(hours=6)  # receipts that match nothing are tried for days; not all of that shows more
_numbers = (f"+447700900{last:03}" for last in itertools.cycle(range(1000)))  # reserved for fiction
_bodies = (f"Your number is {number}." for number in itertools.count(100_000))


class Traveller(Protocol):
    """What moves the time."""

    def move_to(self, destination: datetime, tick: bool | None = None) -> None:
        """Let it be that moment."""
        ...


class Vendor(Protocol):
    """A pretend vendor, as far as time is concerned; see `tests.faults.emulated.Emulated`."""

    def step(self, now: datetime) -> int:
        """Do what it has to do by now."""
        ...

    def next_due(self) -> datetime | None:
        """Say when it does something of its own accord."""
        ...


def new_ledger_file(directory: Path) -> Path:
    """Make an empty ledger, to be copied for each test: making its tables takes longer than most of them."""
    path = directory / "empty.sqlite3"
    engine = make_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()  # the last connection to close leaves nothing beside the file
    return path


def open_ledger(url: str) -> SQLLedger:
    """Open a ledger that survives the death of a process, but no power cut: that saves a test most of its time."""
    engine = make_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return SQLLedger(engine, Vault(["k" * 32]), lambda _lane: None)


class Proving:
    """One ledger, its send path, and the pretend vendors around it."""

    def __init__(
        self, ledger: SQLLedger, vendors: Sequence[Vendor], gateways: Mapping[str, SMSGateway], time: Traveller
    ) -> None:
        """`gateways` are the adapters by slug, in the order of the route; they may be others than the vendors' own."""
        self.ledger, self.vendors, self.gateways, self._time = ledger, vendors, gateways, time
        self.clock, self._route = Wall(), tuple(gateways)
        self.opted_out: list[str] = []
        self.intake = Intake(AtOnce(ledger), ledger.new_id, self.clock)
        self.alarm = Alarm(ledger, NoQueue(), self.clock)
        self.path = send_path_over(ledger, gateways, lambda row: self.opted_out.append(row.msisdn))

    # -- what is to be sent

    def order(self, *purposes: Purpose) -> dict[Purpose, MessageRow]:
        """Order one text of each purpose (of all, when none is named), each to somebody else; give them by purpose.

        All of them may be texted.
        """
        now = self.clock.now()
        account = an_account(created_at=now)
        texts = {purpose: self._text(account.id, purpose, now) for purpose in purposes or Purpose}
        with self.ledger.begin() as uow:
            uow.accounts.add(account)
            for text in texts.values():
                assert uow.messages.add(text)
            if Purpose.MARKETING in texts:
                assert uow.consents.record(_agreed(texts[Purpose.MARKETING], now))
            uow.commit()
        return texts

    def _text(self, account_id: str, purpose: Purpose, now: datetime) -> MessageRow:
        return a_message(
            account_id,
            purpose=purpose,
            policy=default_policy(purpose),
            msisdn=next(_numbers),
            body=next(_bodies),
            gateway=self._route[0],
            send_window="anytime",
            time_zones=("Europe/London",),
            country="GB",
            created_at=now,
            not_before=now,
            expires_at=now + LIFETIMES[purpose],
        )

    # -- what arrives

    def take(self, request: CallbackRequest) -> int:
        """Take a callback as the web process does."""
        _, _, gateway, kind, *rest = urlsplit(request.url).path.split("/")
        try:
            self.gateways[gateway].verify(request)
        except UnsignedCallbackError:
            return 503
        except SignatureError:
            return 401
        self.intake.take_callback(gateway, kind, request, rest[0] if rest else None)
        return 200

    def store(self, gateway: str, kind: str, request: CallbackRequest) -> None:
        """Take what came over a bind, as the process of the binds does."""
        self.intake.take_callback(gateway, kind, request, None)

    # -- time

    def settle(self) -> None:
        """Let time pass until nobody has anything to do any more.

        Raises:
            AssertionError: it goes on and on.
        """
        for _ in range(_ROUNDS):
            self.work()
            due = self.next_due()
            if due is None:
                return
            self._time.move_to(max(due, self.clock.now()), tick=False)
        raise AssertionError(f"it never comes to rest: {self._waiting()}")

    def work(self) -> None:
        """Do once what can be done now, as clock and workers would."""
        while self.alarm.release():
            pass
        for lane in self._lanes():
            self.path.dispatcher.drain(*lane)
        for vendor in self.vendors:
            vendor.step(self.clock.now())
        waiting = self.alarm.lanes_with_work()
        while RECEIPTS in waiting and self.path.receipts.drain():
            pass
        if MAINTENANCE in waiting:
            self.path.reconciler.free_abandoned()
            while self.path.reconciler.ask():
                pass

    def _lanes(self) -> Sequence[tuple[str, str]]:
        with self.ledger.begin(write=False) as uow:
            return uow.messages.waiting_lanes(self.clock.now())

    def next_due(self) -> datetime | None:
        """Say when somebody has something to do next; None: never again."""
        moments = [vendor.next_due() for vendor in self.vendors] + list(self._waiting().values())
        return min((moment for moment in moments if moment is not None), default=None)

    def _waiting(self) -> dict[str, datetime | None]:
        is_open = external_event.c.handled_at.is_(None)
        is_odd = external_event.c.attempts > _OFTEN
        due, lease = external_event.c.not_before, external_event.c.lease_until
        when = case((lease > due, lease), else_=due)  # somebody may have died with it
        waits = {
            "message": select(func.min(message.c.not_before)).where(message.c.state.in_(["held", "queued"])),
            "lease": select(func.min(message.c.lease_until)).where(message.c.state == "dispatching"),
            "ask": select(func.min(attempt.c.ask_at)),
            "inbox": select(func.min(when)).where(is_open, ~is_odd),
        }
        moments = {name: self._one(query) for name, query in waits.items()}
        odd = self._one(select(func.max(external_event.c.not_before)).where(is_open, is_odd))
        return moments | {"odd": odd if odd is None else max(odd, self.clock.now() + _ODD_EVERY)}

    def _one(self, query: Any) -> datetime | None:
        with self.engine.connect().execution_options(writes=False) as connection:
            moment: datetime | None = connection.execute(query).scalar()
        return moment

    @property
    def engine(self) -> Engine:
        """The ledger's database."""
        return self.ledger.engine

    # -- what came of it

    def row(self, text: MessageRow) -> MessageRow:
        """Read a text as it is now."""
        with self.ledger.begin(write=False) as uow:
            return uow.messages.many([text.id])[text.id]

    def attempts(self, text: MessageRow) -> Sequence[AttemptRow]:
        """Read its tries."""
        with self.ledger.begin(write=False) as uow:
            return uow.attempts.of_messages([text.id])

    def trace(self, text: MessageRow) -> Sequence[TimelineEntry]:
        """Read what is told of it."""
        with self.ledger.begin(write=False) as uow:
            return uow.timeline.of_message(text.account_id, text.id)

    def counted(self) -> int:
        """Give how many texts the budgets count."""
        now = self.clock.now()
        days = [(BEGIN + timedelta(days=day)).date().isoformat() for day in range((now - BEGIN).days + 2)]
        with self.ledger.begin(write=False) as uow:
            return sum(each.texts for each in uow.traffic.spent(days))


def copy_of(template: Path, directory: Path) -> SQLLedger:
    """Open a copy of an empty ledger."""
    return open_ledger(f"sqlite:///{shutil.copy(template, directory / 'ledger.sqlite3')}")


def _agreed(text: MessageRow, now: datetime) -> ConsentEvent:
    return ConsentEvent(
        id=new_id(),
        account_id=text.account_id,
        msisdn=text.msisdn,
        kind=ConsentKind.OPT_IN,
        scope=Scope.MARKETING,
        mechanism=Mechanism.API,
        source=f"test:{text.id}",
        at=now,
    )
