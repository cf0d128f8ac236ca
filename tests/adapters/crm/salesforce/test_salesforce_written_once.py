"""Does every text come out once, whatever gets lost, goes away or changes meanwhile?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from connector.adapters.crm.salesforce.contacts import OrgContacts
from connector.adapters.crm.salesforce.writing import OrgWriting
from connector.errors import CRMAmbiguousError, CRMError, CRMRefusedError, CRMUnavailableError
from tests.adapters.crm.contract import a_text
from tests.adapters.crm.salesforce.conftest import ORG, Salesforce
from tests.adapters.crm.salesforce.texts import an_sms, create, without_package


def test_creating_after_a_lost_answer_is_done_by_looking_first_and_nothing_is_there_twice(
    salesforce: Salesforce,
) -> None:
    contact = salesforce.contact()
    rows = [an_sms(f"m{n}", contact) for n in range(3)]
    salesforce.faults.arm("salesforce.collections.create", "accept_then_timeout", then="reset")
    with pytest.raises(CRMAmbiguousError):
        salesforce.crm.create(salesforce.account, rows)
    found = salesforce.crm.find_written(salesforce.account, [*rows, an_sms("m3", contact), an_sms("M1", contact)])
    assert set(found) == {"m0", "m1", "m2"}
    adopted = [replace(row, crm_record_id=found[row.ref]) for row in rows]
    assert [each.error for each in salesforce.crm.update(salesforce.account, adopted)] == [None] * 3
    assert len(salesforce.world.timeline(ORG, contact)) == 3
    assert len(salesforce.texts()) == 3


def test_without_the_package_texts_are_tasks_that_are_found_by_their_comments(salesforce: Salesforce) -> None:
    without_package(salesforce)
    contact, other = salesforce.contact(), salesforce.contact()
    made = create(salesforce, an_sms("m1", contact, body="Hello"), an_sms("m10", contact), an_sms("m2", other))
    found = salesforce.crm.find_written(
        salesforce.account, [an_sms(each, who) for each, who in (("m1", contact), ("m10", contact), ("m3", other))]
    )
    assert found == {"m1": made[0], "m10": made[1]}
    assert "SMS_Ref__c" not in salesforce.task(made[0])


def test_a_package_that_was_taken_away_meanwhile_is_done_without(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    create(salesforce, an_sms("m1", contact))
    without_package(salesforce)
    create(salesforce, an_sms("m2", contact))
    assert len(salesforce.world.timeline(ORG, contact)) == 2


def test_a_namespace_is_part_of_every_name_of_ours(salesforce: Salesforce) -> None:
    without_package(salesforce)
    salesforce.world.install_package(ORG, "acme")
    account, contact = salesforce.having(salesforce_namespace="acme"), salesforce.contact()
    made = salesforce.crm.create(account, [an_sms("m1", contact)])[0]
    assert salesforce.task(made.crm_record_id)["acme__SMS_Ref__c"] == "m1"
    assert [each["acme__External_Id__c"] for each in salesforce.world.list(ORG, "acme__SMS_Message__c")] == ["m1"]
    assert salesforce.crm.find_written(account, [an_sms("m1", contact)]) == {"m1": made.crm_record_id}


def test_a_text_to_somebody_merged_or_converted_meanwhile_stands_on_who_they_are_now(salesforce: Salesforce) -> None:
    master, loser, lead = salesforce.contact(), salesforce.contact(), salesforce.lead()
    salesforce.world.merge(ORG, master, loser)
    became = str(salesforce.world.convert(ORG, lead)["ConvertedContactId"])
    made = create(salesforce, a_text("m1", loser), a_text("m2", lead), a_text("m3", master))
    assert [salesforce.task(each)["WhoId"] for each in made] == [master, became, master]


def test_a_text_to_somebody_merged_or_converted_meanwhile_is_a_record_of_who_they_are_now_once(
    salesforce: Salesforce,
) -> None:
    master, loser, lead = salesforce.contact(), salesforce.contact(), salesforce.lead()
    salesforce.world.merge(ORG, master, loser)
    became = str(salesforce.world.convert(ORG, lead)["ConvertedContactId"])
    rows = [an_sms("m1", loser), an_sms("m2", lead), an_sms("m3", master)]
    made = create(salesforce, *rows)
    assert [salesforce.task(each)["WhoId"] for each in made] == [master, became, master]
    later = [replace(row, crm_record_id=task) for row, task in zip(rows, made, strict=True)]
    results = salesforce.crm.update(salesforce.account, later)
    assert [(each.error, each.refused_beside) for each in results] == [(None, None)] * 3
    texts = {each["External_Id__c"]: (each["Contact__c"], each["Lead__c"]) for each in salesforce.texts()}
    assert texts == {"m1": (master, None), "m2": (became, None), "m3": (master, None)}
    assert len(salesforce.texts()) == 3


def test_a_text_of_somebody_converted_after_it_was_sent_is_updated_under_who_they_are_now(
    salesforce: Salesforce,
) -> None:
    lead = salesforce.lead()
    (made,) = create(salesforce, an_sms("m1", lead))
    became = str(salesforce.world.convert(ORG, lead)["ConvertedContactId"])
    row = an_sms("m1", lead, crm_record_id=made)
    (updated,) = salesforce.crm.update(salesforce.account, [replace(row, sms=replace(row.sms, state="undelivered"))])  # type: ignore[type-var]
    assert (updated.error, updated.refused_beside) == (None, None)
    assert [(each["Status__c"], each["Contact__c"]) for each in salesforce.texts()] == [("undelivered", became)]


def test_a_merge_between_a_text_and_its_task_moves_both(
    salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    master, loser = salesforce.contact(), salesforce.contact()
    upsert = OrgWriting._write_texts

    def then_merged(self: OrgWriting, *given: Any) -> Any:
        written = upsert(self, *given)
        salesforce.world.merge(ORG, master, loser)
        return written

    monkeypatch.setattr(OrgWriting, "_write_texts", then_merged)
    (made,) = create(salesforce, an_sms("m1", loser))
    assert salesforce.task(made)["WhoId"] == master
    assert [each["Contact__c"] for each in salesforce.texts()] == [master]


def test_a_text_refused_under_who_they_are_now_too_is_given_with_its_task(salesforce: Salesforce) -> None:
    master, loser = salesforce.contact(), salesforce.contact()
    salesforce.world.merge(ORG, master, loser)
    salesforce.world.add_rule(ORG, "SMS_Message__c", "Contact__c", master, "No texts are kept here")
    (made,) = salesforce.crm.create(salesforce.account, [an_sms("m1", loser)])
    assert salesforce.task(made.crm_record_id)["WhoId"] == master
    assert "No texts are kept here" in str(made.refused_beside)


def test_a_text_that_cannot_follow_the_merged_yet_waits_whole_and_alone(
    salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    master, loser = salesforce.contact(), salesforce.contact()
    salesforce.world.merge(ORG, master, loser)

    def away(*_: Any) -> dict[str, str]:
        raise CRMUnavailableError("Salesforce is away", status=503)

    with monkeypatch.context() as patch:
        patch.setattr(OrgContacts, "successors", away)
        made, waiting = salesforce.crm.create(salesforce.account, [an_sms("m1", master), an_sms("m2", loser)])
    assert made.error is None
    assert isinstance(waiting.error, CRMUnavailableError)
    assert len(salesforce.world.timeline(ORG, master)) == 1
    create(salesforce, an_sms("m2", loser))
    assert [each["Contact__c"] for each in salesforce.texts()] == [master] * 2
    assert len(salesforce.world.timeline(ORG, master)) == 2


@pytest.mark.parametrize(
    ("operation", "kind", "error"),
    [
        ("salesforce.query", "status", CRMUnavailableError),  # while looking up who they are now
        ("salesforce.collections.create", "reset", CRMAmbiguousError),  # while creating theirs
    ],
)
def test_a_call_that_fails_while_following_the_merged_costs_nobody_else_their_task(
    salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch, operation: str, kind: str, error: type[CRMError]
) -> None:
    master, loser = salesforce.contact(), salesforce.contact()
    create(salesforce, a_text("m0", master))  # what is remembered is remembered
    salesforce.world.merge(ORG, master, loser)
    successors = OrgContacts.successors

    def failing(self: OrgContacts, *asked: Any) -> dict[str, str]:
        if operation == "salesforce.query":
            raise CRMUnavailableError("Salesforce is away", status=503)
        found = successors(self, *asked)
        salesforce.faults.arm(operation, kind)
        return found

    monkeypatch.setattr(OrgContacts, "successors", failing)
    made, orphan = salesforce.crm.create(salesforce.account, [a_text("m1", master), a_text("m2", loser)])
    assert salesforce.task(made.crm_record_id)["WhoId"] == master
    assert type(orphan.error) is error
    assert len(salesforce.world.timeline(ORG, master)) == 2


def test_an_organisation_that_changed_while_following_the_merged_is_looked_at_again_and_refuses_nobody_for_good(
    salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    master, loser = salesforce.contact(), salesforce.contact()
    salesforce.world.merge(ORG, master, loser)

    def refused(*_: Any) -> dict[str, str]:
        raise CRMRefusedError("No such column", status=400, category="INVALID_FIELD")

    with monkeypatch.context() as patch:
        patch.setattr(OrgContacts, "successors", refused)
        made, orphan = salesforce.crm.create(salesforce.account, [a_text("m1", master), a_text("m2", loser)])
    assert made.error is None
    assert isinstance(orphan.error, CRMUnavailableError)
    create(salesforce, a_text("m2", loser))
    assert len(salesforce.world.timeline(ORG, master)) == 2


def test_an_update_of_a_task_that_is_gone_is_refused_for_that_row(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    kept, gone = create(salesforce, a_text("r1", contact), a_text("r2", contact))
    salesforce.world.delete(ORG, "Task", str(gone))
    rows = [a_text("r1", contact, crm_record_id=kept), a_text("r2", contact, crm_record_id=gone)]
    still, refused = salesforce.crm.update(salesforce.account, rows)
    assert still.error is None
    assert isinstance(refused.error, CRMRefusedError)
    assert (refused.error.status, refused.error.category) == (404, "ENTITY_IS_DELETED")


def test_a_long_body_is_cut_but_keeps_its_reference(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    (made,) = create(salesforce, a_text("m1", contact, body="x" * 40_000))
    text = str(salesforce.task(made)["Description"])
    assert len(text) <= 32_000
    assert text.endswith("…\nm1")


def test_writers_at_the_same_time_write_everything_once(salesforce: Salesforce) -> None:
    contacts = [salesforce.contact() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(create, salesforce, *[an_sms(f"{n}-{m}", contact) for m in range(25)])
            for n, contact in enumerate(contacts)
        ]
        assert all(len(job.result()) == 25 for job in jobs)
    assert len(salesforce.texts()) == 100
    assert [len(salesforce.world.timeline(ORG, each)) for each in contacts] == [25] * 4


def test_what_one_batch_achieved_is_not_lost_when_the_next_fails(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    create(salesforce, a_text("warm", contact))
    answers = iter([None, 503])
    world_call = salesforce.crm._writing.calls.clients.of(salesforce.account)
    restful = world_call.restful

    def second_fails(path: str, **more: object) -> object:
        if path == "composite/sobjects" and next(answers) == 503:
            salesforce.faults.arm("salesforce.collections.create", "status", status=503)
        return restful(path, **more)

    world_call.restful = second_fails
    results = salesforce.crm.create(salesforce.account, [a_text(f"r{n:03}", contact) for n in range(250)])
    assert [type(each.error) for each in results[:200]] == [type(None)] * 200
    assert [type(each.error) for each in results[200:]] == [CRMAmbiguousError] * 50
