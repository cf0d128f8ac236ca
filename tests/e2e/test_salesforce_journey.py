"""Does a stage in Salesforce become a text, and the text a Task and a record that follow it to its end?"""

from __future__ import annotations

from tests.e2e.processes import run_smsctl
from tests.e2e.salesforce_rig import BOOKED, NEW, OPT_OUT, OrgScene, SalesforceRig


def test_stage_that_changes_texts_the_contact_and_is_shown_delivered_once(org: OrgScene) -> None:
    person = org.person("Maya")
    deal = org.book(person)
    org.gets(person.number, "Hi Maya, your demo with Sam is booked.")
    org.books.settle()
    [task] = org.tasks(person)
    assert task["Subject"].startswith("SMS to contact, delivered: Hi Maya")
    assert (task["Status"], task["WhatId"]) == ("Completed", deal)
    [record] = org.messages(person)
    assert (record["Direction__c"], record["Status__c"]) == ("Outbound", "delivered")
    assert record["To__c"] == person.number
    assert record["Delivered_At__c"] >= record["Sent_At__c"]
    assert record["Opportunity__c"] == deal
    assert org.books.states() == {"delivered": 1}


def test_outbound_message_that_comes_five_times_and_in_any_order_sends_one_text(org: OrgScene) -> None:
    org.rig.outbound.duplicates, org.rig.outbound.shuffle, org.rig.outbound.batch_size = 4, True, 2
    people = [org.person() for _ in range(3)]
    for person in people:
        org.book(person)
    for person in people:
        org.gets(person.number, "your demo")
    org.books.settle()
    assert [len(org.texts(person.number)) for person in people] == [1, 1, 1]
    told = {each.external_id for each in org.books.inbox("salesforce")}
    assert len(told) == len(org.books.inbox("salesforce")), "a notification is kept once"


def test_answer_from_the_phone_is_a_task_of_its_own_and_one_for_the_owner(org: OrgScene) -> None:
    person = org.person("Maya")
    org.book(person)
    org.gets(person.number, "Need another time?")
    org.write(person.number, "reschedule")
    org.gets(person.number, "No problem, Maya!")
    org.books.settle()
    subjects = [str(task["Subject"]) for task in org.tasks(person)]
    assert sum(each.startswith("SMS from contact, received: reschedule") for each in subjects) == 1
    [asked] = [task for task in org.tasks(person) if not str(task["Subject"]).startswith("SMS")]
    assert asked["Subject"] == "Maya Lindqvist wants another time for the demo"
    assert (asked["OwnerId"], asked["Status"]) == (org.owner_id, "Not Started")
    assert [each["Direction__c"] for each in org.messages(person)].count("Inbound") == 1


def test_stop_ticks_the_box_on_every_contact_and_lead_with_the_number(org: OrgScene) -> None:
    person = org.person("Marcus")
    partner, lead = org.person("Jo", number=person.number), org.lead("Kit", number=person.number)
    other = org.person("Priya")
    org.book(person)
    org.gets(person.number, "Hi Marcus")
    org.write(person.number, "STOP")
    org.write(person.number, "Stop!")
    org.books.settle()
    assert [org.flag(each) for each in (person, partner, lead, other)] == [True, True, True, False]
    assert len(org.texts(person.number)) == 2, "the confirmation comes once"
    org.book(partner, "Another deal")
    org.books.settle()
    assert len(org.texts(person.number)) == 2
    assert "Not enrolled in demo-booked: the number has opted out" in org.why(partner.crm_id)


def test_start_takes_the_tick_off_again(org: OrgScene) -> None:
    person = org.person()
    org.book(person)
    org.gets(person.number, "your demo")
    org.write(person.number, "STOP")
    org.books.settle()
    assert org.flag(person)
    org.write(person.number, "START")
    org.books.settle()
    assert not org.flag(person)


def test_box_that_a_person_ticks_suppresses_the_text_that_waits(org: OrgScene) -> None:
    person = org.person()
    org.rig.push(hours=26 - org.rig.clock.now().hour)  # two in the morning UTC: night in New York
    org.book(person)
    org.rig.while_time_passes(lambda: "held" in org.books.states(), "the text is held for the morning")
    org.change("Contact", person.crm_id, **{OPT_OUT: True})
    org.rig.while_time_passes(org.books.suppressed, "the tick is heard")
    org.rig.push(hours=12)
    org.books.settle()
    assert org.texts(person.number) == []
    assert org.books.states() == {"suppressed": 1}
    org.change("Opportunity", org.deal(person), StageName=BOOKED)
    org.books.settle()
    assert org.texts(person.number) == []


def test_deal_that_leaves_the_stage_ends_the_journey_and_may_enter_again(org: OrgScene) -> None:
    person = org.person()
    deal = org.book(person)
    org.gets(person.number, "your demo")
    org.change("Opportunity", deal, StageName=NEW)
    org.books.settle()
    assert [each.status for each in org.books.enrollments()] == ["ended"]
    org.change("Opportunity", deal, StageName=BOOKED)
    org.gets(person.number, "your demo", count=2)
    org.books.settle()


def test_organisation_set_up_by_command_is_heard_at_the_address_it_prints(salesforce: SalesforceRig) -> None:
    salesforce.begin_test()
    org = OrgScene(salesforce)
    org.org.outbound_messages.clear()
    command = ("salesforce", "setup", "--account", org.org_id, "--user", org.admin)
    done = run_smsctl(salesforce.environment, *command)
    assert done.returncode == 0, done.stderr
    assert "Opportunity.SMS_Opportunity_Changed: made" in done.stdout
    person = org.person()
    org.book(person)
    org.gets(person.number, "your demo")
    org.books.settle()
