"""Does a workflow of HubSpot's that texts somebody branch on what became of the text?"""

from __future__ import annotations

from connector.sandbox.hubspot.workflow_actions import Execution, Stands
from tests.e2e.scene import Person, Scene

INPUTS = {"message_kind": "text", "body": "Your survey is on Friday. Does that suit you?", "purpose": "transactional"}


def run(scene: Scene, person: Person, **inputs: str) -> str:
    """Let a workflow reach the action with a contact."""
    return scene.rig.workflows.run(scene.portal_id, "CONTACT", person.crm_id, INPUTS | inputs)


def goes_on(scene: Scene, callback_id: str) -> Execution:
    """Let time pass until a workflow goes on."""

    def has_gone_on() -> bool:
        return scene.rig.workflows.execution(callback_id).stands is not Stands.WAITING

    scene.rig.while_time_passes(has_gone_on, "the workflow goes on", step=1)
    return scene.rig.workflows.execution(callback_id)


def test_workflow_that_waits_until_delivered_goes_on_with_the_receipt(scene: Scene) -> None:
    person = scene.person()
    callback_id = run(scene, person, wait_for="delivered")
    assert scene.rig.workflows.execution(callback_id).stands is Stands.WAITING
    scene.gets(person.number, "Your survey is on Friday")
    execution = goes_on(scene, callback_id)
    assert (execution.stands, execution.outputs["sms_result"]) == (Stands.DONE, "delivered")
    assert execution.outputs["sms_message_id"] == scene.books.outbound()[0].id
    scene.books.settle()
    assert any("delivered" in shown for shown in scene.timeline(person))


def test_workflow_that_waits_for_a_reply_goes_on_with_its_words(scene: Scene) -> None:
    person = scene.person()
    deal = scene.deal(person)
    callback_id = scene.rig.workflows.run(
        scene.portal_id, "DEAL", deal, INPUTS | {"wait_for": "reply", "wait_minutes": "60"}
    )
    scene.gets(person.number, "Does that suit you?")
    scene.books.settle()
    assert scene.rig.workflows.execution(callback_id).stands is Stands.WAITING
    scene.write(person.number, "Friday is fine")
    execution = goes_on(scene, callback_id)
    assert (execution.outputs["sms_result"], execution.outputs["sms_reply"]) == ("replied", "Friday is fine")
    assert execution.completions == 1


def test_workflow_hears_of_an_opt_out_and_the_next_one_at_once(scene: Scene) -> None:
    person = scene.person()
    callback_id = run(scene, person, wait_for="reply")
    scene.gets(person.number, "Your survey is on Friday")
    scene.write(person.number, "STOP")
    assert goes_on(scene, callback_id).outputs["sms_result"] == "opted_out"
    scene.books.settle()
    texts = len(scene.texts(person.number))
    again = goes_on(scene, run(scene, person, wait_for="delivered"))
    assert again.outputs["sms_result"] == "opted_out"
    assert len(scene.texts(person.number)) == texts


def test_ten_duplicate_calls_are_one_text_and_one_answer(scene: Scene) -> None:
    person = scene.person()
    scene.rig.workflows.duplicates = 9
    try:
        callback_id = run(scene, person)
    finally:
        scene.rig.workflows.duplicates = 0
    execution = scene.rig.workflows.execution(callback_id)
    assert execution.statuses == [200] * 10
    assert all(answer == execution.answers[0] for answer in execution.answers)
    scene.gets(person.number, "Your survey is on Friday")
    scene.books.settle()
    assert len(scene.texts(person.number)) == 1


def test_number_that_cannot_be_reached_is_told_as_undelivered(scene: Scene) -> None:
    person = scene.person()
    scene.rig.twilio.switch_handset(person.number, is_on=False)
    callback_id = run(scene, person, wait_for="delivered")
    assert goes_on(scene, callback_id).outputs["sms_result"] == "undelivered"


def test_workflow_goes_on_by_itself_when_nobody_answers(scene: Scene) -> None:
    person = scene.person()
    callback_id = run(scene, person, wait_for="reply", wait_minutes="5")
    scene.gets(person.number, "Your survey is on Friday")
    scene.books.settle()
    scene.rig.push(minutes=6)
    assert scene.rig.workflows.execution(callback_id).stands is Stands.EXPIRED
