"""Does anything depend on the clock process but punctuality?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.rig import Rig
from tests.e2e.scene import Scene
from tests.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def nobody_rings(rig: Rig, scene: Scene) -> Iterator[None]:
    """No clock process, and no alarm rung by the test."""
    rig.stop_process("clock")
    rig.rings = False
    yield
    rig.rings = True
    if "clock" not in rig.processes:
        rig.start_process("clock")


def test_clock_that_was_away_for_days_wakes_what_became_due_meanwhile(
    rig: Rig, scene: Scene, nobody_rings: None
) -> None:
    ticket, deal = scene.person("Priya"), scene.person("Maya")
    rig.push(hours=26 - rig.clock.now().hour)
    scene.book(deal)
    eventually(lambda: scene.books.states()["held"] == 1, "the night holds the text")
    scene.change("tickets", scene.ticket(ticket), hs_ticket_priority="URGENT")
    scene.gets(ticket.number, "top priority")  # nudges alone carry an event to the phone
    eventually(lambda: _all_but_the_crm_is_done(scene), "the journey waits for an answer")
    rig.push(hours=11, minutes=30)
    assert scene.texts(deal.number) == []
    assert any(each.status == "live" and each.journey == "urgent-ticket" for each in scene.books.enrollments())
    rig.start_process("clock")
    scene.gets(deal.number, "your demo")
    scene.gets(scene.owner_number, "STILL OPEN")
    scene.books.settle()
    assert scene.books.states() == {"delivered": 4}


def _all_but_the_crm_is_done(scene: Scene) -> bool:
    return all(point.startswith("record ") for point in scene.books.open_points())  # states are gathered for a while
