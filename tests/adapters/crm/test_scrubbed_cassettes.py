"""Does nothing of anybody's survive in a recording, and does the recording stay playable?"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.adapters.crm.cassettes.exchanges import Exchange, dumped
from tests.adapters.crm.cassettes.scrubbing import Known, Scrubber, TellsTooMuchError, demand_clean

PORTAL, ORG = "48151623", "00D5g00000KxyzAEAR"
TOKEN = "pat-eu1-5f3c1e0a-77aa-4c1d-9d4e-8a0b6c2d1e3f"
SESSION = f"{ORG[:15]}!AQEAQNRaM33gk4Gk1Xh5WqK7oJ"
CONTACT, OWNER = "0035g00000AbCdEAAV", "0055g00000XyZwVAAV"
KNOWN = Known(
    {
        TOKEN: "pretend-access-0",
        SESSION: "pretend-access-0",
        PORTAL: "100000000000",
        ORG: "00D000000000001EAA",
        "s3cr3t-of-the-app": "pretend-secret-0",
    },
    {
        "nordlicht--uat.sandbox.my.salesforce.com": "acme.my.salesforce.com",
        "127.0.0.1:5000": "api.hubspot.example",
    },
    ("Hello", "Maya"),
)
SECRETS = (
    TOKEN, SESSION, PORTAL, ORG, "s3cr3t-of-the-app", "CJTh-fresh-access", "na1-fresh-refresh", "Ada", "Lovelace",
    "Engines", "ada@engines.test", "grace@engines.test", "491701234567", "1701234567", "We owe you 500",
    "Overdue since May", "907060504", "907060505", CONTACT, CONTACT[:15], OWNER,
    "nordlicht", "127.0.0.1:5000", "uuid-of-the-answer",
)  # fmt: skip
JSON = {"content-type": "application/json"}


def json_exchange(url: str, body: object, answer: object, **headers: str) -> Exchange:
    asked = {"authorization": f"Bearer {TOKEN}", **JSON, **headers}
    return Exchange("POST", url, asked, json.dumps(body), 200, JSON, json.dumps(answer))


def recording() -> list[Exchange]:
    """Everything a real portal and a real organisation may tell, in every place it may stand in."""
    person = {"firstname": "Ada", "lastname": "Lovelace", "company": "Engines", "email": "ada@engines.test"}
    numbers = {"mobilephone": "+49 170 1234567", "hs_searchable_calculated_mobile_number": "1701234567"}
    contact = {"id": "907060504", "properties": {**person, **numbers, "hs_object_id": "907060504"}}
    text = {"hs_communication_body": "We owe you 500", "hubspot_owner_id": "907060505"}
    form = f"grant_type=refresh_token&client_secret=s3cr3t-of-the-app&refresh_token={TOKEN}"
    tokens = {"access_token": "CJTh-fresh-access", "refresh_token": "na1-fresh-refresh", "hub_id": int(PORTAL)}
    hubspot, org = "http://127.0.0.1:5000", "https://nordlicht--uat.sandbox.my.salesforce.com"
    filters = [{"propertyName": "hs_object_id", "operator": "GT", "value": "907060504"}]
    filters.append({"propertyName": "phone", "operator": "EQ", "value": "+491701234567"})
    quoted = {"message": "Contact 907060504 (Ada, ada@engines.test) is locked", "correlationId": "uuid-of-the-answer"}
    query = f"{org}/services/data/v68.0/query/?q=SELECT+Id+FROM+Task+WHERE+WhoId+%3D+%27{CONTACT}%27"
    task = {"Id": "00T5g00000QqQqQEAV", "WhoId": CONTACT, "OwnerId": OWNER, "Description": "Overdue since May"}
    fresh = {"authorization": "Bearer CJTh-fresh-access"}
    told = {
        "records": [task, {"Email": "grace@engines.test", "Name": "Ada Lovelace", "Phone": "0049 1701234567"}],
        "id": f"https://login.salesforce.com/id/{ORG}/{OWNER}",
    }
    return [
        Exchange("POST", f"{hubspot}/oauth/2026-09/token", {"content-type": "application/x-www-form-urlencoded"}, form,
                 200, JSON, json.dumps(tokens)),
        json_exchange(f"{hubspot}/crm/objects/2026-09/contacts/batch/read", {"inputs": [{"id": "907060504"}]},
                      {"results": [contact]}, **fresh),
        json_exchange(f"{hubspot}/crm/objects/2026-09/contacts/search", {"filters": filters}, quoted, **fresh),
        json_exchange(f"{hubspot}/crm/objects/2026-09/communications/batch/create", {"inputs": [text]},
                      {"portalId": int(PORTAL), "results": [{"properties": text}]}, **fresh),
        json_exchange(query, {}, told, authorization=f"Bearer {SESSION}"),
        json_exchange(f"{org}/services/data/v68.0/sobjects/Task/00T5g00000QqQqQ", {}, [{"id": CONTACT[:15]}],
                      authorization=f"Bearer {SESSION}"),
    ]  # fmt: skip


@pytest.fixture
def scrubbed() -> list[Exchange]:
    return Scrubber(KNOWN).scrub(recording())


def test_of_a_recording_full_of_secrets_none_survives(scrubbed: list[Exchange]) -> None:
    told, kept = dumped(recording(), "a live account"), dumped(scrubbed, "a live account")
    assert [each for each in SECRETS if each in kept] == []
    assert [each for each in SECRETS if each not in told and each != "491701234567"] == []


def test_the_same_value_becomes_the_same_pretend_value_wherever_it_stands(scrubbed: list[Exchange]) -> None:
    token, read, search, _, query, by_id = scrubbed
    fresh = json.loads(token.answer)["access_token"]
    assert read.asked["authorization"] == f"Bearer {fresh}"
    contact = json.loads(read.answer)["results"][0]
    assert contact["id"] == contact["properties"]["hs_object_id"] == json.loads(read.body)["inputs"][0]["id"]
    assert json.loads(search.body)["filters"][0]["value"] == contact["id"]
    assert contact["id"] in json.loads(search.answer)["message"]
    assert contact["properties"]["email"] in json.loads(search.answer)["message"]
    who, task = json.loads(query.answer)["records"][0]["WhoId"], json.loads(query.answer)["records"][0]["Id"]
    assert who in query.url
    assert json.loads(by_id.answer) == [{"id": who[:15]}]
    assert by_id.url.endswith(f"/{task[:15]}")


def test_different_values_stay_different_and_ids_keep_their_order(scrubbed: list[Exchange]) -> None:
    created = json.loads(scrubbed[3].body)["inputs"][0]
    contact = json.loads(scrubbed[1].answer)["results"][0]
    assert int(contact["id"]) < int(created["hubspot_owner_id"])
    people = [contact["properties"]["email"], json.loads(scrubbed[4].answer)["records"][1]["Email"]]
    assert len(set(people)) == 2
    assert all(each.endswith("@acme.example") for each in people)


def test_what_is_scrubbed_already_stays_as_it_is(scrubbed: list[Exchange]) -> None:
    """Or a request made from an answer of a cassette would not be found in it."""
    assert Scrubber(KNOWN).scrub(scrubbed) == scrubbed


def test_what_scenes_write_and_numbers_of_fiction_stay(scrubbed: list[Exchange]) -> None:
    body = {"firstname": "Maya", "mobilephone": "+1 (202) 555-0143", "hs_communication_body": "Hello<br>Maya, Ref 12"}
    said = json_exchange("https://api.hubspot.example/x", body, {})
    (kept,) = Scrubber(KNOWN).scrub([said])
    assert json.loads(kept.body) == body


LEAKS = {
    "a HubSpot token": {"note": f"use {TOKEN}"},
    "a Salesforce session": {"note": SESSION},
    "a Salesforce refresh token": {"note": "5Aep861KIwKdekr90KlxVVUI47zdR6dX8VeBWZBS"},
    "a JSON Web Token": {"note": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln"},
    "a long random string": {"note": "q8ZrT2mP0xVbN4cLk7Jh3Gf6Ds1Aw9Ey5Ui8Oq2Z"},
    "a secret under access_token": {"access_token": "shh"},
    "a text of somebody's under lastname": {"lastname": "Lovelace"},
    "a text of somebody's under hs_note_body": {"hs_note_body": "Hello, you owe us money"},
    "a text of somebody's under phone": {"phone": "030 9018 2000"},
    "an e-mail address": {"note": "write to ada@engines.test"},
    "a phone number": {"note": "ring +49 170 1234567"},
    "an id of an organisation's": {"note": CONTACT},
    "an address of somebody's": {"note": "https://nordlicht.my.salesforce.com/x"},
    "a value that was to be taken out": {"note": f"portal {PORTAL}"},
}


def leaking(clean: Exchange, where: str, leak: str) -> Exchange:
    return replace(clean, body=leak) if where == "body" else replace(clean, answer=leak)


@pytest.mark.parametrize("what", LEAKS)
@pytest.mark.parametrize("where", ["body", "answer"])
def test_the_last_look_refuses(what: str, where: str) -> None:
    clean = json_exchange("https://api.hubspot.example/x", {}, {}, authorization="Bearer pretend-access-0")
    demand_clean([clean], KNOWN)
    with pytest.raises(TellsTooMuchError, match=what) as caught:
        demand_clean([leaking(clean, where, json.dumps(LEAKS[what]))], KNOWN)
    assert not [each for each in LEAKS[what].values() if each in str(caught.value)]


def test_the_last_look_refuses_a_token_in_a_header_and_an_address_in_a_url() -> None:
    clean = json_exchange("https://api.hubspot.example/x", {}, {}, authorization="Bearer pretend-access-0")
    for leak in (
        replace(clean, asked={**clean.asked, "authorization": "Bearer shh"}),
        replace(clean, url="https://nordlicht.my.salesforce.com/x"),
        replace(clean, url="https://api.hubspot.example/x?email=ada@engines.test"),
        replace(clean, url=f"https://api.hubspot.example/x/{CONTACT}"),
    ):
        with pytest.raises(TellsTooMuchError):
            demand_clean([leak], KNOWN)


def test_of_a_list_of_fields_only_what_we_read_is_kept() -> None:
    fields = [
        {"name": "Phone", "type": "phone", "label": "Telefon"},
        {"name": "Salary__c", "type": "double"},
        {"name": "SMS_Opt_Out__c", "type": "boolean"},
    ]
    described = Exchange(
        "GET",
        "https://acme.my.salesforce.com/services/data/v68.0/sobjects/Contact/describe",
        {"authorization": f"Bearer {SESSION}"},
        "",
        200,
        JSON,
        json.dumps({"name": "Contact", "fields": fields}),
    )
    listing = {"results": [{"name": "sms_connector_opted_out"}, {"name": "salary", "description": "What Ada earns"}]}
    listed = replace(
        described, url="https://api.hubspot.example/crm/properties/2026-09/contacts", answer=json.dumps(listing)
    )
    first, second = Scrubber(KNOWN).scrub([described, listed])
    assert json.loads(first.answer)["fields"] == [
        {"name": "Phone", "type": "phone"},
        {"name": "SMS_Opt_Out__c", "type": "boolean"},
    ]
    assert json.loads(second.answer) == {"results": [{"name": "sms_connector_opted_out"}]}
