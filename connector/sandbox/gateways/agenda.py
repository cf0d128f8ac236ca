"""What does a gateway still have to do, and when is it due?"""

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connector.sandbox.gateways.courier import Callback
from connector.sandbox.gateways.receipts import Stage


@dataclass(frozen=True)
class Move:
    """A message reaches a stage."""

    message_id: str
    stage: Stage


@dataclass(frozen=True)
class Notify:
    """A callback goes out; `tries` counts the ones before."""

    callback: Callback
    tries: int = 0


@dataclass(frozen=True)
class Later:
    """Something of one vendor's own; `work` gets the time it was due."""

    work: Callable[[datetime], None]


Task = Move | Notify | Later


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
