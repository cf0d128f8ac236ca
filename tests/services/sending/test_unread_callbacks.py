"""What becomes of callbacks of a gateway that is not in use any more?"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import pytest
from sqlalchemy import select

from connector.adapters.store.tables import external_event
from connector.ports.queue import EVENTS, RECEIPTS
from connector.services.wakeup import Alarm
from tests.adapters.store.factories import an_event
from tests.services.sending.conftest import Desk

DAY = timedelta(days=1)


class Queue:
    """Remembers which lanes were nudged."""

    def __init__(self) -> None:
        self.nudged = list[str]()

    def nudge(self, lane: str) -> None:
        self.nudged.append(lane)


@pytest.fixture
def queue() -> Queue:
    return Queue()


def an_alarm(desk: Desk, queue: Queue, gateways: Collection[str] | None = ("twilio",)) -> Alarm:
    return Alarm(desk.ledger, queue, desk.clock, gateways=gateways)


def outcomes(desk: Desk) -> dict[str, str]:
    with desk.ledger.engine.connect() as connection:
        rows = connection.execute(select(external_event).where(external_event.c.handled_at.is_not(None)))
        return {row.source: row.outcome for row in rows}


def test_nobody_is_woken_for_what_nobody_can_read(desk: Desk, queue: Queue) -> None:
    desk.callback("SM1 delivered", gateway="vonage")
    an_alarm(desk, queue).ring()
    assert RECEIPTS not in queue.nudged
    an_alarm(desk, queue, gateways=None).ring()
    assert RECEIPTS in queue.nudged


@pytest.mark.parametrize("source", ["hubspot", "twilio.status", "twilio.inbound"])
def test_what_can_be_read_wakes_its_lane(desk: Desk, queue: Queue, source: str) -> None:
    with desk.ledger.begin() as uow:
        uow.inbox.add([an_event(desk.account_id, source=source)])
        uow.commit()
    desk.clock.advance(days=4)
    an_alarm(desk, queue).ring()
    assert {EVENTS, RECEIPTS} & set(queue.nudged)
    assert outcomes(desk) == {}


def test_after_three_days_they_are_given_up_with_a_word_for_whoever_looks(desk: Desk, queue: Queue) -> None:
    desk.callback("SM1 delivered", gateway="vonage")
    alarm = an_alarm(desk, queue)
    alarm.ring()
    desk.clock.advance(days=3)
    alarm.ring()
    assert outcomes(desk) == {}
    desk.clock.advance(hours=1)
    alarm.ring()
    assert outcomes(desk) == {"vonage.status": "unread: its gateway is not in use here"}


def test_a_gateway_that_is_set_up_again_within_that_time_has_its_callbacks_read(desk: Desk, queue: Queue) -> None:
    desk.callback("SM1 delivered", gateway="vonage")
    an_alarm(desk, queue).ring()
    desk.clock.advance(days=2)
    an_alarm(desk, queue, gateways=("twilio", "vonage")).ring()
    assert RECEIPTS in queue.nudged


def test_it_is_looked_for_them_once_an_hour(desk: Desk, queue: Queue) -> None:
    alarm = an_alarm(desk, queue)
    desk.clock.advance(days=4)
    alarm.ring()
    desk.clock.time -= 4 * DAY
    desk.callback("SM1 delivered", gateway="vonage")
    desk.clock.advance(days=4, minutes=59)
    alarm.ring()
    assert outcomes(desk) == {}
    desk.clock.advance(minutes=1)
    alarm.ring()
    assert list(outcomes(desk)) == ["vonage.status"]
