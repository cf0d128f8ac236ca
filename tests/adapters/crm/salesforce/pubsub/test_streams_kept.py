"""Does what Salesforce streams get into the inbox, all of it and once, whatever dies on the way?"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import pytest
import redis
from sqlalchemy import Column, select

from connector.adapters.leases import RedisLeases
from connector.adapters.store.tables import external_event, timeline_entry
from connector.errors import CRMUnavailableError
from connector.ports.change_streams import Stream
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.services.change_streams import StreamReader
from connector.services.stream_keeping import StreamKeeper
from tests.adapters.crm.salesforce.conftest import ACCOUNT_ID
from tests.adapters.crm.salesforce.pubsub.conftest import DEALS, Stage

PATIENCE = 20.0  # seconds; threads on a busy machine


class KilledError(BaseException):
    """Stands for the death of the process."""


@dataclass
class MortalLedger:
    """The ledger of a process that is killed when it is about to commit what it was told, so many batches on."""

    ledger: Ledger
    dies_after: int
    commits: int = 0

    def begin(self, *, write: bool = True) -> UnitOfWork:
        return _Mortal(self, self.ledger.begin(write=write)) if write else self.ledger.begin(write=False)

    def new_id(self) -> str:
        return self.ledger.new_id()


class _Mortal:
    def __init__(self, mortal: MortalLedger, uow: UnitOfWork) -> None:
        self._mortal, self._uow = mortal, uow

    def __enter__(self) -> Self:
        self._uow.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._uow.__exit__(kind, error, trace)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._uow, name)

    def commit(self) -> None:
        self._mortal.commits += 1
        if self._mortal.commits > self._mortal.dies_after:
            raise KilledError
        self._uow.commit()


@dataclass
class Ear:
    """A reader and what became of it."""

    stage: Stage
    hastened: list[str] = field(default_factory=list)
    opened: list[Stream] = field(default_factory=list)
    kept: threading.Condition = field(default_factory=threading.Condition)

    @property
    def ledger(self) -> Ledger:
        """The ledger, whose nudges tell that rows were kept."""
        return self.stage.salesforce.ledger.nudging(lambda _: self._heard())

    def reader(self, ledger: Ledger | None = None) -> StreamReader:
        stage = self.stage
        return StreamReader(ledger or self.ledger, stage.streams, self._hasten, stage.salesforce.clock)

    def follow(self, ledger: Ledger | None = None) -> threading.Thread:
        """Listen in a thread of its own, until it dies or the stream is closed."""
        before = self.stage.server.streams
        thread = threading.Thread(target=self._follow, args=(self.reader(ledger),), daemon=True)
        thread.start()
        self.stage.until_streams(before + 1)
        return thread

    def _follow(self, reader: StreamReader) -> None:
        with contextlib.suppress(KilledError, CRMUnavailableError):
            reader.follow(ACCOUNT_ID, DEALS, self.opened.append, self._heard)

    def _heard(self) -> None:
        with self.kept:
            self.kept.notify_all()

    def _hasten(self, _uow: UnitOfWork, account: AccountRow) -> None:
        self.hastened.append(account.id)

    def until(self, is_so: Callable[[], bool]) -> None:
        with self.kept:
            assert self.kept.wait_for(is_so, PATIENCE)

    def read(self, column: Column[str]) -> list[str]:
        """Read one column of the ledger, oldest row first."""
        reading = self.stage.salesforce.ledger.engine.execution_options(writes=False)
        with reading.connect() as connection:
            return list(connection.execute(select(column).order_by(column.table.c.id)).scalars())

    def rows(self) -> list[str]:
        """The external ids of the inbox's rows about one field."""
        return [each for each in self.read(external_event.c.external_id) if each.endswith(":NextStep")]

    def place(self) -> str | None:
        with self.stage.salesforce.ledger.begin(write=False) as uow:
            return uow.cursors.get(ACCOUNT_ID, f"stream:{DEALS}")

    def attention(self) -> list[str]:
        return self.read(timeline_entry.c.summary)

    def close(self, thread: threading.Thread) -> None:
        self.opened[-1].close()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        self.stage.until_streams(0)


@pytest.fixture
def ear(stage: Stage) -> Ear:
    return Ear(stage)


def test_events_and_the_place_behind_them_are_kept_together(ear: Ear) -> None:
    deal = ear.stage.salesforce.deal()
    thread = ear.follow()
    assert ear.place() == ""  # begun, and nothing said yet
    ear.stage.change(deal, NextStep="call")
    ear.until(lambda: len(ear.rows()) == 1)
    assert ear.place()
    ear.close(thread)
    assert ear.hastened == []


@pytest.mark.parametrize("dies_after", [1, 2, 3])
def test_a_process_killed_between_delivery_and_commit_loses_nothing_and_doubles_nothing(
    ear: Ear, dies_after: int
) -> None:
    ear.stage.server.batch_size, ear.stage.server.duplicates = 2, 1
    deal = ear.stage.salesforce.deal()
    first = ear.follow()
    ear.stage.server.keepalive()
    ear.until(lambda: bool(ear.place()))
    ear.close(first)
    dying = ear.follow(MortalLedger(ear.ledger, dies_after))
    for number in range(6):
        ear.stage.change(deal, NextStep=str(number))
    dying.join(PATIENCE)
    assert not dying.is_alive()
    ear.stage.until_streams(0)
    assert len(ear.rows()) < 6
    thread = ear.follow()
    ear.until(lambda: len(ear.rows()) == 6)
    ear.close(thread)
    assert len(set(ear.rows())) == 6


