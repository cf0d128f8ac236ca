"""How does one bind to an SMPP gateway come up, stay up and come back?"""

from __future__ import annotations

import random
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from connector.adapters.smpp.frames import Command, Frame, Status
from connector.adapters.smpp.link import Link, LinkLostError
from connector.adapters.smpp.pdu import Login
from connector.adapters.smpp.session import BindRefusedError, NotBoundError, OnRequest, Session, Ticket
from connector.adapters.smpp.timing import Brake, Timing

log = structlog.get_logger(__name__)

SLOW_DOWN = frozenset({Status.THROTTLED, Status.QUEUE_FULL})
"""Refusals that say: not so fast."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a gateway listens; under TLS its certificate must be for this host."""

    host: str
    port: int

    def __str__(self) -> str:
        """Give it as settings do."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class BindStatus:
    """How one bind is.

    Attributes:
        trouble: why it is not bound, such as `connect_error`, `enquire_timeout` or `refused 0x0E`; empty while it is.
        refused: the status with which the gateway refuses us, or None.
        load: submits under way.
        pause: seconds for which the gateway asked us to be quiet.
        drops: how often its connection has ended.
        silence: seconds since its thread last looked at the clock.
    """

    endpoint: Endpoint
    is_bound: bool
    trouble: str
    refused: int | None
    load: int
    pause: float
    drops: int
    silence: float


class Bind:
    """One bind: a thread that connects, binds, works and begins anew. Safe to use from many threads.

    Args of the constructor:
        window: submits that may be under way at once.
        on_deliver: as for `Session`.
        on_change: called whenever it may take a submit that it could not take before.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        login: Login,
        tls: ssl.SSLContext | None,
        window: int,
        timing: Timing,
        on_deliver: OnRequest,
        on_change: Callable[[], None],
        rng: random.Random,
    ) -> None:
        self.endpoint = endpoint
        self._login, self._tls, self._window, self._timing = login, tls, window, timing
        self._on_deliver, self._on_change, self._rng = on_deliver, on_change, rng
        self._brake = Brake(timing)
        self._session: Session | None = None
        self._stop = threading.Event()
        self._trouble = "connecting"
        self._refused: int | None = None
        self._drops = self._failures = 0
        self._bound_at: float | None = None
        self._beat_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"smpp-{endpoint}", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more, wait for answers that are due, unbind; returns at once."""
        self._stop.set()
        session = self._session
        if session is not None:
            session.leave()

    def join(self, seconds: float) -> None:
        """Wait for the end of a bind that was stopped."""
        self._thread.join(seconds)

    @property
    def is_alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    @property
    def may_ask(self) -> bool:
        """Whether it can take a submit now."""
        session = self._session
        return session is not None and session.is_open and session.load < self._window and not self.pause

    @property
    def load(self) -> int:
        """Submits under way."""
        session = self._session
        return session.load if session is not None else 0

    @property
    def pause(self) -> float:
        """Seconds for which the gateway wants no submits."""
        return self._brake.remaining()

    def status(self) -> BindStatus:
        """Tell how it is."""
        session = self._session
        is_bound = session is not None and session.is_bound
        beat_at = max(self._beat_at, session.beat_at if session is not None else 0.0)
        return BindStatus(
            self.endpoint,
            is_bound,
            "" if is_bound else self._trouble,
            None if is_bound else self._refused,
            self.load,
            self.pause,
            self._drops,
            time.monotonic() - beat_at,
        )

    def ask(self, command: Command, body: bytes, on_answer: Callable[[Frame], None]) -> Frame:
        """Ask the gateway and wait for its answer, whatever its status.

        Raises:
            NotBoundError: nothing was asked.
            TransientSendError: the question certainly never left.
            AmbiguousSendError: it may have arrived, and no answer can be trusted.
        """
        session = self._session
        if session is None:
            raise NotBoundError
        ticket = session.ask(command, body, lambda frame: self._weigh(frame, on_answer), self._window)
        return self._wait(session, ticket)

    def _wait(self, session: Session, ticket: Ticket) -> Frame:
        try:
            return ticket.future.result(self._timing.answer)
        except TimeoutError:
            raise session.give_up(ticket) from None

    def _weigh(self, frame: Frame, on_answer: Callable[[Frame], None]) -> None:
        """Slow down or speed up as an answer says, then pass it on."""
        if frame.status in SLOW_DOWN:
            log.warning("smpp.throttled", gateway=str(self.endpoint), seconds=round(self._brake.press(), 1))
        elif frame.status == Status.OK:
            self._brake.ease()
        on_answer(frame)

    # -- its thread

    def _run(self) -> None:
        while not self._stop.is_set():
            self._live()
            if not self._stop.is_set():
                self._rest()

    def _live(self) -> None:
        """Have one connection, from its beginning to its end."""
        self._beat_at = time.monotonic()
        try:
            link = Link.open(self.endpoint.host, self.endpoint.port, self._tls, self._timing.connect)
            self._session = Session(link, self._login, self._timing, self._on_deliver, self._bound_or_answered)
            if self._stop.is_set():
                self._session.leave()
            self._session.run()
        except BindRefusedError as exc:
            self._note(f"refused 0x{exc.status:02X}", exc.status)
        except LinkLostError as exc:
            self._note(exc.word, None)
        except Exception as exc:  # noqa: BLE001 - a defect of ours ends a connection, not the bind
            self._note(f"defect {type(exc).__name__}", None)
        finally:
            self._session = None
            self._on_change()

    def _bound_or_answered(self) -> None:
        if self._trouble:
            log.info("smpp.bound", gateway=str(self.endpoint))
            self._trouble, self._refused, self._bound_at = "", None, time.monotonic()
        self._on_change()

    def _note(self, trouble: str, refused: int | None) -> None:
        self._trouble, self._refused = trouble, refused
        self._drops += 1
        # A gateway that lets us in and throws us out at once is not to be stormed.
        has_settled = self._bound_at is not None and time.monotonic() - self._bound_at >= self._timing.settled
        self._failures = 1 if has_settled else self._failures + 1
        self._bound_at = None
        log.warning("smpp.not_bound", gateway=str(self.endpoint), trouble=trouble)

    def _rest(self) -> None:
        self._beat_at = time.monotonic()
        seconds = self._timing.wait_before_bind(self._failures, self._rng)
        if self._refused is not None:
            seconds = max(seconds, self._timing.refused)
        self._stop.wait(seconds)
