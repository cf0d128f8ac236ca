"""Do texts, tasks and notes stand on the timeline as they should, once each, row by row?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connector.domain.event import ObjectRef
from connector.errors import CRMError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm_writing import RecordKind
from tests.adapters.crm.contract import a_text
from tests.adapters.crm.salesforce.conftest import ORG, Salesforce
from tests.adapters.crm.salesforce.texts import an_sms, create

LOCKED = {"errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access to this record"}


def test_a_text_is_a_task_that_is_done_and_a_record_of_our_package(salesforce: Salesforce) -> None:
    contact, deal = salesforce.contact(), salesforce.deal()
    (made,) = create(salesforce, an_sms("m1", contact, associations=(ObjectRef("deal", deal),)))
    task = salesforce.task(made)
    assert (task["Status"], task["WhoId"], task["WhatId"]) == ("Completed", contact, deal)
    assert task["Subject"] == "SMS to contact, delivered: Hello Maya"
    assert (task["Description"], task["SMS_Ref__c"]) == ("Hello\nRef m1", "m1")
    assert task["ActivityDate"] == "2026-11-20"
    (text,) = salesforce.texts()
    wanted = {
        "External_Id__c": "m1",
        "Direction__c": "Outbound",
        "Status__c": "delivered",
        "Body__c": "Hello Maya",
        "From__c": "+12025550111",
        "To__c": "+12025550143",
        "Segments__c": 1,
        "Error__c": None,
        "Sent_At__c": "2026-11-20T12:00:00.000+0000",
        "Delivered_At__c": "2026-11-20T12:00:04.000+0000",
        "Contact__c": contact,
        "Lead__c": None,
        "Opportunity__c": deal,
        "Case__c": None,
    }
    assert {name: text[name] for name in wanted} == wanted


def test_a_leads_text_stands_on_the_lead_alone(salesforce: Salesforce) -> None:
    lead = salesforce.lead()
    (made,) = create(salesforce, an_sms("m1", lead, associations=(ObjectRef("deal", salesforce.deal()),)))
    assert (salesforce.task(made)["WhoId"], salesforce.task(made)["WhatId"]) == (lead, None)
    assert (salesforce.texts()[0]["Lead__c"], salesforce.texts()[0]["Contact__c"]) == (lead, None)


def test_an_update_follows_the_text_and_makes_nothing_new(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    sent = an_sms("m1", contact)
    sent = replace(sent, sms=replace(sent.sms, state="sent", delivered_at=None))  # type: ignore[type-var]
    (made,) = create(salesforce, sent)
    delivered = an_sms("m1", contact, body="Delivered. Ref m1", crm_record_id=made)
    for _ in range(2):
        assert salesforce.crm.update(salesforce.account, [delivered])[0].error is None
    assert salesforce.task(made)["Description"] == "Delivered. Ref m1"
    assert [each["Status__c"] for each in salesforce.texts()] == ["delivered"]
    assert len(salesforce.world.timeline(ORG, contact)) == 1


def test_what_people_did_with_a_task_stays(salesforce: Salesforce) -> None:
    task = a_text("t1", salesforce.contact(), kind=RecordKind.TASK, title="Call Maya")
    (made,) = create(salesforce, task)
    salesforce.world.update(ORG, "Task", str(made), {"Status": "Completed", "Priority": "Low"})
    later = replace(task, title="Called", crm_record_id=made)
    assert salesforce.crm.update(salesforce.account, [later])[0].crm_record_id == made
    held = salesforce.task(made)
    assert (held["Status"], held["Priority"], held["Subject"]) == ("Completed", "Low", "Called")


@pytest.mark.parametrize(
    ("given", "written"), [("high", "High"), ("MEDIUM", "Normal"), ("", "Normal"), ("urgent!", "Normal")]
)
def test_a_task_is_open_with_its_subject_owner_day_and_priority(
    salesforce: Salesforce, given: str, written: str
) -> None:
    owner = salesforce.world.add_user(ORG, "sam.okafor@acme.example")
    row = a_text("t1", salesforce.contact(), kind=RecordKind.TASK, title="Call Maya", owner_id=owner, priority=given)
    (made,) = create(salesforce, replace(row, is_call=True))
    held = salesforce.task(made)
    assert (held["Subject"], held["OwnerId"], held["Status"]) == ("Call Maya", owner, "Not Started")
    assert (held["Priority"], held["Type"]) == (written, "Call")


def test_a_task_may_wait_in_a_queue(salesforce: Salesforce) -> None:
    queue = salesforce.world.add_queue(ORG, "Collections")
    row = a_text("t1", salesforce.contact(), kind=RecordKind.TASK, title="Look", queue_id=queue)
    (made,) = create(salesforce, row)
    assert salesforce.task(made)["OwnerId"] == queue


def test_a_note_is_done_as_soon_as_it_stands(salesforce: Salesforce) -> None:
    row = a_text("n1", salesforce.contact(), kind=RecordKind.NOTE, body="Says it is paid.\nRef n1")
    (made,) = create(salesforce, row)
    assert (salesforce.task(made)["Status"], salesforce.task(made)["Subject"]) == (
        "Completed",
        "Note: Says it is paid.",
    )


def test_the_organisations_own_words_for_done_and_open_are_used(salesforce: Salesforce) -> None:
    salesforce.world.clear_choices(ORG, "TaskStatus")
    salesforce.world.add_choice(ORG, "TaskStatus", "Offen")
    salesforce.world.add_choice(ORG, "TaskStatus", "Erledigt", is_closed=True)
    contact = salesforce.contact()
    text, task = (
        create(salesforce, a_text("m1", contact)),
        create(salesforce, a_text("t1", contact, kind=RecordKind.TASK)),
    )
    assert [salesforce.task(each)["Status"] for each in (*text, *task)] == ["Erledigt", "Offen"]


def test_a_day_is_the_organisations_day(salesforce: Salesforce) -> None:
    late = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    account = salesforce.having(time_zone="America/New_York")
    made = salesforce.crm.create(account, [a_text("m1", salesforce.contact(), at=late)])[0].crm_record_id
    assert salesforce.task(made)["ActivityDate"] == "2026-11-20"


def test_two_hundred_texts_are_two_calls_even_with_bad_ones_among_them(salesforce: Salesforce) -> None:
    contact, nobody = salesforce.contact(), "003000000000001AAA"
    rows = [an_sms(f"r{n}", contact if n not in {57, 120} else nobody) for n in range(200)]
    results = salesforce.crm.create(salesforce.account, rows)
    assert [each.ref for each in results if isinstance(each.error, CRMRefusedError)] == ["r57", "r120"]
    assert [each.ref for each in results] == [f"r{n}" for n in range(200)]
    assert salesforce.calls("collections.SMS_Message__c.upsert") == 1
    assert len(salesforce.world.timeline(ORG, contact)) == 198


def test_more_rows_than_one_call_takes_are_cut(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    create(salesforce, *[a_text(f"r{n}", contact) for n in range(450)])
    assert salesforce.calls("collections.create") == 3


def test_rows_of_one_person_stand_together_in_a_call(salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = salesforce.contact(), salesforce.contact()
    sent: list[str] = []
    rest = type(salesforce.crm._writing.calls).rest

    def noting(self: object, account: object, what: str, path: str, **more: object) -> object:
        if what == "create Tasks":
            sent.extend(each["WhoId"] for each in more["body"]["records"])  # type: ignore[index]
        return rest(self, account, what, path, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(type(salesforce.crm._writing.calls), "rest", noting)
    create(salesforce, *[a_text(f"r{n}", (first, second)[n % 2]) for n in range(6)])
    assert sent == sorted(sent)


def test_a_locked_row_waits_alone(salesforce: Salesforce) -> None:
    free, held = salesforce.contact(), salesforce.contact()
    salesforce.world.lock_row(ORG, held, times=1)
    results = salesforce.crm.create(salesforce.account, [a_text("r1", held), a_text("r2", free)])
    assert isinstance(results[0].error, CRMUnavailableError)
    assert results[0].error.category == "UNABLE_TO_LOCK_ROW"
    assert results[0].error.retry_after is not None
    assert results[1].error is None
    assert salesforce.crm.create(salesforce.account, [a_text("r1", held)])[0].error is None
    assert len(salesforce.world.timeline(ORG, held)) == 1


def test_a_text_whose_record_is_locked_waits_whole_and_comes_out_once(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    salesforce.faults.arm("salesforce.row.SMS_Message__c.upsert", "status", body=LOCKED)
    salesforce.faults.arm("salesforce.row.SMS_Message__c.create", "status", body=LOCKED)
    rows = [an_sms("m1", contact), an_sms("m2", contact)]
    waiting = [row for row in rows if _is_waiting(salesforce.crm.create(salesforce.account, [row])[0].error)]
    assert waiting
    salesforce.faults.clear()
    create(salesforce, *waiting)
    assert sorted(str(each["External_Id__c"]) for each in salesforce.texts()) == ["m1", "m2"]
    assert len(salesforce.world.timeline(ORG, contact)) == 2


def _is_waiting(error: CRMError | None) -> bool:
    return isinstance(error, CRMUnavailableError)


def test_a_validation_rule_refuses_its_row_with_the_admins_words(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    salesforce.world.add_rule(ORG, "Task", "Subject", "Call .*", "Calls are planned elsewhere")
    rows = [
        a_text("t1", contact, kind=RecordKind.TASK, title="Call Maya"),
        a_text("t2", contact, kind=RecordKind.TASK, title="Write to Maya"),
    ]
    refused, made = salesforce.crm.create(salesforce.account, rows)
    assert isinstance(refused.error, CRMRefusedError)
    assert "Calls are planned elsewhere" in str(refused.error)
    assert made.error is None


def test_a_text_refused_as_a_record_still_stands_on_the_timeline(
    salesforce: Salesforce, caplog: pytest.LogCaptureFixture
) -> None:
    contact = salesforce.contact()
    salesforce.world.add_rule(ORG, "SMS_Message__c", "Status__c", "delivered", "No such status here")
    (made,) = salesforce.crm.create(salesforce.account, [an_sms("m1", contact)])
    (updated,) = salesforce.crm.update(salesforce.account, [an_sms("m1", contact, crm_record_id=made.crm_record_id)])
    for each in (made, updated):
        assert each.error is None
        assert "No such status here" in str(each.refused_beside)
    assert len(salesforce.world.timeline(ORG, contact)) == 1
    assert salesforce.texts() == []
    assert "No such status here" in caplog.text
    assert "Hello Maya" not in caplog.text
