"""How does a pretend CRM send what changed: from which queue, in the background, and with which mishaps?"""

import abc
import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Generic, TypeVar

import httpx

from connector.sandbox.clock import SandboxClock

KEPT_DELIVERIES = 10_000  # a demo that runs for days must not grow for ever
_LOOKED_AT = 0.1  # seconds between looks at the clock, which may have been pushed, while something waits
_LOOKED_AT_WHEN_EMPTY = 1.0

WaitingT = TypeVar("WaitingT")
DeliveryT = TypeVar("DeliveryT")


class ChangeSender(abc.ABC, Generic[WaitingT, DeliveryT]):
    """Holds what waits and delivers it from a background thread, between `start()` and `stop()`, as it comes due.

    To be changed at any time: `duplicates` (further copies of each batch), `shuffle` (any order), `delay` (before the
    first try), `batch_size`, `is_paused`.
    """

    name = "sandbox-sender"
    """Of the background thread."""

    def __init__(
        self,
        clock: SandboxClock,
        *,
        batch_size: int,
        answer_within: float,
        seed: int | None,
        post: Callable[..., httpx.Response] | None,
    ) -> None:
        self.duplicates = 0
        self.shuffle = False
        self.delay = timedelta()
        self.batch_size = batch_size
        self.is_paused = False
        self.deliveries: deque[DeliveryT] = deque(maxlen=KEPT_DELIVERIES)
        self.abandoned: deque[Any] = deque(maxlen=KEPT_DELIVERIES)
        self._clock = clock
        self._random = random.Random(seed)
        self._client = httpx.Client(timeout=answer_within, follow_redirects=False)
        self._post = post or self._client.post
        self._waiting: list[WaitingT] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False

    @property
    @abc.abstractmethod
    def waiting(self) -> Sequence[Any]:
        """What is not delivered yet, retries among it."""

    @abc.abstractmethod
    def flush(self, *, until_empty: bool = False) -> list[DeliveryT]:
        """Deliver all that waits now, due or not; with `until_empty` go on until nothing waits any more."""

    @abc.abstractmethod
    def deliver_due(self) -> None:
        """Deliver what is due now; nothing while paused."""

    def start(self) -> None:
        """Deliver from a background thread as changes come due."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background thread and close connections."""
        self._end_thread()
        self._client.close()

    def _end_thread(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stopping:
            self.deliver_due()
            with self._changed:
                if not self._stopping:
                    # Woken by new changes.
                    self._changed.wait(_LOOKED_AT if self._waiting else _LOOKED_AT_WHEN_EMPTY)

    def _take(self, is_wanted: Callable[[WaitingT], bool]) -> list[WaitingT]:
        with self._changed:
            taken: list[WaitingT] = []
            left: list[WaitingT] = []
            for each in self._waiting:
                (taken if is_wanted(each) else left).append(each)
            self._waiting = left
        return taken

    def _send(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int | None, str | None, bytes]:
        """POST; give the status, or the error, and the answer's body."""
        try:
            answer = self._post(url, content=body, headers=headers)
        except httpx.HTTPError as error:
            return None, f"{type(error).__name__}: {error}", b""
        return answer.status_code, None, answer.content