def test_more_events_than_there_is_room_for_all_come(ear: Ear) -> None:
    deal = ear.stage.salesforce.deal()
    thread = ear.follow()
    for number in range(130):
        ear.stage.change(deal, NextStep=str(number))
    ear.until(lambda: len(ear.rows()) == 130)
    ear.close(thread)


def test_a_lost_place_is_told_and_the_hole_is_looked_for(ear: Ear) -> None:
    deal = ear.stage.salesforce.deal()
    thread = ear.follow()
    ear.stage.change(deal, NextStep="heard")
    ear.until(lambda: len(ear.rows()) == 1)
    ear.close(thread)
    ear.stage.change(deal, NextStep="missed")
    ear.stage.days_pass(4)
    ear.reader().follow(ACCOUNT_ID, DEALS, ear.opened.append, lambda: None)
    assert ear.place() == ""
    assert ear.hastened == [ACCOUNT_ID]
    assert "the CRM keeps what followed no longer" in ear.attention()[0]
    thread = ear.follow()
    ear.stage.change(deal, NextStep="new")
    ear.until(lambda: len(ear.rows()) == 2)
    ear.close(thread)


def test_a_gap_is_told_once_a_day_and_looked_for_each_time(ear: Ear) -> None:
    thread = ear.follow()
    for _ in range(2):
        ear.stage.bus.gap("00D000000000001EAA", "Opportunity", "GAP_UPDATE", ["006000000000001AAA"])
        seen = len(ear.hastened)
        ear.until(lambda: len(ear.hastened) > seen)  # noqa: B023 - waited for at once
    ear.close(thread)
    assert len(ear.attention()) == 1
    assert "changes of Opportunity records were told without what changed" in ear.attention()[0]


def test_an_event_that_cannot_be_read_is_kept_and_holds_nothing_up(ear: Ear) -> None:
    deal = ear.stage.salesforce.deal()
    thread = ear.follow()
    ear.stage.bus.garble("00D000000000001EAA", "Opportunity")
    ear.stage.change(deal, NextStep="call")
    ear.until(lambda: len(ear.rows()) == 1)
    ear.close(thread)
    sources = set(ear.read(external_event.c.source))
    assert sources == {"salesforce", "salesforce.unreadable"}
    assert ear.hastened == [ACCOUNT_ID]


def test_an_account_that_was_uninstalled_meanwhile_keeps_nothing(ear: Ear) -> None:
    deal = ear.stage.salesforce.deal()
    thread = ear.follow()
    with ear.stage.salesforce.ledger.begin() as uow:
        uow.accounts.set_status(ACCOUNT_ID, "uninstalled", "by its admin")
        uow.commit()
    ear.stage.change(deal, NextStep="call")
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert ear.rows() == []


# Two processes


@pytest.fixture
def keepers(ear: Ear, redis_client: redis.Redis) -> Iterator[list[StreamKeeper]]:
    """Two processes that keep the streams of the same accounts."""
    ledger, leases = ear.stage.salesforce.ledger, RedisLeases(redis_client)
    made = [StreamKeeper(ledger, ear.reader(), leases, lambda _: [DEALS], random.Random(1)) for _ in range(2)]
    yield made
    for each in made:
        each.stop()


def test_two_processes_listen_to_a_stream_once_and_the_second_takes_over(ear: Ear, keepers: list[StreamKeeper]) -> None:
    deal = ear.stage.salesforce.deal()
    one, other = keepers
    for each in (one, other, one, other):
        each.look()
    ear.stage.until_streams(1)
    assert (len(one.listening()), len(other.listening())) == (1, 0)
    ear.stage.change(deal, NextStep="one")
    ear.until(lambda: len(ear.rows()) == 1)
    one.stop()
    ear.stage.until_streams(0)
    ear.stage.change(deal, NextStep="two")  # while nobody listens
    other.look()
    ear.until(lambda: len(ear.rows()) == 2)
    assert len(other.listening()) == 1


def test_a_process_that_lost_its_lease_stops_listening(
    ear: Ear, keepers: list[StreamKeeper], redis_client: redis.Redis
) -> None:
    one, other = keepers
    one.look()
    ear.stage.until_streams(1)
    redis_client.flushall()  # it stood still for longer than its lease
    other.look()
    ear.stage.until_streams(2)
    one.look()
    ear.stage.until_streams(1)
    assert len(other.listening()) == 1


def test_a_stream_that_breaks_is_opened_again(ear: Ear, keepers: list[StreamKeeper]) -> None:
    deal = ear.stage.salesforce.deal()
    keepers[0].look()
    ear.stage.until_streams(1)
    ear.stage.change(deal, NextStep="one")
    ear.until(lambda: len(ear.rows()) == 1)
    ear.stage.server.drop()
    ear.stage.change(deal, NextStep="two")
    ear.until(lambda: len(ear.rows()) == 2)


def test_an_account_that_wants_no_stream_any_more_is_left_alone(ear: Ear, keepers: list[StreamKeeper]) -> None:
    keepers[0].look()
    ear.stage.until_streams(1)
    with ear.stage.salesforce.ledger.begin() as uow:
        uow.accounts.set_status(ACCOUNT_ID, "uninstalled", "by its admin")
        uow.commit()
    keepers[0].look()
    ear.stage.until_streams(0)


def test_a_keeper_that_is_told_to_stop_closes_its_streams(ear: Ear, keepers: list[StreamKeeper]) -> None:
    answers = iter([False, True])
    keepers[0].run(lambda _seconds: next(answers))
    ear.stage.until_streams(0)
    assert keepers[0].listening() == set()
