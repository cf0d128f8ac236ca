"""Do the emulated Vonage and Sinch refuse what those vendors refuse, in their own words?"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from connector.sandbox.faults import Faults
from connector.sandbox.gateways.delivery import DeliveryEngine
from connector.sandbox.gateways.receipts import Pace
from connector.sandbox.gateways.sandbox import create_app
from connector.sandbox.gateways.sinch import SinchSkin
from connector.sandbox.gateways.sinch_api import API_TOKEN, SERVICE_PLAN_ID
from connector.sandbox.gateways.sinch_lookup import KEY_ID, KEY_SECRET, PROJECT_ID
from connector.sandbox.gateways.skin import Skin
from connector.sandbox.gateways.vonage import VonageSkin
from connector.sandbox.gateways.vonage_account import API_KEY, API_SECRET
from connector.sandbox.gateways.vonage_messages import VonageMessagesSkin
from connector.sandbox.gateways.vonage_parts import split
from connector.sandbox.gateways.world import GatewayWorld
from tests.adapters.sms.emulated import Receiver

PERSON, SENDER = "+12025550143", "+12025550100"
BASIC = {"Authorization": f"Basic {base64.b64encode(f'{API_KEY}:{API_SECRET}'.encode()).decode()}"}
BEARER = {"Authorization": f"Bearer {API_TOKEN}"}
FORM = {"from": SENDER[1:], "to": PERSON[1:], "text": "Hi"}
MESSAGE = {"channel": "sms", "message_type": "text", "to": PERSON[1:], "from": SENDER[1:], "text": "Hi"}
BATCH: dict[str, Any] = {"to": [PERSON], "from": SENDER, "body": "Hi"}
BATCHES = f"/xms/v1/{SERVICE_PLAN_ID}/batches"
RECORDS = "/v2/reports/records"


def client(skin: Skin) -> FlaskClient:
    return create_app(GatewayWorld(skin), Faults()).test_client()


# -- Vonage, SMS API


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, "0"),
        ({"text": None}, "2"),
        ({"to": None}, "2"),
        ({"unknown": "x"}, "3"),
        ({"to": PERSON}, "3"),
        ({"type": "binary"}, "3"),
        ({"ttl": "19999"}, "3"),
        ({"ttl": "604800001"}, "3"),
        ({"ttl": "1h"}, "3"),
        ({"client-ref": "x" * 41}, "3"),
        ({"text": "x" * 3201}, "12"),
        ({"from": "a-name-with-hyphens"}, "15"),
        ({"callback": "sms.example.com"}, "23"),
        ({"callback": "https://sms.example.com/" + "x" * 77}, "23"),
    ],
)
def test_vonage_says_what_is_wrong_inside_a_success(change: dict[str, Any], status: str) -> None:
    form = {name: value for name, value in {**FORM, **change}.items() if value is not None}
    answer = client(VonageSkin()).post("/sms/json", data=form, headers=BASIC)
    assert (answer.status_code, answer.json and answer.json["messages"][0]["status"]) == (200, status)


def test_vonage_wants_the_accounts_key_in_the_header_or_in_the_form() -> None:
    def status(**more: Any) -> Any:
        answer = client(VonageSkin()).post("/sms/json", **more)
        return answer.json and answer.json["messages"][0]["status"]

    assert status(data=FORM) == "4"
    assert status(data={**FORM, "api_key": API_KEY, "api_secret": "wrong"}) == "4"
    assert status(data={**FORM, "api_key": API_KEY, "api_secret": API_SECRET}) == "0"


@pytest.mark.parametrize("text", ["x" * 161, "€" * 81, "ש" * 71, "😀" * 36])
def test_parts_join_to_the_text_and_each_fits(text: str) -> None:
    parts = split(text)
    assert "".join(parts) == text
    assert len(parts) == 2
    assert all(len(split(part)) == 1 for part in parts)


def test_delivery_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="pigeon"):
        VonageSkin(delivery="pigeon")


# -- Vonage, reports


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 200),
        ({"account_id": "other123"}, 403),
        ({"product": "MESSAGES"}, 422),
        ({"direction": "inbound"}, 422),
        ({"id": "x"}, 422),  # beside dates
        ({"to": PERSON[1:]}, 422),
        ({"date_start": None}, 422),
        ({"date_start": "yesterday"}, 422),
        ({"date_start": "2026-11-21T09:00:00"}, 422),
        ({"date_end": "+25"}, 422),
        ({"date_start": "+1", "date_end": "+2"}, 422),
    ],
)
def test_reports_refuse_what_they_cannot_answer(change: dict[str, str | None], status: int) -> None:
    def written(hours: str) -> str:
        return (start + timedelta(hours=int(hours))).isoformat()

    start = datetime.now(UTC) - timedelta(minutes=1)
    asked: dict[str, Any] = {"account_id": API_KEY, "product": "SMS", "direction": "outbound"}
    asked |= {"date_start": "+0", "date_end": "+1", **change}
    query = {name: written(each) if each.startswith("+") else each for name, each in asked.items() if each is not None}
    assert client(VonageSkin()).get(RECORDS, query_string=query, headers=BASIC).status_code == status
    assert client(VonageSkin()).get(RECORDS, query_string=query).status_code == 401


def test_reports_name_the_ids_they_lack_and_give_bodies_only_when_asked() -> None:
    world = GatewayWorld(VonageSkin())
    api = create_app(world, Faults()).test_client()
    api.post("/sms/json", data=FORM, headers=BASIC)
    asked = {"account_id": API_KEY, "product": "SMS", "direction": "outbound", "id": f"{world.messages()[0].id},x"}
    plain = api.get(RECORDS, query_string=asked, headers=BASIC).json
    full = api.get(RECORDS, query_string={**asked, "include_message": "true"}, headers=BASIC).json
    assert plain is not None
    assert full is not None
    assert (plain["ids_not_found"], plain["items_count"], "message_body" in plain["records"][0]) == ("x", 1, False)
    assert full["records"][0]["message_body"] == "Hi"


# -- Vonage, Messages API


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"text": None}, "1010"),
        ({"unknown": "x"}, "1020"),
        ({"ttl": "60"}, "1020"),
        ({"ttl": True}, "1020"),
        ({"sms": {"encoding_type": "ucs2"}}, "1020"),
        ({"sms": {"unknown": "x"}}, "1020"),
        ({"webhook_url": "sms.example.com"}, "1020"),
        ({"webhook_version": "v2"}, "1020"),
        ({"text": "x" * 1001}, "1090"),
        ({"ttl": 19}, "1130"),
        ({"channel": "fax"}, "1400"),
        ({"from": "a-name-with-hyphens"}, "1420"),
        ({"to": PERSON}, "1430"),
        ({"message_type": "image"}, "1440"),
        ({"client_ref": "x" * 101}, "1450"),
    ],
)
def test_messages_api_says_what_is_wrong_by_its_code(change: dict[str, Any], code: str) -> None:
    body = {name: value for name, value in {**MESSAGE, **change}.items() if value is not None}
    answer = client(VonageMessagesSkin()).post("/v1/messages", json=body, headers=BASIC)
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["type"].endswith(f"/messages#{code}")


def test_messages_api_wants_json_of_the_account_at_its_pace() -> None:
    world = GatewayWorld(VonageMessagesSkin())
    api = create_app(world, Faults()).test_client()
    assert api.post("/v1/messages", json=MESSAGE).status_code == 401
    assert api.post("/v1/messages", data="[]", headers=BASIC).status_code == 422
    assert api.post("/v1/messages", json=MESSAGE, headers=BASIC).status_code == 202
    world.max_per_second = 0
    assert api.post("/v1/messages", json=MESSAGE, headers=BASIC).status_code == 429


# -- Sinch


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"unknown": "x"}, "syntax_invalid_parameter_format"),
        ({"to": PERSON}, "syntax_invalid_parameter_format"),
        ({"body": 1}, "syntax_invalid_parameter_format"),
        ({"expire_at": "tomorrow"}, "syntax_invalid_parameter_format"),
        ({"to": []}, "syntax_constraint_violation"),
        ({"to": ["+12"]}, "syntax_constraint_violation"),
        ({"body": ""}, "syntax_constraint_violation"),
        ({"body": "x" * 2001}, "syntax_constraint_violation"),
        ({"body": "${name}"}, "syntax_constraint_violation"),
        ({"from": "a-name-with-hyphens"}, "syntax_constraint_violation"),
        ({"type": "mt_binary"}, "syntax_constraint_violation"),
        ({"delivery_report": "all"}, "syntax_constraint_violation"),
        ({"client_reference": "x" * 2049}, "syntax_constraint_violation"),
        ({"callback_url": "sms.example.com"}, "syntax_constraint_violation"),
        ({"expire_at": "2020-01-01T00:00:00Z"}, "syntax_constraint_violation"),
        ({"expire_at": "2099-01-01T00:00:00"}, "syntax_constraint_violation"),
    ],
)
def test_sinch_says_what_is_wrong_by_its_word(change: dict[str, Any], code: str) -> None:
    answer = client(SinchSkin()).post(BATCHES, json={**BATCH, **change}, headers=BEARER)
    assert (answer.status_code, answer.json and answer.json["code"]) == (400, code)


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (lambda api: api.post(BATCHES, json=BATCH), 401),
        (lambda api: api.post("/xms/v1/other/batches", json=BATCH, headers=BEARER), 403),
        (lambda api: api.post(BATCHES, data="{", headers=BEARER), 400),
        (lambda api: api.get(f"{BATCHES}?unknown=x", headers=BEARER), 400),
        (lambda api: api.get(f"{BATCHES}?start_date=x", headers=BEARER), 400),
        (lambda api: api.get(f"{BATCHES}/x", headers=BEARER), 404),
        (lambda api: api.get(f"{BATCHES}/x/delivery_report/{PERSON}", headers=BEARER), 404),
        (lambda api: api.delete(f"{BATCHES}/x", headers=BEARER), 404),
    ],
)
def test_sinch_refuses_strangers_and_what_it_does_not_know(ask: Callable[[FlaskClient], Any], status: int) -> None:
    assert ask(client(SinchSkin())).status_code == status


def test_batch_that_has_not_left_can_be_cancelled_and_is_listed_as_such() -> None:
    api = client(SinchSkin())
    batch = api.post(BATCHES, json=BATCH, headers=BEARER).json
    assert batch is not None
    cancelled = api.delete(f"{BATCHES}/{batch['id']}", headers=BEARER).json
    listed = api.get(f"{BATCHES}?page_size=1", headers=BEARER).json
    report = api.get(f"{BATCHES}/{batch['id']}/delivery_report/{PERSON}", headers=BEARER).json
    assert cancelled is not None
    assert listed is not None
    assert report is not None
    assert (cancelled["canceled"], listed["count"], listed["batches"]) == (True, 1, [cancelled])
    assert (report["status"], report["code"]) == ("Cancelled", 407)
    other = api.get(f"{BATCHES}/{batch['id']}/delivery_report/{SENDER}", headers=BEARER)
    assert other.status_code == 404


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        ("none", []),
        ("summary", [["Delivered"]]),
        ("full", [["Delivered"]]),
        ("per_recipient_final", ["Delivered"]),
        ("per_recipient", ["Queued", "Dispatched", "Delivered"]),
    ],
)
def test_sinch_reports_as_the_batch_asks(kind: str, statuses: list[Any]) -> None:
    world, receiver = GatewayWorld(SinchSkin(), pace=Pace.fast()), Receiver()
    more = {"delivery_report": kind, "callback_url": "https://sms.example.com/status"}
    create_app(world, Faults()).test_client().post(BATCHES, json={**BATCH, **more}, headers=BEARER)
    DeliveryEngine(world, post=receiver).flush()
    told = [json.loads(call.body) for call in receiver.calls]
    assert [one.get("status") or [row["status"] for row in one["statuses"]] for one in told] == statuses
    assert all(("recipients" in row) == (kind == "full") for one in told for row in one.get("statuses", []))


def test_sinch_shows_a_batch_and_its_summary_and_slows_down_who_hurries() -> None:
    world = GatewayWorld(SinchSkin())
    api = create_app(world, Faults()).test_client()
    batch = api.post(BATCHES, json=BATCH, headers=BEARER).json
    assert batch is not None
    assert api.get(f"{BATCHES}/{batch['id']}", headers=BEARER).json == batch
    summary = api.get(f"{BATCHES}/{batch['id']}/delivery_report", headers=BEARER).json
    assert summary is not None
    assert summary["statuses"] == [{"code": 400, "status": "Queued", "count": 1}]
    world.max_per_second = 0
    assert api.post(BATCHES, json=BATCH, headers=BEARER).status_code == 429


def test_sinch_looks_numbers_up_for_who_has_a_token_of_the_project() -> None:
    api = client(SinchSkin())
    key = {"Authorization": f"Basic {base64.b64encode(f'{KEY_ID}:{KEY_SECRET}'.encode()).decode()}"}
    grant = {"grant_type": "client_credentials"}
    assert api.post("/oauth2/token", data=grant).status_code == 401
    assert api.post("/oauth2/token", data={"grant_type": "password"}, headers=key).status_code == 400
    token = api.post("/oauth2/token", data=grant, headers=key).json
    assert token is not None
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    lookups = f"/v2/projects/{PROJECT_ID}/lookups"
    wanted = {"number": PERSON, "features": ["LineType"]}
    for path, asked, headers, status in (
        (lookups, wanted, bearer, 200),
        (lookups, wanted, {}, 401),
        ("/v2/projects/other/lookups", wanted, bearer, 403),
        (lookups, {"number": PERSON[1:]}, bearer, 400),
        (lookups, {"numbers": [PERSON]}, bearer, 400),
        (lookups, {"number": PERSON, "features": ["Weather"]}, bearer, 400),
        (lookups, [PERSON], bearer, 400),
    ):
        assert api.post(path, json=asked, headers=headers).status_code == status
