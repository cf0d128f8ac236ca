"""Is anything lost, doubled or shown wrongly while Salesforce throttles, locks and fails, or a worker is killed?"""

from __future__ import annotations

from connector.bootstrap import SALESFORCE
from tests.e2e.salesforce_rig import BOOKED, OrgScene
from tests.e2e.scene import Person
from tests.waiting import eventually

_CREATE = "salesforce.collections.create"
_HELD = 20.0  # seconds an answer is held back: longer than it takes to kill who waits for it
_CUT = 0.1  # seconds a connection is held before it is cut: as good as a time-out, only sooner


def book_all(org: OrgScene, count: int) -> list[Person]:
    """Let opportunities of so many contacts reach the stage together."""
    people = [org.person() for _ in range(count)]
    for deal in [org.deal(person) for person in people]:
        org.rig.salesforce.update(org.org_id, "Opportunity", deal, {"StageName": BOOKED})
    org.rig.outbound.flush()
    return people


def all_arrive(org: OrgScene, people: list[Person], *, step: float = 10, waits_for_work: bool = True) -> None:
    """Let time pass until everybody has got exactly one text and the books agree."""
    org.rig.while_time_passes(
        lambda: all(org.texts(person.number) for person in people), "all phones show it", step=step, wait=60
    )
    org.books.settle(step=step, wait=60, waits_for_work=waits_for_work)
    assert [len(org.texts(person.number)) for person in people] == [1] * len(people)
    assert org.books.states() == {"delivered": len(people)}


def test_quota_that_is_gone_for_hours_delays_the_timeline_and_not_the_texts(org: OrgScene) -> None:
    person, partner = org.person("Maya"), org.person("Marcus")
    for each in (person, partner):
        org.book(each)
        org.gets(each.number, "your demo")
    org.books.settle()
    known = len(org.tasks(person))
    org.org.usage.exhaust()
    org.write(person.number, "reschedule")
    org.gets(person.number, "No problem, Maya!")
    org.write(partner.number, "STOP")
    org.rig.while_time_passes(org.books.suppressed, "the opt-out is heard")
    org.rig.push(hours=3)
    org.rig.while_time_passes(lambda: any(row.error for row in org.books.records()), "Salesforce was asked in vain")
    assert len(org.tasks(person)) == known
    assert not org.flag(partner)
    org.org.usage.used_elsewhere = 0
    org.books.settle(step=300, wait=60)
    assert org.flag(partner)
    assert len(org.texts(person.number)) == 2


def test_records_somebody_holds_and_calls_that_fail_end_in_one_task_each(org: OrgScene) -> None:
    faults, people = org.rig.faults, [org.person() for _ in range(3)]
    deals = [org.deal(person) for person in people]
    faults.arm("salesforce.row.Task.create", "status", times=2)
    faults.arm(_CREATE, "status", times=1, status=503)
    faults.arm(_CREATE, "accept_then_timeout", times=2, seconds=_CUT)
    faults.arm("salesforce.collections.SMS_Message__c.upsert", "accept_then_timeout", times=1, seconds=_CUT)
    faults.arm("salesforce.collections.update", "timeout", times=1, seconds=_CUT)
    faults.arm("salesforce.query", "status", times=1, status=500)
    for deal in deals:
        org.rig.salesforce.update(org.org_id, "Opportunity", deal, {"StageName": BOOKED})
    org.rig.salesforce.lock_row(org.org_id, people[0].crm_id, times=3)
    org.rig.outbound.flush()
    all_arrive(org, people, step=20)
    org.write(people[0].number, "STOP")
    org.books.settle(step=20)
    assert [len(org.tasks(person)) for person in people] == [4, 1, 1], "text, reply, opt-out and its confirmation"


def test_sessions_that_end_for_everybody_are_renewed_and_nothing_is_said_twice(org: OrgScene) -> None:
    people = book_all(org, 3)
    org.rig.salesforce.tokens.expire_sessions(org.org_id)
    all_arrive(org, people)
    org.rig.salesforce.tokens.expire_sessions(org.org_id)
    org.write(people[0].number, "thank you")
    org.books.settle()


def test_outbound_messages_wait_for_a_connector_that_is_away(org: OrgScene) -> None:
    org.rig.stop_process("web")
    try:
        people = book_all(org, 2)
        assert len(org.rig.outbound.waiting) >= len(people), "not acknowledged, so tried again"
    finally:
        org.rig.start_process("web")
        org.rig.wait_until_ready()
    org.rig.push(minutes=1)
    org.rig.outbound.step()
    all_arrive(org, people)
    assert org.rig.outbound.waiting == []


def test_worker_killed_while_salesforce_writes_leaves_one_task_each(org: OrgScene) -> None:
    org.rig.faults.arm(_CREATE, "accept_then_timeout", times=1, seconds=_HELD)
    people = book_all(org, 3)
    eventually(lambda: any(org.tasks(person) for person in people), "Salesforce has written what nobody was told", 40)
    org.rig.kill_workers()
    org.rig.push(minutes=11)  # past every lease of the dead
    all_arrive(org, people, waits_for_work=False)
    assert [len(org.tasks(person)) for person in people] == [1, 1, 1]


def test_worker_killed_while_the_gateway_takes_a_text_sends_it_once(org: OrgScene) -> None:
    org.rig.faults.arm("twilio.messages.create", "accept_then_timeout", times=1, seconds=_HELD)
    [person] = book_all(org, 1)
    eventually(lambda: org.rig.taken(person.number), "the gateway has taken what nobody was told", 40)
    org.rig.kill_workers()
    org.rig.push(minutes=11)
    all_arrive(org, [person], waits_for_work=False)


def test_organisation_that_takes_the_app_away_loses_no_text_that_it_asked_for(org: OrgScene) -> None:
    person = org.person()
    org.book(person)
    org.gets(person.number, "your demo")
    org.books.settle()
    org.rig.salesforce.tokens.uninstall(org.org_id)
    org.write(person.number, "STOP")
    org.rig.while_time_passes(org.books.suppressed, "the opt-out is heard without the CRM")
    org.connect()
    org.books.settle(step=60)
    assert org.flag(person)
    assert {row.crm for row in org.books.records()} == {SALESFORCE}
