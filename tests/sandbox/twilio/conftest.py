"""What do the tests of the emulated gateway stand on: an account, a recording receiver, an API client?"""

from collections.abc import Iterator

import httpx
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.gateways.delivery import DeliveryEngine
from connector.sandbox.twilio.app import create_app
from connector.sandbox.twilio.world import TwilioWorld
from tests.sandbox.twilio.receiver import ACCOUNT, INBOUND, SENDER, TOKEN, Receiver


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock()


@pytest.fixture
def world(clock: SandboxClock) -> TwilioWorld:
    world = TwilioWorld(clock, ACCOUNT, TOKEN, inbound_url=INBOUND)
    world.add_sender(SENDER)
    return world


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def engine(world: TwilioWorld, receiver: Receiver) -> DeliveryEngine:
    return DeliveryEngine(world, post=receiver)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def api(world: TwilioWorld, clock: SandboxClock, faults: Faults) -> Iterator[httpx.Client]:
    transport = httpx.WSGITransport(app=create_app(world, clock, faults))
    with httpx.Client(
        transport=transport,
        base_url=f"http://gateway.test/2010-04-01/Accounts/{ACCOUNT}",
        auth=(ACCOUNT, TOKEN),
    ) as client:
        yield client
