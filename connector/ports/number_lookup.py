"""What does a vendor tell of a number before anything is sent to it?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable


class LineType(StrEnum):
    """What kind of line a number belongs to."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    VOIP = "voip"
    TOLL_FREE = "toll_free"
    INVALID = "invalid"  # no such number
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LookupAnswer:
    """What a gateway knows of a number.

    Attributes:
        is_reachable: whether its handset is in service now; None when not told.
        country: ISO 3166, or None.
        carrier: name or network code, or None.
    """

    line_type: LineType
    is_reachable: bool | None = None
    country: str | None = None
    carrier: str | None = None
    price: Decimal | None = None
    currency: str | None = None


@runtime_checkable
class NumberLookup(Protocol):
    """A gateway that also tells what kind of number a number is. Safe to call from many threads at once."""

    def look_up(self, e164: str) -> LookupAnswer:
        """Ask about one number; exactly one HTTP request. A number that does not exist is an answer, not an error.

        Raises:
            SendError: it could not be asked.
        """
        ...
