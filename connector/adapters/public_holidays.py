"""On which days do people work in a country, by the `holidays` package?

Holidays of a whole country only: those of a state or a canton would need an address nobody has. A country's own
weekend counts (Friday and Saturday in Saudi Arabia), and so do the Saturdays that China works in exchange.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays

_SATURDAY = 5
_KEPT = 512  # years of countries: a year of one is some kilobytes, and a portal has customers in dozens of countries


class PublicHolidays:
    """Weekends and public holidays; a country the package does not know works from Monday to Friday."""

    def is_business_day(self, day: date, country: str | None) -> bool:
        """Tell whether people work on a date in a country."""
        known = _year((country or "").upper(), day.year)
        return day.weekday() < _SATURDAY if known is None else known.is_working_day(day)


@lru_cache(maxsize=_KEPT)
def _year(country: str, year: int) -> holidays.HolidayBase | None:
    """Give a country's year; None for a country that is not known, or a year that no date of it is known for."""
    if not country:
        return None
    try:
        return holidays.country_holidays(country, years=[year], expand=False)
    except NotImplementedError:
        return None
