"""How does one part tell another that there is work for it in the ledger?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

EVENTS = "events"
JOURNEYS = "journeys"
RECEIPTS = "receipts"
EFFECTS = "effects"
LOOKUPS = "lookups"
WORKFLOWS = "workflows"
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


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit: over any t seconds at most `burst` + `rate` x t are granted.

    Attributes:
        name: what is limited, such as `send:twilio`; the same in every process.
        rate: per second, above 0.
        burst: how many a rested bucket holds, at least 1.
    """

    name: str
    rate: float
    burst: int


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


class SendLimiter(Protocol):
    """Grants texts, and questions about them, within several limits at once, over every process."""

    def take_each(self, asked: Sequence[Sequence[Bucket]], *, is_urgent: bool = True) -> Sequence[bool]:
        """Ask for one permit per item, in order; an item is granted when every one of its buckets has room for it.

        The first bucket of an item is the one that urgent and bulk items share. A part of it is kept for urgent ones,
        so that they never queue behind bulk; and while bulk items ask, urgent ones leave them a small share, so that
        they go on, slowly.

        Raises:
            QueueUnavailableError: Redis is away; grant nothing rather than burst.
        """
        ...
