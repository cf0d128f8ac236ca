"""Does a query find what Salesforce would find, and is the rest refused?"""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.field_kinds import choices
from connector.sandbox.salesforce.refusals import RefusalError
from connector.sandbox.salesforce.soql_run import run_soql
from connector.sandbox.salesforce.world import SalesforceWorld
from tests.sandbox.salesforce.plain import ADMIN, DATA, ORG, OTHER_ORG, query, refusal

PEOPLE: tuple[dict[str, Any], ...] = (
    {"LastName": "Achterberg", "MobilePhone": "(312) 555-0178", "SMS_Opt_Out__c": True},
    {"LastName": "lindqvist", "MobilePhone": "+1 202-555-0143", "Email": "maya@example.com", "Wants__c": "Nothing"},
    {
        "LastName": "O'Brien",
        "Title": "100% sure",
        "SMS_Opted_In_At__c": "2026-11-20T10:00:00Z",
        "Wants__c": "Texts; Calls",
    },
    {"LastName": "Sundaram_X", "Phone": "+44 7700 900461", "SMS_Opted_In_At__c": "2026-11-21T10:00:00Z"},
)


@pytest.fixture(autouse=True)
def _people(world: SalesforceWorld) -> None:
    world.org(ORG).objects["Contact"].add(choices("Wants__c", "Calls", "Texts", "Nothing"))
    account = world.create(ORG, "Account", {"Name": "Globex"})["Id"]
    for number, values in enumerate(PEOPLE):
        world.create(ORG, "Contact", {**values, **({"AccountId": account} if number == 1 else {})})
    world.create(OTHER_ORG, "Contact", {"LastName": "Foreign"})


def names(api: httpx.Client, condition: str) -> list[str]:
    found = query(api, f"SELECT LastName FROM Contact WHERE {condition}")  # noqa: S608 - conditions of this module
    return [str(each["LastName"])[0] for each in found]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("LastName = 'LINDQVIST'", "l"),
        ("LastName != 'Lindqvist'", "AOS"),
        ("LastName <> 'Lindqvist'", "AOS"),
        ("LastName = 'O\\'Brien'", "O"),
        ("LastName < 'm'", "Al"),
        ("lastname >= 'O'", "OS"),
        ("LastName IN ('lindqvist', 'o\\'brien')", "lO"),
        ("LastName NOT IN ('lindqvist', 'o\\'brien')", "AS"),
        ("Email = null", "AOS"),
        ("Email != null", "l"),
        ("Email != 'maya@example.com'", "AOS"),
        ("Email NOT IN ('maya@example.com')", "AOS"),
        ("Email = ''", "AOS"),
        ("SMS_Opt_Out__c = true", "A"),
        ("SMS_Opt_Out__c != TRUE", "lOS"),
        ("SMS_Opted_In_At__c > 2026-11-20T10:00:00Z", "S"),
        ("SMS_Opted_In_At__c >= 2026-11-20T11:00:00+01:00", "OS"),
        ("SMS_Opted_In_At__c < 2026-11-21T00:00:00.000Z", "O"),
        ("MobilePhone LIKE '%0143'", "l"),
        ("MobilePhone LIKE '%555%' AND SMS_Opt_Out__c = false", "l"),
        ("LastName LIKE '_chter%'", "A"),
        ("LastName LIKE 'sundaram\\_x'", "S"),
        ("LastName LIKE 'O_Brien'", "O"),
        ("Title LIKE '100\\% %'", "O"),
        ("LastName LIKE 'Brien'", ""),
        ("(Phone LIKE '%0461' OR MobilePhone LIKE '%0143') AND LastName != 'x'", "lS"),
        ("NOT LastName LIKE 'A%'", "lOS"),
        ("NOT (LastName LIKE 'A%' OR Email != null)", "OS"),
        ("Account.Name = 'globex'", "l"),
        ("Contact.LastName = 'Achterberg'", "A"),
        ("Owner.IsActive = true AND Account.Owner.Username != null", "l"),
        ("AccountId = null", "AOS"),
        ("Wants__c INCLUDES ('texts')", "O"),
        ("Wants__c includes ('Nothing', 'Calls')", "lO"),
        ("Wants__c INCLUDES ('Texts;Calls', 'Elsewhere')", "O"),
        ("Wants__c INCLUDES ('Texts;Nothing')", ""),
        ("NOT Wants__c INCLUDES ('Texts')", "AlS"),
        ("Wants__c = 'Texts'", ""),
        ("Wants__c = 'Texts;Calls'", "O"),
        ("Wants__c != 'Calls;Texts'", "AlS"),
        ("Wants__c IN ('Calls', 'Nothing')", "l"),
        ("Wants__c = null", "AS"),
    ],
)
def test_a_condition_finds_what_it_says(api: httpx.Client, condition: str, found: str) -> None:
    assert "".join(names(api, condition)) == found


