"""On which days do people work, where they live?"""

from __future__ import annotations

from datetime import date

import pytest

from connector.adapters.public_holidays import PublicHolidays


@pytest.mark.parametrize(
    ("day", "country", "works"),
    [
        (date(2026, 11, 26), "US", False),  # Thanksgiving
        (date(2026, 11, 26), "us", False),
        (date(2026, 11, 26), "GB", True),
        (date(2026, 12, 25), "DE", False),
        (date(2026, 10, 3), "DE", False),  # a Saturday and a holiday
        (date(2026, 11, 20), "SA", False),  # Friday, the weekend in Saudi Arabia
        (date(2026, 11, 22), "SA", True),  # and Sunday is none
        (date(2026, 11, 20), "AE", True),
        (date(2026, 11, 21), "AE", False),
        (date(2026, 2, 14), "CN", True),  # a Saturday worked in exchange for the Spring Festival
        (date(2026, 11, 20), "XX", True),
        (date(2026, 11, 21), "XX", False),
        (date(2026, 12, 25), None, True),
        (date(2026, 11, 22), None, False),
        (date(2026, 11, 20), "", True),
        (date(9999, 12, 31), "US", True),
    ],
)
def test_a_day_is_worked_or_not_as_the_country_has_it(day: date, country: str | None, works: bool) -> None:
    assert PublicHolidays().is_business_day(day, country) is works
