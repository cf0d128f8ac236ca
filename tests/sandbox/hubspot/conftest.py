"""A pretend HubSpot on a real socket, with one portal and one token."""

import ssl
from collections.abc import Iterator

import httpx
import pytest
from flask import Flask

from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.app import create_app
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.serve import Server

PORTAL = 12345
TOKEN = "pat-test"


class Monotonic:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def monotonic() -> Monotonic:
    return Monotonic()


@pytest.fixture
def world(clock: SandboxClock, monotonic: Monotonic) -> HubSpotWorld:
    world = HubSpotWorld(clock, seed=1, monotonic=monotonic)
    world.add_portal(PORTAL, token=TOKEN, name="Test portal")
    return world


@pytest.fixture
def app(world: HubSpotWorld, clock: SandboxClock, faults: Faults) -> Flask:
    return create_app(world, clock, faults)


@pytest.fixture
def server(app: Flask) -> Iterator[Server]:
    with Server(app) as server:
        yield server


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    """An HTTP client that carries the portal's token."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; httpx would load all certificates each time
    with httpx.Client(base_url=server.url, headers=headers, timeout=5, verify=bare) as client:
        yield client
