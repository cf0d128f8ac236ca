"""Does `smsctl smpp` send and hear over its bind, come back when the link breaks, and lose nothing when it dies?"""

from __future__ import annotations

import time

import pytest

from connector.sandbox.twilio.sandbox import SENDER
from tests.e2e.scene import Person, Scene
from tests.e2e.smpp_rig import SMPPRig
from tests.waiting import eventually

pytestmark = pytest.mark.slow

_STOPS_WITHIN = 8.0  # seconds; platforms kill after 30, and two Pythons have to end on a busy machine


@pytest.fixture
def rig(smpp: SMPPRig) -> SMPPRig:
    """The rig that `scene` stands on."""
    return smpp


def send(scene: Scene, number: str, body: str, purpose: str = "transactional") -> str:
    """Let a program send one text; give the id of its message."""
    with scene.program() as program:
        return program.send(number, body, purpose=purpose).id


def state(scene: Scene, message_id: str) -> str:
    """Give the state of a message."""
    return next(each.state.value for each in scene.books.outbound() if each.id == message_id)


def reaches(scene: Scene, message_id: str, wanted: str) -> None:
    """Wait until a message is in a state; time is pushed by the test, since a code lives for minutes only."""
    eventually(lambda: state(scene, message_id) == wanted, f"the text is {wanted}", 30)


def die_with_a_submit_under_way(rig: SMPPRig, scene: Scene, purpose: str) -> tuple[Person, str]:
    """Let the SMSC take a text and say nothing, and kill the process that waits for the answer."""
    rig.smsc.automatic = ""
    person = scene.person()
    rig.smsc.arm("silent")
    message_id = send(scene, person.number, "4711 is your code", purpose)
    eventually(lambda: rig.at_smsc(person.number), "the SMSC has the text")
    rig.kill_smpp()
    return person, message_id


def test_text_its_receipt_a_reply_and_a_stop_travel_over_the_bind(rig: SMPPRig, scene: Scene) -> None:
    person = scene.person("Zoë")
    scene.book(person)
    scene.gets(person.number, "your demo")
    scene.write(person.number, "thank you", gateway="smpp")
    scene.write(person.number, "STOP", gateway="smpp")
    scene.gets(person.number, "no more texts")
    scene.book(person, "Another deal")
    scene.books.settle()
    assert scene.books.states() == {"delivered": 2}
    assert {each.source for each in rig.at_smsc(person.number)} == {SENDER.removeprefix("+")}
    assert scene.books.suppressed() == {person.number}
    shown = "\n".join(scene.timeline(person))
    assert "thank you" in shown
    assert shown.count("· delivered") == 2


def test_link_that_breaks_is_bound_again_without_a_text_lost_or_doubled(rig: SMPPRig, scene: Scene) -> None:
    people = [scene.person() for _ in range(6)]
    scene.book(people[0])
    scene.gets(people[0].number, "your demo")
    rig.smsc.cut()
    scene.book(people[1])
    rig.wait_until_bound()
    scene.gets_in_time(people[1].number, "your demo")
    rig.smsc.stop()
    for person in people[2:]:
        scene.book(person)
    scene.rig.while_time_passes(
        lambda: len(scene.books.outbound()) == len(people) and not scene.books.states()["dispatching"],
        "all are made",
        step=0,
    )
    rig.smsc.start()
    for person in people[2:]:
        scene.gets_in_time(person.number, "your demo", step=5)
    scene.books.settle(step=5)
    assert rig.smsc.calls["bind_transceiver"] >= 2
    assert [len(scene.texts(person.number)) for person in people] == [1] * len(people)
    assert scene.books.states() == {"delivered": len(people)}


def test_process_that_is_asked_to_stop_unbinds_within_seconds_and_workers_leave_its_texts_alone(
    rig: SMPPRig, scene: Scene
) -> None:
    began = time.monotonic()
    assert rig.stop_process("smpp") == 0
    assert time.monotonic() - began < _STOPS_WITHIN
    assert rig.smsc.calls["unbind"] == 1
    assert rig.smsc.bound == 0

    person = scene.person()
    scene.book(person)
    scene.rig.while_time_passes(lambda: scene.books.states()["queued"] == 1, "the text waits", step=0)
    rig.push(minutes=5)
    other = scene.person()
    scene.book(other)  # by when it waits too, workers have gone round all that is theirs
    eventually(lambda: scene.books.states()["queued"] == 2, "the next text waits as well")
    assert [each.tries for each in scene.books.outbound()] == [0, 0]
    assert rig.smsc.calls["submit_sm"] == 0

    rig.start_process("smpp")
    for each in (person, other):
        scene.gets(each.number, "your demo")
    scene.books.settle()
    assert scene.books.states() == {"delivered": 2}


def test_text_under_way_when_the_process_is_killed_waits_for_a_person(rig: SMPPRig, scene: Scene) -> None:
    person, message_id = die_with_a_submit_under_way(rig, scene, "transactional")
    rig.push(seconds=95)  # the claim of a dead process ends after ninety
    reaches(scene, message_id, "unknown")
    rig.start_process("smpp")
    rig.push(minutes=11)
    reaches(scene, message_id, "dead_letter")
    assert len(scene.texts(person.number)) == 1, "nobody sends it again without being told to"
    assert "nobody can tell whether it went out; a person has to decide" in scene.why(message_id)


def test_code_under_way_when_the_process_is_killed_is_sent_again(rig: SMPPRig, scene: Scene) -> None:
    person, message_id = die_with_a_submit_under_way(rig, scene, "otp")
    rig.smsc.automatic = "both"
    rig.push(seconds=95)
    reaches(scene, message_id, "unknown")
    rig.start_process("smpp")
    rig.push(seconds=31)  # when it is asked about, which nobody can answer
    reaches(scene, message_id, "delivered")
    assert scene.texts(person.number) == ["4711 is your code"] * 2


def test_worker_process_that_alone_is_killed_is_replaced_and_binds_again(rig: SMPPRig, scene: Scene) -> None:
    rig.kill_bound_process()
    rig.wait_until_bound()
    person = scene.person()
    scene.book(person)
    scene.gets(person.number, "your demo")
    scene.books.settle()
    assert scene.books.states() == {"delivered": 1}
