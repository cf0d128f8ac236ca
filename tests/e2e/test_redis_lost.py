"""Is anything lost or sent twice when Redis forgets everything, or goes away?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.adapters.redis_server import make_redis
from tests.e2e.rig import Rig
from tests.e2e.scene import BOOKED, Scene
from tests.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def redis_returns(rig: Rig) -> Iterator[None]:
    """Whatever a test did to Redis, the next one finds it running."""
    yield
    with make_redis(rig.redis.url) as client:
        assert client.ping()


def test_redis_emptied_again_and_again_loses_nothing_and_sends_nothing_twice(rig: Rig, scene: Scene) -> None:
    people = [scene.person() for _ in range(6)]
    deals = [scene.deal(person) for person in people]
    rig.webhooks.duplicates, rig.webhooks.shuffle, rig.webhooks.batch_size = 1, True, 3
    with make_redis(rig.redis.url) as client:
        for deal in deals:
            rig.hubspot.update(scene.portal_id, "deals", deal, {"dealstage": BOOKED})
            rig.webhooks.flush()
            client.flushall()
        for person in people:
            scene.gets_in_time(person.number, "your demo")
            client.flushall()
        scene.write(people[0].number, "STOP")
        client.flushall()
        scene.write(people[1].number, "reschedule")
        client.flushall()
    scene.books.settle()
    assert scene.books.states() == {"delivered": len(people) + 2}


def test_webhooks_are_taken_while_redis_is_dead_and_worked_when_it_is_back(
    rig: Rig, scene: Scene, redis_returns: None
) -> None:
    before, during = scene.person("Maya"), scene.person("Priya")
    deals = scene.deal(before), scene.deal(during)
    scene.change("deals", deals[0], dealstage=BOOKED)
    rig.kill_redis()
    try:
        scene.change("deals", deals[1], dealstage=BOOKED)
        assert rig.webhooks.deliveries[-1].was_accepted
        answer = rig.http.get("/readyz")
        assert (answer.status_code, answer.json()["checks"]["redis"]) == (503, "ConnectionError")
        assert rig.http.get("/healthz").status_code == 200
    finally:
        rig.restart_redis()
    eventually(rig.is_ready, "the web process has found Redis again")
    for person in (before, during):
        scene.gets_in_time(person.number, "your demo")
    scene.books.settle()
    assert scene.books.states() == {"delivered": 2}
    assert all(process.is_running for process in rig.processes.values())
