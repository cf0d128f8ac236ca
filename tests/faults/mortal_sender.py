"""How does a process of the send path die exactly at its n-th commit or request, as by a power cut?

A program that reads orders, one JSON object a line, and carries each out in a process of its own, forked from this
one, which has imported everything and started nothing. For each it says how that process ended.

Nobody chose the places: whatever commits to the ledger or speaks HTTP comes by one, before and after.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import httpx
import psycopg  # noqa: F401 - here once, and not in every process that begins
import time_machine

from connector.adapters.sms.infobip import InfobipGateway
from connector.adapters.sms.telnyx import TelnyxGateway
from connector.adapters.sms.twilio import TwilioGateway
from connector.adapters.store.unit_of_work import SQLUnitOfWork
from connector.ports.gateway import CallbackRequest, SMSGateway
from connector.sandbox.gateways import infobip, telnyx
from connector.sandbox.twilio.sandbox import ACCOUNT_SID, AUTH_TOKEN
from tests.faults.emulated import CALLBACK_KEY, SENDER
from tests.faults.proving import Proving, open_ledger

_BUILD: Mapping[str, Callable[[str], SMSGateway]] = {
    "twilio": lambda url: TwilioGateway(ACCOUNT_SID, [AUTH_TOKEN], url, sender=SENDER),
    "infobip": lambda url: InfobipGateway(infobip.API_KEY, url, sender=SENDER, callback_keys=[CALLBACK_KEY]),
    "telnyx": lambda url: TelnyxGateway(telnyx.API_KEY, [telnyx.PUBLIC_KEY], url, sender=SENDER),
}
"""The first two can be asked about a text whose id we do not know, the last cannot."""

_HURRY_SECONDS = 10  # for a word with the test, which answers within milliseconds


@dataclass(frozen=True)
class Order:
    """What a process is to do.

    Attributes:
        ledger: its `DATABASE_URL`.
        vendors: where the gateways of the route listen, by slug, in the route's order.
        postbox: where receipts are fetched.
        clock: a file that holds the time, ISO.
        places: a file that gets a line for every place that was come by.
        dies_at: the number of the place to die at, from 1; 0 to live.
    """

    ledger: str
    vendors: dict[str, str]
    postbox: str
    clock: str
    places: str
    dies_at: int


class Places:
    """Counts the places that are come by, and dies at one."""

    def __init__(self, order: Order) -> None:
        self._dies_at, self._count, self._lock = order.dies_at, 0, threading.Lock()
        self._file = os.open(order.places, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def come_by(self, name: str) -> None:
        """Come by a place."""
        with self._lock:
            self._count += 1
            os.write(self._file, f"{name}\n".encode())
            if self._count == self._dies_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, method: Callable[..., Any], name: Callable[[], str]) -> Callable[..., Any]:
        """Give the method with a place before it and one after."""

        def surrounded(*args: Any, **kwargs: Any) -> Any:
            what = name()
            self.come_by(f"before {what}")
            result = method(*args, **kwargs)
            self.come_by(f"after {what}")
            return result

        return surrounded


def _committer() -> str:
    """Name the function that commits."""
    frame = sys._getframe(2)
    return f"the commit of {frame.f_globals['__name__']}.{frame.f_code.co_name}"


class FileTime:
    """Time that outlives the process: written down before it is moved."""

    def __init__(self, path: str, traveller: Any) -> None:
        self._path, self._traveller = Path(path), traveller

    def move_to(self, destination: datetime, tick: bool | None = None) -> None:
        """Let it be that moment."""
        self._path.write_text(destination.isoformat(), encoding="ascii")
        self._traveller.move_to(destination, tick=tick)


class DistantVendors:
    """The pretend vendors, which live in the test's process: their receipts are fetched, and said to be taken."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.web: Proving | None = None

    def step(self, now: datetime) -> int:
        """Let them do what is due; take their receipts."""
        calls = self._say("step", now.isoformat())
        for number, call in calls:
            assert self.web is not None
            call["body"] = bytes.fromhex(call["body"])
            self._say("took", [number, self.web.take(CallbackRequest(**call))])
        return len(calls)

    def next_due(self) -> datetime | None:
        """Ask when they do something next."""
        due = self._say("due", None)
        return None if due is None else datetime.fromisoformat(due)

    def _say(self, what: str, value: Any) -> Any:
        request = Request(f"{self._url}/{what}", json.dumps(value).encode(), {"Content-Type": "application/json"})  # noqa: S310 - our own
        with urlopen(request, timeout=_HURRY_SECONDS) as answer:  # noqa: S310 - as above
            return json.load(answer)


def send(order: Order) -> None:
    """Be the process: send, hear, ask, until nothing is left to do."""
    places = Places(order)
    SQLUnitOfWork.commit = places.around(SQLUnitOfWork.commit, _committer)  # type: ignore[method-assign]
    transport = httpx.HTTPTransport
    transport.handle_request = places.around(transport.handle_request, lambda: "a request")  # type: ignore[method-assign]
    now = datetime.fromisoformat(Path(order.clock).read_text(encoding="ascii"))
    with time_machine.travel(now, tick=False) as traveller:
        gateways = {slug: _BUILD[slug](url) for slug, url in order.vendors.items()}
        vendors = DistantVendors(order.postbox)
        time = FileTime(order.clock, traveller)
        vendors.web = Proving(open_ledger(order.ledger), [vendors], gateways, time)
        vendors.web.settle()


def main() -> None:
    """Carry out orders until there are no more."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            sys.stdout = sys.stderr  # answers alone go to the test
            try:
                send(Order(**json.loads(line)))
            except BaseException:  # noqa: BLE001 - told, and the process ends
                sys.excepthook(*sys.exc_info())
                sys.stderr.flush()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - this is the answer


def written(order: Order) -> str:
    """Write an order as `main` reads it."""
    return json.dumps(asdict(order)) + "\n"


if __name__ == "__main__":
    main()
