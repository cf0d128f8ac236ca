"""How long is "3 days", and how is a length of time written back for a person?"""

import re
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

UNITS = MappingProxyType(
    {
        "week": timedelta(weeks=1),
        "day": timedelta(days=1),
        "hour": timedelta(hours=1),
        "minute": timedelta(minutes=1),
        "second": timedelta(seconds=1),
    }
)
"""Units of the journey language, longest first. A day is 24 hours: waits are elapsed time, not dates."""

LONGEST = timedelta(days=3660)
"""Ten years: longer waits are typing mistakes, and `now + wait` must stay a date Python can hold."""


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """So many days on which people work; which those are depends on the country and is not known here."""

    count: int

    def __str__(self) -> str:
        return "1 business day" if self.count == 1 else f"{self.count} business days"


_MOST_BUSINESS_DAYS = 250  # a year of them: more is a typing mistake
_BUSINESS_DAYS = re.compile(r"\s*([0-9]{1,4})\s+business\s+days?\s*", re.ASCII | re.IGNORECASE)
_DURATION = re.compile(r"\s*([0-9]{1,9})\s+([a-z]+)\s*", re.ASCII | re.IGNORECASE)
_EXPECTED = 'a whole number and a unit, such as "30 minutes", "24 hours", "3 days" or "2 weeks"'


def parse_duration(text: str) -> timedelta:
    """Read a duration such as "3 days" or "1 hour".

    Units are seconds, minutes, hours, days and weeks, singular or plural, in any letter case.

    Raises:
        ValueError: says what was written and what was expected.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a duration: expected {_EXPECTED}")
    unit = UNITS.get(found[2].lower().removesuffix("s"))
    if unit is None:
        known = ", ".join(f"{name}s" for name in UNITS)
        raise ValueError(f"{text!r} has no known unit: {found[2]!r} is not one of {known}")
    if int(found[1]) > LONGEST // unit:
        raise ValueError(f"{text!r} is longer than ten years, the longest duration there is")
    return int(found[1]) * unit


def format_duration(duration: timedelta) -> str:
    """Write a duration so that `parse_duration` reads it back, in the longest unit that divides it.

    Fractions of a second are dropped.

    Raises:
        ValueError: the duration is negative; the language has no such thing.
    """
    if duration < timedelta(0):
        raise ValueError(f"{duration} is negative: a duration is zero or longer")
    whole = timedelta(seconds=duration // timedelta(seconds=1))
    if not whole:
        return "0 seconds"
    name, unit = next((name, unit) for name, unit in UNITS.items() if not whole % unit)
    count = whole // unit
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def parse_delay(text: str) -> timedelta | BusinessDays:
    """Read a duration, or a number of business days such as "5 business days".

    Raises:
        ValueError: says what was written and what was expected.
    """
    found = _BUSINESS_DAYS.fullmatch(text)
    if found is None:
        if "business" in text.lower():
            raise ValueError(f'{text!r} is no number of business days: expected such as "5 business days"')
        return parse_duration(text)
    if not 0 < int(found[1]) <= _MOST_BUSINESS_DAYS:
        raise ValueError(f"{text!r} is out of range: expected 1 to {_MOST_BUSINESS_DAYS} business days")
    return BusinessDays(int(found[1]))
