"""What do the tests of the gateways' engine stand on: an account with a made-up vendor, a receiver, phones?"""

import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.gateways.delivery import DeliveryEngine
from connector.sandbox.gateways.world import GatewayWorld
from tests.adapters.sms.emulated import Receiver
from tests.sandbox.gateways.plain import INBOUND_URL, KEY, STATUS_URL, PlainSkin


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock()


@pytest.fixture
def world(clock: SandboxClock) -> GatewayWorld:
    return GatewayWorld(PlainSkin(), clock, inbound_url=INBOUND_URL, status_url=STATUS_URL, credentials={"key": KEY})


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def engine(world: GatewayWorld, receiver: Receiver) -> DeliveryEngine:
    return DeliveryEngine(world, post=receiver)
