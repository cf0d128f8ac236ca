"""What becomes of a text that nobody can tell about, when a person decides to send it again?"""

from __future__ import annotations

import json

import pytest

from tests.e2e.processes import run_smsctl
from tests.e2e.scene import Scene
from tests.e2e.several_gateways import ON_SQLITE, SENDERS, SeveralGateways
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, ON_SQLITE]


@pytest.fixture
def rig(several: SeveralGateways) -> SeveralGateways:
    """The rig that `scene` stands on."""
    return several


def lose(rig: SeveralGateways, scene: Scene, number: str, body: str, purpose: str = "transactional") -> str:
    """Let a program send a text that gets lost on its way to Telnyx, which cannot be asked; give its message's id."""
    rig.faults.arm("telnyx.send", "timeout", times=1, seconds=0.1)
    with scene.program() as program:
        message_id = program.send(number, body, purpose=purpose, sender=SENDERS["telnyx"]).id
    rig.while_time_passes(lambda: scene.books.states()["unknown"] == 1, "nobody knows", step=0)
    rig.while_time_passes(lambda: scene.books.states()["dead_letter"] == 1, "a person has to decide", step=60)
    assert body not in scene.texts(number)
    return message_id


def replay(rig: SeveralGateways, message_id: str) -> None:
    """Decide, as an operator, that a text is sent again."""
    done = run_smsctl(rig.environment, "dlq", "replay", message_id, "--by", "sam", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"done": [message_id], "passed_over": []}


def test_text_nobody_can_tell_about_is_shown_to_operators_and_sent_once_when_they_say_so(
    rig: SeveralGateways, scene: Scene
) -> None:
    person = scene.person()
    message_id = lose(rig, scene, person.number, "Your table is ready")
    listed = run_smsctl(rig.environment, "dlq", "list", "--provider", "telnyx", "--json").stdout
    assert [each["id"] for each in json.loads(listed)] == [message_id]
    assert person.number not in listed, "numbers are masked"

    replay(rig, message_id)
    scene.gets_in_time(person.number, "Your table is ready")
    scene.books.settle()
    assert scene.texts(person.number) == ["Your table is ready"]
    assert scene.books.states() == {"delivered": 1}
    with scene.program() as program:
        decided = program.replay([message_id])
    assert (decided.done, decided.passed_over) == ((), (message_id,)), "it is no dead letter any more"
    assert "sent again by sam" in scene.why(message_id)


def test_program_sends_it_again_once_however_often_it_says_so(rig: SeveralGateways, scene: Scene) -> None:
    number = scene.number()
    message_id = lose(rig, scene, number, "Your parcel is at your door")
    with scene.program() as program:
        assert [each.id for each in program.dead_letters()] == [message_id]
        decisions = [program.replay([message_id]) for _ in range(3)]
    assert sum(message_id in decided.done for decided in decisions) == 1
    scene.gets_in_time(number, "Your parcel")
    scene.books.settle()
    assert scene.texts(number) == ["Your parcel is at your door"]


def test_opt_out_that_came_meanwhile_keeps_it_from_being_sent(rig: SeveralGateways, scene: Scene) -> None:
    number = scene.number()
    with scene.program() as program:
        program.send(number, "4711 is your code", purpose="otp")
    scene.gets(number, "4711")
    message_id = lose(rig, scene, number, "Your table is ready")
    scene.write(number, "STOP", gateway="vonage")
    eventually(lambda: scene.books.suppressed() == {number}, "the opt-out is in the ledger")
    replay(rig, message_id)
    scene.books.settle()
    assert scene.books.states()["suppressed"] == 1
    assert rig.by("telnyx", number) == rig.by("twilio", number) == []


def test_marketing_that_is_sent_again_at_night_waits_for_the_morning(rig: SeveralGateways, scene: Scene) -> None:
    number = scene.number()
    with scene.program() as program:
        program.opt_in(number, scope="marketing", wording="Texts about offers, please")
    message_id = lose(rig, scene, number, "Half price until Friday", "marketing")
    rig.push(hours=28 - rig.clock.now().hour)  # four in the morning, UTC: night from Maine to Hawaii
    replay(rig, message_id)
    rig.while_time_passes(lambda: scene.books.states()["held"] == 1, "it is held", step=0)
    assert scene.texts(number) == []
    rig.push(hours=14)
    scene.gets_in_time(number, "Half price", step=5)  # the hours open everywhere are few: they may not fly by
    scene.books.settle()
    assert scene.texts(number) == ["Half price until Friday"]
