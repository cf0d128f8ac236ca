"""How is kept in memory which arm of a split a contact is in, and how are the arms counted?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from connector.adapters.memory.documents import kept
from connector.adapters.memory.message_shelf import MessageShelf
from connector.adapters.memory.shelves import Group, Journal, Shelf
from connector.domain.steps import Metric
from connector.domain.surroundings import ArmStanding
from connector.ports.splits import ArmCount, WinnerRow

_DID: Mapping[Metric, str] = {
    Metric.REPLY_RATE: "replied_at",
    Metric.CLICK_RATE: "clicked_at",
    Metric.OPT_OUT_RATE: "opted_out_at",
}
"""Where a text keeps when its reader first did what a metric counts."""


class _Assignment(NamedTuple):
    account_id: str
    journey: str
    step: str
    contact_id: str
    enrollment_id: str
    arm: str
    at: datetime


class _Won(NamedTuple):
    account_id: str
    journey: str
    step: str
    winner: WinnerRow


class MemorySplitRepository:
    """Splits; see `connector.ports.splits.SplitRepository`."""

    def __init__(self, journal: Journal, messages: MessageShelf) -> None:
        self._messages = messages
        self._of_contact: Group[_Assignment] = Group(lambda each: (each.account_id, each.journey, each.contact_id))
        self._of_step: Group[_Assignment] = Group(lambda each: each[:3])
        self._assignments: Shelf[_Assignment] = Shelf(journal, self._of_contact, self._of_step)
        self._of_journey: Group[_Won] = Group(lambda each: each[:2])
        self._winners: Shelf[_Won] = Shelf(journal, self._of_journey)

    def assign(
        self, account_id: str, journey: str, step: str, contact_id: str, enrollment_id: str, arm: str, at: datetime
    ) -> bool:
        """Note the arm a contact is in; False when it has one already, which stays."""
        key = (account_id, journey, step, contact_id)
        if key in self._assignments.rows:
            return False
        self._assignments.put(key, _Assignment(*key, enrollment_id, arm, at))
        return True

    def standing(self, account_id: str, journey: str, contact_id: str) -> Mapping[str, ArmStanding]:
        """Give, by the id of each split of a journey, the contact's arm and the winner."""
        own = self._assignments.of(self._of_contact.of((account_id, journey, contact_id)))
        arms = {each.step: each.arm for each in own}
        won = self._winners.of(self._of_journey.of((account_id, journey)))
        winners = {each.step: each.winner.arm for each in won}
        return {step: ArmStanding(arms.get(step), winners.get(step)) for step in sorted(arms.keys() | winners.keys())}

    def count(
        self,
        account_id: str,
        journey: str,
        step: str,
        metric: Metric,
        entered_before: datetime,
        within: timedelta,
    ) -> Mapping[str, ArmCount]:
        """Count by arm who entered, whose time is over, and who of them did in time what the metric counts."""
        counts: dict[str, list[int]] = {}
        for each in self._assignments.of(self._of_step.of((account_id, journey, step))):
            is_over = each.at <= entered_before
            did = is_over and self._did(each, _DID[metric], within)
            count = counts.setdefault(each.arm, [0, 0, 0])
            for place, is_one in enumerate((is_over, did, True)):
                count[place] += is_one
        return {arm: ArmCount(*counts[arm]) for arm in sorted(counts)}

    def win(self, account_id: str, journey: str, step: str, winner: WinnerRow) -> bool:
        """Note that an arm has won; False when one has already."""
        key = (account_id, journey, step)
        if key in self._winners.rows:
            return False
        self._winners.put(key, _Won(*key, replace(winner, evidence=kept(winner.evidence))))
        return True

    def winner(self, account_id: str, journey: str, step: str) -> WinnerRow | None:
        """Read the winner of a split."""
        won = self._winners.rows.get((account_id, journey, step))
        return None if won is None else won.winner

    def _did(self, assignment: _Assignment, field: str, within: timedelta) -> bool:
        """Tell whether the reader of a text of the arm did it in time."""
        messages = self._messages.of(self._messages.by_enrollment.of(assignment.enrollment_id))
        ours = [each.row for each in messages if each.row.recipient == "contact"]
        times = [getattr(row, field) for row in ours if row.created_at >= assignment.at]
        return any(at is not None and at <= assignment.at + within for at in times)
