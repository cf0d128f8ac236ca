"""A pretend Salesforce on a real socket, with two orgs and a token for the first."""

import ssl
from collections.abc import Iterator

import httpx
import pytest
from flask import Flask

from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.salesforce.app import create_app
from connector.sandbox.salesforce.outbound import ANSWER_WITHIN, OutboundMessageSender
from connector.sandbox.salesforce.world import SalesforceWorld
from connector.sandbox.serve import Server
from tests.sandbox.salesforce.endpoint import Endpoint
from tests.sandbox.salesforce.plain import ADMIN, APP, BACK, ORG, OTHER_ADMIN, OTHER_ORG, SECRET


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def world(clock: SandboxClock) -> SalesforceWorld:
    world = SalesforceWorld(clock, seed=1)
    for org_id, username in ((ORG, ADMIN), (OTHER_ORG, OTHER_ADMIN)):
        world.add_org(org_id, username=username, client_id=APP, client_secret=SECRET, redirect_uris=[BACK])
    return world


@pytest.fixture
def answer_within(request: pytest.FixtureRequest) -> float:
    """Seconds the sender waits: patient with what answers, unless a test of what never does says otherwise."""
    return float(getattr(request, "param", ANSWER_WITHIN))


@pytest.fixture
def sender(world: SalesforceWorld, clock: SandboxClock, answer_within: float) -> Iterator[OutboundMessageSender]:
    sender = OutboundMessageSender(world, clock, answer_within=answer_within, seed=1)
    yield sender
    sender.stop()


@pytest.fixture
def app(world: SalesforceWorld, clock: SandboxClock, faults: Faults, sender: OutboundMessageSender) -> Flask:
    return create_app(world, clock, faults, sender)


@pytest.fixture
def server(app: Flask) -> Iterator[Server]:
    with Server(app) as server:
        yield server


@pytest.fixture
def bare(server: Server) -> Iterator[httpx.Client]:
    """An HTTP client without a token."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; httpx would load all certificates each time
    with httpx.Client(base_url=server.url, timeout=5, verify=tls) as client:
        yield client


@pytest.fixture
def api(server: Server, world: SalesforceWorld) -> Iterator[httpx.Client]:
    """An HTTP client that carries a token of the first org."""
    headers = {"Authorization": f"Bearer {world.grant(ORG, client_id=APP).access_token}"}
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with httpx.Client(base_url=server.url, headers=headers, timeout=5, verify=tls) as client:
        yield client


@pytest.fixture
def contact(world: SalesforceWorld) -> str:
    """A contact of the first org."""
    values = {"FirstName": "Maya", "LastName": "Lindqvist", "MobilePhone": "+1 202-555-0143"}
    return str(world.create(ORG, "Contact", values)["Id"])


@pytest.fixture
def lead(world: SalesforceWorld) -> str:
    """A lead of the first org."""
    return str(world.create(ORG, "Lead", {"LastName": "Okafor", "Company": "Globex", "Phone": "+12025550178"})["Id"])


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    with Server(endpoint.app) as server:
        endpoint.url = f"{server.url}/hook"
        yield endpoint


@pytest.fixture
def stages(sender: OutboundMessageSender, endpoint: Endpoint) -> OutboundMessageSender:
    """A sender that tells of opportunities' stages."""
    fields = ["StageName", "Amount", "NextStep", "LastModifiedDate"]
    sender.subscribe(ORG, "Opportunity", endpoint.url, fields, on_create=False, watched=["StageName"])
    return sender


@pytest.fixture
def deal(world: SalesforceWorld, stages: OutboundMessageSender) -> str:
    values = {"Name": "Roof", "StageName": "Prospecting", "CloseDate": "2026-12-24", "Amount": 1200.5}
    return str(world.create(ORG, "Opportunity", values)["Id"])
