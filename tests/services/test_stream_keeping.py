"""Is each stream listened to for as long as it is wanted, and begun again after whatever ends it?"""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata, timeline_entry
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.errors import CRMError, CRMRefusedError, CRMUnavailableError, PlaceLostError
from connector.ports.change_streams import MOST, Batch, StreamedEvent, StreamedRow
from connector.ports.crm import CRMAccount
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.services.change_streams import StreamReader
from connector.services.stream_keeping import LOOK_SECONDS, StreamKeeper
from connector.services.stream_listening import REFUSED_FOR, SILENT_SECONDS, Listener, Wanted
from tests.adapters.crm.doubles import MovableClock
from tests.adapters.store.factories import NOW, an_account

TOPIC = "/data/OpportunityChangeEvent"
PATIENCE = 10.0  # seconds


@dataclass
class FakeStream:
    """A stream that brings what a test puts into it: a batch, an error, or the end."""

    brings: queue.SimpleQueue[Batch | Exception | None] = field(default_factory=queue.SimpleQueue)
    asked: list[int] = field(default_factory=list)

    def ask(self, count: int) -> None:
        self.asked.append(count)

    def wait(self) -> Batch | None:
        found = self.brings.get(timeout=PATIENCE)
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        self.brings.put(None)


@dataclass
class FakeStreams:
    """A CRM that lets us listen, or raises what a test says."""

    opened: queue.SimpleQueue[FakeStream] = field(default_factory=queue.SimpleQueue)
    places: list[str] = field(default_factory=list)
    refusal: Exception | None = None
    tried: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def open(self, _account: CRMAccount, _topic: str, place: str) -> FakeStream:
        self.places.append(place)
        self.tried.release()
        if self.refusal is not None:
            raise self.refusal
        stream = FakeStream()
        self.opened.put(stream)
        return stream

    def next(self) -> FakeStream:
        return self.opened.get(timeout=PATIENCE)


@dataclass
class FakeLeases:
    """Leases that are had, unless a test says otherwise."""

    is_free: bool = True
    holds: bool = True
    released: int = 0

    def take(self, _name: str) -> FakeLeases | None:
        return self if self.is_free else None

    def renew(self) -> bool:
        return self.holds

    def release(self) -> None:
        self.released += 1


@dataclass
class Desk:
    """Everything a test reaches for."""

    ledger: SQLLedger
    streams: FakeStreams
    leases: FakeLeases
    keeper: StreamKeeper
    reader: StreamReader
    account: AccountRow
    hastened: list[str]

    def entries(self) -> list[str]:
        with self.ledger.engine.execution_options(writes=False).connect() as connection:
            return list(connection.execute(select(timeline_entry.c.summary)).scalars())


class NoDice(random.Random):
    """Pauses are as short as they may be."""

    def random(self) -> float:
        return 0.0


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    engine = make_engine(f"sqlite:///{tmp_path}/ledger.sqlite3")
    ledger = SQLLedger(engine, Vault(["k" * 32]), lambda _: None)
    metadata.create_all(engine)
    account, clock, hastened = an_account(crm="salesforce"), MovableClock(), list[str]()
    with ledger.begin() as uow:
        uow.accounts.add(account)
        uow.commit()

    def hasten(_: UnitOfWork, found: AccountRow) -> None:
        hastened.append(found.id)

    streams, leases = FakeStreams(), FakeLeases()
    reader = StreamReader(ledger, streams, hasten, clock)
    keeper = StreamKeeper(ledger, reader, leases, lambda _: [TOPIC], NoDice())
    yield Desk(ledger, streams, leases, keeper, reader, account, hastened)
    keeper.stop()
    ledger.close()


def batch(count: int, place: str = "0a") -> Batch:
    return Batch([StreamedEvent(str(n), [StreamedRow(f"{place}:{n}", b"{}")]) for n in range(count)], place)


def listener(desk: Desk, now: Callable[[], float] = lambda: 0.0) -> Listener:
    return Listener(Wanted(desk.account.id, TOPIC), desk.leases, desk.reader, NoDice(), now)


# Reading


