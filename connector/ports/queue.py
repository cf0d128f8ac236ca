"""How does one part tell another that there is work for it in the ledger?"""

from __future__ import annotations

from typing import Protocol

EVENTS = "events"
JOURNEYS = "journeys"
RECEIPTS = "receipts"
EFFECTS = "effects"
MAINTENANCE = "maintenance"


def send_lane(gateway: str, purpose: str) -> str:
    """Name the lane of one gateway and purpose, such as `send:twilio:otp`."""
    return f"send:{gateway}:{purpose}"


def writeback_lane(crm: str) -> str:
    """Name the lane that writes to one kind of CRM, such as `writeback:hubspot`."""
    return f"writeback:{crm}"


class TaskQueue(Protocol):
    """Carries nudges, never work: losing one costs seconds, never a message."""

    def nudge(self, lane: str) -> None:
        """Ask that `lane` be drained soon; at most one nudge waits per lane. Never raises: the sweep will find it."""
        ...


class RateLimiter(Protocol):
    """Grants a bounded number of calls per second over every process."""

    def take(self, bucket: str, *, rate: float, burst: int, wanted: int = 1) -> int:
        """Take up to `wanted` permits of `bucket` (refilled at `rate` per second, at most `burst` at once).

        Returns:
            How many were granted, 0 to `wanted`.

        Raises:
            QueueUnavailableError: Redis is away; grant nothing rather than burst.
        """
        ...
