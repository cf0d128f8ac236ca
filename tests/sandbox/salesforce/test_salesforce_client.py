"""Does the library people use against Salesforce take the pretend one for real?"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)
from simple_salesforce.format import format_external_id, format_soql

from connector.sandbox.salesforce.field_kinds import text
from connector.sandbox.salesforce.world import SalesforceWorld
from connector.sandbox.serve import Server
from tests.sandbox.salesforce.plain import APP, ORG, record

HOST = "acme.my.salesforce.com"


class Redirecting(HTTPAdapter):
    """Carries requests for the org's host to the sandbox, whose URLs are plain http."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        request.headers["Host"] = parts.netloc
        request.url = f"{self._url}{parts.path}{'?' if parts.query else ''}{parts.query}"
        return super().send(request, *args, **kwargs)


@pytest.fixture
def sf(server: Server, world: SalesforceWorld) -> Iterator[Salesforce]:
    world.org(ORG).instance_host = HOST
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", Redirecting(server.url))
        token = world.grant(ORG, client_id=APP).access_token
        yield Salesforce(
            session_id=token, instance_url=f"https://{HOST}", session=session, version="68.0", object_pairs_hook=dict
        )


def test_records_are_created_read_changed_upserted_and_deleted(sf: Salesforce, world: SalesforceWorld) -> None:
    contact = sf.Contact.create({"LastName": "O'Brien", "MobilePhone": "+12025550143"})["id"]
    assert sf.Contact.update(contact, {"Title": "CEO"}) == 204
    assert sf.Contact.get(contact)["Title"] == "CEO"
    key = format_external_id("External_Id__c", "a/b")
    assert [sf.SMS_Message__c.upsert(key, {"Contact__c": contact}) for _ in range(2)] == [201, 200]
    assert sf.SMS_Message__c.get_by_custom_id("External_Id__c", "a/b")["Contact__c"] == contact
    assert sf.Contact.delete(contact) == 204
    assert world.list(ORG, "Contact") == []


def test_queries_are_formatted_counted_and_paged(sf: Salesforce, world: SalesforceWorld) -> None:
    world.query_batch = 2
    for name in ("O'Brien", "100%", "x_y\\z", "Berg", "Lund"):
        world.create(ORG, "Contact", {"LastName": name})
    found = sf.query(format_soql("SELECT LastName FROM Contact WHERE LastName = {}", "O'Brien"))
    assert [each["LastName"] for each in found["records"]] == ["O'Brien"]
    like = sf.query(format_soql("SELECT LastName FROM Contact WHERE LastName LIKE '{:like}%'", "x_y\\"))
    assert [each["LastName"] for each in like["records"]] == ["x_y\\z"]
    names = format_soql("SELECT LastName FROM Contact WHERE LastName IN {}", ["Berg", "Lund", "100%"])
    assert len(list(sf.query_all_iter(names))) == 3
    assert sf.query_all(names)["totalSize"] == 3
    assert sf.api_usage["api-usage"].total == 100_000


def test_collections_describes_limits_and_deletions_are_read(sf: Salesforce, world: SalesforceWorld) -> None:
    rows = sf.restful("composite/sobjects", method="POST", json={"records": [record("Task"), record("Task", No__c=1)]})
    assert [each["success"] for each in rows] == [True, False]
    assert sf.Task.describe()["name"] == "Task"
    assert sf.describe()["sobjects"]
    assert sf.limits()["DailyApiRequests"]["Max"] == 100_000
    task = rows[0]["id"]
    world.delete(ORG, "Task", task)
    now = world.clock.now()
    gone = sf.Task.deleted(now - timedelta(hours=1), now + timedelta(minutes=2))
    assert [each["id"] for each in gone["deletedRecords"]] == [task]


def test_refusals_become_the_librarys_exceptions(sf: Salesforce, world: SalesforceWorld) -> None:
    with pytest.raises(SalesforceMalformedRequest) as malformed:
        sf.Task.create({"Nope": 1})
    assert malformed.value.content[0]["errorCode"] == "INVALID_FIELD"
    with pytest.raises(SalesforceResourceNotFound):
        sf.Contact.get("003000000000001AAA")
    org = world.org(ORG)
    org.objects["Contact"].add(text("Shop_Id__c", 40, is_external_id=True))
    org.sees_all = True
    for name in "ab":
        world.create(ORG, "Contact", {"LastName": name, "Shop_Id__c": "7"})
    with pytest.raises(SalesforceMoreThanOneRecord):
        sf.Contact.upsert("Shop_Id__c/7", {"Title": "x"})
    org.usage.exhaust()
    with pytest.raises(SalesforceRefusedRequest) as refused:
        sf.limits()
    assert refused.value.content[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
    org.usage.used_elsewhere = 0
    world.tokens.expire_sessions(ORG)
    with pytest.raises(SalesforceExpiredSession):
        sf.query("SELECT Id FROM Contact")
