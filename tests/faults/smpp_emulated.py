"""How is the SMPP gateway proved beside those over HTTP: which fault of a bind answers to which of theirs?"""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connector.adapters.smpp.bind import Endpoint
from connector.adapters.smpp.pdu import Login
from connector.adapters.smpp.pool import Pool, PoolSettings
from connector.adapters.sms.smpp import SMPPGateway
from connector.adapters.sms.smpp_settings import SMPPOptions
from connector.ports.gateway import CallbackRequest, SMSGateway
from connector.sandbox.gateways.smpp_link import SubmitFaults
from connector.sandbox.gateways.smpp_server import PASSWORD, SYSTEM_ID, SMPPServer
from connector.sandbox.gateways.smpp_wire import Message
from tests.adapters.smpp.binding import QUICK
from tests.faults.emulated import DONE_FIRST, SENDER, Emulated, Web

_HURRIED = replace(QUICK, connect=0.15, answer=0.2, room=0.3, parts=0.3, leave=0.2)
"""Waits of a text that nobody answers; a test need not sit out fifteen seconds."""

_BOUND_WITHIN = 10.0  # seconds for a broken bind to come back; it takes some hundredths
_SLOW_SECONDS = 0.05
_AGAIN = timedelta(seconds=5)  # until a receipt nobody took is delivered again
_SYSTEM_ERROR, _THROTTLED, _QUEUE_FULL = 0x08, 0x58, 0x14


class OverSMPP(Emulated):
    """The SMPP gateway with its binds, at a pretend SMSC. Receipts are `ACCEPTD`, then `DELIVRD`."""

    slug = "smpp"
    speaks_http = False

    def __init__(self) -> None:
        """Listen and bind."""
        self.server = SMPPServer().start()
        self._web: Web | None = None
        self._pools: list[Pool] = []
        self.port = self.server.port
        self.gateway = self._build(self.port)
        assert self._pools[0].wait_until_bound(_BOUND_WITHIN)
        self.elsewhere = self._build
        self._bent: set[str] = set()
        self._dead: tuple[str, ...] = ()
        self._planned = 0
        self._due: list[tuple[datetime, int, Message, str]] = []
        self._arrived: set[str] = set()

    def _build(self, port: int) -> SMSGateway:
        settings = PoolSettings((Endpoint("127.0.0.1", port),), Login(SYSTEM_ID, PASSWORD), timing=_HURRIED)
        pool = Pool(settings, self._store, random.Random(7))
        pool.start()
        self._pools.append(pool)
        return SMPPGateway(SMPPOptions(sender=SENDER), pool)

    def _store(self, request: CallbackRequest, kind: str) -> None:
        if self._web is None:
            raise OSError("nobody is at home")
        self._web.store(self.slug, kind, request)

    def break_sends(self, kind: str, times: int | None, **options: Any) -> None:
        """See `Emulated`."""
        many = times or 1000
        is_done = options.get("then") in {DONE_FIRST, "reset"}
        if kind == "slow":
            self.server.arm("hold", many)
            self._release(many)
        elif kind == "accept_then_timeout":
            self.server.arm("drop_after" if is_done else "silent", many)
        elif kind in {"reset", "timeout"}:
            self.server.arm("drop_before", many)
        else:
            self._refuse(many, options, is_done=is_done)

    def _refuse(self, many: int, options: dict[str, Any], *, is_done: bool) -> None:
        if is_done or options["status"] == 200:
            self.server.arm("garble", many)
        elif options["status"] == 429:
            self.server.arm("refuse", many, _THROTTLED)
        elif options.get("headers"):
            self.server.arm("refuse", many, _QUEUE_FULL)
        else:
            self.server.arm("nack", many, _SYSTEM_ERROR)

    def _release(self, many: int) -> None:
        """Let held answers go, again and again until all that were armed have met their pause."""
        held = len(self.server._held)
        if held:
            self.server.release()
        if many > held:
            timer = threading.Timer(_SLOW_SECONDS, self._release, [many - held])
            timer.daemon = True
            timer.start()
            self._timers = [timer]

    _timers: Sequence[threading.Timer] = ()

    def bend_receipts(self, kind: str, **options: Any) -> None:
        """See `Emulated`; nobody signs what comes over our own bind."""
        self._bent.add(kind)

    def cut_off(self, prefix: str) -> None:
        """See `Emulated`."""
        self._dead = (*self._dead, prefix.lstrip("+"))

    def copies(self, body: str) -> int:
        """See `Emulated`."""
        return sum(each.text == body and each.id in self._arrived for each in self.server.messages)

    def taken(self, body: str) -> int:
        """See `Emulated`."""
        return sum(each.text == body for each in self.server.messages)

    def step(self, now: datetime) -> int:
        """See `Emulated`."""
        self._plan(now)
        assert self._pools[0].wait_until_bound(_BOUND_WITHIN)
        done = 0
        while self._due and self._due[0][0] <= now:
            at, number, message, stat = heapq.heappop(self._due)
            if self.server.receipt(message, stat) != 0:
                heapq.heappush(self._due, (at + _AGAIN, number, message, stat))
            done += 1
        return done

    def _plan(self, now: datetime) -> None:
        new, self._planned = self.server.messages[self._planned :], len(self.server.messages)
        for message in new:
            stats = ["ACCEPTD"]
            if "stalled" not in self._bent and not message.destination.startswith(self._dead or ("none",)):
                self._arrived.add(message.id)
                stats.append("DELIVRD")
            if "shuffled" in self._bent:
                stats.reverse()
            if "duplicated" in self._bent:
                stats = [stat for stat in stats for _ in range(2)]
            at = now + timedelta(hours=1 if "late" in self._bent else 0)
            for stat in stats if "silent" not in self._bent else ():
                heapq.heappush(self._due, (at, len(self._due) + 1000 * self._planned, message, stat))

    def next_due(self) -> datetime | None:
        """See `Emulated`."""
        return self._due[0][0] if self._due else None

    def opens_to(self, web: Web | None) -> None:
        """See `Emulated`."""
        self._web = web

    def forget(self) -> None:
        """See `Emulated`."""
        for timer in self._timers:
            timer.cancel()
        self.server.release()
        self.server._faults = SubmitFaults()
        for pool in self._pools[1:]:
            pool.close()
        del self._pools[1:]
        self._bent, self._dead, self._due, self._planned = set(), (), [], len(self.server.messages)
        assert self._pools[0].wait_until_bound(_BOUND_WITHIN)

    def stop(self) -> None:
        """See `Emulated`."""
        for pool in self._pools:
            pool.close()
        self.server.stop()
