"""Has this portal called too often?

110 requests in any 10 s for each installed account of a marketplace app, search apart with 5 a second
(developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines). Measured in real time, whatever the
sandbox clock says: it is the speed of the caller that counts.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connector.sandbox.hubspot.refusals import RefusalError


@dataclass
class _Window:
    """A rolling window: times of the calls that count."""

    seconds: float
    calls: deque[float] = field(default_factory=deque)

    def left(self, limit: int, now: float) -> int:
        while self.calls and self.calls[0] <= now - self.seconds:
            self.calls.popleft()
        return limit - len(self.calls)


class RateLimits:
    """Rolling windows for each portal. Set `per_ten_seconds` or `searches_per_second` to None for no limit."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.per_ten_seconds: int | None = 110
        self.searches_per_second: int | None = 5
        self._monotonic = monotonic
        self._windows: dict[tuple[int, str], _Window] = {}
        self._lock = threading.Lock()

    def admit(self, portal_id: int, *, is_search: bool) -> dict[str, str]:
        """Count a call; the rate limit headers of its answer. A call too many is a 429 RefusalError."""
        limit = self.searches_per_second if is_search else self.per_ten_seconds
        if limit is None:
            return {}
        seconds, name = (1.0, "secondly") if is_search else (10.0, "ten_secondly_rolling")
        with self._lock:
            window = self._windows.setdefault((portal_id, name), _Window(seconds))
            now = self._monotonic()
            left = window.left(limit, now)
            if left > 0:
                window.calls.append(now)
        # The vendor leaves these headers out of search answers.
        headers = {} if is_search else rate_headers(limit, max(left - 1, 0))
        if left <= 0:
            raise too_many(name, headers)
        return headers


def rate_headers(limit: int, left: int) -> dict[str, str]:
    """The rolling window as the vendor's headers tell it."""
    return {
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        "X-HubSpot-RateLimit-Max": str(limit),
        "X-HubSpot-RateLimit-Remaining": str(left),
    }


def too_many(name: str = "ten_secondly_rolling", headers: Mapping[str, str] | None = None) -> RefusalError:
    """429 with the vendor's wording."""
    return RefusalError(
        429,
        "RATE_LIMITS",
        f"You have reached your {name} limit.",
        extra={"errorType": "RATE_LIMIT", "policyName": name.upper(), "groupName": "publicapi:sandbox"},
        headers=headers,
    )
