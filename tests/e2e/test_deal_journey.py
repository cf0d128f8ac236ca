"""Does a deal's stage become a text, and the text a line on the contact's timeline?"""

from __future__ import annotations

from connector.sandbox.gateways.agenda import Notify
from connector.sandbox.gateways.courier import Callback
from connector.sandbox.twilio.callbacks import form_call
from connector.sandbox.twilio.forms import status_form
from tests.e2e.rig import Rig
from tests.e2e.scene import NEW, Scene
from tests.waiting import eventually


def test_deal_that_changes_its_stage_texts_the_contact_and_the_timeline_shows_it_delivered(scene: Scene) -> None:
    person = scene.person("Maya")
    scene.book(person)
    scene.gets(person.number, "Hi Maya, your demo with Sam is booked.")
    scene.books.settle()
    [shown] = scene.timeline(person)
    assert shown.startswith("SMS to contact · delivered ")
    assert scene.books.states() == {"delivered": 1}


def test_asking_for_another_time_makes_a_task_for_the_owner_and_is_acknowledged(scene: Scene) -> None:
    person = scene.person("Maya")
    scene.book(person)
    scene.gets(person.number, "Need another time?")
    scene.write(person.number, "reschedule")
    scene.gets(person.number, "No problem, Maya!")
    scene.books.settle()
    [task] = scene.tasks(person)
    assert task["hs_task_subject"] == "Maya Lindqvist wants another time for the demo"
    assert task["hubspot_owner_id"] == scene.owner_id
    [enrollment] = scene.books.enrollments()
    assert enrollment.exit_reason == "asked for another time"


def test_deal_that_leaves_the_stage_ends_the_journey_and_may_enter_again(scene: Scene) -> None:
    person = scene.person()
    deal = scene.book(person)
    scene.gets(person.number, "your demo")
    scene.change("deals", deal, dealstage=NEW)
    scene.books.settle()
    assert [each.status for each in scene.books.enrollments()] == ["ended"]
    scene.change("deals", deal, dealstage="presentationscheduled")
    scene.gets(person.number, "your demo", count=2)
    scene.books.settle()


def test_contact_without_a_number_gets_nothing_and_the_trace_says_why(scene: Scene) -> None:
    person = scene.person("Lena", number="")
    scene.book(person)
    scene.books.settle()
    assert scene.books.messages() == []
    why = scene.why(person.crm_id)
    assert "Not enrolled in demo-booked: the contact has no usable number" in why
    assert "demo-booked.yaml:" in why


def test_deal_without_a_contact_starts_nothing_and_says_so(scene: Scene) -> None:
    deal = scene.rig.hubspot.create(scene.portal_id, "deals", {"dealname": "Nobody's", "dealstage": NEW})
    scene.change("deals", str(deal["id"]), dealstage="presentationscheduled")
    scene.books.settle()
    outcomes = [each.outcome for each in scene.books.inbox("hubspot") if "deal.stage_changed" in each.outcome]
    assert outcomes
    assert all("no contact" in outcome for outcome in outcomes)


def test_text_that_comes_at_night_is_held_until_the_morning(scene: Scene) -> None:
    person = scene.person()
    scene.rig.push(hours=26 - scene.rig.clock.now().hour)  # two o'clock UTC is nine in the evening in New York
    scene.book(person)
    scene.books.settle()
    assert scene.texts(person.number) == []
    assert scene.books.states() == {"held": 1}
    [shown] = scene.timeline(person)
    assert shown.startswith("SMS to contact · held until 13:00 UTC")
    scene.rig.push(hours=11, minutes=1)
    scene.gets(person.number, "your demo")
    scene.books.settle()


def test_phone_that_is_off_is_shown_as_not_delivered_with_the_carriers_word(scene: Scene) -> None:
    person = scene.person("Maya")
    scene.rig.twilio.switch_handset(person.number, is_on=False)
    scene.book(person)
    scene.rig.while_time_passes(lambda: scene.books.states()["undelivered"] == 1, "the receipt is heard")
    scene.books.settle()
    [shown] = scene.timeline(person)
    assert shown.startswith("SMS to contact · not delivered ")
    assert "Why: the gateway reports undelivered (error 30003)" in shown


