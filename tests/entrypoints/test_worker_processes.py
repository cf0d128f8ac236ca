from __future__ import annotations

import multiprocessing
import os
import select
import signal
from collections.abc import Callable, Iterator
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest
import redis

from connector.adapters.redis_server import EmbeddedRedis, make_redis
from connector.adapters.task_queue import RQTaskQueue
from connector.entrypoints import worker
from connector.entrypoints.worker import WorkerOptions, run_worker

pytestmark = pytest.mark.slow
DRAINS = "tests.entrypoints.drains"
PATIENCE = 20  # seconds; a fresh interpreter on a busy machine
Start = Callable[..., SpawnProcess]


@pytest.fixture
def start(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start supervisors, each in a process of its own as `smsctl worker` is, and end what is left of them."""
    monkeypatch.setenv("TEST_REDIS_URL", redis_url)
    started: list[SpawnProcess] = []

    def start_one(drain: str = "report", processes: int = 1, url: str = redis_url) -> SpawnProcess:
        options = WorkerOptions(url, ("receipts", "events"), prepare=f"{DRAINS}.prepare", drain_job=f"{DRAINS}.{drain}")
        supervisor = multiprocessing.get_context("spawn").Process(target=run_worker, args=(options, processes))
        supervisor.start()
        started.append(supervisor)
        return supervisor

    yield start_one
    for supervisor in started:
        supervisor.kill()
        supervisor.join()


def nudge(client: redis.Redis, lane: str, drain: str = "report") -> None:
    RQTaskQueue(client, drain_job=f"{DRAINS}.{drain}").nudge(lane)


def said(client: redis.Redis, key: str) -> str:
    """What a drain says next under `key`."""
    for _ in range(PATIENCE):
        if answer := client.blpop([key], timeout=1):
            word = answer[1]
            return word.decode() if isinstance(word, bytes) else word
    pytest.fail(f"nobody said {key}")


def test_worker_prepares_once_and_drains_what_is_nudged(redis_client: redis.Redis, start: Start) -> None:
    start()
    pid = said(redis_client, "prepared")
    for lane in ("events", "receipts"):
        nudge(redis_client, lane)
        assert said(redis_client, "drained") == f"{lane} {pid}"


def test_killed_worker_is_replaced_and_the_next_nudge_is_drained(redis_client: redis.Redis, start: Start) -> None:
    start("die")
    nudge(redis_client, "events", "die")
    first, second = said(redis_client, "prepared"), said(redis_client, "prepared")
    assert first != second
    nudge(redis_client, "events", "die")
    assert said(redis_client, "drained") == f"events {second}"


@pytest.mark.parametrize("request_to_stop", [signal.SIGTERM, signal.SIGINT])
def test_request_to_stop_lets_each_drain_end_and_then_ends_cleanly(
    redis_client: redis.Redis, start: Start, request_to_stop: signal.Signals
) -> None:
    supervisor = start("hold", processes=2)
    nudge(redis_client, "events", "hold")
    nudge(redis_client, "receipts", "hold")
    pids = {int(said(redis_client, "begun")) for _ in range(2)}
    assert supervisor.pid is not None
    os.kill(supervisor.pid, request_to_stop)
    redis_client.rpush("release", "one", "two")
    assert {int(said(redis_client, "drained").split()[1]) for _ in range(2)} == pids
    supervisor.join(PATIENCE)
    assert supervisor.exitcode == 0
    assert not any(is_alive(pid) for pid in pids)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="no pidfd here, so nobody tells when a stranger ends")
def test_workers_end_with_a_supervisor_that_was_killed(redis_client: redis.Redis, start: Start) -> None:
    supervisor = start()
    pid = int(said(redis_client, "prepared"))
    nudge(redis_client, "events")
    said(redis_client, "drained")
    gone = select.poll()
    worker_end = os.pidfd_open(pid)
    gone.register(worker_end)
    supervisor.kill()
    assert gone.poll(PATIENCE * 1000)
    os.close(worker_end)


def test_workers_come_back_when_redis_does(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis_client: redis.Redis
) -> None:
    with EmbeddedRedis(tmp_path) as server:
        url = server.url
        start(url=url)
        with make_redis(url) as client:
            said(redis_client, "prepared")
            nudge(client, "events")
            said(redis_client, "drained")
            RQTaskQueue(client).begin("events")  # the drain did so in the tests' own Redis
        port = int(url.split(":")[2].split("/")[0])
        server.close()
        monkeypatch.setattr("connector.adapters.redis_server._free_port", lambda: port)
        with EmbeddedRedis(tmp_path) as again, make_redis(again.url) as client:
            nudge(client, "events")
            assert said(redis_client, "drained").startswith("events ")


def test_drain_that_does_not_end_is_killed_after_its_grace(
    redis_client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_REDIS_URL", redis_url)
    monkeypatch.setattr(worker, "_GRACE_SECONDS", 0.2)
    options = WorkerOptions(redis_url, ("events",), drain_job=f"{DRAINS}.hang")
    slot = worker._Slot(options, 0)
    slot.fill(0.0)
    nudge(redis_client, "events", "hang")
    assert said(redis_client, "begun") == "events"
    process = slot.process
    assert process is not None
    worker._stop([slot])
    assert process.exitcode == -signal.SIGKILL


def test_pause_before_a_restart_grows_with_each_death_and_shrinks_after_a_sound_life(redis_url: str) -> None:
    slot, pauses = worker._Slot(WorkerOptions(redis_url, ("events",)), 0), []
    for lived in (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 61.0):
        slot.process = multiprocessing.get_context("spawn").Process()
        slot.process.start()
        slot.started_at = 0.0
        slot.note_death(lived)
        pauses.append(slot.due_at - lived)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 0.5]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
