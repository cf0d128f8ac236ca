"""Do the emulated Plivo, Telnyx and SMS Gateway Hub refuse what those vendors refuse, in their own words?"""

from __future__ import annotations

import base64
from typing import Any

import pytest
from flask.testing import FlaskClient

from connector.sandbox.faults import Faults
from connector.sandbox.gateways import plivo, smsgatewayhub, telnyx
from connector.sandbox.gateways.sandbox import create_app
from connector.sandbox.gateways.skin import Skin
from connector.sandbox.gateways.world import GatewayWorld

PERSON, SENDER = "+12025550143", "+12025550100"
BASIC = {"Authorization": f"Basic {base64.b64encode(f'{plivo.AUTH_ID}:{plivo.AUTH_TOKEN}'.encode()).decode()}"}
BEARER = {"Authorization": f"Bearer {telnyx.API_KEY}"}
PLIVO = f"/v1/Account/{plivo.AUTH_ID}/Message/"
FLAT = {
    "APIKey": smsgatewayhub.API_KEY,
    "senderid": "ABCDEF",
    "channel": "INT",
    "DCS": "0",
    "number": PERSON[1:],
    "text": "Hi",
}


def client(skin: Skin) -> FlaskClient:
    return create_app(GatewayWorld(skin), Faults()).test_client()


# -- Plivo


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": "field"},
        {"text": ""},
        {"text": "x" * 1601},
        {"text": "ש" * 738},
        {"dst": None},
        {"src": None},
        {"powerpack_uuid": "0" * 36},
        {"message_expiry": 4},
        {"message_expiry": 10_801},
        {"message_expiry": "60"},
        {"method": "PUT"},
        {"url": "sms.example.com"},
        {"dlt_template_category": "other"},
    ],
)
def test_plivo_refuses_what_it_does_not_know(change: dict[str, Any]) -> None:
    body = {"src": SENDER[1:], "dst": PERSON[1:], "text": "Hi"}
    assert client(plivo.PlivoSkin()).post(PLIVO, json=body, headers=BASIC).status_code == 202
    changed = {name: value for name, value in {**body, **change}.items() if value is not None}
    answer = client(plivo.PlivoSkin()).post(PLIVO, json=changed, headers=BASIC)
    assert answer.status_code == 400
    assert set(answer.get_json()) == {"api_id", "error"}


def test_plivo_wants_json_and_the_right_account() -> None:
    api = client(plivo.PlivoSkin())
    assert api.post(PLIVO, data="src=1", headers=BASIC).status_code == 400
    for path, headers in ((PLIVO, {}), (PLIVO.replace("MA", "MB"), BASIC)):
        assert api.post(path, json={}, headers=headers).status_code == 401
        assert api.get(f"{path}some-id/", headers=headers).status_code == 401
    assert api.get("/v1/Number/12025550143?type=carrier").status_code == 401
    assert api.get("/v1/Number/12025550143", headers=BASIC).status_code == 400


def test_plivo_takes_several_recipients_and_lists_those_it_does_not() -> None:
    body = {"src": SENDER[1:], "dst": f"{PERSON[1:]}<12025550144<12", "text": "Hi"}
    answer = client(plivo.PlivoSkin()).post(PLIVO, json=body, headers=BASIC).get_json()
    assert (len(set(answer["message_uuid"])), answer["invalid_number"]) == (2, ["12"])


# -- Telnyx


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"unknown": "field"}, 422, "10015"),
        ({"type": "MMS"}, 422, "10015"),
        ({"to": None}, 422, "10004"),
        ({"to": PERSON[1:]}, 400, "40310"),
        ({"from": None}, 400, "40305"),
        ({"from": "ACME"}, 400, "40305"),
        ({"text": None}, 400, "40316"),
        ({"text": "ש" * 671}, 400, "40302"),
        ({"webhook_url": "sms.example.com"}, 400, "10003"),
    ],
)
def test_telnyx_refuses_what_it_does_not_know(change: dict[str, Any], status: int, code: str) -> None:
    body = {"from": SENDER, "to": PERSON, "text": "Hi"}
    assert client(telnyx.TelnyxSkin()).post("/v2/messages", json=body, headers=BEARER).status_code == 200
    changed = {name: value for name, value in {**body, **change}.items() if value is not None}
    answer = client(telnyx.TelnyxSkin()).post("/v2/messages", json=changed, headers=BEARER)
    assert answer.status_code == status
    assert [error["code"] for error in answer.get_json()["errors"]] == [code]