def test_ids_are_compared_in_fifteen_or_eighteen_characters(api: httpx.Client, world: SalesforceWorld) -> None:
    first = str(world.list(ORG, "Contact")[0]["Id"])
    assert names(api, f"Id = '{first[:15]}'") == names(api, f"Id IN ('{first}')") == ["A"]


def test_numbers_and_dates_are_compared_as_such(api: httpx.Client, world: SalesforceWorld) -> None:
    for name, due, balance in (("I1", "2026-11-01", 90.5), ("I2", "2026-12-01", 100)):
        world.create(ORG, "Invoice__c", {"Name": name, "Due_Date__c": due, "Balance__c": balance})
    soql = "SELECT Name, Balance__c FROM Invoice__c WHERE Due_Date__c < 2026-11-20 AND Balance__c > 90"
    assert [(each["Name"], each["Balance__c"]) for each in query(api, soql)] == [("I1", 90.5)]
    assert query(api, "SELECT Id FROM Invoice__c WHERE Balance__c = -1") == []


def test_relationships_are_objects_or_null(api: httpx.Client, contact: str, lead: str, world: SalesforceWorld) -> None:
    for who in (contact, lead, None):
        world.create(ORG, "Task", {"WhoId": who, "Subject": "x"})
    rows = query(api, "SELECT Subject, Who.Id, Who.Type, Who.Name, Owner.Name FROM Task ORDER BY CreatedDate")
    assert [each["Who"] and (each["Who"]["Id"], each["Who"]["Type"]) for each in rows] == [
        (contact, "Contact"),
        (lead, "Lead"),
        None,
    ]
    assert rows[0]["Who"]["Name"] == "Maya Lindqvist"
    assert rows[0]["Who"]["attributes"] == {"type": "Contact", "url": f"{DATA}/sobjects/Contact/{contact}"}
    assert rows[0]["Owner"]["Name"] == "admin"


def test_a_custom_relationship_is_followed_by_r(api: httpx.Client, world: SalesforceWorld, contact: str) -> None:
    world.create(ORG, "SMS_Message__c", {"External_Id__c": "a", "Contact__c": contact})
    (row,) = query(api, "SELECT Contact__r.MobilePhone FROM SMS_Message__c WHERE Contact__r.LastName = 'Lindqvist'")
    assert row["Contact__r"]["MobilePhone"] == "+1 202-555-0143"


def test_rows_come_in_the_order_asked_for_nulls_first(api: httpx.Client) -> None:
    def ordered(by: str) -> str:
        rows = query(api, f"SELECT LastName FROM Contact ORDER BY {by}")  # noqa: S608 - as above
        return "".join(str(each["LastName"])[0] for each in rows)

    assert ordered("LastName") == "AlOS"
    assert ordered("LastName DESC LIMIT 2") == "SO"
    assert ordered("SMS_Opted_In_At__c, LastName") == "AlOS"
    assert ordered("SMS_Opted_In_At__c DESC NULLS LAST, LastName ASC") == "SOAl"
    assert ordered("Email NULLS FIRST, LastName LIMIT 3") == "AOS"


