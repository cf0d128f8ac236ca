"""Do rows of one call fail one by one inside HTTP 200, and stand or fall together when asked?"""

import httpx
import pytest

from connector.sandbox.faults import Faults
from connector.sandbox.salesforce.field_kinds import text
from connector.sandbox.salesforce.outbound import OutboundMessageSender
from connector.sandbox.salesforce.world import SalesforceWorld
from tests.sandbox.salesforce.plain import DATA, ORG, OTHER_ORG, record, refusal, row_error

ROWS = f"{DATA}/composite/sobjects"
UPSERT = f"{ROWS}/SMS_Message__c/External_Id__c"


def test_rows_are_created_in_their_order_and_fail_one_by_one(
    api: httpx.Client, world: SalesforceWorld, contact: str
) -> None:
    rows = [
        record("Task", Subject="one", WhoId=contact),
        record("Task", Subject="x" * 256),
        record("Task", Subject="two", WhoId=contact),
    ]
    answer = api.post(ROWS, json={"allOrNone": False, "records": rows})
    assert answer.status_code == 200
    one, wrong, two = answer.json()
    assert row_error(wrong) == "STRING_TOO_LONG"
    assert [world.get(ORG, "Task", each["id"])["Subject"] for each in (one, two)] == ["one", "two"]
    assert (one["success"], one["errors"], "created" in one) == (True, [], False)


def test_all_or_none_takes_everything_back_and_says_so(
    api: httpx.Client, world: SalesforceWorld, sender: OutboundMessageSender, contact: str
) -> None:
    sender.subscribe(ORG, "Contact", "http://127.0.0.1:9/", ["LastName"])
    rows = [
        record("Contact", Id=contact, LastName="changed"),
        record("Contact", Id=contact[:-3] + "AAZ", LastName="never"),
    ]
    good, bad = api.patch(ROWS, json={"allOrNone": True, "records": rows}).json()
    assert (row_error(good), row_error(bad)) == ("ALL_OR_NONE_OPERATION_ROLLED_BACK", "MALFORMED_ID")
    assert world.get(ORG, "Contact", contact)["LastName"] == "Lindqvist"
    assert sender.waiting == []


def test_a_text_undone_by_all_or_none_may_be_written_again(api: httpx.Client, world: SalesforceWorld) -> None:
    rows = [record("SMS_Message__c", External_Id__c="a"), record("SMS_Message__c", External_Id__c="b", Nope__c=1)]
    api.patch(UPSERT, json={"allOrNone": True, "records": rows})
    assert world.list(ORG, "SMS_Message__c") == []
    (row,) = api.patch(UPSERT, json={"records": rows[:1]}).json()
    assert row["created"] is True


def test_rows_are_changed_by_id(api: httpx.Client, world: SalesforceWorld, contact: str, lead: str) -> None:
    rows = [
        record("Contact", Id=contact, SMS_Opt_Out__c=True),
        record("Lead", id=lead, SMS_Opt_Out__c=True),
        record("Lead", id=lead, SMS_Opt_Out__c=False),
        record("Contact", SMS_Opt_Out__c=True),
        record("Contact", Id="003000000000009AAA"),
        record("Ghost__c", Id="003000000000008AAA"),
    ]
    results = api.patch(ROWS, json={"records": rows}).json()
    assert [each["success"] for each in results] == [True, True, False, False, False, False]
    assert [row_error(each) for each in results[2:]] == [
        "DUPLICATE_VALUE",
        "MALFORMED_ID",
        "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_TYPE",
    ]
    assert world.get(ORG, "Lead", lead)["SMS_Opt_Out__c"] is True


def test_an_upsert_says_which_rows_are_new(api: httpx.Client, world: SalesforceWorld, contact: str) -> None:
    first = api.patch(UPSERT, json={"records": [record("SMS_Message__c", External_Id__c="m1", Contact__c=contact)]})
    rows = [
        record("SMS_Message__c", External_Id__c="m1", Status__c="delivered"),
        record("SMS_Message__c", External_Id__c="m2", Segments__c=2),
        record("SMS_Message__c", Segments__c=2),
        record("Task", External_Id__c="m3"),
        record("SMS_Message__c", External_Id__c="m4", Contact__c=contact.replace("003", "001", 1)),
    ]
    again, new, unnamed, other, wrong = api.patch(UPSERT, json={"records": rows}).json()
    assert (again["created"], new["created"]) == (False, True)
    assert again["id"] == first.json()[0]["id"]
    assert [row_error(each) for each in (unnamed, other, wrong)] == ["MISSING_ARGUMENT", "INVALID_TYPE", "MALFORMED_ID"]
    kept = world.get(ORG, "SMS_Message__c", again["id"])
    assert (kept["Status__c"], kept["Contact__c"]) == ("delivered", contact)


def test_an_external_id_twice_in_one_call_refuses_both_rows(api: httpx.Client, world: SalesforceWorld) -> None:
    rows = [record("SMS_Message__c", External_Id__c="m1") for _ in range(2)]
    results = api.patch(UPSERT, json={"records": rows}).json()
    assert [row_error(each) for each in results] == ["DUPLICATE_VALUE", "DUPLICATE_VALUE"]
    assert world.list(ORG, "SMS_Message__c") == []


