"""What stands in for the clock, the buckets and the locks in tests of CRM adapters?"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class MovableClock:
    """A clock that stands still until it is moved."""

    at: datetime = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def advance(self, delta: timedelta) -> None:
        self.at += delta


@dataclass
class ScriptedLimiter:
    """Grants by script: how many permits each take gets, and one for ever after; `error` is raised instead."""

    grants: list[int] = field(default_factory=list)
    error: Exception | None = None
    taken: list[tuple[str, float, int]] = field(default_factory=list)

    def take(self, bucket: str, *, rate: float, burst: int, wanted: int = 1) -> int:
        self.taken.append((bucket, rate, burst))
        if self.error is not None:
            raise self.error
        return self.grants.pop(0) if self.grants else wanted


@dataclass
class ThreadLocks:
    """Locks of one process."""

    names: list[str] = field(default_factory=list)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)

    @contextlib.contextmanager
    def hold(self, name: str) -> Iterator[None]:
        self.names.append(name)
        with self._locks.setdefault(name, threading.Lock()):
            yield
