"""Who listens to one stream of changes, and begins again when it breaks?"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from connector.domain.retry import backoff
from connector.errors import CRMError, CRMRefusedError
from connector.ports.change_streams import Stream
from connector.ports.leases import Lease
from connector.services.change_streams import StreamReader

log = structlog.get_logger(__name__)

SILENT_SECONDS = 300.0
"""A living stream says something every 270 seconds (Salesforce's Pub/Sub API, `FetchResponse`)."""

REFUSED_FOR = timedelta(hours=1)
"""Somebody has to grant a right or choose an object first."""

_RETRY_BASE, _RETRY_CAP = timedelta(seconds=1), timedelta(minutes=5)
"""A broken connection is back at once; a CRM that is down is asked again every few minutes."""


@dataclass(frozen=True, slots=True, order=True)
class Wanted:
    """A stream that an account wants."""

    account_id: str
    topic: str


class Listener:
    """A thread that listens to one stream until it is closed; `lease` is its right to.

    Args:
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        wanted: Wanted,
        lease: Lease,
        reader: StreamReader,
        rng: random.Random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.wanted, self.lease = wanted, lease
        self._reader, self._rng, self._monotonic = reader, rng, monotonic
        self._stream: Stream | None = None
        self._heard_at = monotonic()
        self._tries = 0
        self._closing, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._listen, name=f"stream {wanted.topic}", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether it still listens, or waits to."""
        return self._thread.is_alive()

    def is_silent(self) -> bool:
        """Whether an open stream has said nothing for longer than a living one does."""
        return self._stream is not None and self._monotonic() - self._heard_at > SILENT_SECONDS

    def cut(self) -> None:
        """End the stream that is open, so that another is opened."""
        with self._lock:
            if self._stream is not None:
                self._stream.close()

    def close(self) -> None:
        """Listen no more; what has come and is being kept is kept."""
        self._closing.set()
        self.cut()

    def join(self, seconds: float) -> None:
        """Wait for the end."""
        self._thread.join(seconds)

    def _listen(self) -> None:
        pause = timedelta()
        while not self._closing.wait(pause.total_seconds()):
            try:
                self._reader.follow(self.wanted.account_id, self.wanted.topic, self._opened, self._heard)
                pause = self._after()
            except CRMRefusedError as error:
                pause = self._refused(error)
            except CRMError as error:
                pause = self._after(error.retry_after)
                log.warning("stream.broken", **self._names, category=error.category, again_in=pause.total_seconds())
            except Exception as error:  # noqa: BLE001 - one stream outlives a ledger that is away
                pause = self._after()
                log.error("stream.failed", **self._names, error=type(error).__name__, again_in=pause.total_seconds())
            self._stream = None

    @property
    def _names(self) -> dict[str, str]:
        return {"account_id": self.wanted.account_id, "topic": self.wanted.topic}

    def _opened(self, stream: Stream) -> None:
        """Take an opened stream, and close it at once when that was asked for meanwhile."""
        with self._lock:
            self._stream, self._heard_at = stream, self._monotonic()
            if self._closing.is_set():
                stream.close()

    def _heard(self) -> None:
        self._heard_at, self._tries = self._monotonic(), 0

    def _after(self, at_least: timedelta | None = None) -> timedelta:
        """Say how long to wait after a try that ended; longer and longer while nothing comes."""
        self._tries += 1
        return max(at_least or timedelta(), backoff(self._tries, self._rng, _RETRY_BASE, _RETRY_CAP))

    def _refused(self, error: CRMRefusedError) -> timedelta:
        log.warning("stream.refused", **self._names, category=error.category)
        try:
            self._reader.refused(self.wanted.account_id, self.wanted.topic, error)
        except Exception as failure:  # noqa: BLE001 - told the next time
            log.error("stream.refusal_not_told", **self._names, error=type(failure).__name__)
        return REFUSED_FOR
