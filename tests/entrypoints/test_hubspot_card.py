"""Does HubSpot's card see its own portal's contacts only, and does what a rep does there happen once?"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connector.adapters.store.tables import metadata
from connector.bootstrap import Connector
from connector.domain.account_status import ENDED
from connector.domain.message import Direction, MessageState, Purpose
from connector.entrypoints.web.app import create_app
from connector.ports.consents import Mechanism
from connector.ports.contacts import ContactRow
from connector.ports.messages import MessageRow
from connector.services.consent import Saying
from connector.services.journey_versions import is_own
from connector.services.publications import Hand
from connector.settings import read_settings
from tests.adapters.store.factories import NUMBER, a_message, an_account
from tests.entrypoints.environment import set_environment

ROOT = Path(__file__).parents[2]
SECRET, PUBLIC = "client-secret", "https://sms.example.com"
ADMIN, REP = "ada@acme.example", "rep@acme.example"


@dataclass
class Card:
    """A card in a portal of HubSpot's, used by somebody."""

    client: FlaskClient
    connector: Connector
    portal: str = "12345"
    user: str = REP

    def call(self, method: str, path: str, body: Any = None, *, secret: str = SECRET, **query: str) -> TestResponse:
        asked = {"portalId": self.portal, "userId": "7", "userEmail": self.user} | query
        target = f"/hubspot/card{path}?" + "&".join(f"{name}={value}" for name, value in asked.items())
        raw = b"" if body is None else json.dumps(body).encode()
        stamp = str(int(self.connector.clock.now().timestamp() * 1000))
        signed = f"{method}{PUBLIC}{target}".encode() + raw + stamp.encode()
        signature = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
        headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}
        kind = None if body is None else "application/json"
        return self.client.open(target, method=method, data=raw, headers=headers, content_type=kind)

    def get(self, path: str = "/contacts/51", status: int = 200, **query: str) -> Any:
        answer = self.call("GET", path, **query)
        assert answer.status_code == status, answer.text
        return answer.json

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        answer = self.call("POST", f"/contacts/51{path}", body)
        assert answer.status_code == status, answer.text
        return answer.json

    def patch(self, path: str, body: Any, status: int = 200) -> Any:
        answer = self.call("PATCH", path, body)
        assert answer.status_code == status, answer.text
        return answer.json

    def send(self, status: int = 202, key: str = "key-1", **said: str) -> Any:
        return self.post("/messages", (said or {"body": "See you at two"}) | {"idempotency_key": key}, status)


@pytest.fixture
def connector(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connector]:
    for folder in ("mappings", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "templates" / "hello").mkdir(parents=True)
    (tmp_path / "templates" / "hello" / "again.txt.j2").write_text("Hi {{ contact.first_name }}, it is us")
    (tmp_path / "templates" / "hello" / "again.de.txt.j2").write_text("Hallo {{ contact.first_name }}")
    (tmp_path / "templates" / "hello" / "deal.txt.j2").write_text("About {{ deal.name }}")
    set_environment(monkeypatch, tmp_path, redis_url, HUBSPOT_CLIENT_SECRETS=SECRET)
    connector = Connector(read_settings())
    metadata.create_all(connector.ledger.engine)
    with connector.ledger.begin() as uow:
        for portal in ("12345", "67890"):
            settings = {"default_region": "US", "card_admins": [ADMIN]}
            uow.accounts.add(an_account(id=f"account-{portal}", external_id=portal, settings=settings))
        uow.contacts.save(a_contact(connector))
        uow.commit()
    yield connector
    connector.committer.close()
    connector.ledger.close()


@pytest.fixture
def card(connector: Connector) -> Card:
    return Card(create_app(connector).test_client(), connector)


