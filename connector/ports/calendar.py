"""On which days do people work where somebody lives?"""

from __future__ import annotations

from datetime import date
from typing import Protocol


class Calendar(Protocol):
    """Knows weekends and public holidays."""

    def is_business_day(self, day: date, country: str | None) -> bool:
        """Tell whether people work on a date in a country (ISO 3166, any case; None when nobody knows which)."""
        ...
