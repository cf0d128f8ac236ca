"""May this portal be called now?

A marketplace app may make 110 requests in 10 s per portal; HubSpot's certification asks to stay under 100. Searches
count apart: 5 a second (developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines). The buckets are
shared by every process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from connector.errors import CRMUnavailableError, QueueUnavailableError
from connector.ports.queue import RateLimiter


@dataclass(frozen=True, slots=True)
class _Allowance:
    """A bucket: at most `burst + rate * t` calls in any `t` seconds."""

    name: str
    rate: float
    burst: int


_CALLS = _Allowance("hubspot:calls", 9.0, 10)  # 10 + 9 * 10 s = 100 in any ten seconds
_SEARCHES = _Allowance("hubspot:searches", 4.0, 1)  # 1 + 4 * 1 s = 5 in any second
_PATIENCE = 2.0  # seconds a worker may stand still; longer waits go back to the ledger
_COME_BACK = timedelta(seconds=2)  # when the ledger brings the work back: a fifth of the bucket is free again


@dataclass(frozen=True, slots=True)
class PortalLimits:
    """Keeps calls inside HubSpot's limits.

    Args:
        limiter: the shared buckets.
        sleep: waits for some seconds; a test passes one that does not.
    """

    limiter: RateLimiter
    sleep: Callable[[float], None]

    def admit(self, portal_id: str, *, is_search: bool = False) -> None:
        """Take a permit, waiting up to two seconds for it.

        Raises:
            CRMUnavailableError: none came free, or the buckets cannot be reached.
        """
        allowance = _SEARCHES if is_search else _CALLS
        pause = 1 / allowance.rate
        for _ in range(int(_PATIENCE / pause)):
            if self._take(allowance, portal_id):
                return
            self.sleep(pause)
        if not self._take(allowance, portal_id):
            raise CRMUnavailableError("our own rate for this portal is used up", retry_after=_COME_BACK)

    def _take(self, allowance: _Allowance, portal_id: str) -> bool:
        bucket = f"{allowance.name}:{portal_id}"
        try:
            return self.limiter.take(bucket, rate=allowance.rate, burst=allowance.burst) > 0
        except QueueUnavailableError as error:
            raise CRMUnavailableError("the rate limiter is away", retry_after=_COME_BACK) from error
