"""Is nothing kept that a CRM still sends for an account somebody ended, and everything again when it comes back?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from connector.adapters.memory.ledger import MemoryLedger
from connector.domain.account_status import ENDED, AccountStatus
from connector.services.intake import Delivery, Intake, Taken
from tests.adapters.store.factories import an_account
from tests.services.theatre import Clock


@dataclass
class AtOnce:
    """Commits at once."""

    ledger: MemoryLedger

    def run(self, work: Callable[..., Any]) -> Any:
        return self.join(lambda uow, _: [work(uow)], None)

    def join(self, handler: Callable[..., Any], item: Any) -> Any:
        with self.ledger.begin() as uow:
            (result,) = handler(uow, [item])
            uow.commit()
        return result


@dataclass
class Door:
    ledger: MemoryLedger
    clock: Clock

    def __post_init__(self) -> None:
        self.intake = Intake(AtOnce(self.ledger), self.ledger.new_id, self.clock)
        self.sent = 0
        with self.ledger.begin() as work:
            work.accounts.add(an_account(id="account-1", external_id="7"))
            work.commit()

    def hear(self) -> Taken:
        self.sent += 1
        return self.intake.take_events("hubspot", [Delivery("7", f"event-{self.sent}", b"{}")])

    def set(self, status: AccountStatus) -> None:
        with self.ledger.begin() as work:
            work.accounts.set_status("account-1", status, "")
            work.commit()


@pytest.fixture
def door() -> Door:
    return Door(MemoryLedger(), Clock())


@pytest.mark.parametrize("status", sorted(ENDED))
def test_events_of_an_ended_account_are_not_for_us_within_seconds(door: Door, status: AccountStatus) -> None:
    assert door.hear() == Taken(new=1, known=0, foreign=0)
    door.set(status)
    door.clock.at += timedelta(seconds=10)
    assert door.hear() == Taken(new=0, known=0, foreign=1)
    door.set(AccountStatus.ACTIVE)
    assert door.hear() == Taken(new=1, known=0, foreign=0)


def test_events_of_a_disconnected_account_wait_for_it(door: Door) -> None:
    door.set(AccountStatus.DISCONNECTED)
    assert door.hear() == Taken(new=1, known=0, foreign=0)


def test_an_account_that_is_there_is_not_looked_up_for_every_event(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    find = door.ledger.accounts.installed

    def noted(crm: str, ids: Sequence[str]) -> Mapping[str, str]:
        looked.append(crm)
        return find(crm, ids)

    monkeypatch.setattr(door.ledger.accounts, "installed", noted)
    for _ in range(5):
        door.hear()
    assert looked == ["hubspot"]
