"""How is a lease kept in Redis?

Nothing may hang on it but that work is not done twice: a process that stands still longer than its lease goes on for a
moment beside the next one.
"""

from __future__ import annotations

import contextlib
import time

import redis
from redis.exceptions import LockError, RedisError
from redis.lock import Lock

from connector.ports.leases import Lease

SECONDS = 60.0
"""How long what a dead process did may rest, and how long Redis may be away before a living one has to stop."""

_SURE_FOR = SECONDS * 2 / 3  # without a renewal; what is left is for stopping


class RedisLeases:
    """Leases. See `connector.ports.leases.Leases`."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def take(self, name: str) -> Lease | None:
        """Take a right."""
        lock = self._client.lock(f"lease:{name}", timeout=SECONDS, thread_local=False)
        try:
            return RedisLease(lock) if lock.acquire(blocking=False) else None
        except RedisError:
            return None


class RedisLease:
    """One lease that was taken."""

    def __init__(self, lock: Lock) -> None:
        self._lock, self._renewed_at = lock, time.monotonic()

    def renew(self) -> bool:
        """Begin the time anew."""
        at = time.monotonic()
        try:
            self._lock.reacquire()
        except LockError:
            return False
        except RedisError:
            return at - self._renewed_at < _SURE_FOR
        self._renewed_at = at
        return True

    def release(self) -> None:
        """Give it back."""
        with contextlib.suppress(LockError, RedisError):
            self._lock.release()