def test_room_is_made_again_when_half_of_it_is_used(desk: Desk) -> None:
    desk.keeper.look()
    stream = desk.streams.next()
    for number, count in enumerate([MOST // 2 - 1, 1, 0, MOST // 2 + 10]):
        stream.brings.put(batch(count, f"0{number}"))
    stream.close()
    desk.streams.next()
    assert stream.asked == [MOST, MOST // 2, MOST // 2 + 10]


def test_a_stream_goes_on_behind_the_last_place_it_named(desk: Desk) -> None:
    desk.keeper.look()
    stream = desk.streams.next()
    stream.brings.put(batch(1, "0a"))
    stream.brings.put(Batch([], ""))  # still there, and no place named
    stream.brings.put(CRMUnavailableError("gone"))
    desk.streams.next()
    assert desk.streams.places == ["", "0a"]
    assert desk.hastened == []


def test_a_stream_that_broke_before_it_named_a_place_may_have_missed_something(desk: Desk) -> None:
    desk.keeper.look()
    desk.streams.next().brings.put(CRMUnavailableError("gone"))
    desk.streams.next()
    assert desk.streams.places == ["", ""]
    assert desk.hastened == [desk.account.id]


def test_a_place_that_is_lost_is_left_alone_when_somebody_has_read_on_meanwhile(desk: Desk) -> None:
    with desk.ledger.begin() as uow:
        uow.cursors.set(desk.account.id, f"stream:{TOPIC}", "0a", NOW)
        uow.commit()
    desk.keeper.look()
    stream = desk.streams.next()
    stream.brings.put(batch(1, "0b"))
    stream.brings.put(PlaceLostError("lost"))
    desk.streams.next()
    assert desk.streams.places == ["0a", "0b"]
    assert desk.entries() == []


def test_an_account_that_is_not_active_is_not_listened_for(desk: Desk) -> None:
    with desk.ledger.begin() as uow:
        uow.accounts.set_status(desk.account.id, "disconnected", "its token was revoked")
        uow.commit()
    desk.reader.follow(desk.account.id, TOPIC, lambda _: None, lambda: None)
    desk.keeper.look()
    assert desk.keeper.listening() == set()
    assert desk.streams.places == []


# Going on


@pytest.mark.parametrize("error", [CRMUnavailableError("gone"), RuntimeError("a bug")])
def test_whatever_ends_a_stream_it_is_opened_again(desk: Desk, error: Exception) -> None:
    desk.keeper.look()
    desk.streams.next().brings.put(error)
    desk.streams.next()


def test_a_stream_that_says_nothing_is_cut_and_opened_again(desk: Desk) -> None:
    now = [0.0]
    one = listener(desk, lambda: now[0])
    one.start()
    desk.streams.next().brings.put(batch(1))
    assert not one.is_silent()
    now[0] = SILENT_SECONDS + 1
    assert one.is_silent()
    one.cut()
    desk.streams.next()
    one.close()
    one.join(PATIENCE)
    assert not one.is_alive()
    assert not one.is_silent()


def test_a_silent_stream_is_noticed_by_the_keeper(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.keeper.look()
    desk.streams.next()
    monkeypatch.setattr(Listener, "is_silent", lambda _: True)
    desk.keeper.look()
    desk.streams.next()


def test_a_refused_stream_is_shown_to_a_person_and_asked_for_again_after_an_hour(desk: Desk) -> None:
    desk.streams.refusal = CRMRefusedError("stream: topic.not.found", category="topic.not.found")
    one = listener(desk)
    assert one._refused(CRMRefusedError("stream: topic.not.found")) == REFUSED_FOR
    one._refused(CRMRefusedError("stream: topic.not.found"))
    assert desk.entries() == [f"The CRM refuses the stream {TOPIC}: stream: topic.not.found"]
    one.start()
    assert desk.streams.tried.acquire(timeout=PATIENCE)
    one.close()
    one.join(PATIENCE)
    assert len(desk.streams.places) == 1


def test_a_refusal_that_cannot_be_told_now_is_told_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(desk.reader, "refused", away)
    assert listener(desk)._refused(CRMRefusedError("no")) == REFUSED_FOR


def test_a_crm_that_says_how_long_to_wait_is_left_alone_that_long(desk: Desk) -> None:
    assert listener(desk)._after(timedelta(hours=1)) == timedelta(hours=1)
    assert listener(desk)._after() == timedelta()


def test_a_stream_opened_while_its_listener_closes_is_closed(desk: Desk) -> None:
    one, stream = listener(desk), FakeStream()
    one.close()
    one._opened(stream)
    assert stream.wait() is None


# Whose it is


def test_a_stream_that_another_process_has_is_left_to_it(desk: Desk) -> None:
    desk.leases.is_free = False
    desk.keeper.look()
    assert desk.keeper.listening() == set()


def test_a_stream_whose_lease_is_gone_is_closed_and_given_up(desk: Desk) -> None:
    desk.keeper.look()
    desk.streams.next()
    desk.leases.holds = desk.leases.is_free = False
    desk.keeper.look()
    desk.keeper.stop()
    assert desk.keeper.listening() == set()
    assert desk.leases.released == 1


def test_the_keeper_outlives_a_ledger_that_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def stopped_within(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) == 2

    def away() -> set[Wanted]:
        raise CRMError("away")

    monkeypatch.setattr(desk.keeper, "wanted", away)
    desk.keeper.run(stopped_within)
    assert waits == [LOOK_SECONDS, LOOK_SECONDS]