def a_contact(connector: Connector, **changes: Any) -> ContactRow:
    contact = ContactRow(
        id="contact-51",
        account_id="account-12345",
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
    return replace(contact, **changes)


def change_contact(connector: Connector, **changes: Any) -> None:
    with connector.ledger.begin() as uow:
        uow.contacts.save(a_contact(connector, **changes))
        uow.commit()


def put(connector: Connector, **changes: Any) -> MessageRow:
    row = a_message("account-12345", **{"contact_id": "contact-51", "id": connector.ledger.new_id()} | changes)
    with connector.ledger.begin() as uow:
        assert uow.messages.add(row)
        uow.commit()
    return row


def hears(connector: Connector, body: str = "Is two fine?", hours: float = 1) -> MessageRow:
    """Let the person have written some hours ago."""
    at = connector.clock.now() - timedelta(hours=hours)
    return put(connector, direction=Direction.IN, state=MessageState.RECEIVED, body=body, created_at=at)


def opt_out(connector: Connector, mechanism: Mechanism = Mechanism.KEYWORD) -> None:
    now = connector.clock.now()
    with connector.ledger.begin() as uow:
        said = Saying("account-12345", NUMBER, mechanism, "message:1", now, "contact-51", "STOP")
        connector._consent.opt_out(uow, said, now)
        uow.commit()


def texts(connector: Connector) -> list[MessageRow]:
    with connector.ledger.begin(write=False) as uow:
        return [row for row in uow.messages.conversation("account-12345", NUMBER, 100) if row.direction == "out"]


# -- the doors


def test_without_a_signature_nothing_is_shown(card: Card) -> None:
    answer = card.client.get("/hubspot/card/contacts/51?portalId=12345")
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert card.call("GET", "/contacts/51", secret="a guess").status_code == 401


def test_a_v1_signature_is_not_taken(card: Card) -> None:
    headers = {"X-HubSpot-Signature-Version": "v1", "X-HubSpot-Signature": hashlib.sha256(SECRET.encode()).hexdigest()}
    assert card.client.get("/hubspot/card/contacts/51?portalId=12345", headers=headers).status_code == 401


def test_another_portal_gets_nothing_of_this_ones_contact(card: Card, connector: Connector) -> None:
    stranger = replace(card, portal="67890")
    assert stranger.call("GET", "/contacts/51").status_code in {404, 503}
    assert stranger.get("/contacts/51/trace")["messages"] == []
    for path in ("messages", "preview", "consent"):
        body = {"body": "Hi", "idempotency_key": "k", "action": "opt_out"}
        assert stranger.call("POST", f"/contacts/51/{path}", body).status_code in {404, 422, 503}
    assert texts(connector) == []


@pytest.mark.parametrize("portal", ["111", "", "12345%00"])
def test_a_portal_that_is_not_installed_gets_nothing(card: Card, portal: str) -> None:
    answer = replace(card, portal=portal).call("GET", "/templates")
    assert (answer.status_code, answer.json and answer.json["code"]) == (404, "not_installed")


@pytest.mark.parametrize("status", sorted(ENDED))
def test_a_portal_that_removed_the_app_gets_nothing(card: Card, connector: Connector, status: str) -> None:
    with connector.ledger.begin() as uow:
        uow.accounts.set_status("account-12345", status, "")
        uow.commit()
    card.get(status=404)


# -- what is shown


def test_a_card_shows_person_consent_and_conversation(card: Card, connector: Connector) -> None:
    now, us = connector.clock.now(), {"country": "US", "state": MessageState.DELIVERED}
    sent = put(connector, body="Your demo is at two", sent_at=now, **us)
    listed = connector.gateway_book.price("twilio", 1, "US")
    assert listed is not None
    hears(connector, "Fine", hours=-0.01)
    shown = card.get()
    assert shown["contact"]["name"] == "Maya Lindqvist"
    assert shown["contact"]["number"] == NUMBER
    assert shown["contact"]["local_time"]
    assert (shown["consent"]["state"], shown["consent"]["evidence"]) == ("not_asked", [])
    assert shown["consent"]["purposes"]["marketing"]["may"] is False
    assert [each["direction"] for each in shown["messages"]] == ["inbound", "outbound"]
    assert shown["messages"][1] | {"at": ""} == {
        "id": sent.id,
        "direction": "outbound",
        "body": "Your demo is at two",
        "at": "",
        "state": "delivered",
        "label": "Delivered",
        "reason": "",
        "facts": [],
        "segments": 1,
        "price": {"amount": str(listed.amount), "currency": listed.currency},
        "journey": "",
        "sender": "",
        "by": "",
    }
    assert shown["reply"]["may"] is True
    assert shown["next"] is None
    assert shown["as_of"].endswith("Z")


def test_what_the_gateway_asked_goes_before_its_list_price(card: Card, connector: Connector) -> None:
    put(connector, cost=Decimal("0.0101"), currency="EUR", sent_at=connector.clock.now())
    put(connector)
    prices = [each["price"] for each in card.get()["messages"]]
    assert prices == [None, {"amount": "0.0101", "currency": "EUR"}]


def test_older_texts_come_page_by_page(card: Card, connector: Connector) -> None:
    ids = [put(connector, body=f"Text {number}").id for number in range(35)]
    first = card.get()
    assert [each["id"] for each in first["messages"]] == ids[:4:-1]
    second = card.get(before=first["next"])
    assert [each["id"] for each in second["messages"]] == ids[4::-1]
    assert second["next"] is None


def test_one_time_codes_are_not_shown(card: Card, connector: Connector) -> None:
    put(connector, purpose=Purpose.OTP, body="Your code is 123456")
    assert "123456" not in json.dumps(card.get())


def test_a_contact_without_a_number_says_why_and_cannot_be_written_to(card: Card, connector: Connector) -> None:
    change_contact(connector, msisdn=None, msisdn_reason="mobilephone: the number has too few digits")
    shown = card.get()
    assert shown["contact"]["number"] is None
    assert shown["reply"] == {"may": False, "why": "mobilephone: the number has too few digits"}
    assert card.send(409)["code"] == "no_number"


def test_a_contact_nobody_knows_while_hubspot_is_away_is_asked_for_again_later(card: Card) -> None:
    assert card.call("GET", "/contacts/99").status_code == 503


def test_a_contact_that_hubspot_deleted_is_not_shown(card: Card, connector: Connector) -> None:
    with connector.ledger.begin() as uow:
        uow.contacts.mark_deleted("account-12345", "51", connector.clock.now())
        uow.commit()
    card.get(status=404)


def test_hubspots_leads_are_no_people(card: Card) -> None:
    card.get(status=404, object_type="lead")
    assert card.get(status=422, object_type="company")["errors"]


# -- previews and templates


def test_templates_are_listed_with_their_languages(card: Card) -> None:
    found = [each for each in card.get("/templates")["templates"] if each["id"].startswith("hello/")]
    assert found == [
        {"id": "hello/again", "title": "hello/again", "locales": ["de"]},
        {"id": "hello/deal", "title": "hello/deal", "locales": []},
    ]


def test_a_typed_text_is_previewed_as_it_goes_out(card: Card) -> None:
    shown = card.post("/preview", {"body": "It\u2019s two \u2013 fine?"})
    assert (shown["body"], shown["encoding"], shown["segments"]) == ("It's two - fine?", "gsm7", 1)
    assert (shown["characters"], shown["left"]) == (16, 144)
    assert shown["mistakes"] == []


def test_a_preview_warns_of_what_makes_a_text_long(card: Card) -> None:
    shown = card.post("/preview", {"body": "\u4f60" * 71})
    assert (shown["encoding"], shown["segments"]) == ("ucs2", 2)
    assert "\u4f60" in shown["warnings"][0]
    many = card.post("/preview", {"body": "x" * 1601})
    assert any("SMS" in each for each in many["warnings"])
    assert "1600" in many["mistakes"][0]


def test_a_template_is_previewed_for_its_contact_or_says_what_it_lacks(card: Card) -> None:
    assert card.post("/preview", {"template": "hello/again"})["body"] == "Hi Maya, it is us"
    shown = card.post("/preview", {"template": "hello/deal"})
    assert (shown["body"], shown["segments"]) == ("", 0)
    assert "deal" in shown["mistakes"][0]


@pytest.mark.parametrize("body", [{}, {"body": "a", "template": "b"}, {"text": "a"}, [], {"body": 7}])
def test_a_preview_of_nothing_or_of_two_things_is_refused(card: Card, body: Any) -> None:
    assert card.post("/preview", body, 422)["code"] == "invalid"


def test_a_body_that_is_no_json_is_refused(card: Card) -> None:
    assert card.call("POST", "/contacts/51/preview").status_code == 415


# -- a rep answers


def test_an_answer_is_queued_once_under_its_key_and_names_the_rep(card: Card, connector: Connector) -> None:
    first, again = card.send(), card.send()
    assert first["message"]["id"] == again["message"]["id"]
    assert first["message"]["by"] == REP
    [row] = texts(connector)
    assert (row.contact_id, row.purpose, row.ordered_by) == ("contact-51", Purpose.TRANSACTIONAL, f"card:{REP}")


def test_another_text_under_the_same_key_is_refused(card: Card, connector: Connector) -> None:
    card.send()
    assert card.send(409, body="Another")["code"] == "idempotency_key_reused"
    assert card.send(409, template="hello/again")["code"] == "idempotency_key_reused"
    assert len(texts(connector)) == 1


def test_a_template_sent_again_under_its_key_is_one_text_though_the_contact_changed(
    card: Card, connector: Connector
) -> None:
    first = card.send(template="hello/again")
    change_contact(connector, attributes={"first_name": "Ada"})
    assert card.send(template="hello/again")["message"] == first["message"]
    assert [row.body for row in texts(connector)] == ["Hi Maya, it is us"]


def test_nobody_who_opted_out_is_written_to(card: Card, connector: Connector) -> None:
    opt_out(connector)
    shown = card.get()
    assert (shown["consent"]["state"], shown["reply"]["may"]) == ("opted_out", False)
    assert shown["consent"]["label"].endswith("by a keyword")
    assert [each["how"] for each in shown["consent"]["evidence"]] == ["text STOP"]
    assert card.send(409)["code"] == "opted_out"
    assert texts(connector) == []


def test_a_text_answered_before_the_opt_out_is_still_answered_the_same(card: Card, connector: Connector) -> None:
    first = card.send()
    opt_out(connector)
    assert card.send()["message"]["id"] == first["message"]["id"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"body": "x" * 1601}, "too_long"),
        ({"body": "  "}, "empty"),
        ({"template": "hello/deal"}, "template_incomplete"),
    ],
)
def test_a_text_that_cannot_be_sent_is_refused_with_a_word(card: Card, said: dict[str, str], code: str) -> None:
    problem = card.send(422, **said)
    assert (problem["code"], problem["status"]) == (code, 422)
    assert "xxx" not in problem["detail"]


