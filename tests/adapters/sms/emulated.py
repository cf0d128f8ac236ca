"""How do tests of an adapter get hold of the callbacks its emulated gateway sends?

receiver = Receiver()
box = GatewaySandbox(Skin(), post=receiver, …)   # in a fixture, `with box.server:`
def deliver(self, gateway):                       # in the contract's class
    return self.receiver.after(self.box.engine)

with impatient(gateway): …                        # around a send whose answer is held back
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from connector.adapters import http
from connector.ports.gateway import CallbackRequest, SMSGateway
from connector.sandbox.gateways.delivery import DeliveryEngine
from connector.sandbox.gateways.skin import Call


@dataclass
class Receiver:
    """Takes the place of the connector: keeps the calls, answers `answers` in turn (or raises them), then 200."""

    calls: list[Call] = field(default_factory=list)
    answers: list[httpx.Response | Exception] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, call: Call) -> httpx.Response:
        """One callback."""
        with self._lock:
            self.calls.append(call)
            answer = self.answers.pop(0) if self.answers else httpx.Response(200)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def after(self, engine: DeliveryEngine) -> list[CallbackRequest]:
        """Everything that came once `engine` has done all it has to do."""
        engine.flush()
        return [as_request(call) for call in self.calls]


def as_request(call: Call) -> CallbackRequest:
    """A call as the adapter sees it."""
    return CallbackRequest(call.method, call.url, call.headers, call.body)


@contextmanager
def impatient(gateway: SMSGateway) -> Iterator[None]:
    """Let `gateway` wait 0.3 s for an answer instead of 15 s, on connections of its own made and closed in here.

    Only for what is never answered: a busy machine may well take longer over an answer that does come.
    """
    gateway.close()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(http, "TIMEOUT", httpx.Timeout(3.0, read=0.3))
            yield
    finally:
        gateway.close()
