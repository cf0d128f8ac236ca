"""What becomes of records when people merge, convert, delete and look at them?"""

from typing import Any

import httpx
import pytest

from connector.sandbox.salesforce.ids import full_id, normal_id
from connector.sandbox.salesforce.refusals import RefusalError
from connector.sandbox.salesforce.running import DEMO_HOST, run
from connector.sandbox.salesforce.world import SalesforceWorld
from tests.sandbox.salesforce.plain import ADMIN, DATA, ORG, OTHER_ORG, query, refusal


def test_an_id_of_fifteen_characters_has_one_of_eighteen() -> None:
    assert full_id("00D000000000062") == "00D000000000062EAA"
    assert full_id("001A0000006Vm9r") == "001A0000006Vm9rIAC"
    assert normal_id("001A0000006Vm9rIAC") == normal_id("001A0000006Vm9r") == "001A0000006Vm9rIAC"
    assert [normal_id(each) for each in ("001A0000006Vm9rAAA", "x", "001A0000006Vm9-", 5, None)] == [None] * 5


def test_a_merged_contact_is_deleted_and_leads_to_its_master(
    api: httpx.Client, world: SalesforceWorld, contact: str
) -> None:
    loser = str(world.create(ORG, "Contact", {"LastName": "Lindquist", "Title": "CEO"})["Id"])
    task = world.create(ORG, "Task", {"WhoId": loser, "Subject": "x"})["Id"]
    text = world.create(ORG, "SMS_Message__c", {"External_Id__c": "a", "Contact__c": loser})["Id"]
    world.merge(ORG, contact, loser)
    soql = "SELECT Id, IsDeleted, MasterRecordId FROM Contact WHERE LastName = 'Lindquist'"
    assert query(api, soql) == []
    (gone,) = query(api, soql, "queryAll")
    assert (gone["Id"], gone["IsDeleted"], gone["MasterRecordId"]) == (loser, True, contact)
    assert [each["Id"] for each in world.timeline(ORG, contact)] == [task]
    assert world.get(ORG, "SMS_Message__c", text)["Contact__c"] == contact
    refusal(api.get(f"{DATA}/sobjects/Contact/{loser}"), 404, "ENTITY_IS_DELETED")


def test_only_two_records_of_one_object_are_merged(world: SalesforceWorld, contact: str, lead: str) -> None:
    with pytest.raises(RefusalError) as told:
        world.merge(ORG, contact, contact)
    assert told.value.code == "INVALID_MERGE_RECORD"
    with pytest.raises(RefusalError):
        world.merge(ORG, contact, lead)


def test_a_converted_lead_becomes_a_contact_with_its_tasks_and_is_closed(
    api: httpx.Client, world: SalesforceWorld, lead: str
) -> None:
    world.update(ORG, "Lead", lead, {"SMS_Opt_Out__c": True})
    task = world.create(ORG, "Task", {"WhoId": lead, "Subject": "x"})["Id"]
    converted = world.convert(ORG, lead, deal_name="Roof")
    assert (converted["IsConverted"], converted["Status"]) == (True, "Closed - Converted")
    contact = world.get(ORG, "Contact", converted["ConvertedContactId"])
    assert (contact["LastName"], contact["Phone"], contact["SMS_Opt_Out__c"]) == ("Okafor", "+12025550178", True)
    assert world.get(ORG, "Account", converted["ConvertedAccountId"])["Name"] == "Globex"
    assert world.get(ORG, "Opportunity", converted["ConvertedOpportunityId"])["Name"] == "Roof"
    assert [each["Id"] for each in world.timeline(ORG, contact["Id"])] == [task]
    (seen,) = query(api, "SELECT IsConverted, ConvertedContactId FROM Lead")
    assert (seen["IsConverted"], seen["ConvertedContactId"]) == (True, contact["Id"])
    body = {"SMS_Opt_Out__c": False}
    refusal(api.patch(f"{DATA}/sobjects/Lead/{lead}", json=body), 400, "CANNOT_UPDATE_CONVERTED_LEAD")
    refusal(api.post(f"{DATA}/sobjects/Task", json={"WhoId": lead}), 400, "CANNOT_UPDATE_CONVERTED_LEAD")