def test_an_answer_within_a_day_of_the_persons_text_goes_at_any_hour(card: Card, connector: Connector) -> None:
    hears(connector, hours=23)
    card.send()
    assert texts(connector)[0].send_window == "anytime"


def test_an_answer_after_that_waits_for_the_send_window(card: Card, connector: Connector) -> None:
    hears(connector, hours=25)
    card.send()
    assert texts(connector)[0].send_window == ""


# -- consent


def test_a_rep_records_an_opt_out_and_takes_it_back(card: Card) -> None:
    said = {"action": "opt_out", "wording": "Told me on the phone"}
    shown = card.post("/consent", said)["consent"]
    assert (shown["state"], shown["evidence"][0]["source"]) == ("opted_out", "card")
    assert shown["evidence"][0]["wording"] == f"Told me on the phone (recorded by {REP})"
    back = card.post("/consent", {"action": "opt_in", "wording": "Asked for offers by mail"})["consent"]
    assert (back["state"], back["purposes"]["marketing"]["may"]) == ("opted_in", True)


def test_a_rep_cannot_take_back_what_the_person_said(card: Card, connector: Connector) -> None:
    opt_out(connector)
    assert card.post("/consent", {"action": "opt_in", "wording": "They asked"}, 409)["code"] == "opted_out"
    assert card.get()["consent"]["state"] == "opted_out"


