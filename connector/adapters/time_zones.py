"""Which IANA time zones are there?"""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones


@cache
def time_zones() -> frozenset[str]:
    """Give the names of all time zones; to list them means to look into hundreds of files."""
    return frozenset(available_timezones())
