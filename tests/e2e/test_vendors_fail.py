"""Is anything lost, doubled or shown wrongly while a vendor throttles, fails or leaves us without an answer?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.rig import Rig
from tests.e2e.scene import BOOKED, Person, Scene

pytestmark = pytest.mark.slow

SEND = "twilio.messages.create"
_CUT = 0.1  # seconds a connection is held before it is cut without an answer: as good as a time-out, only sooner


def book_all(scene: Scene, count: int) -> list[Person]:
    """Let deals of so many people reach the stage together."""
    people = [scene.person() for _ in range(count)]
    for deal in [scene.deal(person) for person in people]:
        scene.rig.hubspot.update(scene.portal_id, "deals", deal, {"dealstage": BOOKED})
    scene.rig.webhooks.flush()
    return people


def all_arrive(scene: Scene, people: list[Person], *, step: float = 10) -> None:
    """Let time pass until everybody has got exactly one text and the books agree."""
    for person in people:
        scene.gets_in_time(person.number, "your demo", step=step)
    scene.books.settle(step=step)
    assert [len(scene.texts(person.number)) for person in people] == [1] * len(people)
    assert scene.books.states() == {"delivered": len(people)}


def test_text_taken_without_an_answer_is_asked_for_and_not_sent_again(rig: Rig, scene: Scene) -> None:
    rig.twilio.receipts.arm("silent", times=None)  # no receipt tells either
    rig.faults.arm(SEND, "accept_then_timeout", times=2, seconds=_CUT)
    rig.faults.arm(SEND, "accept_then_timeout", times=1, then="reset")
    people = book_all(scene, 3)
    rig.while_time_passes(lambda: scene.books.states()["unknown"] == 3, "nobody knows", step=0)
    all_arrive(scene, people)
    assert rig.twilio.calls["messages.list"] > 0


def test_two_equal_texts_to_one_number_without_answers_are_each_found_once(rig: Rig, scene: Scene) -> None:
    rig.twilio.receipts.arm("silent", times=None)
    rig.faults.arm(SEND, "accept_then_timeout", times=2, seconds=_CUT)
    person = scene.person()
    scene.book(person, "One deal")
    scene.book(person, "Another deal")
    rig.while_time_passes(lambda: scene.books.states()["unknown"] == 2, "nobody knows", step=0)
    scene.books.settle(step=10)
    assert scene.books.states() == {"delivered": 2}
    assert len(scene.texts(person.number)) == 2


def test_text_that_never_reached_the_gateway_is_sent_once_that_is_certain(rig: Rig, scene: Scene) -> None:
    rig.faults.arm(SEND, "timeout", times=1, seconds=_CUT)
    rig.faults.arm(SEND, "reset", times=1)
    all_arrive(scene, book_all(scene, 2))


def test_gateway_that_throttles_and_fails_in_bursts_gets_each_text_once(rig: Rig, scene: Scene) -> None:
    rig.faults.arm(SEND, "status", times=5, status=429)
    rig.faults.arm(SEND, "status", times=2, status=503, headers={"Retry-After": "5"})
    rig.faults.arm(SEND, "status", times=2, status=500)
    all_arrive(scene, book_all(scene, 8))


def test_question_about_a_text_that_fails_is_asked_again(rig: Rig, scene: Scene) -> None:
    rig.twilio.receipts.arm("silent", times=None)
    rig.faults.arm(SEND, "accept_then_timeout", times=1, seconds=_CUT)
    rig.faults.arm("twilio.messages.list", "status", times=2, status=500)
    all_arrive(scene, book_all(scene, 1), step=20)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "times": 2, "status": 429},
        {"kind": "status", "times": 2, "status": 502},
        {"kind": "timeout", "times": 2, "seconds": _CUT},
        {"kind": "accept_then_timeout", "times": 2, "seconds": _CUT},
    ],
    ids=["throttled", "failing", "silent", "silent after it did the work"],
)
def test_write_back_through_a_crm_that_is(fault: dict[str, Any], rig: Rig, scene: Scene) -> None:
    """Creates, updates, flags and searches each fail for a while; the timeline equals the ledger in the end."""
    for operation in ("communications.batch_create", "communications.batch_update", "tasks.batch_create"):
        rig.faults.arm(f"hubspot.{operation}", **fault)
    rig.faults.arm("hubspot.contacts.batch_update", **fault)
    rig.faults.arm("hubspot.contacts.search", **fault)
    rig.faults.arm("hubspot.communications.search", **(fault | {"times": 1}))
    people = book_all(scene, 3)
    for person in people:
        scene.gets(person.number, "your demo")
    scene.write(people[0].number, "STOP")
    scene.write(people[1].number, "RESCHEDULE")
    scene.gets(people[1].number, "No problem")
    scene.books.settle(step=20)
    assert scene.books.states() == {"delivered": 5}
    assert scene.flag(people[0]) == "true"
    assert len(scene.tasks(people[1])) == 1


def test_crm_that_is_down_delays_the_timeline_and_not_the_texts(rig: Rig, scene: Scene) -> None:
    rig.faults.arm("hubspot.communications.*", "status", times=None, status=503)
    people = book_all(scene, 3)
    for person in people:
        scene.gets(person.number, "your demo")
    rig.while_time_passes(lambda: scene.books.states()["delivered"] == 3, "the receipts are heard")
    rig.push(hours=2)
    assert rig.hubspot.list(scene.portal_id, "communications") == []
    rig.faults.clear()
    scene.books.settle(step=60)
    assert [len(scene.timeline(person)) for person in people] == [1, 1, 1]


def test_crm_that_cannot_be_read_delays_the_journey_and_loses_no_event(rig: Rig, scene: Scene) -> None:
    rig.faults.arm("hubspot.*", "status", times=None, status=500)
    people = book_all(scene, 2)
    rig.while_time_passes(
        lambda: any(row.attempts for row in scene.books.inbox("hubspot")), "the CRM was asked in vain", step=0
    )
    rig.faults.clear()
    all_arrive(scene, people)
