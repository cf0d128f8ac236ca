"""How do services read and write what is known of numbers?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from connector.ports.number_lookup import LineType


class LookupState(StrEnum):
    """How far we are with a number."""

    WANTED = "wanted"  # a gateway is to be asked
    KNOWN = "known"
    SKIPPED = "skipped"  # it could not be asked, or the day's budget is used up; texts go out all the same


@dataclass(frozen=True, slots=True)
class NumberRow:
    """What an account knows of a number.

    Attributes:
        source: who said so: `lookup:<gateway>` or `receipt:<gateway>`.
        known_at: when.
        attempts: how often a gateway was asked in vain, or said that the number is dead.
        asked_at: when a lookup last answered, which costs money; whoever saves without it leaves it as it is.
    """

    account_id: str
    msisdn: str = field(repr=False)
    state: LookupState
    not_before: datetime
    line_type: LineType = LineType.UNKNOWN
    is_reachable: bool | None = None
    country: str | None = None
    carrier: str = ""
    source: str = ""
    price: Decimal | None = None
    currency: str | None = None
    known_at: datetime | None = None
    attempts: int = 0
    asked_at: datetime | None = None


class NumberRepository(Protocol):
    """What is known of numbers."""

    def of(self, account_id: str, msisdns: Sequence[str]) -> Mapping[str, NumberRow]:
        """Read what is known, by number."""
        ...

    def save(self, rows: Sequence[NumberRow]) -> None:
        """Insert or replace; ends the lease."""
        ...

    def want(self, rows: Sequence[NumberRow]) -> int:
        """Insert those nothing is known of; give how many were new."""
        ...

    def claim(self, limit: int, now: datetime, lease_until: datetime) -> Sequence[NumberRow]:
        """Lease up to `limit` wanted rows whose time has come, oldest due first."""
        ...

    def any_wanted(self, now: datetime) -> bool:
        """Tell whether any could be claimed now."""
        ...

    def asked_since(self, account_id: str, since: datetime) -> int:
        """Count the numbers that lookups have answered about since a time, whatever is known of them by now."""
        ...
