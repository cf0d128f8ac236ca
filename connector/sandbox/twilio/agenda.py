"""What does the gateway still have to do, and when is it due?"""

import heapq
import itertools
import threading
from dataclasses import dataclass
from datetime import datetime

from connector.sandbox.twilio.callbacks import Callback
from connector.sandbox.twilio.receipts import Stage


@dataclass(frozen=True)
class Move:
    """A message reaches a stage."""

    sid: str
    stage: Stage


@dataclass(frozen=True)
class Charge:
    """A message's price becomes known."""

    sid: str


@dataclass(frozen=True)
class Notify:
    """A webhook goes out; `tries` counts the ones before."""

    callback: Callback
    tries: int = 0


Task = Move | Charge | Notify


class Agenda:
    """Thread-safe: tasks by due time, first in first out among equals."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Task]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        self.grew = threading.Event()

    def put(self, due_at: datetime, task: Task) -> None:
        """Do `task` at `due_at`."""
        with self._lock:
            heapq.heappush(self._heap, (due_at, next(self._order), task))
        self.grew.set()

    def pop(self, now: datetime) -> tuple[datetime, Task] | None:
        """The oldest task due by `now`, removed; None when there is none."""
        with self._lock:
            if not self._heap or self._heap[0][0] > now:
                return None
            due_at, _, task = heapq.heappop(self._heap)
            return due_at, task
