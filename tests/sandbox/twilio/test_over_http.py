"""Does the gateway behave over a real socket: hang after accepting, reset, deliver by itself?"""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import httpx
import pytest
from flask import Flask, request

from connector.sandbox.clock import SandboxClock
from connector.sandbox.gateways.receipts import Pace
from connector.sandbox.serve import Server
from connector.sandbox.twilio.sandbox import TwilioSandbox
from connector.sandbox.twilio.world import TwilioWorld
from tests.sandbox.twilio.receiver import ACCOUNT, PERSON, SENDER, TOKEN

FORM = {"To": PERSON, "From": SENDER, "Body": "Hello"}


@pytest.fixture
def gateway() -> Iterator[TwilioSandbox]:
    world = TwilioWorld(SandboxClock(), ACCOUNT, TOKEN, pace=Pace.fast())
    world.add_sender(SENDER)
    with TwilioSandbox(world) as gateway:
        yield gateway


@pytest.fixture
def client(gateway: TwilioSandbox) -> Iterator[httpx.Client]:
    base = f"{gateway.url}/2010-04-01/Accounts/{ACCOUNT}"
    with httpx.Client(base_url=base, auth=(ACCOUNT, TOKEN), timeout=5) as client:
        yield client


@pytest.fixture
def heard() -> Iterator[tuple[str, list[str], threading.Event]]:
    """A receiver on a socket: its URL, the statuses it was told, and when the last of them came."""
    statuses: list[str] = []
    finished = threading.Event()
    app = Flask(__name__)

    @app.post("/status")
    def status() -> str:
        statuses.append(request.form["MessageStatus"])
        if statuses[-1] == "delivered":
            finished.set()
        return ""

    with Server(app) as server:
        yield f"{server.url}/status", statuses, finished


def test_a_message_that_was_accepted_and_timed_out_exists_and_is_delivered(
    gateway: TwilioSandbox, client: httpx.Client, heard: tuple[str, list[str], threading.Event]
) -> None:
    url, statuses, finished = heard
    gateway.faults.arm("twilio.messages.create", "accept_then_timeout", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/Messages.json", data=FORM | {"StatusCallback": url}, timeout=0.3)
    assert finished.wait(10)
    assert statuses == ["sending", "sent", "delivered"]
    found = client.get("/Messages.json", params={"To": PERSON}).json()["messages"]
    assert [message["body"] for message in found] == ["Hello"]


def test_a_reset_connection_leaves_no_message(gateway: TwilioSandbox, client: httpx.Client) -> None:
    gateway.faults.arm("twilio.messages.create", "reset")
    with pytest.raises(httpx.TransportError):
        client.post("/Messages.json", data=FORM)
    assert gateway.world.messages() == []


def test_a_message_whose_answer_was_reset_exists(gateway: TwilioSandbox, client: httpx.Client) -> None:
    gateway.faults.arm("twilio.messages.create", "accept_then_timeout", then="reset")
    with pytest.raises(httpx.TransportError):
        client.post("/Messages.json", data=FORM)
    assert len(gateway.world.messages()) == 1


def test_the_control_endpoint_writes_from_a_phone_and_bends_receipts(gateway: TwilioSandbox) -> None:
    control = f"{gateway.url}/_sandbox/twilio"
    reply = httpx.post(f"{control}/replies", json={"from": PERSON, "to": SENDER, "body": "STOP"})
    assert reply.status_code == 201
    assert httpx.post(f"{control}/receipts", json={"kind": "silent", "times": 3}).json() == [
        {"kind": "silent", "left": 3}
    ]
    assert httpx.post(f"{control}/receipts", json={"kind": "sideways"}).status_code == 400
    assert httpx.get(f"{control}/phones/{PERSON}").json()[0]["body"] == "STOP"
    assert httpx.patch(f"{control}/phones/{PERSON}", json={"is_on": False}).json()["is_on"] is False


def test_the_gateway_alone_says_how_to_reach_it_and_stops_on_sigterm() -> None:
    program = "from connector.sandbox.twilio.sandbox import run; run(0, announce=lambda line: print(line, flush=True))"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = dict(process.stdout.readline().strip().split("=", 1) for _ in range(5))
        auth = (said["TWILIO_ACCOUNT_SID"], said["TWILIO_AUTH_TOKENS"])
        path = f"/2010-04-01/Accounts/{auth[0]}/Messages.json"
        form = {"To": PERSON, "From": said["TWILIO_FROM"], "Body": "Hello"}
        assert httpx.post(said["TWILIO_API_URL"] + path, data=form, auth=auth).status_code == 201
        assert httpx.get(f"{said['TWILIO_LOOKUP_URL']}/v2/PhoneNumbers/{PERSON}", auth=auth).json()["valid"] is True
        for _ in range(3):  # a terminal and a supervisor may both send one
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
