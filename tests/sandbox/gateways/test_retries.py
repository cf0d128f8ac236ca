"""Is a callback that was not taken sent again, after which answers, how long after and how often?"""

from datetime import timedelta

import httpx
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.gateways.delivery import DeliveryEngine
from connector.sandbox.gateways.retries import RetryPolicy, doubling
from connector.sandbox.gateways.world import GatewayWorld
from tests.adapters.sms.emulated import Receiver
from tests.sandbox.gateways.plain import PERSON, SENDER


def send(world: GatewayWorld) -> None:
    world.receipts.arm("failed")  # one callback and no more
    world.take(to=PERSON, sender=SENDER, body="Hello")


@pytest.mark.parametrize(
    "answer", [httpx.Response(500), httpx.Response(429), httpx.ConnectError("refused"), httpx.ReadTimeout("late")]
)
def test_callback_that_was_not_taken_comes_again_signed_anew(
    world: GatewayWorld, engine: DeliveryEngine, receiver: Receiver, answer: httpx.Response | Exception
) -> None:
    receiver.answers = [answer]
    send(world)
    engine.flush()
    first, second = receiver.calls
    assert first.body == second.body
    assert first.headers["X-Time"] < second.headers["X-Time"]
    assert not world.given_up


def test_callback_waits_its_time_before_it_comes_again(
    world: GatewayWorld, clock: SandboxClock, engine: DeliveryEngine, receiver: Receiver
) -> None:
    receiver.answers = [httpx.Response(503), httpx.Response(503)]
    send(world)
    counts = []
    for seconds in (1, 3, 2, 5, 6):
        clock.advance(timedelta(seconds=seconds))
        engine.step()
        counts.append(len(receiver.calls))
    assert counts == [1, 1, 2, 2, 3]


@pytest.mark.parametrize("status", [301, 400, 403, 404])
def test_callback_that_was_refused_does_not_come_again(
    world: GatewayWorld, engine: DeliveryEngine, receiver: Receiver, status: int
) -> None:
    receiver.answers = [httpx.Response(status)]
    send(world)
    engine.flush()
    assert [result.status for result in world.given_up] == [status]
    assert len(receiver.calls) == 1


def test_callback_nobody_ever_takes_is_given_up(
    world: GatewayWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    receiver.answers = [httpx.ConnectError("refused")] * 20
    send(world)
    engine.flush()
    assert len(engine.results) == 6
    assert [(result.status, result.error) for result in world.given_up] == [(None, "ConnectError")]


def test_waits_double_up_to_a_longest() -> None:
    assert [wait.total_seconds() for wait in doubling(5, 15, 4)] == [5, 10, 15, 15]


def test_policy_may_name_single_statuses_and_leave_lost_connections_alone() -> None:
    policy = RetryPolicy((timedelta(seconds=1),), frozenset({429}), after_no_answer=False)
    assert policy.wait(429, 1) == timedelta(seconds=1)
    assert [policy.wait(429, 2), policy.wait(503, 1), policy.wait(None, 1)] == [None] * 3
