"""Where does a bench run live: its folder, its Redis, its settings, the processes it starts?"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.adapters.redis_server import EmbeddedRedis

CLIENT_SECRET = "bench-client-secret"  # noqa: S105 - of nobody
TOKEN = "pat-bench-0123456789abcdef"  # noqa: S105 - as above
ACCOUNT_SID = "AC" + "0" * 31 + "1"
PORTAL_ID = "12345"
SENDER = "+12025550100"

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0


@dataclass(frozen=True)
class World:
    """A folder and a Redis of this run's own."""

    folder: Path
    redis_url: str

    def environment(self, database: str, **settings: str) -> dict[str, str]:
        """Give the connector's settings over one of the folder's databases, as production has them."""
        return {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{self.folder}/{database}.sqlite3",
            "REDIS_URL": self.redis_url,
            "PUBLIC_URL": "https://sms.example.com",
            "SECRET_KEYS": secrets.token_hex(32),
            "HUBSPOT_CLIENT_SECRETS": CLIENT_SECRET,
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKENS": secrets.token_hex(16),
            "TWILIO_FROM": SENDER,
            "GATEWAY": "twilio",
            "SEND_RATE": "1000000",  # what is measured is our own speed, not the brake
            "LOG_FORMAT": "json",
            **settings,
        }


@contextmanager
def make_world() -> Iterator[World]:
    """Make the folder and start its Redis; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="sms-bench-") as name, EmbeddedRedis(Path(name) / "redis") as redis:
        yield World(Path(name), redis.url)


@contextmanager
def running(world: World, name: str, environment: Mapping[str, str], *arguments: str) -> Iterator[None]:
    """Run `python -m …` while the block lasts; its output goes to a log in the folder."""
    log = world.folder / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], env=dict(environment), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def smsctl(environment: Mapping[str, str], *arguments: str) -> None:
    """Run one command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "connector.entrypoints.cli", *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"smsctl {' '.join(arguments[:2])} failed:\n{done.stdout}{done.stderr}")


def free_port() -> int:
    """Let the kernel choose a port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"nothing listens on port {port} after {_START_SECONDS:.0f} s")


def wait_until_ready(url: str) -> None:
    """Wait until a URL answers 2xx."""
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own loopback address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise SystemExit(f"{url} is not ready after {_START_SECONDS:.0f} s")


def fetch(url: str, body: Any = None) -> Any:
    """GET, or POST a JSON body, and read the JSON answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
        return json.load(answer)