def test_an_opt_in_needs_its_proof(card: Card) -> None:
    assert card.post("/consent", {"action": "opt_in"}, 422)["code"] == "no_wording"
    assert card.get()["consent"]["state"] == "not_asked"


def test_a_doubtful_reply_is_shown_as_such(card: Card, connector: Connector) -> None:
    now = connector.clock.now()
    with connector.ledger.begin() as uow:
        said = Saying("account-12345", NUMBER, Mechanism.KEYWORD, "message:1", now, "contact-51", "stop it maybe")
        connector._consent.doubt(uow, said, now)
        uow.commit()
    consent = card.get()["consent"]
    assert (consent["state"], consent["evidence"][0]["what"]) == ("doubtful", "may have opted out")


# -- settings


def test_an_admin_changes_settings_and_anybody_else_only_reads_them(card: Card) -> None:
    shown = card.get("/settings")
    assert (shown["may_change"], shown["settings"]["default_region"]) == (False, "US")
    assert shown["account"]["external_id"] == "12345"
    assert "default_region" in {each["name"] for each in shown["schema"]}
    assert {each["name"] for each in shown["schema"]} == shown["settings"].keys()
    assert card.patch("/settings", {"settings": {"default_region": "DE"}}, 403)["code"] == "not_allowed"
    admin = replace(card, user="ADA@acme.example")
    changed = admin.patch("/settings", {"settings": {"default_region": "DE"}})
    assert (changed["may_change"], changed["settings"]["default_region"]) == (True, "DE")


