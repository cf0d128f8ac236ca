"""Does a pretend gateway work over real sockets: served, delivering by itself, acted upon from outside?"""

import threading
from collections.abc import Iterator

import httpx
import pytest
from flask import Flask, request

from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.serve import Server
from tests.sandbox.gateways.plain import INBOUND_URL, KEY, PERSON, SENDER, PlainSkin

ORDER = {"to": PERSON, "text": "Hello"}


@pytest.fixture
def box() -> Iterator[GatewaySandbox]:
    with GatewaySandbox(PlainSkin(), credentials={"key": KEY}) as box:
        yield box


@pytest.fixture
def client(box: GatewaySandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=box.url, headers={"X-Key": KEY}, timeout=5) as client:
        yield client


@pytest.fixture
def control(box: GatewaySandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{box.url}/_sandbox/gateways/plain", timeout=5) as client:
        yield client


def test_text_that_was_accepted_and_timed_out_is_delivered_and_reported(
    box: GatewaySandbox, client: httpx.Client
) -> None:
    heard, finished = list[str](), threading.Event()
    app = Flask(__name__)

    @app.post("/status")
    def status() -> str:
        heard.append(request.get_json()["status"])
        if heard[-1] == "delivered":
            finished.set()
        return ""

    box.faults.arm("plain.send", "accept_then_timeout", then="reset")
    with Server(app) as server:
        with pytest.raises(httpx.TransportError):
            client.post("/send", json=ORDER | {"url": f"{server.url}/status#rc=2"})
        assert finished.wait(10)
    assert heard == ["sending", "sent", "delivered"]
    assert box.world.calls["send"] == 1


def test_fault_is_answered_in_the_vendors_words_and_other_operations_go_on(
    box: GatewaySandbox, client: httpx.Client
) -> None:
    box.faults.arm("plain.send", "status", status=500)
    refused = client.post("/send", json=ORDER)
    assert (refused.status_code, refused.json()) == (500, {"error": 500})
    sent = client.post("/send", json=ORDER).json()
    assert client.get(f"/messages/{sent['id']}").json()["id"] == sent["id"]
    assert client.get("/messages/nobody").status_code == 404


def test_limit_set_from_outside_throttles(client: httpx.Client, control: httpx.Client) -> None:
    assert control.put("/limit", json={"max_per_second": 1}).json() == {"max_per_second": 1}
    assert [client.post("/send", json=ORDER).status_code for _ in range(2)] == [200, 429]
    control.put("/limit", json={"max_per_second": None})
    assert control.get("/limit").json() == {"max_per_second": None}
    assert client.post("/send", json=ORDER).status_code == 200


def test_outages_are_set_and_lifted_from_outside(box: GatewaySandbox, control: httpx.Client) -> None:
    assert control.put("/outages", json={"prefixes": ["+44", "+1"]}).json() == ["+1", "+44"]
    assert box.world.outages == {"+1", "+44"}
    assert control.put("/outages", json={"prefixes": []}).json() == control.get("/outages").json() == []


def test_receipts_are_bent_and_straightened_from_outside(box: GatewaySandbox, control: httpx.Client) -> None:
    armed = control.post("/receipts", json={"kind": "undelivered", "times": 3, "error_code": "E1"})
    assert armed.json() == [{"kind": "undelivered", "left": 3, "error_code": "E1"}]
    assert control.get("/receipts").json() == armed.json()
    assert control.delete("/receipts/undelivered").status_code == 204
    assert box.world.receipts.armed() == []


def test_person_writes_from_a_phone_that_can_be_switched_off(
    box: GatewaySandbox, client: httpx.Client, control: httpx.Client
) -> None:
    reply = control.post("/replies", json={"from": PERSON, "to": SENDER, "body": "STOP"})
    assert (reply.status_code, reply.json()["is_inbound"]) == (201, True)
    assert control.patch(f"/phones/{PERSON}", json={"is_on": False}).json()["is_on"] is False
    client.post("/send", json=ORDER)
    assert [shown["body"] for shown in control.get(f"/phones/{PERSON}").json()] == ["STOP"]
    assert len(control.get("/messages", params={"number": PERSON}).json()) == 2
    assert control.get("/messages", params={"number": "+12025550199"}).json() == []
    assert control.get("/calls").json()["send"] == 1
    assert box.world.handsets[PERSON].is_on is False


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/replies", {"from": PERSON}),
        ("POST", "/replies", []),
        ("POST", "/receipts", {"kind": "sideways"}),
        ("POST", "/receipts", {"kind": "silent", "times": 0}),
        ("PUT", "/outages", {"prefixes": "+44"}),
        ("PUT", "/outages", {"prefixes": ["44"]}),
        ("PUT", "/limit", {"max_per_second": "many"}),
    ],
)
def test_mistake_is_said_to_be_one(control: httpx.Client, method: str, path: str, body: object) -> None:
    answer = control.request(method, path, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_world_made_beforehand_is_used_as_it_is(box: GatewaySandbox) -> None:
    box.world.inbound_url = INBOUND_URL
    other = GatewaySandbox(box.world, faults=box.faults)
    assert (other.world, other.faults) == (box.world, box.faults)
    other.stop()
