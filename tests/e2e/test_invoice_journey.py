"""Is an overdue invoice found, reminded of three times, and left alone once it is paid?"""

from __future__ import annotations

from tests.e2e.scene import Scene
from tests.waiting import eventually

SEARCH = "hubspot.invoices.search"


def test_overdue_invoice_is_reminded_of_until_it_is_paid(scene: Scene) -> None:
    person = scene.person("Marcus")
    invoice = scene.invoice(person)
    scene.rig.push(minutes=16)  # it is polled every quarter of an hour
    scene.gets(person.number, "a quick note: invoice INV-1041 for")
    scene.books.settle()
    scene.rig.push(days=3)
    scene.gets(person.number, "is still open")
    scene.books.settle()
    scene.change("invoices", invoice, hs_invoice_status="paid", hs_balance_due="0")
    scene.books.settle()
    scene.rig.push(days=4)
    scene.books.settle()
    assert len(scene.texts(person.number)) == 2
    [enrollment] = scene.books.enrollments()
    assert enrollment.status == "ended"
    assert "invoice.paid" in enrollment.exit_reason


def test_unpaid_invoice_gets_three_reminders_and_then_a_task(scene: Scene) -> None:
    person = scene.person("Marcus")
    scene.invoice(person)
    scene.rig.push(minutes=16)
    scene.gets(person.number, "a quick note")
    for days, words in ((3, "is still open"), (4, "our last reminder")):
        scene.books.settle()
        scene.rig.push(days=days)
        scene.gets(person.number, words)
    scene.books.settle()
    scene.rig.push(days=5)
    scene.books.settle()
    assert len(scene.texts(person.number)) == 3
    [task] = scene.tasks(person)
    assert task["hs_task_subject"] == "INV-1041 is unpaid after three reminders"


def next_poll(scene: Scene) -> None:
    """Let a quarter of an hour pass, and the search that it brings."""
    before = scene.rig.hubspot.calls[SEARCH]
    scene.rig.push(minutes=16)
    eventually(lambda: scene.rig.hubspot.calls[SEARCH] > before, "the CRM is searched")


def test_invoice_found_by_every_poll_is_one_event(scene: Scene) -> None:
    person = scene.person()
    scene.invoice(person)
    for _ in range(3):
        next_poll(scene)
    scene.gets(person.number, "a quick note")
    scene.books.settle()
    assert len(scene.books.inbox("poll")) == 1
    assert len(scene.texts(person.number)) == 1
