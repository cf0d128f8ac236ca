from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import structlog
from rq import Queue
from rq.serializers import DefaultSerializer, JSONSerializer

from connector.adapters.lane_worker import LaneWorker
from connector.adapters.redis_server import make_redis
from connector.adapters.task_queue import RQTaskQueue

LANES = ("receipts", "send:twilio:otp", "maintenance")


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """A worker sets handlers; the test run gets its own back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def work(redis_url: str, drain: Callable[[str], object], max_jobs: int | None = None) -> None:
    """Work until nothing waits, with a client of the worker's own as in production."""
    with make_redis(redis_url) as client:
        LaneWorker(LANES, client, drain).work(burst=True, max_jobs=max_jobs)


def test_nudged_lanes_are_drained_most_urgent_first(redis_client: redis.Redis, redis_url: str) -> None:
    for lane in reversed(LANES):
        RQTaskQueue(redis_client).nudge(lane)
    drained: list[str] = []
    work(redis_url, drained.append)
    assert drained == list(LANES)


def test_nudge_leaves_nothing_behind_in_redis(redis_client: redis.Redis, redis_url: str) -> None:
    queue = RQTaskQueue(redis_client)
    queue.nudge("receipts")
    work(redis_url, queue.begin)
    assert not list(redis_client.scan_iter("rq:job:*"))
    assert not list(redis_client.scan_iter("nudge:*"))


def test_failing_drain_is_logged_and_the_next_lane_is_drained(redis_client: redis.Redis, redis_url: str) -> None:
    for lane in LANES[:2]:
        RQTaskQueue(redis_client).nudge(lane)
    drained: list[str] = []

    def drain(lane: str) -> None:
        drained.append(lane)
        if lane == LANES[0]:
            raise RuntimeError("broken")

    with structlog.testing.capture_logs() as logs:
        work(redis_url, drain)
    assert drained == list(LANES[:2])
    assert [(line["event"], line["lane"], line["error"]) for line in logs] == [
        ("drain failed", LANES[0], "RuntimeError")
    ]


def test_job_that_names_any_other_function_is_refused(
    redis_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    Queue("receipts", connection=redis_client, serializer=JSONSerializer).enqueue_call(
        "os.mkdir", args=(f"{tmp_path}/made",)
    )
    drained: list[str] = []
    with structlog.testing.capture_logs() as logs:
        work(redis_url, drained.append)
    assert (drained, list(tmp_path.iterdir())) == ([], [])
    assert logs[0]["event"] == "job refused: it is not a drain"


def test_pickled_job_is_refused_and_never_unpickled(redis_client: redis.Redis, redis_url: str, tmp_path: Path) -> None:
    Queue("receipts", connection=redis_client, serializer=DefaultSerializer).enqueue_call(
        subprocess.check_call, args=(["touch", f"{tmp_path}/made"],)
    )
    drained: list[str] = []
    with structlog.testing.capture_logs():
        work(redis_url, drained.append)
    assert (drained, list(tmp_path.iterdir())) == ([], [])


def test_forged_argument_does_not_reach_the_drain(redis_client: redis.Redis, redis_url: str) -> None:
    Queue("receipts", connection=redis_client, serializer=JSONSerializer).enqueue_call(
        "connector.entrypoints.jobs.drain", args=("lane-of-somebody-else",)
    )
    drained: list[str] = []
    work(redis_url, drained.append)
    assert drained == ["receipts"]


def test_drain_that_hangs_is_cut_off_and_the_worker_lives(redis_client: redis.Redis, redis_url: str) -> None:
    Queue("receipts", connection=redis_client, serializer=JSONSerializer).enqueue_call(
        "connector.entrypoints.jobs.drain", args=("receipts",), timeout=1
    )
    with structlog.testing.capture_logs() as logs:
        work(redis_url, lambda _: threading.Event().wait(30))
    assert logs[0]["error"] == "JobTimeoutException"


def test_worker_outlives_a_redis_that_drops_every_connection_while_it_drains(
    redis_client: redis.Redis, redis_url: str
) -> None:
    queue = RQTaskQueue(redis_client)
    for lane in LANES:
        queue.nudge(lane)
    drained: list[str] = []

    def drain(lane: str) -> None:
        drained.append(lane)
        redis_client.client_kill_filter(_type="normal", skipme=True)

    work(redis_url, drain)
    assert drained == list(LANES)


def test_request_to_stop_lets_the_running_drain_finish_and_takes_no_other(
    redis_client: redis.Redis, redis_url: str
) -> None:
    for lane in LANES:
        RQTaskQueue(redis_client).nudge(lane)
    drained: list[str] = []

    def drain(lane: str) -> None:
        signal.raise_signal(signal.SIGTERM)
        drained.append(lane)

    work(redis_url, drain)
    assert drained == [LANES[0]]
    assert Queue(LANES[1], connection=redis_client).count == 1


def test_request_to_stop_ends_an_idle_wait_at_once(redis_client: redis.Redis, redis_url: str) -> None:
    class Waits(LaneWorker):
        def procline(self, message: str) -> None:
            assert message.startswith("Listening")  # RQ names its process just before it blocks
            signal.raise_signal(signal.SIGTERM)

    with make_redis(redis_url) as client:
        assert Waits(LANES, client, print).work() is False


def test_dead_workers_are_forgotten(redis_client: redis.Redis, redis_url: str) -> None:
    redis_client.sadd("rq:workers", "rq:worker:gone")
    redis_client.sadd("rq:workers:receipts", "rq:worker:gone")
    work(redis_url, print)
    assert redis_client.smembers("rq:workers") == set()
