"""Is a notification of an outbound message understood as far as it says anything?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connector.adapters.crm.salesforce.notices import read_notice
from connector.domain.event import ChangeKind, ChangeNotice, ObjectRef
from tests.adapters.crm.salesforce.conftest import ORG, Salesforce

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MODIFIED = "2026-11-20T11:59:58.000Z"
AT = datetime(2026, 11, 20, 11, 59, 58, tzinfo=UTC)
DEAL, LEAD, CONTACT = "006000000000001AAA", "00Q000000000001EAA", "003000000000001AAA"


def notice(api_name: object, fields: object, **more: Any) -> ChangeNotice | None:
    body = {"organization_id": ORG, "notification_id": "04l000000000001AAA", "action_id": "04k000000000001AAA"}
    return read_notice({**body, "object": api_name, "fields": fields, **more}, NOW)


def test_a_stage_that_changed_is_this_now() -> None:
    fields = {"Id": DEAL, "StageName": "Closed Won", "Amount": "900", "OwnerId": "x", "SystemModstamp": MODIFIED}
    assert notice("Opportunity", fields) == ChangeNotice(
        ObjectRef("deal", DEAL), ChangeKind.CHANGED, AT, "StageName", "Closed Won"
    )


def test_a_priority_that_was_emptied_is_still_what_the_message_is_about() -> None:
    found = notice("Case", {"Id": "500000000000001AAA", "SystemModstamp": MODIFIED})
    assert found is not None
    assert (found.ref.object_type, found.property_name, found.property_value) == ("ticket", "Priority", None)


@pytest.mark.parametrize(("api_name", "kind", "crm_id"), [("Lead", "lead", LEAD), ("Contact", "contact", CONTACT)])
def test_a_new_person_comes_with_when_they_were_made(api_name: str, kind: str, crm_id: str) -> None:
    found = notice(api_name, {"Id": crm_id, "CreatedDate": MODIFIED})
    assert found == ChangeNotice(ObjectRef(kind, crm_id), ChangeKind.CREATED, AT)


@pytest.mark.parametrize("api_name", ["Lead", "Contact"])
def test_whatever_changed_about_a_person_they_are_read_again_as_a_contact(api_name: str) -> None:
    fields = {"Id": LEAD, "Phone": "+12025550143", "SMS_Opt_Out__c": "true", "SystemModstamp": MODIFIED}
    assert notice(api_name, fields) == ChangeNotice(
        ObjectRef("contact", LEAD), ChangeKind.CHANGED, AT, "SMS_Opt_Out__c", "true"
    )


def test_a_person_who_has_no_number_left_is_read_again() -> None:
    found = notice("Contact", {"Id": CONTACT, "SystemModstamp": MODIFIED})
    assert found is not None
    assert (found.kind, found.property_name, found.property_value) == (ChangeKind.CHANGED, "MobilePhone", None)


def test_the_status_of_a_lead_is_the_leads_own() -> None:
    found = notice("Lead", {"Id": LEAD, "Status": "Working", "SystemModstamp": MODIFIED})
    assert found is not None
    assert (found.ref, found.property_name) == (ObjectRef("lead", LEAD), "Status")


@pytest.mark.parametrize("api_name", ["Invoice__c", "bill__Invoice__c", "Invoice"])
def test_an_invoice_is_one_whatever_its_package(api_name: str) -> None:
    fields = {"Id": "a0I000000000001AAA", "bill__Due__c": "2026-11-01", "bill__Status__c": "Paid"}
    found = notice(api_name, {**fields, "SystemModstamp": MODIFIED})
    assert found is not None
    assert (found.ref.object_type, found.property_name, found.property_value) == ("invoice", "bill__Status__c", "Paid")


@pytest.mark.parametrize(
    ("fields", "more", "expected"),
    [
        ({"LastModifiedDate": MODIFIED, "CreatedDate": "2026-01-01T00:00:00.000Z"}, {}, AT),
        ({"LastModifiedDate": "sometime"}, {"received_at": MODIFIED}, AT),
        ({}, {"received_at": MODIFIED}, AT),
        ({}, {}, NOW),
    ],
)
def test_the_time_of_a_change_is_the_records_else_the_arrivals(
    fields: dict[str, str], more: dict[str, str], expected: datetime
) -> None:
    found = notice("Opportunity", {"Id": DEAL, "StageName": "New", **fields}, **more)
    assert found is not None
    assert found.occurred_at == expected


def test_an_id_of_fifteen_characters_is_kept_as_eighteen() -> None:
    found = notice("Opportunity", {"Id": DEAL[:15], "StageName": "New"})
    assert found is not None
    assert found.ref.object_id == DEAL


@pytest.mark.parametrize(
    ("api_name", "fields"),
    [
        (None, {"Id": DEAL}),
        ("Opportunity", None),
        ("Opportunity", {"StageName": "New"}),
        ("Opportunity", {"Id": "nonsense", "StageName": "New"}),
        ("Thing__c", {"Id": "a01000000000001AAA", "SystemModstamp": MODIFIED}),
    ],
)
def test_what_says_nothing_makes_no_notice(api_name: object, fields: object) -> None:
    assert notice(api_name, fields) is None


def test_the_adapter_reads_notices_by_its_own_clock(salesforce: Salesforce) -> None:
    found = salesforce.crm.read_notice({"object": "Opportunity", "fields": {"Id": DEAL, "StageName": "New"}})
    assert found is not None
    assert abs(found.occurred_at - salesforce.clock.now()).total_seconds() < 5


# Streams of changes


def streamed(api_name: str, record_id: str, change_type: str, changed: str = "", **fields: Any) -> ChangeNotice | None:
    names = [changed] if changed else []
    return notice(api_name, {"Id": record_id, **fields}, change_type=change_type, changed=names, committed_at=MODIFIED)


@pytest.mark.parametrize(
    ("change_type", "kind"),
    [("CREATE", ChangeKind.CREATED), ("DELETE", ChangeKind.DELETED), ("UNDELETE", ChangeKind.RESTORED)],
)
def test_a_stream_says_what_became_of_a_record(change_type: str, kind: ChangeKind) -> None:
    assert streamed("Opportunity", DEAL, change_type) == ChangeNotice(ObjectRef("deal", DEAL), kind, AT)


def test_a_stream_says_which_field_changed_whatever_else_it_carries() -> None:
    found = streamed("Opportunity", DEAL, "UPDATE", "Amount", Amount="900", StageName="Closed Won")
    assert found == ChangeNotice(ObjectRef("deal", DEAL), ChangeKind.CHANGED, AT, "Amount", "900")


@pytest.mark.parametrize(
    ("change_type", "changed", "kind"),
    [("UPDATE", "Phone", "contact"), ("UPDATE", "Status", "lead"), ("DELETE", "", "contact"), ("CREATE", "", "lead")],
)
def test_a_lead_of_a_stream_is_a_person_where_the_person_is_meant(change_type: str, changed: str, kind: str) -> None:
    found = streamed("Lead", LEAD, change_type, changed)
    assert found is not None
    assert found.ref == ObjectRef(kind, LEAD)


@pytest.mark.parametrize(("change_type", "changed"), [("OTHER", ""), ("UPDATE", ""), ("SOMETHING_NEW", "StageName")])
def test_what_a_stream_tells_of_nothing_we_know_is_ignored(change_type: str, changed: str) -> None:
    assert streamed("Opportunity", DEAL, change_type, changed) is None


def test_a_stream_that_names_no_record_is_ignored() -> None:
    assert notice("Opportunity", {}, change_type="UPDATE", changed=["StageName"]) is None


@pytest.mark.parametrize(
    ("origin", "is_import"),
    [("com/salesforce/api/bulkapi/68.0;client=loader", True), ("com/salesforce/api/rest/68.0", False), ("", False)],
)
def test_what_came_with_a_bulk_load_says_so(origin: str, is_import: bool) -> None:
    found = notice("Lead", {"Id": LEAD}, change_type="CREATE", changed=[], committed_at=MODIFIED, origin=origin)
    assert found is not None
    assert found.is_import is is_import
