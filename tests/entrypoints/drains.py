"""Which drains do worker processes of tests run? They report over the Redis named in TEST_REDIS_URL."""

from __future__ import annotations

import os
import signal
import threading

from connector.adapters.redis_server import make_redis

client = make_redis(os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:1/0"))


def prepare() -> None:
    client.rpush("prepared", os.getpid())


def report(lane: str) -> None:
    """Say who drained what."""
    client.delete(f"nudge:{lane}")
    client.rpush("drained", f"{lane} {os.getpid()}")


def die(lane: str) -> None:
    """Die as by a crash, once; report the second time."""
    if client.incr("deaths") == 1:
        client.delete(f"nudge:{lane}")
        os.kill(os.getpid(), signal.SIGKILL)
    report(lane)


def hold(lane: str) -> None:
    """Begin, and end when asked to stop is followed by a word in `release`."""
    client.rpush("begun", os.getpid())
    client.blpop(["release"], timeout=4)
    report(lane)


def hang(lane: str) -> None:
    """Begin and never end."""
    client.rpush("begun", lane)
    threading.Event().wait(60)
