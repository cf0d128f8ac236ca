"""Does everything have its turn although something fails, and is nobody told the same every second?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from connector.adapters.memory.ledger import MemoryLedger
from connector.adapters.memory.traffic import MemoryTrafficRepository
from connector.domain.falls import Fallen
from connector.domain.scoring import LOOK_BACK, Tally
from connector.services.fall_watch import FallWatch
from connector.services.maintaining import Maintenance
from tests.adapters.store.factories import NOW
from tests.services.sending.conftest import HandClock

VODAFONE = Fallen("twilio", "DE", "Vodafone", 0.97, 0.4, 200)


class Told:
    """Says that these have fallen."""

    def __init__(self) -> None:
        self.now: list[Fallen] = []
        self.looks = 0

    def fallen(self) -> Sequence[Fallen]:
        self.looks += 1
        return self.now


def fail() -> bool:
    raise RuntimeError("a bug")


@pytest.mark.parametrize(("gives", "has_more"), [(True, True), (False, False), (7, False), (None, False)])
def test_a_part_that_fails_keeps_no_other_one_from_its_turn(gives: object, *, has_more: bool) -> None:
    done: list[str] = []

    def last() -> object:
        done.append("last")
        return gives

    maintenance = Maintenance({"poisoned": fail, "last": last})
    with capture_logs() as logs:
        assert maintenance.run() is has_more
    assert done == ["last"]
    assert logs == [{"event": "maintenance.failed", "log_level": "error", "part": "poisoned", "error": "RuntimeError"}]


def test_one_that_has_more_to_do_keeps_no_other_one_from_its_turn() -> None:
    done: list[str] = []

    def last() -> None:
        done.append("last")

    assert Maintenance({"first": lambda: True, "last": last}).run()
    assert done == ["last"]


def test_a_way_that_has_fallen_is_told_once_and_again_when_it_is_back() -> None:
    clock, scores = HandClock(), Told()
    watch = FallWatch(MemoryLedger(), scores.fallen, clock)
    scores.now = [VODAFONE]
    with capture_logs() as logs:
        for _ in range(5):
            watch.look()
            clock.advance(minutes=1)
        assert [(log["event"], log["carrier"]) for log in logs] == [("gateway.fallen", "Vodafone")]
        scores.now = []
        watch.look()
        assert logs[-1]["event"] == "gateway.back"


def test_nobody_looks_more_often_than_once_a_minute() -> None:
    clock, scores = HandClock(), Told()
    watch = FallWatch(MemoryLedger(), scores.fallen, clock)
    for _ in range(61):
        watch.look()
        clock.advance(seconds=1)
    assert scores.looks == 2


def test_old_tallies_are_forgotten_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, ledger, asked = HandClock(), MemoryLedger(), list[datetime]()
    old = Tally("twilio", "DE", "", "", NOW - LOOK_BACK - timedelta(minutes=1), sent=1)
    with ledger.begin() as uow:
        uow.traffic.note([old])
        uow.commit()
    forget = MemoryTrafficRepository.forget_tallies

    def note(self: MemoryTrafficRepository, before: datetime) -> int:
        asked.append(before)
        return forget(self, before)

    monkeypatch.setattr(MemoryTrafficRepository, "forget_tallies", note)
    watch = FallWatch(ledger, Told().fallen, clock)
    for _ in range(61):
        watch.look()
        clock.advance(minutes=1)
    assert asked == [NOW - LOOK_BACK, NOW + timedelta(hours=1) - LOOK_BACK]
    with ledger.begin(write=False) as uow:
        assert uow.traffic.tallies(NOW - timedelta(days=30)) == []
