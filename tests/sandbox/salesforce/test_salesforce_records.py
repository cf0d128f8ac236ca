"""Are single records created, read, changed, upserted and deleted as at Salesforce?"""

from datetime import timedelta

import httpx
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.field_kinds import choices, text
from connector.sandbox.salesforce.refusals import RefusalError
from connector.sandbox.salesforce.world import SalesforceWorld
from tests.sandbox.salesforce.plain import ADMIN, DATA, ORG, refusal

TASKS, CONTACTS, TEXTS = f"{DATA}/sobjects/Task", f"{DATA}/sobjects/Contact", f"{DATA}/sobjects/SMS_Message__c"


def made(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    assert (answer.json()["success"], answer.json()["errors"]) == (True, [])
    return str(answer.json()["id"])


def test_a_contact_is_created_read_changed_and_deleted(api: httpx.Client, world: SalesforceWorld) -> None:
    contact = made(api.post(f"{CONTACTS}/", json={"LastName": " Lovelace ", "FirstName": "Ada", "Email": ""}))
    assert contact.startswith("003")
    assert len(contact) == 18
    seen = api.get(f"{CONTACTS}/{contact}").json()
    assert seen["attributes"] == {"type": "Contact", "url": f"{CONTACTS}/{contact}"}
    assert (seen["Name"], seen["LastName"], seen["Email"], seen["DoNotCall"]) == (
        "Ada Lovelace",
        "Lovelace",
        None,
        False,
    )
    assert seen["OwnerId"] == seen["CreatedById"] == world.user_id(ORG, ADMIN)
    changed = api.patch(f"{CONTACTS}/{contact[:15]}", json={"LastName": "King"})
    assert (changed.status_code, changed.content) == (204, b"")
    assert api.get(f"{CONTACTS}/{contact}", params={"fields": "Id,name"}).json()["Name"] == "Ada King"
    assert api.delete(f"{CONTACTS}/{contact}").status_code == 204
    refusal(api.get(f"{CONTACTS}/{contact}"), 404, "ENTITY_IS_DELETED")
    refusal(api.patch(f"{CONTACTS}/{contact}", json={"LastName": "x"}), 404, "ENTITY_IS_DELETED")
    refusal(api.delete(f"{CONTACTS}/{contact}"), 404, "ENTITY_IS_DELETED")


def test_times_are_kept_in_whole_seconds_and_move_with_every_write(
    api: httpx.Client, clock: SandboxClock, contact: str
) -> None:
    before = api.get(f"{CONTACTS}/{contact}").json()
    clock.advance(timedelta(seconds=5))
    api.patch(f"{CONTACTS}/{contact}", json={"SMS_Opt_Out_At__c": "2026-11-20T11:00:00.123+01:00"})
    after = api.get(f"{CONTACTS}/{contact}").json()
    assert after["SMS_Opt_Out_At__c"] == "2026-11-20T10:00:00.000+0000"
    assert after["CreatedDate"] == before["CreatedDate"]
    assert after["SystemModstamp"] == after["LastModifiedDate"] > before["SystemModstamp"]


def test_a_finished_task_is_closed_dated_and_follows_its_account(api: httpx.Client, world: SalesforceWorld) -> None:
    account = world.create(ORG, "Account", {"Name": "Globex"})["Id"]
    contact = world.create(ORG, "Contact", {"LastName": "Berg", "AccountId": account})["Id"]
    task = made(api.post(TASKS, json={"WhoId": contact, "Subject": "SMS", "Status": "Completed"}))
    seen = api.get(f"{TASKS}/{task}").json()
    assert (seen["IsClosed"], seen["AccountId"], seen["Priority"]) == (True, account, "Normal")
    assert seen["CompletedDateTime"] == seen["CreatedDate"]
    api.patch(f"{TASKS}/{task}", json={"Status": "Not Started"})
    assert api.get(f"{TASKS}/{task}", params={"fields": "CompletedDateTime"}).json()["CompletedDateTime"] is None


def test_an_opportunitys_stage_says_whether_it_is_won(api: httpx.Client, world: SalesforceWorld, contact: str) -> None:
    values = {"Name": "Roof", "StageName": "Closed Won", "CloseDate": "2026-12-24", "ContactId": contact}
    deal = made(api.post(f"{DATA}/sobjects/Opportunity", json=values))
    seen = api.get(f"{DATA}/sobjects/Opportunity/{deal}").json()
    assert (seen["IsClosed"], seen["IsWon"], seen["Probability"]) == (True, True, 100)
    (role,) = world.list(ORG, "OpportunityContactRole")
    assert (role["OpportunityId"], role["ContactId"], role["IsPrimary"]) == (deal, contact, True)


def test_a_case_is_numbered_and_takes_its_contacts_account(api: httpx.Client, world: SalesforceWorld) -> None:
    account = world.create(ORG, "Account", {"Name": "Globex"})["Id"]
    contact = world.create(ORG, "Contact", {"LastName": "Berg", "AccountId": account})["Id"]
    case = made(api.post(f"{DATA}/sobjects/Case", json={"Subject": "Leak", "ContactId": contact}))
    seen = api.get(f"{DATA}/sobjects/Case/{case}").json()
    assert (seen["CaseNumber"], seen["AccountId"], seen["Priority"]) == ("00000001", account, "Medium")
    api.patch(f"{DATA}/sobjects/Case/{case}", json={"Status": "Closed"})
    assert api.get(f"{DATA}/sobjects/Case/{case}").json()["ClosedDate"] is not None


@pytest.mark.parametrize(
    ("path", "body", "code", "fields"),
    [
        (CONTACTS, {"FirstName": "Ada"}, "REQUIRED_FIELD_MISSING", ["LastName"]),
        (f"{DATA}/sobjects/Lead", {"LastName": "Ada"}, "REQUIRED_FIELD_MISSING", ["Company"]),
        (CONTACTS, {"LastName": "Ada", "Favourite__c": "blue"}, "INVALID_FIELD", []),
        (CONTACTS, {"LastName": "Ada", "Id": "003000000000001"}, "INVALID_FIELD", ["Id"]),
        (CONTACTS, {"LastName": "Ada", "Name": "Ada"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Name"]),
        (CONTACTS, {"LastName": "x" * 81}, "STRING_TOO_LONG", ["LastName"]),
        (CONTACTS, {"LastName": "Ada", "Email": "ada at example"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
        (CONTACTS, {"LastName": 5}, "JSON_PARSER_ERROR", []),
        (CONTACTS, {"LastName": "Ada", "DoNotCall": "true"}, "JSON_PARSER_ERROR", []),
        (CONTACTS, {"LastName": "Ada", "DoNotCall": None}, "JSON_PARSER_ERROR", []),
        (CONTACTS, {"LastName": "Ada", "SMS_Opt_Out_At__c": "2026-11-20"}, "JSON_PARSER_ERROR", []),
        (CONTACTS, {"LastName": "Ada", "SMS_Opt_Out_At__c": "2026-13-20T10:00:00Z"}, "JSON_PARSER_ERROR", []),
        (CONTACTS, {"LastName": "Ada", "AccountId": "nobody"}, "MALFORMED_ID", ["AccountId"]),
        (CONTACTS, {"LastName": "Ada", "AccountId": "003000000000001AAA"}, "MALFORMED_ID", ["AccountId"]),
        (CONTACTS, {"LastName": "Ada", "AccountId": "001000000000001"}, "INVALID_CROSS_REFERENCE_KEY", ["AccountId"]),
        (TASKS, {"Status": "Done"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Status"]),
        (TASKS, {"Type": "SMS"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Type"]),
        (TASKS, {"TaskSubtype": "SMS"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["TaskSubtype"]),
        (TASKS, {"IsClosed": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["IsClosed"]),
        (
            TASKS,
            {"CompletedDateTime": "2026-11-20T10:00:00Z"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            ["CompletedDateTime"],
        ),
        (TASKS, {"ActivityDate": "2026-11-20T10:00:00Z"}, "JSON_PARSER_ERROR", []),
        (TASKS, {"CallDurationInSeconds": 1.5}, "JSON_PARSER_ERROR", []),
        (TASKS, {"Description": "x" * 32_001}, "STRING_TOO_LONG", ["Description"]),
        (TEXTS, {"Segments__c": 1000}, "NUMBER_OUTSIDE_VALID_RANGE", ["Segments__c"]),
        (TEXTS, {"Segments__c": "2"}, "JSON_PARSER_ERROR", []),
        (TEXTS, {"Direction__c": "Sideways"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Direction__c"]),
    ],
)
def test_a_row_that_may_not_be_is_refused_in_the_vendors_words(
    api: httpx.Client, path: str, body: dict[str, object], code: str, fields: list[str]
) -> None:
    error = refusal(api.post(path, json=body), 400, code)
    assert error.get("fields", []) == fields


def test_a_task_of_a_lead_cannot_be_related_to_anything_else(
    api: httpx.Client, world: SalesforceWorld, lead: str
) -> None:
    account = world.create(ORG, "Account", {"Name": "Globex"})["Id"]
    refusal(api.post(TASKS, json={"WhoId": lead, "WhatId": account}), 400, "FIELD_INTEGRITY_EXCEPTION")
    task = made(api.post(TASKS, json={"WhoId": lead}))
    refusal(api.patch(f"{TASKS}/{task}", json={"WhatId": account}), 400, "FIELD_INTEGRITY_EXCEPTION")


def test_a_reference_to_a_deleted_record_is_refused(api: httpx.Client, world: SalesforceWorld, contact: str) -> None:
    world.delete(ORG, "Contact", contact)
    refusal(api.post(TASKS, json={"WhoId": contact}), 400, "ENTITY_IS_DELETED")


def test_an_inactive_user_owns_nothing_new(api: httpx.Client, world: SalesforceWorld) -> None:
    left = world.add_user(ORG, "left@acme.example", is_active=False)
    refusal(api.post(TASKS, json={"OwnerId": left}), 400, "INACTIVE_OWNER_OR_USER")


def test_a_queue_may_own_a_lead_and_no_contact(api: httpx.Client, world: SalesforceWorld) -> None:
    queue = world.add_queue(ORG, "Callbacks")
    made(api.post(f"{DATA}/sobjects/Lead", json={"LastName": "A", "Company": "B", "OwnerId": queue}))
    refusal(api.post(CONTACTS, json={"LastName": "A", "OwnerId": queue}), 400, "MALFORMED_ID")


def test_a_required_field_cannot_be_emptied(api: httpx.Client, contact: str) -> None:
    refusal(api.patch(f"{CONTACTS}/{contact}", json={"LastName": None}), 400, "REQUIRED_FIELD_MISSING")


def test_a_validation_rule_refuses_one_record_with_the_admins_words(
    api: httpx.Client, world: SalesforceWorld, contact: str
) -> None:
    world.add_rule(ORG, "Task", "Subject", ".*forbidden.*", "Say it another way")
    error = refusal(api.post(TASKS, json={"Subject": "a forbidden word"}), 400, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert (error["message"], error["fields"]) == ("Say it another way", ["Subject"])
    made(api.post(TASKS, json={"Subject": "a word", "WhoId": contact}))


def test_an_object_people_set_up_is_read_only(api: httpx.Client, world: SalesforceWorld) -> None:
    body = {"LastName": "New", "Username": "new@acme.example"}
    refusal(api.post(f"{DATA}/sobjects/User", json=body), 403, "INSUFFICIENT_ACCESS_OR_READONLY")
    user = world.user_id(ORG, ADMIN)
    refusal(api.patch(f"{DATA}/sobjects/User/{user}", json={}), 403, "INSUFFICIENT_ACCESS_OR_READONLY")
    refusal(api.delete(f"{DATA}/sobjects/User/{user}"), 403, "INSUFFICIENT_ACCESS_OR_READONLY")


def test_an_upsert_creates_once_and_then_writes_over(api: httpx.Client, world: SalesforceWorld) -> None:
    path = f"{TEXTS}/External_Id__c/0190b000-7c1d"
    first = api.patch(path, json={"Status__c": "sent"})
    assert (first.status_code, first.json()["created"]) == (201, True)
    second = api.patch(path, json={"Status__c": "delivered"})
    assert (second.status_code, second.json()) == (
        200,
        {"id": first.json()["id"], "success": True, "errors": [], "created": False},
    )
    (kept,) = world.list(ORG, "SMS_Message__c")
    assert (kept["External_Id__c"], kept["Status__c"], kept["Name"]) == ("0190b000-7c1d", "delivered", "SMS-00000001")
    assert api.get(path, params={"fields": "Status__c"}).json()["Status__c"] == "delivered"


def test_external_ids_of_a_case_sensitive_field_differ_by_case(api: httpx.Client, world: SalesforceWorld) -> None:
    assert [api.patch(f"{TEXTS}/External_Id__c/{each}", json={}).status_code for each in ("ab", "aB")] == [201, 201]
    assert len(world.list(ORG, "SMS_Message__c")) == 2


def test_an_upsert_that_may_only_update_creates_nothing(api: httpx.Client, world: SalesforceWorld) -> None:
    path = f"{TEXTS}/External_Id__c/x?updateOnly=true"
    refusal(api.patch(path, json={"Status__c": "sent"}), 404, "NOT_FOUND")
    assert world.list(ORG, "SMS_Message__c") == []


def test_an_external_id_is_not_said_twice_and_must_be_one(api: httpx.Client) -> None:
    refusal(api.patch(f"{TEXTS}/External_Id__c/x", json={"external_id__c": "x"}), 400, "INVALID_FIELD")
    refusal(api.patch(f"{TEXTS}/Status__c/x", json={}), 404, "NOT_FOUND")
    refusal(api.get(f"{TEXTS}/Nope__c/x"), 404, "NOT_FOUND")
    refusal(api.get(f"{TEXTS}/External_Id__c/nobody"), 404, "NOT_FOUND")


def test_an_id_that_ends_like_a_format_is_not_found(api: httpx.Client) -> None:
    refusal(api.patch(f"{TEXTS}/External_Id__c/message.inc", json={}), 404, "NOT_FOUND")


def test_a_unique_value_is_taken_once_and_is_free_again_after_a_change(
    api: httpx.Client, world: SalesforceWorld
) -> None:
    first = world.create(ORG, "SMS_Message__c", {"External_Id__c": "r1"})["Id"]
    refusal(api.post(TEXTS, json={"External_Id__c": "r1"}), 400, "DUPLICATE_VALUE")
    world.update(ORG, "SMS_Message__c", first, {"External_Id__c": "r2"})
    made(api.post(TEXTS, json={"External_Id__c": "r1"}))
    refusal(api.post(TEXTS, json={"External_Id__c": "r2"}), 400, "DUPLICATE_VALUE")
    world.delete(ORG, "SMS_Message__c", first)
    made(api.post(TEXTS, json={"External_Id__c": "r2"}))


def test_an_external_id_that_is_not_unique_needs_view_all_and_may_fit_several(
    api: httpx.Client, world: SalesforceWorld
) -> None:
    world.org(ORG).objects["Contact"].add(text("Shop_Id__c", 40, is_external_id=True))
    ids = [world.create(ORG, "Contact", {"LastName": each, "Shop_Id__c": "7"})["Id"] for each in "ab"]
    path = f"{CONTACTS}/Shop_Id__c/7"
    refusal(api.patch(path, json={"LastName": "c"}), 403, "INSUFFICIENT_ACCESS")
    world.org(ORG).sees_all = True
    several = api.patch(path, json={"LastName": "c"})
    assert (several.status_code, several.json()) == (300, [f"{CONTACTS}/{each}" for each in ids])
    assert api.get(path).status_code == 300


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{DATA}/sobjects/Ghost/003000000000001AAA"),
        ("GET", f"{CONTACTS}/003000000000001AAA"),
        ("GET", f"{CONTACTS}/nonsense"),
        ("POST", f"{DATA}/sobjects/Ghost"),
        ("GET", f"{DATA}/nowhere"),
        ("GET", "/services/data/v67.0/limits"),
        ("GET", "/"),
    ],
)
def test_what_is_not_there_is_404_with_a_list(api: httpx.Client, method: str, path: str) -> None:
    refusal(api.request(method, path, json={} if method == "POST" else None), 404, "NOT_FOUND")


def test_a_record_is_not_found_under_another_object(api: httpx.Client, contact: str) -> None:
    refusal(api.get(f"{DATA}/sobjects/Lead/{contact}"), 404, "NOT_FOUND")


def test_a_retired_version_is_410_and_another_says_which_is_spoken(api: httpx.Client) -> None:
    refusal(api.get("/services/data/v30.0/limits"), 410, "UNSUPPORTED_API_VERSION")
    assert "68.0" in refusal(api.get("/services/data/v59.0/limits"), 404, "NOT_FOUND")["message"]


def test_a_body_must_be_a_json_object(api: httpx.Client) -> None:
    refusal(api.post(CONTACTS, content=b"{}"), 415, "UNSUPPORTED_MEDIA_TYPE")
    refusal(api.post(CONTACTS, json=[]), 400, "JSON_PARSER_ERROR")
    broken = api.post(CONTACTS, content=b"{", headers={"Content-Type": "application/json"})
    refusal(broken, 400, "JSON_PARSER_ERROR")
    refusal(api.put(CONTACTS, json={}), 405, "METHOD_NOT_ALLOWED")


def test_several_choices_are_kept_once_each_in_the_order_of_the_list(world: SalesforceWorld) -> None:
    world.org(ORG).objects["Lead"].add(choices("Wants__c", "Calls", "Texts", "Nothing"))
    lead = world.create(ORG, "Lead", {"LastName": "Okafor", "Company": "Acme", "Wants__c": "Texts; Calls;Texts;"})
    assert lead["Wants__c"] == "Calls;Texts"
    with pytest.raises(RefusalError, match="bad value for restricted picklist field: Letters"):
        world.update(ORG, "Lead", str(lead["Id"]), {"Wants__c": "Calls;Letters"})
    assert world.update(ORG, "Lead", str(lead["Id"]), {"Wants__c": ""})["Wants__c"] is None
