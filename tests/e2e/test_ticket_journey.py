"""Does an urgent ticket reach its owner and its customer, and escalate on silence?"""

from __future__ import annotations

from tests.e2e.scene import Person, Scene


def urgent(scene: Scene) -> Person:
    """A customer whose ticket has just become urgent, with both texts sent."""
    person = scene.person("Priya")
    ticket = scene.ticket(person)
    scene.change("tickets", ticket, hs_ticket_priority="URGENT")
    scene.gets(scene.owner_number, "URGENT: Priya Lindqvist")
    scene.gets(person.number, "now has top priority")
    scene.books.settle()
    return person


def test_urgent_ticket_nobody_takes_escalates_to_the_owner(scene: Scene) -> None:
    person = urgent(scene)
    scene.rig.push(minutes=15)
    scene.gets(scene.owner_number, "STILL OPEN: nobody has taken")
    scene.books.settle()
    [task] = scene.tasks(person)
    assert task["hs_task_subject"] == "Nobody has taken the urgent ticket of Priya Lindqvist"
    assert len(scene.texts(person.number)) == 1


def test_owner_who_takes_the_ticket_by_text_has_it_told_to_the_customer(scene: Scene) -> None:
    person = urgent(scene)
    scene.write(scene.owner_number, "ack")
    scene.gets(person.number, "is working on your request right now")
    scene.books.settle()
    scene.rig.push(minutes=20)
    scene.books.settle()
    assert len(scene.texts(scene.owner_number)) == 1
    assert scene.tasks(person) == []