def test_number_the_gateway_refuses_is_told_to_the_owner_as_a_task_and_never_tried_again(scene: Scene) -> None:
    person = scene.person("Maya")
    refusal = {"code": 21614, "message": "not a mobile number", "status": 400}
    scene.rig.faults.arm("twilio.messages.create", "status", status=400, body=refusal)
    scene.book(person)
    scene.rig.while_time_passes(lambda: scene.tasks(person), "there is a task")
    scene.books.settle()
    assert scene.books.states() == {"failed": 1}
    [task] = scene.tasks(person)
    assert task["hs_task_subject"] == "Confirm the demo with Maya Lindqvist by phone: the text did not arrive"


def test_import_of_many_deals_texts_nobody(scene: Scene) -> None:
    people = [scene.person() for _ in range(3)]
    deals = [scene.deal(person) for person in people]
    scene.rig.webhooks.flush()
    scene.books.settle()  # what they are read with must not be the stage that the import brings
    for deal in deals:
        scene.rig.hubspot.update(scene.portal_id, "deals", deal, {"dealstage": "presentationscheduled"}, "IMPORT")
    scene.rig.webhooks.flush()
    scene.books.settle()
    assert scene.books.messages() == []
    assert "trigger.imports is off" in scene.why(people[0].crm_id)


def test_receipts_that_come_twice_and_newest_first_end_in_delivered(scene: Scene) -> None:
    scene.rig.twilio.receipts.arm("shuffled", times=2)
    scene.rig.twilio.receipts.arm("duplicated", times=2, copies=3)
    people = [scene.person(), scene.person()]
    for person in people:
        scene.book(person)
    for person in people:
        scene.gets(person.number, "your demo")
    scene.books.settle()
    assert scene.books.states() == {"delivered": 2}


def test_receipt_that_comes_again_hours_later_changes_nothing_that_is_shown(scene: Scene) -> None:
    person = scene.person()
    scene.book(person)
    scene.gets(person.number, "your demo")
    scene.books.settle()
    [shown] = scene.timeline(person)
    scene.rig.push(hours=1)
    [text] = scene.rig.twilio.messages(person.number)
    again = status_form(text, scene.rig.clock.now()) | {"RawDlrDoneDate": "2611221700"}
    known = len(scene.books.inbox("twilio.status"))
    callback = Callback("status", text.id, form_call(str(text.callback_url), again))
    scene.rig.twilio.agenda.put(scene.rig.clock.now(), Notify(callback))
    eventually(lambda: len(scene.books.inbox("twilio.status")) > known, "the receipt is in the inbox")
    scene.write(person.number, "yes")
    scene.books.settle()
    assert scene.timeline(person)[-1].splitlines()[0] == shown.splitlines()[0]


def test_silent_gateway_is_asked_after_a_while(scene: Scene) -> None:
    scene.rig.twilio.receipts.arm("silent")
    person = scene.person()
    scene.book(person)
    scene.gets(person.number, "your demo")
    scene.rig.while_time_passes(lambda: "accepted" in scene.books.states(), "the gateway took it")
    scene.rig.push(minutes=16)
    scene.books.settle()
    assert scene.books.states() == {"delivered": 1}


def test_logs_hold_no_number_no_name_and_no_text(rig: Rig, scene: Scene) -> None:
    person = scene.person("Wilhelmina")
    scene.book(person)
    scene.gets(person.number, "Hi Wilhelmina")
    scene.write(person.number, "an unusual answer")
    scene.books.settle()
    for name in ("web", "worker", "clock"):
        said = rig.log(name).read_text(encoding="utf-8")
        for secret in (person.number[1:], "Wilhelmina", "your demo", "unusual answer", "token-of-"):
            assert secret not in said, f"{name} logs {secret}"
