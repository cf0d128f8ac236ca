"""How do services read and write which arm of a split a contact is in, how the arms fare and which one has won?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from connector.domain.steps import Metric
from connector.domain.surroundings import ArmStanding


@dataclass(frozen=True, slots=True)
class ArmCount:
    """How one arm fares.

    Attributes:
        people: contacts whose time in the arm is over.
        hits: those of them who did what the metric counts.
        entered: contacts in the arm in all.
    """

    people: int
    hits: int
    entered: int


@dataclass(frozen=True, slots=True)
class WinnerRow:
    """The arm that has won a split, and the evidence."""

    arm: str
    at: datetime
    evidence: Mapping[str, Any] = field(default_factory=dict)


class SplitRepository(Protocol):
    """Splits."""

    def assign(
        self, account_id: str, journey: str, step: str, contact_id: str, enrollment_id: str, arm: str, at: datetime
    ) -> bool:
        """Note the arm a contact is in; False when it has one already, which stays."""
        ...

    def standing(self, account_id: str, journey: str, contact_id: str) -> Mapping[str, ArmStanding]:
        """Give, by the id of each split of a journey, the contact's arm and the winner."""
        ...

    def count(
        self,
        account_id: str,
        journey: str,
        step: str,
        metric: Metric,
        entered_before: datetime,
        within: timedelta,
    ) -> Mapping[str, ArmCount]:
        """Count by arm the contacts whose time in it is over, and those of them who did what the metric counts.

        A reply, a click or an opt-out counts when it answers a text to the contact, made in the enrollment that gave
        the arm and from then on. A second one to the same text counts no more.

        Args:
            account_id: whose contacts.
            journey: id of the journey.
            step: id of the split step.
            metric: what is counted.
            entered_before: the time of those who entered then or earlier is over: the present less `within`.
            within: how long after its arm was given a contact may take; what comes later counts for nothing.
        """
        ...

    def win(self, account_id: str, journey: str, step: str, winner: WinnerRow) -> bool:
        """Note that an arm has won; False when one has already."""
        ...

    def winner(self, account_id: str, journey: str, step: str) -> WinnerRow | None:
        """Read the winner of a split."""
        ...