def test_deleted_rows_are_found_by_query_all_only(api: httpx.Client, world: SalesforceWorld, contact: str) -> None:
    world.delete(ORG, "Contact", contact)
    soql = "SELECT Id, IsDeleted FROM Contact WHERE LastName = 'Lindqvist' AND FirstName = 'Maya'"
    assert query(api, soql) == []
    assert [(each["Id"], each["IsDeleted"]) for each in query(api, soql, "queryAll")] == [(contact, True)]


def test_a_purged_row_is_found_by_nobody(api: httpx.Client, world: SalesforceWorld, contact: str) -> None:
    world.purge(ORG, "Contact", contact)
    assert contact not in [each["Id"] for each in query(api, "SELECT Id FROM Contact", "queryAll")]


@pytest.mark.parametrize(
    "soql",
    [
        "",
        "SELECT",
        "SELECT Id",
        "SELECT * FROM Contact",
        "SELECT Id, FROM Contact",
        "SELECT Id Name FROM Contact",
        "SELECT Id, id FROM Contact",
        "SELECT COUNT() FROM Contact",
        "SELECT Id FROM Contact c",
        "SELECT Id FROM Contact WHERE",
        "SELECT Id FROM Contact WHERE LastName",
        "SELECT Id FROM Contact WHERE LastName = ",
        "SELECT Id FROM Contact WHERE LastName = Lindqvist",
        'SELECT Id FROM Contact WHERE LastName = "x"',
        "SELECT Id FROM Contact WHERE LastName = 'x",
        "SELECT Id FROM Contact WHERE LastName = 'O'Brien'",
        "SELECT Id FROM Contact WHERE LastName = '\\q'",
        "SELECT Id FROM Contact WHERE LastName == 'x'",
        "SELECT Id FROM Contact WHERE LastName IS NULL",
        "SELECT Id FROM Contact WHERE LastName IN ()",
        "SELECT Id FROM Contact WHERE LastName IN 'x'",
        "SELECT Id FROM Contact WHERE Wants__c INCLUDES 'Texts'",
        "SELECT Id FROM Contact WHERE Wants__c INCLUDES ()",
        "SELECT Id FROM Contact WHERE Wants__c NOT INCLUDES ('Texts')",
        "SELECT Id FROM Contact ORDER BY Wants__c",
        "SELECT Id FROM Contact WHERE LastName LIKE 5",
        "SELECT Id FROM Contact WHERE (LastName = 'x'",
        "SELECT Id FROM Contact WHERE LastName = 'x' AND Email = 'y' OR Email = 'z'",
        "SELECT Id FROM Contact WHERE CreatedDate > 2026-11-20T10:00:00",
        "SELECT Id FROM Contact ORDER LastName",
        "SELECT Id FROM Contact ORDER BY LastName NULLS",
        "SELECT Id FROM Contact ORDER BY Description",
        "SELECT Id FROM Contact LIMIT all",
        "SELECT Id FROM Contact LIMIT 1 OFFSET 2",
        "SELECT Id FROM Contact GROUP BY LastName",
        "SELECT Id, (SELECT Id FROM Tasks) FROM Contact",
        "SELECT Id FROM Contact; DELETE",
        "UPDATE Contact",
        "SELECT Id FROM Contact WHERE LastName = '" + "x" * 200_000 + "'",
    ],
)
def test_what_cannot_be_read_is_a_malformed_query(world: SalesforceWorld, soql: str) -> None:
    with pytest.raises(RefusalError) as told:
        run_soql(world.org(ORG), soql)
    assert (told.value.status, told.value.code) == (400, "MALFORMED_QUERY")


