"""At which hours of the week do people answer?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Hour = tuple[int, int]
"""Weekday (Monday is 0) and hour of the day (0 to 23) on a person's own clock."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How often somebody, and people like them, answered or followed a link, by the hour of the week.

    Attributes:
        own: of the contact alone.
        alike: of all contacts of the account in the same country, this one included.
        everyone: of all contacts of the account.
    """

    own: Mapping[Hour, int] = field(default_factory=dict)
    alike: Mapping[Hour, int] = field(default_factory=dict)
    everyone: Mapping[Hour, int] = field(default_factory=dict)
