"""What happens over one connection to an SMPP gateway, from its bind to its end?

One thread runs it; any thread may ask. Every question ends: with the gateway's answer, or, when the connection does,
with "never left" or "may have arrived".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

import structlog

from connector.adapters.smpp.frames import RESPONSE, Command, Frame, FrameCutter, LostStreamError, Status, answer_to
from connector.adapters.smpp.frames import next_sequence as following
from connector.adapters.smpp.link import Link, LinkLostError, Parcel
from connector.adapters.smpp.pdu import Login
from connector.adapters.smpp.timing import Timing
from connector.domain.message import ErrorClass
from connector.errors import AmbiguousSendError, TransientSendError

log = structlog.get_logger(__name__)

_TICK = 1.0  # seconds between looks at the clock; timers are tens of seconds long


class BindRefusedError(Exception):
    """The gateway does not let us in; `status` is its command status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"bind refused, status 0x{status:02X}")
        self.status = status


class NotBoundError(Exception):
    """This session takes no questions: not bound yet, leaving, or over."""


@dataclass(slots=True)
class Ticket:
    """One question under way.

    Attributes:
        on_answer: called with the answer on the session's thread, also when nobody waits for it any more.
    """

    command: int
    parcel: Parcel
    asked_at: float
    on_answer: Callable[[Frame], None]
    future: Future[Frame] = field(default_factory=Future)

    def answered(self, frame: Frame) -> None:
        """Take the gateway's answer."""
        if frame.command in {self.command | RESPONSE, Command.GENERIC_NACK}:
            self.on_answer(frame)
            self.future.set_result(frame)
        else:
            self.future.set_exception(_lost("mismatched_answer"))

    def abandoned(self, word: str) -> None:
        """Take the end of the connection."""
        if self.parcel.cancel():
            self.future.set_exception(_never_left(word))
        else:
            self.future.set_exception(_lost(word))


OnRequest = Callable[["Session", Frame], None]