def test_several_records_with_one_external_id_refuse_the_row(api: httpx.Client, world: SalesforceWorld) -> None:
    org = world.org(ORG)
    org.objects["Contact"].add(text("Shop_Id__c", 40, is_external_id=True))
    org.sees_all = True
    for name in "ab":
        world.create(ORG, "Contact", {"LastName": name, "Shop_Id__c": "7"})
    answer = api.patch(f"{ROWS}/Contact/Shop_Id__c", json={"records": [record("Contact", Shop_Id__c="7")]})
    assert row_error(answer.json()[0]) == "DUPLICATE_EXTERNAL_ID"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([record("Task")] * 201, "EXCEEDED_ID_LIMIT"),
        ([record("Task"), record("Case")] * 6, "LIMIT_EXCEEDED"),
        ([{"Subject": "x"}], "INVALID_INPUT"),
        ([], "JSON_PARSER_ERROR"),
        (["x"], "JSON_PARSER_ERROR"),
    ],
)
def test_a_call_that_cannot_be_read_is_400_and_writes_nothing(
    api: httpx.Client, world: SalesforceWorld, rows: list[object], code: str
) -> None:
    refusal(api.post(ROWS, json={"records": rows}), 400, code)
    assert world.list(ORG, "Task") == []


def test_ten_runs_of_objects_and_two_hundred_rows_are_taken(api: httpx.Client) -> None:
    mixed = [record("Task"), record("Case")] * 5
    assert all(each["success"] for each in api.post(ROWS, json={"records": mixed}).json())
    assert len(api.post(ROWS, json={"records": [record("Task")] * 200}).json()) == 200


def test_all_or_none_is_true_or_false(api: httpx.Client) -> None:
    refusal(api.post(ROWS, json={"allOrNone": "no", "records": [record("Task")]}), 400, "JSON_PARSER_ERROR")


def test_a_field_the_org_does_not_have_refuses_the_row_or_the_call(api: httpx.Client, world: SalesforceWorld) -> None:
    rows = [record("Task", Subject="good"), record("Task", Subject="bad", Nope__c=1)]
    assert [each["success"] for each in api.post(ROWS, json={"records": rows}).json()] == [True, False]
    world.unknown_field_refuses_call = True
    refusal(api.post(ROWS, json={"records": rows}), 400, "INVALID_FIELD")
    assert [each["Subject"] for each in world.list(ORG, "Task")] == ["good"]


def test_a_row_that_cannot_be_locked_is_told_inside_200(api: httpx.Client, faults: Faults, contact: str) -> None:
    faults.arm("salesforce.row.Task.create", "status")
    rows = [record("Task", WhoId=contact)] * 2
    locked, good = api.post(ROWS, json={"records": rows}).json()
    assert (row_error(locked), good["success"]) == ("UNABLE_TO_LOCK_ROW", True)


def test_a_held_parent_locks_its_children_until_it_is_let_go(
    api: httpx.Client, world: SalesforceWorld, contact: str
) -> None:
    world.lock_row(ORG, contact, times=2)
    rows = [record("Task", WhoId=contact)] * 3
    results = api.post(ROWS, json={"records": rows}).json()
    assert [each["success"] for each in results] == [False, False, True]
    world.lock_row(ORG, contact)
    refusal(api.post(f"{DATA}/sobjects/Task", json={"WhoId": contact}), 400, "UNABLE_TO_LOCK_ROW")
    refusal(api.patch(f"{DATA}/sobjects/Contact/{contact}", json={"Title": "x"}), 400, "UNABLE_TO_LOCK_ROW")
    refusal(api.delete(f"{DATA}/sobjects/Contact/{contact}"), 400, "UNABLE_TO_LOCK_ROW")
    world.unlock_row(ORG, contact)
    assert api.post(f"{DATA}/sobjects/Task", json={"WhoId": contact}).status_code == 201


def test_a_rows_fault_may_say_what_is_wrong(api: httpx.Client, faults: Faults) -> None:
    body = {"errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "not today"}
    faults.arm("salesforce.row.SMS_Message__c.*", "status", body=body)
    answer = api.patch(UPSERT, json={"records": [record("SMS_Message__c", External_Id__c="a")]})
    assert row_error(answer.json()[0]) == "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def test_records_are_fetched_by_ids_with_null_for_what_is_not_there(
    api: httpx.Client, world: SalesforceWorld, contact: str
) -> None:
    gone = str(world.create(ORG, "Contact", {"LastName": "Gone"})["Id"])
    world.delete(ORG, "Contact", gone)
    foreign = str(world.create(OTHER_ORG, "Contact", {"LastName": "Foreign"})["Id"])
    ids = [foreign, contact, gone]
    by_get = api.get(f"{ROWS}/Contact", params={"ids": ",".join(ids), "fields": "Id,LastName"}).json()
    by_post = api.post(f"{ROWS}/Contact", json={"ids": ids, "fields": ["Id", "LastName"]}).json()
    assert by_get == by_post
    assert [each and each["LastName"] for each in by_get] == [None, "Lindqvist", None]
    refusal(api.post(f"{ROWS}/Contact", json={"ids": ids}), 400, "MISSING_ARGUMENT")
    refusal(api.post(f"{ROWS}/Contact", json={"ids": ids, "fields": ["Nope"]}), 400, "INVALID_FIELD")
    refusal(api.post(f"{ROWS}/Contact", json={"ids": ids * 700, "fields": ["Id"]}), 400, "EXCEEDED_ID_LIMIT")


def test_rows_are_deleted_by_ids(api: httpx.Client, world: SalesforceWorld, contact: str, lead: str) -> None:
    first, again, unknown = api.delete(ROWS, params={"ids": f"{contact},{contact},003000000000001AAA"}).json()
    assert first["success"] is True
    assert (row_error(again), row_error(unknown)) == ("ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY")
    undone = api.delete(ROWS, params={"ids": f"{lead},003000000000001AAA", "allOrNone": "true"}).json()
    assert row_error(undone[0]) == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert world.get(ORG, "Lead", lead)["IsDeleted"] is False