def test_telnyx_wants_json_and_a_key() -> None:
    api = client(telnyx.TelnyxSkin())
    assert api.post("/v2/messages", data="to=1", headers=BEARER).status_code == 400
    assert api.post("/v2/messages", json={}).status_code == 401
    assert api.get("/v2/messages/some-id").status_code == 401
    assert api.get(f"/v2/number_lookup/{PERSON}?type=carrier").status_code == 401
    assert api.get(f"/v2/number_lookup/{PERSON}", headers=BEARER).status_code == 422


def test_telnyx_forgets_a_stop_after_start() -> None:
    skin = telnyx.TelnyxSkin()
    world = GatewayWorld(skin, inbound_url="https://sms.example.com/callbacks/telnyx/inbound")
    api = create_app(world, Faults()).test_client()
    statuses = []
    for word in ("Stop", "please stop by", "START"):
        world.reply(PERSON, SENDER, word)
        body = {"from": SENDER, "to": PERSON, "text": "Hi"}
        statuses.append(api.post("/v2/messages", json=body, headers=BEARER).status_code)
    assert statuses == [400, 400, 200]


# -- SMS Gateway Hub


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, 0),
        ({"APIKey": "wrong"}, 5),
        ({"senderid": "ABC"}, 12),
        ({"channel": "3"}, 15),
        ({"DCS": "1"}, 15),
        ({"number": PERSON}, 13),
        ({"text": ""}, 6),
        ({"channel": "2"}, 13),
        ({"channel": "2", "number": "917000000000"}, 24),
        ({"channel": "2", "number": "917000000000", "EntityId": "e", "dlttemplateid": "t"}, 0),
    ],
)
def test_smsgatewayhub_says_in_a_success_what_is_wrong(change: dict[str, str], code: int) -> None:
    answer = client(smsgatewayhub.SMSGatewayHubSkin()).get("/api/mt/SendSMS", query_string=FLAT | change)
    assert answer.status_code == 200
    assert int(answer.get_json()["ErrorCode"]) == code


def nested(**change: Any) -> dict[str, Any]:
    account = {"APIkey": smsgatewayhub.API_KEY, "SenderId": "ABCDEF", "Channel": "INT", "DCS": "0"}
    return {"Account": account, "Messages": [{"Number": PERSON[1:], "Text": "Hi"}], **change}


@pytest.mark.parametrize(
    "change",
    [
        {"Account": {}},
        {"Account": []},
        {"Messages": []},
        {"Messages": {}},
        {"Messages": ["x"]},
        {"Messages": [{"Number": 12025550143, "Text": "Hi"}]},
        {"More": 1},
    ],
)
def test_smsgatewayhub_breaks_on_a_request_of_the_wrong_shape(change: dict[str, Any]) -> None:
    api = client(smsgatewayhub.SMSGatewayHubSkin())
    assert api.post("/api/mt/SendSms", json=nested()).get_json()["ErrorCode"] == "000"
    assert api.post("/api/mt/SendSms", json=nested(**change)).status_code == 500


def test_smsgatewayhub_wants_each_shape_at_its_own_path() -> None:
    api = client(smsgatewayhub.SMSGatewayHubSkin())
    assert api.post("/api/mt/SendSMS", json=nested()).status_code == 500
    assert api.post("/api/mt/SendSms", query_string=FLAT).status_code == 500
    assert api.get("/api/mt/SendSMS", query_string=FLAT | {"unknown": "1"}).status_code == 500


def test_smsgatewayhub_tells_of_a_job_only_to_its_account() -> None:
    api = client(smsgatewayhub.SMSGatewayHubSkin())
    job = api.get("/api/mt/SendSMS", query_string=FLAT).get_json()["JobId"]
    found = api.get("/api/mt/GetDelivery", query_string={"APIKey": smsgatewayhub.API_KEY, "jobid": job}).get_json()
    assert [report["DeliveryStatus"] for report in found["DeliveryReports"]] == ["Message in queue"]
    stranger = api.get("/api/mt/GetDelivery", query_string={"APIKey": "wrong", "jobid": job}).get_json()
    assert (int(stranger["ErrorCode"]), stranger.get("DeliveryReports")) == (7, None)
