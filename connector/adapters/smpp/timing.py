"""How long is an SMPP gateway waited for, and how fast is it fed when it asks for less?"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from datetime import timedelta

from connector.domain.retry import backoff


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds.

    A text's room, answer and further parts take less than the 90 seconds for which a claim holds.

    Attributes:
        connect: until the connection stands, TLS included.
        bind: until the answer to a bind.
        answer: until the answer to a submit; gateways give it in well under a second.
        room: until a bind can take a submit.
        parts: after which no further part of a long text is begun.
        enquire: of silence, until the gateway is asked whether it is there.
        enquiry: until the answer to that.
        stuck: after which a submit without an answer means that the link is no good.
        leave: until the last answers are there before an unbind.
        again: the first wait before a bind is tried again, doubled each time.
        again_longest: the longest of these; a gateway's restart takes about so long.
        settled: after which a bind that ends is not a failed beginning, so that its next one is quick again.
        refused: the wait after a bind that was refused; its settings are to be mended by a person, and gateways
            lock out who knocks faster.
        pause: the first pause after "throttled"; SMPP rates count per second.
        pause_longest: the longest one.
    """

    connect: float = 10.0
    bind: float = 10.0
    answer: float = 15.0
    room: float = 10.0
    parts: float = 45.0
    enquire: float = 30.0
    enquiry: float = 10.0
    stuck: float = 60.0
    leave: float = 5.0
    again: float = 1.0
    again_longest: float = 30.0
    settled: float = 60.0
    refused: float = 60.0
    pause: float = 1.0
    pause_longest: float = 30.0

    @property
    def shortest(self) -> float:
        """The shortest time that a session watches."""
        return min(self.bind, self.enquire, self.enquiry, self.stuck, self.leave)

    def wait_before_bind(self, failures: int, rng: random.Random) -> float:
        """Give the wait after so many failures in a row, with jitter, so that binds do not come back in a crowd."""
        base, longest = timedelta(seconds=self.again), timedelta(seconds=self.again_longest)
        return backoff(max(1, failures), rng, base, longest).total_seconds()


class Brake:
    """Stops submits for a while when the gateway says that they come too fast. Safe to use from many threads."""

    def __init__(self, timing: Timing) -> None:
        self._first, self._longest = timing.pause, timing.pause_longest
        self._next = timing.pause
        self._until = 0.0
        self._lock = threading.Lock()

    def press(self) -> float:
        """Begin a pause, twice as long as the one before; give its seconds.

        Submits that were under way together and are refused together count once.
        """
        with self._lock:
            now = time.monotonic()
            if now >= self._until:
                self._until = now + self._next
                self._next = min(2 * self._next, self._longest)
            return self._until - now

    def ease(self) -> None:
        """Note that a submit was taken outside a pause: the next pause is short again."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._next = self._first

    def remaining(self) -> float:
        """Give the seconds until the pause ends, 0 when there is none."""
        return max(0.0, self._until - time.monotonic())
