"""What does a test need of one gateway: its adapter, the pretend vendor behind it, and a way to break both?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import httpx
from flask.typing import ResponseReturnValue

from connector.ports.gateway import CallbackRequest, SMSGateway
from connector.sandbox.faults import Faults
from connector.sandbox.gateways.receipts import KINDS
from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.gateways.skin import Call
from connector.sandbox.twilio.sandbox import TwilioSandbox

SENDER = "+12025550100"
CALLBACK_KEY = "a-key-of-the-callbacks"  # for vendors that sign nothing
PUBLIC_URL = "https://sms.example.com/callbacks"
DONE_FIRST = "work"
"""Value of a fault's option `then`: the vendor takes the text, and only then answers as the fault says."""


def status_url(gateway: str, attempt_id: str) -> str:
    """Give the address for receipts, as the web process has it."""
    return f"{PUBLIC_URL}/{gateway}/status/{attempt_id}"


class Web(Protocol):
    """What takes callbacks for the connector."""

    def take(self, request: CallbackRequest) -> int:
        """Verify and store one that came over HTTP; give the HTTP status of the answer."""
        ...

    def store(self, gateway: str, kind: str, request: CallbackRequest) -> None:
        """Store one that came over our own bind."""
        ...


@dataclass
class Door:
    """Where a pretend vendor's callbacks arrive; `opens_to` takes them, and nobody while it is None."""

    opens_to: Web | None = None

    def __call__(self, call: Call) -> httpx.Response:
        """Take one callback as the web process would; give its answer."""
        if self.opens_to is None:
            raise httpx.ConnectError("nobody is at home")
        return httpx.Response(self.opens_to.take(CallbackRequest(call.method, call.url, call.headers, call.body)))


class ThoroughFaults(Faults):
    """Faults that can also answer wrongly about work that was done: a `status` with `then` = `DONE_FIRST`."""

    def run(self, operation: str, work: Callable[[], ResponseReturnValue], respond: Any = None) -> ResponseReturnValue:
        """Do as `Faults.run`, the work first where the fault armed next wants it."""
        with suppress(StopIteration):
            first = next(each for each in self.armed() if each["operation"] == operation)
            if first.get("then") == DONE_FIRST:
                work()
        return super().run(operation, work, respond)


class Emulated(ABC):
    """One gateway under test.

    Attributes:
        slug: the plugin's.
        gateway: the adapter, pointed at its pretend vendor.
        port: where the vendor listens.
        elsewhere: makes the same adapter with its other end at another port, for connections that fail.
        speaks_http: whether faults of HTTP mean anything to it.
    """

    slug: str
    gateway: SMSGateway
    port: int
    elsewhere: Callable[[int], SMSGateway]
    speaks_http = True

    @abstractmethod
    def break_sends(self, kind: str, times: int | None, **options: Any) -> None:
        """Let the next sends meet a fault of `connector.sandbox.faults`."""

    @abstractmethod
    def bend_receipts(self, kind: str, **options: Any) -> None:
        """Let the receipts of all texts from now on go another way; kinds of `connector.sandbox.gateways.receipts`."""

    @abstractmethod
    def cut_off(self, prefix: str) -> None:
        """Let no text to a calling prefix arrive."""

    @abstractmethod
    def copies(self, body: str) -> int:
        """How many phones, or how often one phone, show this text."""

    @abstractmethod
    def taken(self, body: str) -> int:
        """How often the vendor took this text, whatever became of it."""

    @abstractmethod
    def step(self, now: datetime) -> int:
        """Do what the vendor has to do by now; give how much that was."""

    @abstractmethod
    def next_due(self) -> datetime | None:
        """When the vendor will do something of its own accord."""

    @abstractmethod
    def opens_to(self, web: Web | None) -> None:
        """Let callbacks go to `web` from now on."""

    @abstractmethod
    def forget(self) -> None:
        """Forget what was armed and is still to be done."""

    def begin_test(self, web: Web | None) -> None:
        """Forget what earlier tests left; callbacks go to `web` from now on."""
        self.opens_to(None)
        self.forget()
        self.opens_to(web)

    @abstractmethod
    def stop(self) -> None:
        """Stop vendor and adapter."""


Box = GatewaySandbox | TwilioSandbox


class OverHTTP(Emulated):
    """A gateway of the engine in `connector.sandbox.gateways`."""

    def __init__(self, slug: str, box: Box, door: Door, build: Callable[[str], SMSGateway], send: str = "") -> None:
        """Start serving; nothing is delivered before `step`. `send` is the operation's name in the vendor's faults."""
        self.slug, self.box, self.door = slug, box, door
        self._send = send or f"{slug}.send"
        self._stack = ExitStack()
        self._stack.enter_context(box.server)
        self.gateway, self.port = build(box.url), box.server.port
        self._stack.callback(self.gateway.close)
        self.elsewhere = lambda port: build(f"http://127.0.0.1:{port}")

    def break_sends(self, kind: str, times: int | None, **options: Any) -> None:
        """See `Emulated`."""
        self.box.faults.arm(self._send, kind, times, **options)

    def bend_receipts(self, kind: str, **options: Any) -> None:
        """See `Emulated`."""
        self.box.world.receipts.arm(kind, None, **options)

    def cut_off(self, prefix: str) -> None:
        """See `Emulated`."""
        self.box.world.outages.add(prefix)

    def copies(self, body: str) -> int:
        """See `Emulated`."""
        return sum(each.body == body and each.arrived_at is not None for each in self.box.world.messages())

    def taken(self, body: str) -> int:
        """See `Emulated`."""
        return sum(each.body == body for each in self.box.world.messages())

    def step(self, now: datetime) -> int:
        """See `Emulated`."""
        return self.box.engine.step(now)

    def next_due(self) -> datetime | None:
        """See `Emulated`."""
        heap = self.box.world.agenda._heap
        return heap[0][0] if heap else None

    def opens_to(self, web: Web | None) -> None:
        """See `Emulated`."""
        self.door.opens_to = web

    def forget(self) -> None:
        """See `Emulated`."""
        self.box.engine.flush()
        self.box.faults.clear()
        for kind in KINDS:
            self.box.world.receipts.disarm(kind)
        self.box.world.outages.clear()
        self.box.world.forget_messages()  # numbers are few, and come again

    def stop(self) -> None:
        """See `Emulated`."""
        self._stack.close()