def test_a_malformed_query_says_where(api: httpx.Client) -> None:
    answer = api.get(f"{DATA}/query", params={"q": "SELECT Id\nFROM Contact WHERE Nope"})
    error = refusal(answer, 400, "MALFORMED_QUERY")
    assert "ERROR at Row:2:Column:24" in error["message"]
    assert "unexpected token: '<EOF>'" in error["message"]
    refusal(api.get(f"{DATA}/query"), 400, "MALFORMED_QUERY")


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Nope FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Nope = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact ORDER BY Nope", "INVALID_FIELD"),
        ("SELECT Nope.Name FROM Contact", "INVALID_FIELD"),
        ("SELECT Who.MobilePhone FROM Task", "INVALID_FIELD"),
        ("SELECT Owner.Owner.Name FROM Lead", "INVALID_FIELD"),
        ("SELECT Account.Owner.CreatedBy.CreatedBy.CreatedBy.CreatedBy.Name FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Ghost__c", "INVALID_TYPE"),
        ("SELECT Id FROM Task WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM SMS_Message__c WHERE Body__c LIKE 'x%'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE DoNotCall = 'true'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE LastName = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE CreatedDate > '2026-11-20T10:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE CreatedDate > 2026-11-20", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE CreatedDate > 2026-13-20T10:00:00Z", "INVALID_FIELD"),
        ("SELECT Id FROM Task WHERE ActivityDate = 2026-02-30", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE Id LIKE '003%'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE DoNotCall > false", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE CreatedDate > null", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE LastName INCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE LeadSource INCLUDES ('Web')", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE Wants__c LIKE 'Te%'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE Wants__c > 'Texts'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE Wants__c INCLUDES (null)", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Wants__c INCLUDES (5)", "INVALID_FIELD"),
    ],
)
def test_a_query_that_does_not_fit_the_schema_is_refused(api: httpx.Client, soql: str, code: str) -> None:
    refusal(api.get(f"{DATA}/query", params={"q": soql}), 400, code)


def test_a_long_result_comes_in_pages(api: httpx.Client, world: SalesforceWorld, clock: SandboxClock) -> None:
    world.query_batch = 3
    for number in range(4):
        world.create(ORG, "Task", {"Subject": str(number)})
    first = api.get(f"{DATA}/query", params={"q": "SELECT Subject FROM Task ORDER BY Subject"}).json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (4, False, 3)
    assert first["nextRecordsUrl"].startswith(f"{DATA}/query/01g")
    assert first["nextRecordsUrl"].endswith("-3")
    rest = api.get(first["nextRecordsUrl"]).json()
    assert (rest["totalSize"], rest["done"], [each["Subject"] for each in rest["records"]]) == (4, True, ["3"])
    assert "nextRecordsUrl" not in rest
    foreign = {"Authorization": f"Bearer {world.grant(OTHER_ORG, client_id='app').access_token}"}
    refusal(api.get(first["nextRecordsUrl"], headers=foreign), 400, "INVALID_QUERY_LOCATOR")
    refusal(api.get(f"{DATA}/query/nonsense"), 400, "INVALID_QUERY_LOCATOR")
    refusal(api.get(first["nextRecordsUrl"].replace("-3", "-9")), 400, "INVALID_QUERY_LOCATOR")
    clock.advance(timedelta(days=2))
    again = {"Authorization": f"Bearer {world.grant(ORG, client_id='app').access_token}"}
    refusal(api.get(first["nextRecordsUrl"], headers=again), 400, "INVALID_QUERY_LOCATOR")


def test_smaller_pages_may_be_asked_for_but_none_below_two_hundred(api: httpx.Client, world: SalesforceWorld) -> None:
    for number in range(201):
        world.create(ORG, "Task", {"Subject": str(number)})
    headers = {"Sforce-Query-Options": "batchSize=50"}
    page = api.get(f"{DATA}/query", params={"q": "SELECT Id FROM Task"}, headers=headers).json()
    assert len(page["records"]) == 200


def test_an_address_that_is_too_long_is_414(api: httpx.Client) -> None:
    soql = "SELECT Id FROM Contact WHERE LastName = '" + "x" * 17_000 + "'"
    refusal(api.get(f"{DATA}/query", params={"q": soql}), 414, "URI_TOO_LONG")


def test_one_org_sees_nothing_of_another(api: httpx.Client) -> None:
    assert "F" not in names(api, "LastName != null")
    assert [each["Username"] for each in query(api, "SELECT Username FROM User")] == [ADMIN]
    assert [each["Id"] for each in query(api, "SELECT Id FROM Organization")] == [ORG]
