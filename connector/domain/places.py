"""Where does something stand in a file an admin wrote, and what is written there?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file an admin wrote; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition or value in Jinja's expression language, such as `invoice.balance_due > 500`."""

    source: str
    place: Place


@dataclass(frozen=True, slots=True)
class Text:
    """A Jinja template written in the journey file itself, such as a task's title."""

    source: str
    place: Place
