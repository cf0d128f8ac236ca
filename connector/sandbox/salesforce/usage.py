"""How many API calls has an org made in its last 24 hours, and may it make another?

Rolling, per org, over all apps together; told by `Sforce-Limit-Info: api-usage=18/5000` on every answer and by 403
REQUEST_LIMIT_EXCEEDED when it is gone (developer.salesforce.com: API Request Limits and Allocations).
"""

from collections import deque
from datetime import datetime, timedelta

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.refusals import quota_is_gone

WINDOW = timedelta(hours=24)
DAILY_CALLS = 100_000  # an Enterprise org without licences on top


class Usage:
    """Calls of one org, by the second. `used_elsewhere` is what the customer's other apps take of the same quota."""

    def __init__(self, clock: SandboxClock, limit: int = DAILY_CALLS) -> None:
        self.limit = limit
        self.used_elsewhere = 0
        self._clock = clock
        self._calls: deque[tuple[datetime, int]] = deque()

    @property
    def used(self) -> int:
        """Calls of the last 24 hours, other apps' among them."""
        begin = self._clock.now() - WINDOW
        while self._calls and self._calls[0][0] <= begin:
            self._calls.popleft()
        return self.used_elsewhere + sum(count for _, count in self._calls)

    def admit(self) -> None:
        """Count one call; 403 when none is left."""
        if self.used >= self.limit:
            raise quota_is_gone()
        second = self._clock.now().replace(microsecond=0)
        if self._calls and self._calls[-1][0] == second:
            self._calls[-1] = (second, self._calls[-1][1] + 1)
        else:
            self._calls.append((second, 1))

    def exhaust(self) -> None:
        """Let other apps use up what is left; it comes back when `used_elsewhere` is set lower."""
        self.used_elsewhere += max(0, self.limit - self.used)

    @property
    def header(self) -> str:
        """The value of `Sforce-Limit-Info`."""
        return f"api-usage={self.used}/{self.limit}"
