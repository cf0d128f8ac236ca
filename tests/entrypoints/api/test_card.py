"""Does a card that comes with an API key see and do the same as HubSpot's, for its own account only?"""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from connector.bootstrap import Connector
from connector.ports.api_keys import APIScope
from connector.ports.contacts import ContactRow
from tests.entrypoints.api.conftest import NUMBER, Program, a_program, kind_of, put


@pytest.fixture(autouse=True)
def contact(connector: Connector) -> ContactRow:
    """A person of the first account, whom the CRM need not be asked about."""
    row = ContactRow(
        id="contact-51",
        account_id="account-1",
        crm="hubspot",
        crm_id="51",
        msisdn=NUMBER,
        msisdn_reason="mobilephone",
        time_zone="America/New_York",
        locale="en",
        country="US",
        owner_id=None,
        attributes={"name": "Maya Lindqvist", "first_name": "Maya"},
        read_at=connector.clock.now(),
    )
    with connector.ledger.begin() as uow:
        uow.contacts.save(row)
        uow.commit()
    return row


@pytest.fixture
def card(connector: Connector, app: Flask) -> Program:
    """A program with a key for cards and nothing else."""
    return a_program(connector, app, scopes=[APIScope.CARD])


def reply(card: Program, status: int = 202, **changes: Any) -> Any:
    said = {"body": "See you at two", "idempotency_key": "key-1", "by": "Ada Byron"} | changes
    return card.post("/card/contacts/51/messages", said, status)


def test_a_card_is_shown_to_its_accounts_key(card: Program, connector: Connector) -> None:
    put(connector, body="Your demo is at two")
    shown = card.get("/card/contacts/51?object_type=contact")
    assert shown["contact"]["name"] == "Maya Lindqvist"
    assert [each["body"] for each in shown["messages"]] == ["Your demo is at two"]
    assert card.get("/card/contacts/51/trace")["contact"]["crm_id"] == "51"


def test_another_accounts_key_gets_nothing(stranger: Program) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/preview", {"body": "Hi"}),
        ("POST", "/messages", {"body": "Hi", "idempotency_key": "k"}),
        ("POST", "/consent", {"action": "opt_out"}),
    ):
        assert stranger.call(method, f"/card/contacts/51{path}", body).status_code in {404, 503}, path
    assert stranger.get("/card/contacts/51/trace")["messages"] == []


def test_a_key_without_the_scope_is_refused(connector: Connector, app: Flask) -> None:
    shop = a_program(connector, app, scopes=[APIScope.MESSAGES_SEND])
    assert shop.call("GET", "/card/contacts/51").status_code == 403
    assert shop.call("PATCH", "/card/settings", {"settings": {}}).status_code == 403


def test_a_rep_answers_once_under_a_key(card: Program) -> None:
    first = reply(card)["message"]
    assert reply(card)["message"]["id"] == first["id"]
    assert (first["by"], first["direction"]) == ("Ada Byron", "outbound")
    problem = reply(card, 409, body="Another")
    assert (kind_of(problem), problem["code"]) == ("idempotency-key-reused", "idempotency_key_reused")


def test_a_reply_without_a_name_carries_the_keys(card: Program) -> None:
    assert reply(card, by="")["message"]["by"] == "shop"


def test_a_refusal_has_a_word_for_programs(card: Program) -> None:
    card.post("/card/contacts/51/consent", {"action": "opt_out", "wording": "on the phone"})
    problem = reply(card, 409)
    assert (kind_of(problem), problem["code"], problem["status"]) == ("refused", "opted_out", 409)
    assert reply(card, 422, body=None)["errors"]


def test_texts_are_previewed_and_templates_listed(card: Program) -> None:
    shown = card.post("/card/contacts/51/preview", {"body": "Hi"})
    assert (shown["segments"], shown["left"]) == (1, 158)
    names = [each["id"] for each in card.get("/card/templates?crm_id=51")["templates"]]
    assert names == sorted(names)
    assert "demo-booked/confirmation" in names


def test_settings_are_read_and_changed_by_a_program_that_answers_for_its_people(card: Program) -> None:
    shown = card.get("/card/settings")
    assert shown["may_change"] is True
    changed = card.call("PATCH", "/card/settings", {"settings": {"default_region": "DE"}})
    assert changed.json is not None
    assert changed.json["settings"]["default_region"] == "DE"
    refused = card.call("PATCH", "/card/settings", {"settings": {"default_region": "Atlantis"}})
    assert refused.status_code == 422
    assert refused.json is not None
    assert set(refused.json["errors"]) == {"default_region"}


def test_a_journey_is_switched_on(card: Program) -> None:
    answer = card.call("PATCH", "/card/journeys/demo-booked", {"enabled": True})
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    [found] = [each for each in answer.json["journeys"] if each["id"] == "demo-booked"]
    assert found["enabled"] is True
    assert card.call("PATCH", "/card/journeys/nothing", {"enabled": True}).status_code == 404
