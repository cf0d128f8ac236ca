"""Which bind takes the next submit, who stores what the gateway delivers, and are the binds well?"""

from __future__ import annotations

import random
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import uuid4

import structlog

from connector.adapters.smpp import deliveries
from connector.adapters.smpp.bind import Bind, BindStatus, Endpoint
from connector.adapters.smpp.frames import Command, Frame, Status
from connector.adapters.smpp.issued import IssuedIds
from connector.adapters.smpp.pdu import Login
from connector.adapters.smpp.receipts import ReceiptIds
from connector.adapters.smpp.session import NotBoundError, Session
from connector.adapters.smpp.timing import Timing
from connector.domain.message import ErrorClass
from connector.errors import TransientSendError
from connector.ports.gateway import CallbackRequest

log = structlog.get_logger(__name__)

Take = Callable[[CallbackRequest, str], None]
"""Commits a callback of a kind (`status`, `inbound`) to the ledger's inbox, or raises."""

_STORING_THREADS = 8  # callers that store at once share a commit
_MOST_TO_STORE = 256  # deliver_sm at hand; a gateway that sends more ahead is told that our queue is full
_SILENT_SECONDS = 90.0  # longer than a connection's beginning with all its time-outs; then its thread hangs
_WATCH_EVERY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """Where and how to bind.

    Attributes:
        endpoints: the gateway's hosts.
        binds: connections to each of them.
        window: submits under way per bind.
        tls: for all of them, or None for plain TCP.
        receipt_ids: how receipts write ids.
    """

    endpoints: tuple[Endpoint, ...]
    login: Login
    binds: int = 1
    window: int = 10
    tls: ssl.SSLContext | None = None
    receipt_ids: ReceiptIds = ReceiptIds.SAME
    timing: Timing = field(default_factory=Timing)


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """How the binds are, for a health check.

    Attributes:
        refused: the status with which the gateway refuses every bind, or None: a person must mend the settings.
        stored, not_stored: deliver_sm that were stored, or could not be and will come again.
    """

    binds: tuple[BindStatus, ...]
    stored: int
    not_stored: int

    @property
    def bound(self) -> int:
        """How many are bound."""
        return sum(bind.is_bound for bind in self.binds)

    @property
    def refused(self) -> int | None:
        """The status of a refusal when all are refused."""
        codes = [bind.refused for bind in self.binds]
        return None if None in codes or not codes else codes[0]


