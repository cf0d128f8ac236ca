"""Does an org tell what it has, what changed and what a number leads to?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.package_schema import invoice_object
from connector.sandbox.salesforce.world import SalesforceWorld
from tests.sandbox.salesforce.plain import DATA, ORG, query, refusal

PACKAGE_FIELDS = {
    "SMS_Opt_Out__c": "boolean",
    "SMS_Opt_Out_At__c": "datetime",
    "SMS_Opt_Out_Source__c": "string",
    "SMS_Opted_In_At__c": "datetime",
    "SMS_Handoff__c": "string",
}


def described(api: httpx.Client, name: str) -> dict[str, dict[str, Any]]:
    answer = api.get(f"{DATA}/sobjects/{name}/describe")
    assert answer.status_code == 200
    return {each["name"]: each for each in answer.json()["fields"]}


def test_versions_are_told_to_anybody(bare: httpx.Client) -> None:
    (one,) = bare.get("/services/data/").json()
    assert (one["version"], one["url"]) == ("68.0", DATA)


def test_all_objects_are_listed_with_their_prefixes(api: httpx.Client) -> None:
    listed = {each["name"]: each for each in api.get(f"{DATA}/sobjects/").json()["sobjects"]}
    prefixes = {name: listed[name]["keyPrefix"] for name in ("Contact", "Lead", "Opportunity", "Case", "Task", "User")}
    assert prefixes == {
        "Contact": "003",
        "Lead": "00Q",
        "Opportunity": "006",
        "Case": "500",
        "Task": "00T",
        "User": "005",
    }
    assert (listed["SMS_Message__c"]["custom"], listed["Contact"]["custom"]) == (True, False)
    assert {"Account", "OpportunityContactRole", "Organization", "ContactPointTypeConsent"} <= set(listed)
    assert api.get(f"{DATA}/sobjects/Contact").json()["objectDescribe"]["name"] == "Contact"
    assert api.get(DATA).json()["sobjects"] == f"{DATA}/sobjects"


@pytest.mark.parametrize("name", ["Contact", "Lead"])
def test_a_describe_tells_the_packages_fields(api: httpx.Client, name: str) -> None:
    fields = described(api, name)
    assert {each: fields[each]["type"] for each in PACKAGE_FIELDS} == PACKAGE_FIELDS
    assert all(fields[each]["custom"] and fields[each]["updateable"] for each in PACKAGE_FIELDS)


def test_a_describe_tells_what_matters_of_a_field(api: httpx.Client) -> None:
    task, message = described(api, "task"), described(api, "SMS_Message__c")
    assert task["WhoId"]["referenceTo"] == ["Contact", "Lead"]
    assert task["WhoId"]["polymorphicForeignKey"] is True
    assert "SMS_Message__c" not in task["WhatId"]["referenceTo"]
    assert (task["Subject"]["length"], task["Description"]["filterable"]) == (255, False)
    assert (task["IsClosed"]["createable"], task["TaskSubtype"]["updateable"]) == (False, False)
    assert "Completed" in [each["value"] for each in task["Status"]["picklistValues"]]
    own = message["External_Id__c"]
    assert (own["externalId"], own["unique"], own["caseSensitive"], own["length"]) == (True, True, True, 80)
    assert (message["Segments__c"]["precision"], message["Contact__c"]["relationshipName"]) == (3, "Contact__r")


def test_an_org_without_the_package_lacks_its_objects_and_fields(api: httpx.Client, world: SalesforceWorld) -> None:
    world.uninstall_package(ORG)
    token = world.grant(ORG, client_id="app").access_token
    api.headers["Authorization"] = f"Bearer {token}"
    refusal(api.get(f"{DATA}/sobjects/SMS_Message__c/describe"), 404, "NOT_FOUND")
    assert not set(PACKAGE_FIELDS) & set(described(api, "Contact"))
    assert "SMS_Ref__c" not in described(api, "Task")


def test_a_namespace_stands_before_every_name_of_the_package(api: httpx.Client, world: SalesforceWorld) -> None:
    world.install_package(ORG, "acme")
    assert "acme__SMS_Opt_Out__c" in described(api, "Lead")
    assert described(api, "acme__SMS_Message__c")["acme__Contact__c"]["relationshipName"] == "acme__Contact__r"


def test_an_org_may_have_stages_and_statuses_of_its_own(api: httpx.Client, world: SalesforceWorld) -> None:
    world.clear_choices(ORG, "TaskStatus")
    world.add_choice(ORG, "TaskStatus", "Offen", label="Noch offen")
    world.add_choice(ORG, "TaskStatus", "Erledigt", is_closed=True)
    rows = query(api, "SELECT ApiName, MasterLabel FROM TaskStatus WHERE IsClosed = false")
    assert [(each["ApiName"], each["MasterLabel"]) for each in rows] == [("Offen", "Noch offen")]
    values = [each["value"] for each in described(api, "Task")["Status"]["picklistValues"]]
    assert values == ["Offen", "Erledigt"]
    refusal(
        api.post(f"{DATA}/sobjects/Task", json={"Status": "Completed"}), 400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    )


def test_an_invoice_object_may_have_any_name(api: httpx.Client, world: SalesforceWorld, contact: str) -> None:
    world.add_object(ORG, invoice_object("Bill__c", "a1B", fields={"Due_Date__c": "Due__c"}))
    body = {"Name": "B-1", "Due__c": "2026-11-30", "Contact__c": contact, "CurrencyIsoCode": "EUR"}
    bill = api.post(f"{DATA}/sobjects/Bill__c", json=body).json()["id"]
    assert bill.startswith("a1B")
    assert api.post(f"{DATA}/sobjects/Task", json={"WhatId": bill}).status_code == 201


def test_the_organization_tells_zone_and_currency(api: httpx.Client, world: SalesforceWorld) -> None:
    (row,) = query(api, "SELECT Id, TimeZoneSidKey, CurrencyIsoCode FROM Organization")
    assert (row["Id"], row["TimeZoneSidKey"], row["CurrencyIsoCode"]) == (ORG, "America/New_York", "USD")


def test_an_org_with_one_currency_tells_it_by_connect_only(api: httpx.Client, world: SalesforceWorld) -> None:
    third = "00D000000000003EAA"
    world.add_org(third, username="a@b.example", currency="EUR", is_multi_currency=False, has_consent_objects=False)
    api.headers["Authorization"] = f"Bearer {world.grant(third).access_token}"
    refusal(api.get(f"{DATA}/query", params={"q": "SELECT CurrencyIsoCode FROM Organization"}), 400, "INVALID_FIELD")
    features = api.get(f"{DATA}/connect/organization").json()["features"]
    assert (features["defaultCurrencyIsoCode"], features["multiCurrency"]) == ("EUR", False)
    refusal(api.get(f"{DATA}/sobjects/ContactPointTypeConsent/describe"), 404, "NOT_FOUND")


def test_a_consent_needs_its_capture(api: httpx.Client, world: SalesforceWorld) -> None:
    person = world.create(ORG, "Individual", {"LastName": "Berg", "FirstName": "Ada"})["Id"]
    body = {
        "Name": "SMS",
        "PartyId": person,
        "ContactPointType": "Phone",
        "PrivacyConsentStatus": "OptOut",
        "CaptureDate": "2026-11-20T10:00:00Z",
        "CaptureSource": "text STOP",
        "CaptureContactPointType": "Phone",
    }
    path = f"{DATA}/sobjects/ContactPointTypeConsent"
    assert api.post(path, json=body).status_code == 201
    body.pop("CaptureSource")
    refusal(api.post(path, json=body), 400, "REQUIRED_FIELD_MISSING")
    refusal(api.post(path, json={**body, "ContactPointType": "SMS"}), 400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")


def at(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_deleted_and_updated_are_told_for_a_span(
    api: httpx.Client, world: SalesforceWorld, clock: SandboxClock, contact: str
) -> None:
    start = clock.now() - timedelta(minutes=1)
    gone = str(world.create(ORG, "Contact", {"LastName": "Gone"})["Id"])
    world.delete(ORG, "Contact", gone)
    span = {"start": at(start), "end": at(clock.now() + timedelta(minutes=2))}
    deleted = api.get(f"{DATA}/sobjects/Contact/deleted/", params=span).json()
    assert [each["id"] for each in deleted["deletedRecords"]] == [gone]
    assert set(deleted) == {"deletedRecords", "earliestDateAvailable", "latestDateCovered"}
    assert api.get(f"{DATA}/sobjects/Contact/updated/", params=span).json()["ids"] == [contact]
    before = {"start": at(start - timedelta(hours=2)), "end": at(start - timedelta(hours=1))}
    assert api.get(f"{DATA}/sobjects/Contact/deleted/", params=before).json()["deletedRecords"] == []


@pytest.mark.parametrize(
    ("start", "end"),
    [(timedelta(0), timedelta(hours=-1)), (timedelta(days=-31), timedelta(days=-5)), (timedelta(days=-2), None)],
)
def test_a_span_must_be_within_thirty_days(
    api: httpx.Client, clock: SandboxClock, start: timedelta, end: timedelta | None
) -> None:
    span = {"start": at(clock.now() + start), "end": at(clock.now() + end) if end else "yesterday"}
    answer = api.get(f"{DATA}/sobjects/Contact/updated/", params=span)
    refusal(answer, 400, "INVALID_REPLICATION_DATE")


def searched(api: httpx.Client, question: str, scope: str = "PHONE") -> list[str]:
    body = {
        "q": question,
        "in": scope,
        "fields": ["Name"],
        "sobjects": [{"name": "Contact"}, {"name": "Lead", "fields": ["Id", "Name"], "limit": 5}],
    }
    answer = api.post(f"{DATA}/parameterizedSearch", json=body)
    assert answer.status_code == 200
    return [each["Name"] for each in answer.json()["searchRecords"]]


@pytest.mark.usefixtures("contact", "lead")
def test_a_phone_is_found_however_it_is_written(api: httpx.Client) -> None:
    assert searched(api, "+12025550143") == searched(api, "(202) 555-0143") == ["Maya Lindqvist"]
    assert searched(api, "5550178") == ["Okafor"]
    assert searched(api, "0178") == searched(api, "+1 999 202-555-0143") == []


@pytest.mark.usefixtures("contact", "lead")
def test_words_are_found_at_their_beginnings_in_the_fields_asked_for(api: httpx.Client) -> None:
    assert searched(api, "maya lind", "ALL") == searched(api, "lind", "NAME") == ["Maya Lindqvist"]
    assert searched(api, "ind", "ALL") == searched(api, "maya", "EMAIL") == []
    by_get = api.get(f"{DATA}/parameterizedSearch/", params={"q": "Globex", "sobject": "Lead,Contact", "fields": "Id"})
    assert [each["attributes"]["type"] for each in by_get.json()["searchRecords"]] == ["Lead"]


def test_a_search_needs_a_question_and_a_known_group(api: httpx.Client) -> None:
    path = f"{DATA}/parameterizedSearch"
    refusal(api.post(path, json={"q": "x", "sobjects": []}), 400, "MALFORMED_SEARCH")
    refusal(api.post(path, json={"q": "xyz", "in": "MOON"}), 400, "MALFORMED_SEARCH")
    refusal(api.post(path, json={"q": "xyz", "sobjects": [{"name": "Ghost"}]}), 404, "NOT_FOUND")
