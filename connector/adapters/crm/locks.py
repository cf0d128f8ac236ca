"""How does one process at a time refresh an account's token?"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import redis
from redis.exceptions import LockError, RedisError

from connector.errors import CRMUnavailableError

_LEASE = 30.0  # seconds after which a dead holder's lock ends: longer than a refresh with all its time-outs
_PATIENCE = 20.0  # seconds to wait for another's refresh


class Locks(Protocol):
    """Named locks over all processes."""

    def hold(self, name: str) -> AbstractContextManager[None]:
        """Hold the lock inside a `with`.

        Raises:
            CRMUnavailableError: it could not be had in time.
        """
        ...


class RedisLocks:
    """Named locks in Redis. They save calls and spare the CRM a stampede; correctness does not hang on them."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    @contextlib.contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold the lock `name`."""
        lock = self._client.lock(f"lock:{name}", timeout=_LEASE, blocking_timeout=_PATIENCE)
        try:
            is_held = lock.acquire()
        except RedisError as error:
            raise CRMUnavailableError("the lock for a token refresh cannot be reached") from error
        if not is_held:
            raise CRMUnavailableError("another process is still refreshing this token")
        try:
            yield
        finally:
            with contextlib.suppress(LockError, RedisError):  # it ended by itself, which is as good
                lock.release()
