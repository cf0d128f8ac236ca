"""Is an opt-out heeded at once, everywhere, and shown?"""

from __future__ import annotations

from connector.sandbox.twilio.sandbox import SENDER
from tests.e2e.scene import Scene


def test_stop_flags_every_contact_with_the_number_is_confirmed_once_and_later_events_send_nothing(
    scene: Scene,
) -> None:
    person = scene.person("Marcus")
    partner = scene.person("Jo", number=person.number)  # never read by us before: only a search finds this one
    scene.book(person)
    scene.gets(person.number, "Hi Marcus")
    scene.write(person.number, "STOP")
    scene.write(person.number, "Stop!")
    scene.books.settle()
    assert len(scene.texts(person.number)) == 2, "the confirmation comes once"
    assert scene.books.suppressed() == {person.number}
    assert (scene.flag(person), scene.flag(partner)) == ("true", "true")
    assert any(shown.startswith("Opted out of SMS") for shown in scene.timeline(person))

    scene.book(partner, "Another deal")
    scene.book(person, "A third deal")
    scene.books.settle()
    assert len(scene.texts(person.number)) == 2
    for each in (person, partner):
        assert "Not enrolled in demo-booked: the number has opted out" in scene.why(each.crm_id)


def test_stop_suppresses_what_waits_for_the_morning(scene: Scene) -> None:
    person = scene.person()
    scene.book(person)
    scene.gets(person.number, "your demo")
    scene.books.settle()
    scene.rig.push(hours=26 - scene.rig.clock.now().hour)
    scene.book(person, "Second deal")
    scene.rig.while_time_passes(lambda: "held" in scene.books.states(), "the second text is held")
    scene.write(person.number, "stop")
    scene.books.settle()
    scene.rig.push(hours=12)
    scene.books.settle()
    assert scene.books.states() == {"delivered": 2, "suppressed": 1}  # the first text and the confirmation


def test_start_lets_texts_through_again_and_resets_the_flag(scene: Scene) -> None:
    person = scene.person()
    scene.book(person)
    scene.gets(person.number, "your demo")
    scene.write(person.number, "STOP")
    scene.books.settle()
    assert scene.flag(person) == "true"
    scene.write(person.number, "START")
    scene.books.settle()
    assert scene.flag(person) == "false"
    scene.book(person, "After the start")
    scene.gets(person.number, "your demo", count=2)
    scene.books.settle()


def test_text_that_only_holds_the_word_stop_is_an_ordinary_reply(scene: Scene) -> None:
    person = scene.person()
    scene.book(person)
    scene.gets(person.number, "your demo")
    scene.write(person.number, "We stop by your office at nine")
    scene.books.settle()
    assert scene.books.suppressed() == set()
    assert len(scene.texts(person.number)) == 1


def test_help_is_answered_also_after_a_stop(scene: Scene) -> None:
    person = scene.person()
    scene.book(person)
    scene.gets(person.number, "your demo")
    scene.write(person.number, "HELP")
    scene.books.settle()
    scene.write(person.number, "STOP")
    scene.books.settle()
    scene.write(person.number, "help")
    scene.books.settle()
    answers = [each for each in scene.books.outbound() if each.step == "help-answer"]
    assert [each.state for each in answers] == ["delivered", "delivered"]


def test_opt_out_that_only_the_carrier_knows_of_is_taken_over(scene: Scene) -> None:
    person = scene.person()
    scene.rig.twilio.opt_outs.add((SENDER, person.number))
    scene.book(person)
    scene.rig.while_time_passes(scene.books.suppressed, "the opt-out is in the ledger")
    scene.books.settle()
    assert scene.texts(person.number) == []
    assert scene.flag(person) == "true"


def test_opt_out_in_one_portal_leaves_another_portals_contacts_alone(scene: Scene) -> None:
    neighbour = Scene(scene.rig)
    person = scene.person()
    same = neighbour.person(number=person.number)
    scene.book(person)
    scene.gets(person.number, "your demo")
    scene.write(person.number, "STOP")
    scene.books.settle()
    neighbour.book(same)
    neighbour.rig.while_time_passes(lambda: neighbour.books.states()["delivered"] == 1, "the neighbour's text arrives")
    assert neighbour.flag(same) in {None, "false"}