def test_a_lead_may_be_converted_into_a_contact_that_is_there_and_only_once(
    world: SalesforceWorld, lead: str, contact: str
) -> None:
    assert world.convert(ORG, lead, contact_id=contact)["ConvertedContactId"] == contact
    with pytest.raises(RefusalError):
        world.convert(ORG, lead)


def test_what_hangs_on_a_deleted_contact_goes_with_it(world: SalesforceWorld, contact: str) -> None:
    values = {"Name": "Roof", "StageName": "Prospecting", "CloseDate": "2026-12-24", "ContactId": contact}
    deal = world.create(ORG, "Opportunity", values)["Id"]
    alone = world.create(ORG, "Task", {"WhoId": contact})["Id"]
    shared = world.create(ORG, "Task", {"WhoId": contact, "WhatId": deal})["Id"]
    case = world.create(ORG, "Case", {"ContactId": contact})["Id"]
    world.delete(ORG, "Contact", contact)
    assert world.list(ORG, "OpportunityContactRole") == []
    assert [each["Id"] for each in world.list(ORG, "Task")] == [shared]
    assert world.get(ORG, "Task", alone)["IsDeleted"] is True
    assert world.get(ORG, "Task", shared)["WhoId"] is None
    assert world.get(ORG, "Case", case)["ContactId"] is None


def test_a_timeline_is_the_tasks_of_a_person_newest_first(world: SalesforceWorld, contact: str, lead: str) -> None:
    ids = [world.create(ORG, "Task", {"WhoId": contact, "Subject": str(n)})["Id"] for n in range(3)]
    world.create(ORG, "Task", {"WhoId": lead})
    assert [each["Id"] for each in world.timeline(ORG, contact[:15])] == ids[::-1]


def test_another_orgs_records_are_not_there(api: httpx.Client, world: SalesforceWorld, contact: str) -> None:
    foreign = str(world.create(OTHER_ORG, "Contact", {"LastName": "Foreign"})["Id"])
    for method in ("GET", "PATCH", "DELETE"):
        body = {"LastName": "x"} if method == "PATCH" else None
        refusal(api.request(method, f"{DATA}/sobjects/Contact/{foreign}", json=body), 404, "NOT_FOUND")
    refusal(api.post(f"{DATA}/sobjects/Task", json={"WhoId": foreign}), 400, "INVALID_CROSS_REFERENCE_KEY")
    with pytest.raises(RefusalError):
        world.get(OTHER_ORG, "Contact", contact)
    assert world.get(OTHER_ORG, "Contact", foreign)["LastName"] == "Foreign"


def test_an_org_is_opened_once_and_under_an_organization_id(world: SalesforceWorld) -> None:
    with pytest.raises(ValueError, match="there already"):
        world.add_org(ORG[:15], username="x@y.example")
    with pytest.raises(ValueError, match="no organization id"):
        world.add_org("003000000000001", username="x@y.example")


# --- without a token, over HTTP ----------------------------------------------------------------------


