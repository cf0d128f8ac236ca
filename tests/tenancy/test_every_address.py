"""Does any address give or change what is another tenant's, whoever's credentials and ids are shown?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connector.entrypoints.web.app import create_app
from tests.adapters.crm.salesforce.test_salesforce_outbound_messages import delivery, notification
from tests.adapters.webhooks.signing import timestamped
from tests.tenancy.doors import DOORS, Visit, come_in, doors, guess, hubspot, may_visit, paths
from tests.tenancy.house import House
from tests.tenancy.house import house as open_house
from tests.tenancy.keeping import Kept, account_secret, api_secret
from tests.tenancy.outside import outside
from tests.tenancy.owners import ALDER, BIRCH, OWN, SHARED, Owner
from tests.tenancy.telling import leaked

OK, BAD_REQUEST, UNAUTHORIZED, NOT_FOUND = 200, 400, 401, 404

NOT_BY_ID = {
    "POST api_lookups.look_up_number": "no gateway answers here",
    "GET api_providers.provider_status": "gateways are nobody's",
}
"""Doors behind which not even the owner finds something by an id of theirs, and why."""

PAIRS = [(ALDER.hubspot, BIRCH.hubspot), (ALDER.salesforce, BIRCH.salesforce), (ALDER.hubspot, BIRCH.salesforce)]


@dataclass(frozen=True)
class OpenHouse(House):
    """An installation one can come to from outside."""

    app: Flask
    client: FlaskClient

    def visits(self, name: str, visitor: Owner, kept: Kept) -> Iterator[tuple[str, TestResponse]]:
        """Go through one door in every way there is; give what was asked with each answer."""
        for rule in (rule for found, rule in doors(self.app) if found == name and may_visit(name, visitor)):
            for path in paths(self.app, rule, kept):
                yield from come_in(self.connector, self.client, visitor, name, path, kept)


@pytest.fixture(scope="module")
def house(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    folder = tmp_path_factory.mktemp("tenancy")
    with (
        outside() as world,
        pytest.MonkeyPatch.context() as patch,
        open_house(world, folder, redis_url, patch) as made,
    ):
        app = create_app(made.connector)
        yield OpenHouse(made.connector, made.rows, made.world, app, app.test_client())


def test_every_address_is_known(house: OpenHouse) -> None:
    assert {name for name, _ in doors(house.app)} == set(DOORS)


@pytest.mark.parametrize("name", DOORS)
def test_nobody_gets_or_changes_what_is_anothers(house: OpenHouse, name: str) -> None:
    """Every id of Birch's in every part of the path, body and query, with all that Alder can show."""
    with house.looking():
        for mine, theirs in PAIRS:
            for asked, answer in house.visits(name, mine, house.kept(theirs)):
                assert answer.status_code in DOORS[name].answers, asked
                assert not leaked(BIRCH, _all_of(answer), asked=asked), asked


@pytest.mark.parametrize("name", DOORS)
def test_everybody_gets_their_own_by_what_both_have(house: OpenHouse, name: str) -> None:
    """The same number, contact 51, idempotency key, journey, file … in both accounts."""
    with house.looking():
        for mine, theirs in PAIRS:
            for asked, answer in house.visits(name, mine, house.kept(theirs, SHARED)):
                assert not leaked(BIRCH, _all_of(answer), asked=asked), asked


def _all_of(answer: TestResponse) -> str:
    return f"{answer.headers}{answer.get_data(as_text=True)}"


def test_the_owner_finds_something_behind_every_door_that_is_shut_to_others(house: OpenHouse) -> None:
    """Without this the tests above would pass by asking for what nobody has."""
    shut = [name for name, door in DOORS.items() if door.show is not guess and min(door.answers) >= BAD_REQUEST]
    found_nothing = set()
    for name in shut:
        owner = BIRCH.salesforce if "api_card" in name else BIRCH.hubspot  # an opt-out on one card ends the other's
        if not any(answer.status_code < BAD_REQUEST for _, answer in house.visits(name, owner, house.kept(owner))):
            found_nothing.add(name)
    assert found_nothing == set(NOT_BY_ID)


