from __future__ import annotations

import pytest
import redis
import structlog
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from connector.adapters.redis_server import make_redis
from connector.adapters.task_queue import DRAIN_JOB, RQTaskQueue

LANE = "send:twilio:otp"


def waiting(client: redis.Redis, lane: str = LANE) -> list[Job]:
    return list(Queue(lane, connection=client, serializer=JSONSerializer).jobs)


class Ticks:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_nudge_is_a_drain_of_its_lane_and_nothing_else(redis_client: redis.Redis) -> None:
    RQTaskQueue(redis_client).nudge(LANE)
    (job,) = waiting(redis_client)
    assert (job.func_name, job.args, job.kwargs) == (DRAIN_JOB, [LANE], {})


def test_lane_that_was_nudged_and_has_not_begun_is_not_nudged_again(redis_client: redis.Redis) -> None:
    queue = RQTaskQueue(redis_client)
    for _ in range(5):
        queue.nudge(LANE)
        queue.nudge("events")
    assert len(waiting(redis_client)) == 1
    assert len(waiting(redis_client, "events")) == 1


def test_nudge_while_a_drain_runs_makes_one_more(redis_client: redis.Redis) -> None:
    queue = RQTaskQueue(redis_client)
    queue.nudge(LANE)
    redis_client.lpop(f"rq:queue:{LANE}")  # a worker takes it
    queue.begin(LANE)
    queue.nudge(LANE)
    queue.nudge(LANE)
    assert len(waiting(redis_client)) == 1


def test_nudges_do_not_pile_up_in_a_lane_that_nobody_gets_to(redis_client: redis.Redis) -> None:
    queue = RQTaskQueue(redis_client)
    for _ in range(3):
        queue.nudge(LANE)
        redis_client.delete(f"nudge:{LANE}")  # ten seconds pass
    assert len(waiting(redis_client)) == 1


def test_flag_without_a_job_blocks_its_lane_for_seconds_only(redis_client: redis.Redis) -> None:
    RQTaskQueue(redis_client).nudge(LANE)
    assert 0 < redis_client.ttl(f"nudge:{LANE}") <= 10


def test_forgotten_jobs_leave_redis_by_themselves(redis_client: redis.Redis) -> None:
    RQTaskQueue(redis_client).nudge(LANE)
    (job,) = waiting(redis_client)
    assert 0 < redis_client.ttl(job.key) <= 3600


def test_flushed_redis_takes_the_next_nudge(redis_client: redis.Redis) -> None:
    queue = RQTaskQueue(redis_client)
    queue.nudge(LANE)
    redis_client.flushall()
    queue.nudge(LANE)
    assert len(waiting(redis_client)) == 1


def test_absent_redis_is_said_once_a_minute_and_never_raised() -> None:
    ticks = Ticks()
    queue = RQTaskQueue(make_redis("redis://127.0.0.1:1/0"), monotonic=ticks)
    with structlog.testing.capture_logs() as logs:
        for _ in range(30):
            queue.nudge(LANE)
            queue.begin(LANE)
            ticks.now += 1.0
    assert len(logs) == 1
    ticks.now += 60.0
    with structlog.testing.capture_logs() as logs:
        queue.nudge(LANE)
    assert len(logs) == 1


def test_absent_redis_is_asked_once_a_second_however_many_nudges_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, asked = make_redis("redis://127.0.0.1:1/0"), []

    def refuse(*args: object, **options: object) -> None:
        asked.append(args)
        raise redis.ConnectionError

    monkeypatch.setattr(client, "set", refuse)
    ticks = Ticks()
    queue = RQTaskQueue(client, monotonic=ticks)
    for _ in range(100):
        queue.nudge(LANE)
    assert len(asked) == 1
    ticks.now += 1.0
    queue.nudge(LANE)
    assert len(asked) == 2


def test_opt_outs_come_first_and_bulk_comes_last() -> None:
    assert RQTaskQueue.lanes_in_order(["twilio", "null"], ["hubspot"]) == (
        "receipts",
        "send:twilio:otp",
        "send:null:otp",
        "events",
        "journeys",
        "workflows",
        "lookups",
        "send:twilio:transactional",
        "send:null:transactional",
        "effects",
        "writeback:hubspot",
        "maintenance",
        "send:twilio:marketing",
        "send:null:marketing",
    )
