"""How does an `enroll` step send a contact into another journey, and never round in circles?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import UnitOfWork
from connector.services.enrolling import Enroller
from connector.services.entry_rules import Arrival, Origin
from connector.services.wishes import ImpossibleError, Wish

CIRCLE = timedelta(hours=1)
"""Journeys that send each other a contact this fast go round in circles. A wait on the way makes it a cycle that
somebody wanted, such as a reminder every month."""

_OF_THE_RUN = frozenset({"vars", "last_reply", "last_message", "now", "code"})
"""Names that belong to the enrollment a contact comes from."""


@dataclass(frozen=True, slots=True)
class Onwards:
    """Sends contacts on."""

    enroller: Enroller

    def enroll(self, uow: UnitOfWork, wish: Wish, journey_id: str, row: EnrollmentRow) -> None:
        """Offer the contact to a journey, with this one's event and record.

        Raises:
            ImpossibleError: the journey is not in service.
        """
        chain = _chain(row, wish.now)
        why_not = ""
        if journey_id in {journey for journey, _ in chain}:
            way = " > ".join(journey for journey, _ in chain)
            why_not = f"it sent the contact here itself, less than an hour ago ({way})"
        arrival = _arrival(wish, row, chain)
        taken = self.enroller.enroll_in(uow, wish.setting.account, journey_id, arrival, wish.now, why_not)
        if taken is None:
            raise ImpossibleError(f"the journey {journey_id} is not in service")


def _chain(row: EnrollmentRow, now: datetime) -> tuple[tuple[str, datetime], ...]:
    """Give the journeys that led here without a wait worth the name, this one last."""
    before: list[tuple[str, datetime]] = [(journey, at) for journey, at in row.state.get("chain", [])]
    return tuple(entered for entered in [*before, (row.journey, row.started_at)] if now - entered[1] < CIRCLE)


def _arrival(wish: Wish, row: EnrollmentRow, chain: tuple[tuple[str, datetime], ...]) -> Arrival:
    setting, state = wish.setting, row.state
    return Arrival(
        name=state["event"],
        subject=f"enrollment:{row.id}",
        ref=row.subject,
        occurred_at=state["occurred_at"],
        is_import=False,
        fact=state["run"]["trigger"],
        contact=setting.contact,
        values=state["values"],
        names={name: value for name, value in setting.names.items() if name not in _OF_THE_RUN},
        read_at=state["read_at"],
        origin=Origin(row.journey, wish.now, chain),
    )