class Pool:
    """All binds to one gateway. Safe to use from many threads.

    Args of the constructor:
        take: stores a deliver_sm. When it raises, the gateway is told to deliver it again.
    """

    def __init__(self, settings: PoolSettings, take: Take, rng: random.Random | None = None) -> None:
        self._settings, self._take_in, self._rng = settings, take, rng or random.Random()
        self.issued = IssuedIds()
        self._repeats = deliveries.Repeats(lambda: uuid4().hex)
        self._room = threading.Condition()
        self._stop = threading.Event()
        self._storing = ThreadPoolExecutor(_STORING_THREADS, thread_name_prefix="smpp-store")
        self._to_store = threading.BoundedSemaphore(_MOST_TO_STORE)
        self._counts = {True: 0, False: 0}
        self._binds: list[Bind] = [
            self._new_bind(endpoint) for _ in range(settings.binds) for endpoint in settings.endpoints
        ]
        self._watchdog = threading.Thread(target=self._watch, name="smpp-watchdog", daemon=True)

    @property
    def settings(self) -> PoolSettings:
        """As given."""
        return self._settings

    def start(self) -> None:
        """Begin to bind; returns at once."""
        for bind in self._binds:
            bind.start()
        self._watchdog.start()

    def close(self) -> None:
        """Take nothing more, wait for answers that are due, unbind, store what was delivered. May be called again."""
        self._stop.set()
        binds = list(self._binds)
        for bind in binds:
            bind.stop()
        with self._room:
            self._room.notify_all()
        timing = self._settings.timing
        for bind in binds:
            if bind.is_alive:
                bind.join(timing.connect + timing.leave)
        self._storing.shutdown()

    def status(self) -> PoolStatus:
        """Tell how the binds are."""
        return PoolStatus(tuple(bind.status() for bind in self._binds), self._counts[True], self._counts[False])

    def wait_until_bound(self, seconds: float, binds: int = 1) -> bool:
        """Wait until so many binds are bound; tell whether they are."""
        with self._room:
            return self._room.wait_for(lambda: self.status().bound >= binds, seconds)

    def ask(self, command: Command, body: bytes, on_answer: Callable[[Frame], None]) -> Frame:
        """Ask the gateway over the bind with the least to do; give its answer, whatever its status.

        Args:
            command: what to ask.
            body: its body.
            on_answer: called with the answer, also when it comes after this call has given up.

        Raises:
            TransientSendError: the question certainly never left: no bind could take it in time, or its connection
                broke before.
            AmbiguousSendError: it may have arrived.
        """
        ends = time.monotonic() + self._settings.timing.room
        while True:
            bind = self._choose(ends)
            try:
                return bind.ask(command, body, on_answer)
            except NotBoundError:  # another thread took the last place, or the connection broke
                continue

    def rest(self) -> None:
        """Let the gateway breathe before it is asked the same again; shorter when the binds are being closed."""
        self._stop.wait(self._settings.timing.pause)

    # -- choosing

    def _choose(self, ends: float) -> Bind:
        with self._room:
            while True:
                remaining = ends - time.monotonic()
                if remaining <= 0 or self._stop.is_set():
                    raise self._no_room()
                able = [bind for bind in self._binds if bind.may_ask]
                if able:
                    return min(able, key=lambda bind: bind.load)
                if self.status().refused is not None:
                    raise self._no_room()
                # The end of a pause makes no noise, so nobody sleeps past it.
                pauses = [bind.pause for bind in self._binds if bind.pause]
                self._room.wait(min([remaining, *pauses]))

    def _no_room(self) -> TransientSendError:
        """Say why no bind can take a submit.

        A status of the gateway is left to the caller to weigh, as the code `bind 0x0E`.
        """
        status = self.status()
        if self._stop.is_set():
            return TransientSendError("the binds are being closed", code="closing", error_class=ErrorClass.TRANSIENT)
        if status.refused is not None:
            code = f"bind 0x{status.refused:02X}"
            return TransientSendError(f"the gateway refuses to bind: {code}", code=code, error_class=ErrorClass.CONFIG)
        if not status.bound:
            trouble = next((bind.trouble for bind in status.binds), "closed")
            return TransientSendError(f"not bound: {trouble}", code=trouble, error_class=ErrorClass.TRANSIENT)
        code = "paused" if any(bind.pause for bind in status.binds) else "window_full"
        return TransientSendError(
            "the gateway takes no more submits just now", code=code, error_class=ErrorClass.THROTTLED
        )

    def _changed(self) -> None:
        with self._room:
            self._room.notify_all()

    # -- what is delivered

    def _deliver(self, session: Session, frame: Frame) -> None:
        """Have a deliver_sm stored and answered, without keeping the connection's thread from its work."""
        if not self._to_store.acquire(blocking=False):
            session.answer(frame, Status.QUEUE_FULL)
            return
        try:
            self._storing.submit(self._store_and_answer, session, frame)
        except RuntimeError:  # closing: the gateway delivers it again another time
            self._to_store.release()
            session.answer(frame, Status.TEMPORARY_ERROR_AT_RECEIVER)

    def _store_and_answer(self, session: Session, frame: Frame) -> None:
        is_stored = False
        try:
            request, kind = self._understood(session, frame.body)
            self._take_in(request, kind)
            is_stored = True
        except Exception as error:  # noqa: BLE001 - whatever it is, the gateway keeps the message and tries again
            log.error("smpp.not_stored", error=type(error).__name__)
        finally:
            with self._room:
                self._counts[is_stored] += 1
            if is_stored:  # noted first: the gateway may send the same words again as soon as it has the answer
                session.answer(frame, Status.OK, lambda answer: self._repeats.answered(frame.body, answer))
            else:
                session.answer(frame, Status.TEMPORARY_ERROR_AT_RECEIVER)
            self._to_store.release()

    def _understood(self, session: Session, body: bytes) -> tuple[CallbackRequest, str]:
        message = deliveries.read_or_none(body)
        kind = deliveries.kind_of(message)
        if message is None:
            log.warning("smpp.unreadable", octets=len(body))
        if message is not None and kind == deliveries.STATUS:
            return deliveries.stored_receipt(body, message, self.issued, self._settings.receipt_ids), kind
        return deliveries.stored_text(body, self._repeats.id_of(body, lambda: session.over_at)), kind

    # -- watching

    def _new_bind(self, endpoint: Endpoint) -> Bind:
        settings = self._settings
        return Bind(
            endpoint,
            settings.login,
            settings.tls,
            settings.window,
            settings.timing,
            self._deliver,
            self._changed,
            self._rng,
        )

    def _watch(self) -> None:
        while not self._stop.wait(_WATCH_EVERY_SECONDS):
            self.replace_hanging(self._binds)

    def replace_hanging(self, binds: Sequence[Bind], silent_for: float = _SILENT_SECONDS) -> int:
        """Put a new bind in the place of each whose thread has died or hangs; give their number."""
        hanging = [bind for bind in binds if not bind.is_alive or self._is_silent(bind, silent_for)]
        for bind in hanging:
            log.error("smpp.bind_replaced", gateway=str(bind.endpoint))
            fresh = self._new_bind(bind.endpoint)
            self._binds = [fresh if each is bind else each for each in self._binds]
            fresh.start()
            bind.stop()
        return len(hanging)

    def _is_silent(self, bind: Bind, seconds: float) -> bool:
        return bind.status().silence > max(seconds, self._settings.timing.refused + self._settings.timing.again_longest)