def post(bare: httpx.Client, path: str, body: dict[str, Any] | None = None, status: int = 200) -> Any:
    answer = bare.post(f"/_sandbox/{path}", json=body or {})
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def test_people_work_over_http_too(bare: httpx.Client, world: SalesforceWorld, lead: str) -> None:
    made = post(bare, f"records/{ORG}/Contact", {"LastName": "Berg"}, 201)["Id"]
    assert bare.patch(f"/_sandbox/records/{ORG}/Contact/{made}", json={"Title": "CEO"}).json()["Title"] == "CEO"
    assert [each["Id"] for each in bare.get(f"/_sandbox/records/{ORG}/Contact").json()] == [made]
    assert bare.get(f"/_sandbox/records/{ORG}/Contact/{made}").json()["LastName"] == "Berg"
    world.create(ORG, "Task", {"WhoId": made, "Subject": "x"})
    assert [each["Subject"] for each in bare.get(f"/_sandbox/timeline/{ORG}/{made}").json()] == ["x"]
    other = post(bare, f"records/{ORG}/Contact", {"LastName": "Berg"}, 201)["Id"]
    assert post(bare, f"merge/{ORG}", {"master": made, "loser": other})["Id"] == made
    assert post(bare, f"convert/{ORG}", {"lead": lead, "contact": made})["ConvertedContactId"] == made
    assert bare.delete(f"/_sandbox/records/{ORG}/Contact/{made}").status_code == 204
    assert [each["id"] for each in bare.get("/_sandbox/orgs").json()] == [ORG, OTHER_ORG]
    refusal(bare.post(f"/_sandbox/merge/{ORG}", json={}), 400, "INVALID_INPUT")


def test_admins_work_over_http_too(bare: httpx.Client, api: httpx.Client, world: SalesforceWorld, contact: str) -> None:
    assert post(bare, f"quota/{ORG}", {"limit": 10, "used_elsewhere": 10}) == {"used": 10, "limit": 10}
    refusal(api.get(f"{DATA}/limits"), 403, "REQUEST_LIMIT_EXCEEDED")
    post(bare, f"quota/{ORG}", {"used_elsewhere": 0})
    rule = {"object": "Task", "field": "Subject", "pattern": "no", "message": "not so"}
    post(bare, f"rules/{ORG}", rule, 204)
    refusal(api.post(f"{DATA}/sobjects/Task", json={"Subject": "no"}), 400, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    post(bare, f"locks/{ORG}", {"id": contact, "times": 1}, 204)
    refusal(api.post(f"{DATA}/sobjects/Task", json={"WhoId": contact}), 400, "UNABLE_TO_LOCK_ROW")
    post(bare, f"locks/{ORG}", {"id": contact}, 204)
    assert bare.delete(f"/_sandbox/locks/{ORG}/{contact}").status_code == 204
    assert api.post(f"{DATA}/sobjects/Task", json={"WhoId": contact}).status_code == 201
    assert bare.get("/_sandbox/calls").json()["salesforce.sobjects.Task.create"] == 3
    post(bare, f"expire/{ORG}", None, 204)
    refusal(api.get(f"{DATA}/limits"), 401, "INVALID_SESSION_ID")
    post(bare, f"uninstall/{ORG}", None, 204)
    assert "SMS_Message__c" not in world.org(ORG).objects


def test_users_have_ids_by_name(world: SalesforceWorld) -> None:
    rep = world.add_user(ORG, "rep@acme.example", FirstName="Sam", LastName="Okafor", MobilePhone="+12025550199")
    assert world.user_id(ORG, "REP@acme.example") == rep
    assert world.get(ORG, "User", rep)["Name"] == "Sam Okafor"
    assert world.user_id(ORG, ADMIN) == world.org(ORG).user_id
    with pytest.raises(RefusalError):
        world.user_id(OTHER_ORG, "rep@acme.example")


def test_a_seeded_org_is_served_at_once(bare: httpx.Client) -> None:
    running = run(0, seed=1)
    try:
        headers = {"Authorization": f"Bearer {running.tokens.access_token}"}
        soql = {"q": "SELECT Contact.Name, Priority FROM Case ORDER BY CaseNumber"}
        rows = bare.get(f"{running.url}{DATA}/query", params=soql, headers=headers).json()["records"]
        assert [each["Contact"]["Name"] for each in rows] == ["Maya Lindqvist", "Jonah Achterberg", "Priya Sundaram"]
        assert running.sender.waiting == []
        form = {"grant_type": "refresh_token", "refresh_token": running.tokens.refresh_token}
        app = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        told = bare.post(f"{running.url}/services/oauth2/token", data=form | app).json()
        assert told["instance_url"] == f"https://{DEMO_HOST}"
    finally:
        running.stop()
