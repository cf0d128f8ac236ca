"""Is anything lost or sent twice when a worker dies, at whatever line?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import crashes
from tests.e2e.rig import Rig
from tests.e2e.scene import BOOKED, Person, Scene
from tests.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def mortal_workers(rig: Rig) -> Iterator[None]:
    """Two worker processes that can be told where to die, instead of the usual one."""
    rig.stop_process("worker")
    rig.start_process("worker", [sys.executable, "-m", "tests.e2e.mortal_worker"])
    yield
    rig.stop_process("worker")
    rig.start_process("worker")


# A nudge that dies with its worker blocks its lane for ten seconds of real time, so it dies beside others.
_NUDGE = "nudge taken, drain not begun"
_UPDATE = "CRM record updated, not noted"  # whether the first texts need an update hangs on how fast receipts come
_ROW_OF_DEATHS = (_NUDGE, "message claimed, request not sent", "answers recorded", "CRM record created, not noted")


def recover(rig: Rig, file: Path, point: str) -> None:
    """Wait for the death, then let leases run out and the gateway's "never seen" become certain."""
    rig.while_time_passes(lambda: not file.exists(), f"a worker dies when {point}")
    rig.push(minutes=5, seconds=1)
    rig.push(minutes=4)


@pytest.mark.parametrize("point", [point for point in crashes.POINTS if point not in {_NUDGE, _UPDATE}])
def test_worker_killed_when(point: str, rig: Rig, scene: Scene) -> None:
    """Three texts, a reply and an opt-out survive a death at one point, everything delivered twice and shuffled."""
    file = crashes.arm(rig, point)
    people = book_three_twice(scene)
    recover(rig, file, point)
    for person in people:
        scene.gets_in_time(person.number, "your demo", step=5)
    answer(scene, people)


def test_worker_killed_when_crm_records_are_updated_and_that_is_not_noted(rig: Rig, scene: Scene) -> None:
    people = book_three_twice(scene)
    for person in people:
        scene.gets_in_time(person.number, "your demo")
    scene.books.settle()
    file = crashes.arm(rig, _UPDATE)
    scene.write(people[2].number, "thank you")
    recover(rig, file, _UPDATE)
    answer(scene, people)


def test_text_that_was_taken_when_the_worker_died_and_is_never_receipted_is_found_by_asking(
    rig: Rig, scene: Scene
) -> None:
    rig.twilio.receipts.arm("silent", times=None)
    point = "message taken by the gateway, answer not recorded"
    file = crashes.arm(rig, point)
    people = book_three_twice(scene)
    recover(rig, file, point)
    for person in people:
        scene.gets_in_time(person.number, "your demo", step=5)
    rig.push(minutes=16)
    # A question that found nobody at home, on a busy machine, is asked again minutes later.
    rig.while_time_passes(lambda: scene.books.states() == {"delivered": 3}, "every text was asked about", step=5)
    scene.books.settle(step=5)
    assert [len(scene.texts(person.number)) for person in people] == [1, 1, 1]


def book_three_twice(scene: Scene) -> list[Person]:
    """Let three deals reach the stage, each told twice and in any order."""
    scene.rig.webhooks.duplicates, scene.rig.webhooks.shuffle = 1, True
    people = [scene.person() for _ in range(3)]
    for deal in [scene.deal(person) for person in people]:
        scene.rig.hubspot.update(scene.portal_id, "deals", deal, {"dealstage": BOOKED})
    scene.rig.webhooks.flush()
    return people


def answer(scene: Scene, people: list[Person]) -> None:
    """Let one ask for another time and one opt out; everything is there once in the end."""
    scene.write(people[0].number, "RESCHEDULE")
    scene.write(people[1].number, "STOP")
    scene.books.settle(step=5)
    assert [len(scene.texts(person.number)) for person in people] == [2, 2, 1]
    assert scene.books.states() == {"delivered": 5}
    assert len(scene.tasks(people[0])) == 1
    assert scene.flag(people[1]) == "true"


def test_several_deaths_in_a_row_lose_nothing_and_send_nothing_twice(rig: Rig, scene: Scene) -> None:
    people = [scene.person() for _ in range(8)]
    deals = [scene.deal(person) for person in people]
    rig.webhooks.duplicates, rig.webhooks.shuffle, rig.webhooks.batch_size = 1, True, 5
    files = [crashes.arm(rig, point) for point in _ROW_OF_DEATHS]
    for deal in deals:
        rig.hubspot.update(scene.portal_id, "deals", deal, {"dealstage": BOOKED})
    rig.webhooks.flush()
    rig.while_time_passes(
        lambda: not any(file.exists() for file in files), "all have died", step=10, wait=60, waits_for_work=False
    )
    for person in people:
        scene.gets_in_time(person.number, "your demo", step=10, waits_for_work=False)
    scene.books.settle(step=10, wait=60, waits_for_work=False)
    assert scene.books.states() == {"delivered": len(people)}


def test_supervisor_is_told_of_a_death_and_replaces_the_worker(rig: Rig) -> None:
    eventually(lambda: "worker died" in rig.log("worker").read_text(encoding="utf-8"), "the death is logged")