class Session:
    """One connection. `run` is for one thread, `ask`, `answer` and `leave` for any.

    Args of the constructor:
        on_deliver: called with each deliver_sm on the session's thread; must not block, and must see to it that
            `answer` is called for it.
        on_change: called when it is bound, and when a question has its answer.
    """

    def __init__(
        self, link: Link, login: Login, timing: Timing, on_deliver: OnRequest, on_change: Callable[[], None]
    ) -> None:
        self._link, self._login, self._timing = link, login, timing
        self._on_deliver, self._on_change = on_deliver, on_change
        self._cutter = FrameCutter()
        self._lock = threading.Lock()
        self._tickets: dict[int, Ticket] = {}
        self._sequence = 0
        self._began_at = self._heard_at = self.beat_at = time.monotonic()
        self._enquired_at: float | None = None
        self._bind_sequence = 0
        self._unbind_sequence = 0
        self._leave_by: float | None = None
        self._lost_by: float | None = None
        self.is_bound = False
        self.over_at: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether its connection has ended."""
        return self.over_at is not None

    @property
    def is_open(self) -> bool:
        """Whether it takes questions: bound, and not about to leave."""
        return self.is_bound and self._leave_by is None

    @property
    def load(self) -> int:
        """How many questions are under way."""
        return len(self._tickets)

    def ask(self, command: Command, body: bytes, on_answer: Callable[[Frame], None], window: int) -> Ticket:
        """Ask the gateway; the answer, or why there is none, comes with the ticket's future.

        Raises:
            NotBoundError: nothing can be asked here, or `window` questions are under way.
        """
        with self._lock:
            if not self.is_open or len(self._tickets) >= window:
                raise NotBoundError
            frame = Frame(command, Status.OK, self._next_sequence(), body)
            ticket = Ticket(command, Parcel(frame.encoded()), time.monotonic(), on_answer)
            self._tickets[frame.sequence] = ticket
            self._link.put(ticket.parcel)
        return ticket

    def answer(self, request: Frame, status: int, note: Callable[[Parcel], None] | None = None) -> None:
        """Answer a deliver_sm, whose answer has an empty message id (SMPP 3.4 §4.6.2).

        Args:
            request: the deliver_sm.
            status: command status of the answer.
            note: is shown the answer before any of it can leave.
        """
        parcel = Parcel(answer_to(request, status, b"\0").encoded())
        if note is not None:
            note(parcel)
        self._link.put(parcel)

    def give_up(self, ticket: Ticket) -> TransientSendError | AmbiguousSendError:
        """Stop waiting for an answer; give the error. What was not written yet never will be."""
        if not ticket.parcel.cancel():
            return _lost("answer_timeout")
        with self._lock:
            self._tickets = {sequence: each for sequence, each in self._tickets.items() if each is not ticket}
        return _never_left("never_written")

    def leave(self) -> None:
        """Take no more questions, wait for the answers that are due, unbind and end."""
        with self._lock:
            self._leave_by = self._leave_by or time.monotonic() + self._timing.leave
        self._link.wake()

    def run(self) -> None:
        """Bind and work until the connection ends; then every question has ended too.

        Raises:
            BindRefusedError: not let in.
            LinkLostError: the connection ended otherwise than by `leave`.
        """
        word = "defect"
        try:
            self._bind_sequence = self._put(Command.BIND_TRANSCEIVER, self._login.encoded())
            while not self._is_done():
                for frame in self._cutter.feed(self._link.turn(self._patience())):
                    self._handle(frame)
            word = "unbound"
        except LostStreamError as exc:
            word = "unreadable_stream"
            raise LinkLostError(word) from exc
        except LinkLostError as exc:
            word = exc.word
            raise
        finally:
            self._end(word)

    # -- the session's thread

    def _end(self, word: str) -> None:
        with self._lock:
            self.is_bound, self.over_at = False, time.monotonic()
            tickets, self._tickets = list(self._tickets.values()), {}
        self._link.close()
        for ticket in tickets:
            ticket.abandoned(word)

    def _put(self, command: Command, body: bytes = b"") -> int:
        with self._lock:
            sequence = self._next_sequence()
        self._link.put(Parcel(Frame(command, Status.OK, sequence, body).encoded()))
        return sequence

    def _next_sequence(self) -> int:
        self._sequence = following(self._sequence)
        return self._sequence

    def _patience(self) -> float:
        return min(_TICK, self._timing.shortest / 4)

    def _is_done(self) -> bool:
        """Look at the clock; tell whether we have left.

        Raises:
            LinkLostError: something was waited for too long.
        """
        now = self.beat_at = time.monotonic()
        if not self.is_bound and self._lost_by is None and now > self._began_at + self._timing.bind:
            raise LinkLostError("bind_timeout")
        if self._lost_by is not None and now > self._lost_by:
            raise LinkLostError("unbound_by_gateway")
        if self._is_stuck(now):
            raise LinkLostError("no_answers")
        self._enquire(now)
        return self._leave_by is not None and self._has_left(now, self._leave_by)

    def _is_stuck(self, now: float) -> bool:
        with self._lock:
            oldest = next(iter(self._tickets.values()), None)
        return oldest is not None and now > oldest.asked_at + self._timing.stuck

    def _enquire(self, now: float) -> None:
        if self._enquired_at is not None and now > self._enquired_at + self._timing.enquiry:
            raise LinkLostError("enquire_timeout")
        if self.is_bound and self._enquired_at is None and now > self._heard_at + self._timing.enquire:
            self._enquired_at = now
            self._put(Command.ENQUIRE_LINK)

    def _has_left(self, now: float, leave_by: float) -> bool:
        """Unbind once all answers are there; leave when that is answered, or when time is up."""
        if not self.is_bound or now > leave_by:
            return True
        if not self._tickets and not self._unbind_sequence:
            self._unbind_sequence = self._put(Command.UNBIND)
        return False

    def _handle(self, frame: Frame) -> None:
        self._heard_at, self._enquired_at = time.monotonic(), None
        if frame.is_answer:
            self._handle_answer(frame)
        elif not frame.is_whole:
            self._refuse(frame, Status.INVALID_COMMAND_LENGTH)
        elif frame.command == Command.DELIVER_SM:
            self._on_deliver(self, frame)
        elif frame.command == Command.ENQUIRE_LINK:
            self._link.put(Parcel(answer_to(frame).encoded()))
        elif frame.command == Command.UNBIND:
            self._link.put(Parcel(answer_to(frame).encoded()))
            self._be_unbound()
        else:
            self._refuse(frame, Status.INVALID_COMMAND)

    def _handle_answer(self, frame: Frame) -> None:
        if frame.sequence == self._bind_sequence and not self.is_bound:
            self._handle_bind(frame)
        elif frame.sequence == self._unbind_sequence and self._unbind_sequence:
            self.is_bound = False
        else:
            with self._lock:
                ticket = self._tickets.pop(frame.sequence, None)
            if ticket is not None:
                ticket.answered(frame)
                self._on_change()

    def _handle_bind(self, frame: Frame) -> None:
        if frame.status != Status.OK or frame.command == Command.GENERIC_NACK:
            raise BindRefusedError(frame.status)
        self.is_bound = True
        self._on_change()

    def _be_unbound(self) -> None:
        """Ask nothing more; answers that are under way still get a moment."""
        self.is_bound = False
        self._lost_by = time.monotonic() + self._timing.leave

    def _refuse(self, frame: Frame, status: Status) -> None:
        log.warning("smpp.refused", command=f"0x{frame.command:08X}", status=status.name)
        self._link.put(Parcel(Frame(Command.GENERIC_NACK, status, frame.sequence).encoded()))


def _never_left(word: str) -> TransientSendError:
    return TransientSendError(f"the request never left: {word}", code=word, error_class=ErrorClass.TRANSIENT)


def _lost(word: str) -> AmbiguousSendError:
    return AmbiguousSendError(f"no trustworthy answer: {word}", code=word, error_class=ErrorClass.UNKNOWN)
