"""What do tests of binds share: quick timers, settings for a pretend SMSC, a shelf to store on?"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connector.adapters.smpp.bind import Endpoint
from connector.adapters.smpp.pdu import Login
from connector.adapters.smpp.pool import Pool, PoolSettings
from connector.adapters.smpp.timing import Timing
from connector.adapters.sms.smpp import PLUGIN, SMPPGateway
from connector.adapters.sms.smpp_settings import SMPPOptions
from connector.ports.gateway import CallbackRequest, IncomingSMS, OutgoingSMS, StatusReport
from connector.sandbox.gateways.smpp_server import PASSWORD, SYSTEM_ID, SMPPServer

NUMBER, SENDER = "+12025550143", "+12025550100"

QUICK = Timing(
    connect=5.0,
    bind=5.0,
    answer=5.0,
    room=5.0,
    parts=5.0,
    enquire=30.0,
    enquiry=5.0,
    leave=2.0,
    again=0.02,
    again_longest=0.05,
    refused=0.05,
    pause=0.05,
    pause_longest=0.2,
)
"""What is waited for in vain is given seconds, for slow machines; what is repeated is repeated at once."""


class Shelf:
    """An inbox that may be full."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, CallbackRequest]] = []
        self.is_full = False
        self.refused = 0
        self._changed = threading.Condition()
        self._reader = SMPPGateway(SMPPOptions())

    def take(self, request: CallbackRequest, kind: str) -> None:
        with self._changed:
            if self.is_full:
                self.refused += 1
                self._changed.notify_all()
                raise OSError("disk full")
            if (kind, request) not in self.rows:  # as the ledger's inbox does
                self.rows.append((kind, request))
            self._changed.notify_all()

    def wait_for(self, rows: int, seconds: float = 10.0) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self.rows) >= rows, seconds)

    def reports(self, gateway: SMPPGateway | None = None) -> list[StatusReport]:
        reader = gateway or self._reader
        return [each for kind, row in self.rows if kind == "status" for each in reader.read_status(row, None)]

    def replies(self, gateway: SMPPGateway | None = None) -> list[IncomingSMS]:
        reader = gateway or self._reader
        return [each for kind, row in self.rows if kind == "inbound" for each in reader.read_incoming(row)]


def settings(*servers: SMPPServer, timing: Timing = QUICK, **changes: Any) -> PoolSettings:
    endpoints = tuple(Endpoint("127.0.0.1", server.port) for server in servers)
    return replace(PoolSettings(endpoints, Login(SYSTEM_ID, PASSWORD), timing=timing), **changes)


def pool_on(
    *servers: SMPPServer, shelf: Shelf | None = None, bound: int = 1, timing: Timing = QUICK, **changes: Any
) -> Pool:
    """Start a pool and wait until so many of its binds are bound."""
    pool = Pool(settings(*servers, timing=timing, **changes), (shelf or Shelf()).take, random.Random(7))
    pool.start()
    assert pool.wait_until_bound(10.0, bound) or not bound
    return pool


def text(attempt_id: str = "attempt-1", body: str = "Hello", sender: str | None = SENDER) -> OutgoingSMS:
    return OutgoingSMS(attempt_id, NUMBER, body, sender, "https://sms.example.com/s/a", valid_for=timedelta(hours=1))


def values(*hosts: str, **changes: str) -> dict[str, str]:
    """Give the values of all settings, by name."""
    defaults = {setting.name: setting.default for setting in PLUGIN.settings}
    login = {"SMPP_HOSTS": ",".join(hosts), "SMPP_SYSTEM_ID": SYSTEM_ID, "SMPP_PASSWORD": PASSWORD}
    return defaults | login | changes


def until(happened: Callable[[], bool], server: SMPPServer, seconds: float = 10.0) -> bool:
    """Wait until something has happened that each command at the server may bring about."""
    return server.wait_for(happened, seconds)


def outcomes(results: Sequence[object]) -> dict[str, int]:
    """Count results by the name of their type."""
    names = [type(each).__name__ for each in results]
    return {name: names.count(name) for name in sorted(set(names))}
