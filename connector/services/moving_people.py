"""How do people in flight get from the version of a journey they began with to another one?

Where a person stands is mapped by step ids; who stands at a step without a counterpart stays, and is named. Somebody
whose enrollment is being worked at this very moment is not touched: the worker would undo the move.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from connector.domain.journey import Journey
from connector.domain.moving import Move
from connector.domain.run import RunState
from connector.domain.steps import walk
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import ConfigurationError
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import UnitOfWork
from connector.ports.queue import JOURNEYS
from connector.services.journey_versions import JourneyVersions, Version

StepMap = Mapping[str, str]
"""Ids of steps in the old version and of those in the new one that take their place."""


@dataclass(frozen=True, slots=True)
class Staying:
    """Somebody who stays on their version, and why."""

    enrollment_id: str
    version: int
    step: str
    why: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of people in flight.

    Attributes:
        moved: how many are on the new version now.
        staying: those who cannot be moved.
        busy: how many were being worked; moving again in a moment takes them along.
    """

    moved: int = 0
    staying: tuple[Staying, ...] = ()
    busy: int = 0


class Mover:
    """Moves people."""

    def __init__(self, versions: JourneyVersions) -> None:
        self._versions = versions

    def move(
        self, uow: UnitOfWork, account_id: str, journey: str, target: Version, steps: StepMap, now: datetime
    ) -> Moved:
        """Move everybody in this journey who is on another version to this one.

        Raises:
            ConfigurationError: a step to be moved to does not exist.
        """
        if target.journey is not None:
            _demand_steps(target.journey, target.number, steps)
        moved, busy, staying = 0, 0, list[Staying]()
        ways: dict[str, Move] = {}
        for row in uow.enrollments.live_of_journey(account_id, journey):
            if row.journey_version_id == target.id or target.journey is None:
                continue
            if row.lease_until is not None and row.lease_until > now:
                busy += 1
                continue
            why = self._move_one(uow, row, target.journey, target, steps, ways, now)
            if isinstance(why, Staying):
                staying.append(why)
            else:
                moved += 1
        if moved:
            uow.nudge(JOURNEYS)
        return Moved(moved, tuple(staying), busy)

    def _move_one(
        self,
        uow: UnitOfWork,
        row: EnrollmentRow,
        new: Journey,
        target: Version,
        steps: StepMap,
        ways: dict[str, Move],
        now: datetime,
    ) -> Staying | None:
        version = self._versions.get(uow, row.account_id, row.journey_version_id)
        state = RunState.from_json(row.state["run"])
        if version is None or version.journey is None:
            return Staying(row.id, 0, state.cursor, "its version can no longer be read")
        if version.id not in ways:
            ways[version.id] = Move(version.journey, new, steps)
        there = ways[version.id].take(state)
        here = step_name(version.journey, state.cursor)
        if there is None:
            return Staying(row.id, version.number, here, f"step {here} has no counterpart in version {target.number}")
        uow.enrollments.save(
            replace(
                row,
                journey_version_id=target.id,
                state={**row.state, "run": there.to_json()},
                waits_for=f"its next look, now on version {target.number}",
                due_at=now,
                attempts=0,
            )
        )
        uow.timeline.add([_moved(row, new, version.number, target.number, here, step_name(new, there.cursor), now)])
        return None


def _demand_steps(journey: Journey, number: int, steps: StepMap) -> None:
    known = [step.id for step in walk(journey.steps)]
    for step_id in steps.values():
        if step_id not in known:
            raise ConfigurationError(
                f"version {number} of {journey.id} has no step {step_id}; it has {', '.join(known)}"
            )


def step_name(journey: Journey, path: str) -> str:
    """Give the id of the step at a path, for people; empty before the first."""
    return next((step.id for step in walk(journey.steps) if step.path == path), path)


def _moved(
    row: EnrollmentRow, journey: Journey, old: int, new: int, here: str, there: str, now: datetime
) -> TimelineEntry:
    where = f" at {there}" if here == there else f", from {here} to {there}" if here else ""
    return TimelineEntry(
        account_id=row.account_id,
        kind=EntryKind.STEP_TAKEN,
        subject=f"enrollment:{row.id}",
        discriminator=f"moved:{old}:{new}:{now.isoformat()}",
        at=now,
        summary=f"Moved from version {old} of {journey.id} to version {new}{where}",
        contact_id=row.contact_id,
        enrollment_id=row.id,
        ref=row.subject,
        path="journey",
        file=journey.file,
        line=1,
        data={"journey": journey.id, "from": old, "to": new},
    )