def test_settings_with_a_mistake_change_nothing_and_say_which(card: Card) -> None:
    admin = replace(card, user=ADMIN)
    problem = admin.patch("/settings", {"settings": {"default_region": "DE", "time_zone": "Atlantis"}}, 422)
    assert set(problem["errors"]) == {"time_zone"}
    assert admin.get("/settings")["settings"]["default_region"] == "US"


def test_whoever_installed_the_app_may_change_settings_of_a_fresh_account(card: Card, connector: Connector) -> None:
    with connector.ledger.begin() as uow:
        uow.accounts.save_settings("account-12345", {"installed_by": REP}, "Acme")
        uow.commit()
    assert card.get("/settings")["may_change"] is True


def test_where_nobody_is_named_nobody_may_change_settings(card: Card, connector: Connector) -> None:
    with connector.ledger.begin() as uow:
        uow.accounts.save_settings("account-12345", {}, "Acme")
        uow.commit()
    assert replace(card, user="").get("/settings")["may_change"] is False
    assert replace(card, user="").patch("/settings", {"settings": {}}, 403)["code"] == "not_allowed"


def test_a_journey_is_switched_on_and_off_by_its_admin(card: Card, connector: Connector) -> None:
    admin = replace(card, user=ADMIN)
    journey = "demo-booked"

    def stands() -> tuple[bool, str]:
        [found] = [each for each in admin.get("/settings")["journeys"] if each["id"] == journey]
        return found["enabled"], found["status"]

    connector.publisher.publish("account-12345", connector.journey_files(), [], Hand("a test"))
    assert stands() == (True, "in service")
    assert card.patch(f"/journeys/{journey}", {"enabled": False}, 403)["code"] == "not_allowed"
    admin.patch(f"/journeys/{journey}", {"enabled": False})
    admin.patch(f"/journeys/{journey}", {"enabled": False})
    assert stands() == (False, "retired")
    admin.patch(f"/journeys/{journey}", {"enabled": True})
    assert stands() == (True, "in service")
    admin.patch("/journeys/nothing", {"enabled": True}, 404)
    admin.patch(f"/journeys/{journey}", {"enabled": "perhaps"}, 422)


def test_a_journey_of_the_accounts_own_comes_back_as_it_was(card: Card, connector: Connector) -> None:
    admin = replace(card, user=ADMIN)
    files = connector.journey_files()
    [journey, *_] = sorted(files.journeys)
    own = files.only([journey])
    connector.publisher.publish_own("account-12345", own, Hand("a test"))
    admin.patch(f"/journeys/{journey}", {"enabled": False})
    admin.patch(f"/journeys/{journey}", {"enabled": True})
    with connector.ledger.begin(write=False) as uow:
        assert is_own(uow, "account-12345", journey)
        assert uow.publications.current("account-12345")[journey].journey_version_id is not None


def test_a_journey_whose_file_has_a_mistake_stays_off(card: Card, connector: Connector) -> None:
    (connector.settings.mappings_dir / "journeys" / "broken.yaml").write_text("title: [")
    admin = replace(card, user=ADMIN)
    problem = admin.patch("/journeys/broken", {"enabled": True}, 422)
    assert "broken.yaml" in problem["detail"]


def test_a_journey_its_own_file_switches_off_cannot_be_switched_on_here(card: Card, connector: Connector) -> None:
    folder = connector.settings.mappings_dir / "journeys"
    path = folder / "demo-booked.yaml"
    source = path.read_text(encoding="utf-8")
    off = source.replace("enabled: true", "enabled: false")
    path.write_text(off if off != source else f"{source}\nenabled: false\n", encoding="utf-8")
    connector.publisher.publish("account-12345", connector.journey_files(), [path.stem], Hand("a test"))
    admin = replace(card, user=ADMIN)
    assert "switched off" in admin.patch(f"/journeys/{path.stem}", {"enabled": True}, 422)["detail"]
