"""What does the ledger count about one journey?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True)
class EndCount:
    """How many people's way through a journey stands or ended one way.

    Attributes:
        reason: why it ended; empty while it is live.
    """

    status: str
    reason: str
    people: int


@dataclass(frozen=True, slots=True)
class TextCount:
    """How many texts of one step are in one state, and what they cost.

    Attributes:
        step: path of the step in its journey file.
        sent: those that a gateway took.
        currency: of `cost`; None when no price is known.
    """

    step: str
    state: str
    texts: int
    segments: int
    sent: int
    replied: int
    clicked: int
    opted_out: int
    cost: Decimal
    currency: str | None


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many texts are in a state for one reason."""

    state: str
    reason: str
    texts: int


@dataclass(frozen=True, slots=True)
class PeopleCount:
    """How many people got a text, and how many of them did something about it."""

    texted: int
    replied: int
    clicked: int
    opted_out: int


class JourneyFigures(Protocol):
    """Counts the people who entered a journey since a time, and their texts; changes nothing."""

    def ends(self, account_id: str, journey: str, since: datetime) -> Sequence[EndCount]:
        """Count them by how their way stands or ended, most frequent first."""
        ...

    def standing(self, account_id: str, journey: str) -> Sequence[tuple[str, int]]:
        """Count who is in the journey now, whenever they entered, by the path of the step they stand at."""
        ...

    def texts(self, account_id: str, journey: str, since: datetime) -> Sequence[TextCount]:
        """Count their texts by step, state and currency."""
        ...

    def reasons(self, account_id: str, journey: str, since: datetime) -> Sequence[ReasonCount]:
        """Count their texts that wait or never arrived, by why, most frequent first."""
        ...

    def people(self, account_id: str, journey: str, since: datetime) -> PeopleCount:
        """Count those who got a text."""
        ...

    def has_any(self, account_id: str, journey: str) -> bool:
        """Tell whether anybody ever entered the journey."""
        ...