@pytest.mark.parametrize("query", ["portalId={theirs}", "portalId={theirs}&portalId={mine}"])
def test_a_portal_cannot_put_on_the_name_of_another(house: OpenHouse, query: str) -> None:
    """HubSpot signs what the card asks for and adds the portal: saying it first is no use, nor is changing it after."""
    names = {"mine": ALDER.hubspot.external_id, "theirs": BIRCH.hubspot.external_id}
    path = f"/hubspot/card/contacts/{BIRCH.hubspot.crm_contact}"
    added = f"{path}?{query}&userEmail=rep@alder.example.com".format(**names)
    is_changed = "{mine}" not in query
    signed = added.replace(names["theirs"], names["mine"]) if is_changed else added
    headers = hubspot(Visit(house.connector, ALDER.hubspot, "GET", signed, b""))
    with house.looking():
        answer = house.client.get(added, headers=headers)
    assert answer.status_code == UNAUTHORIZED
    assert not leaked(BIRCH, _all_of(answer))


def test_nobody_puts_on_the_name_of_an_admin(house: OpenHouse) -> None:
    query = f"portalId={ALDER.hubspot.external_id}&userEmail=admin@alder.example.com&userEmail=rep@alder.example.com"
    target = f"/hubspot/card/settings?{query}"
    answer = house.client.get(target, headers=hubspot(Visit(house.connector, ALDER.hubspot, "GET", target, b"")))
    assert answer.status_code == UNAUTHORIZED


@pytest.mark.parametrize("key", [OWN, SHARED])
def test_a_workflow_orders_texts_in_its_own_portal_only(house: OpenHouse, key: str) -> None:
    kept = house.kept(BIRCH.hubspot, key)
    body = json.dumps(
        {
            "callbackId": kept.rows["workflow_calls"].callback_id,
            "origin": {"portalId": int(ALDER.hubspot.external_id)},
            "object": {"objectType": "CONTACT", "objectId": kept.rows["contacts"].crm_id},
            "inputFields": {"message_kind": "text", "body": "hello", "wait_for": "reply"},
        }
    ).encode()
    headers = hubspot(Visit(house.connector, ALDER.hubspot, "POST", "/hubspot/actions/send-sms", body))
    with house.looking():
        answer = house.client.post("/hubspot/actions/send-sms", data=body, headers=headers)
    assert answer.status_code == OK
    assert not leaked(BIRCH, _all_of(answer), asked=body.decode())
    with house.connector.ledger.begin(write=False) as uow:
        mine = uow.workflow_calls.by_callback(ALDER.hubspot.account_id, kept.rows["workflow_calls"].callback_id)
    assert mine is not None


def test_an_organisation_cannot_speak_for_another(house: OpenHouse) -> None:
    secret = account_secret(ALDER.salesforce, OWN)
    body = delivery(notification(), organization=BIRCH.salesforce.external_id)
    with house.looking():
        refused = house.client.post(f"/salesforce/outbound-messages/{secret}", data=body)
    assert refused.status_code == UNAUTHORIZED
    own = delivery(notification(), organization=ALDER.salesforce.external_id)
    assert house.client.post(f"/salesforce/outbound-messages/{secret}", data=own).status_code == OK


def test_a_secret_for_one_system_opens_no_other(house: OpenHouse) -> None:
    """The secret of a webhook is no address for outbound messages, nor an API key, and the other way round."""
    for secret in (account_secret(ALDER.salesforce, SHARED), api_secret(ALDER.salesforce, OWN)):
        body = delivery(notification(), organization=ALDER.salesforce.external_id)
        assert house.client.post(f"/salesforce/outbound-messages/{secret}", data=body).status_code == NOT_FOUND
        headers = {"Authorization": f"Bearer {account_secret(ALDER.salesforce, OWN)}"}
        assert house.client.get("/api/v1/messages", headers=headers).status_code == UNAUTHORIZED


def test_a_system_proves_itself_to_its_own_account_only(house: OpenHouse) -> None:
    body = json.dumps({"id": "evt_1", "type": "invoice.paid"}).encode()
    for visitor, expected in ((ALDER.hubspot, UNAUTHORIZED), (BIRCH.hubspot, OK)):
        headers = timestamped(account_secret(visitor, SHARED), body, house.connector.clock.now())
        path = f"/webhooks/generic/stripe/{BIRCH.hubspot.account_id}"
        assert house.client.post(path, data=body, headers=headers).status_code == expected
