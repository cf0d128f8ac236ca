"""How do people in flight get from the version of a journey they began with to another one?

Where a person stands is mapped by step ids; who stands at a step without a counterpart stays, and is named. Somebody
whose enrollment is being worked at this very moment is not touched: the worker would undo the move. People are moved in
pages, each a transaction of its own: one that is broken off has moved those before it, and moving again takes the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches

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

PAGE = 300
"""People moved in one transaction: their enrollments are locked for a fraction of a second, which no worker minds."""

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

    def __add__(self, more: Moved) -> Moved:
        """Add what became of others."""
        return Moved(self.moved + more.moved, (*self.staying, *more.staying), self.busy + more.busy)


@dataclass(frozen=True, slots=True)
class Removal:
    """Where people are to go.

    Attributes:
        target: the version.
        steps: see `StepMap`.
        is_dry_run: tell what would become of them, and do nothing.
    """

    account_id: str
    journey: str
    target: Version
    steps: StepMap
    is_dry_run: bool = False


class Mover:
    """Moves people."""

    def __init__(self, versions: JourneyVersions) -> None:
        self._versions = versions

    def demand_steps(self, uow: UnitOfWork, removal: Removal) -> None:
        """Refuse steps that are not there, before anything is done.

        Raises:
            ConfigurationError: the target has no such step, or no version with people to be moved has.
        """
        target = removal.target
        if target.journey is None:
            return
        known = _ids(target.journey)
        for step_id in removal.steps.values():
            if step_id not in known:
                raise ConfigurationError(
                    f"version {target.number} of {removal.journey} has no step {step_id}; it has {', '.join(known)}"
                )
        left = self._left(uow, removal)
        known = list(dict.fromkeys(step for journey in left for step in _ids(journey)))
        for step_id in removal.steps if left else ():
            if step_id not in known:
                near = get_close_matches(step_id, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
                raise ConfigurationError(f"{removal.journey}: nobody is on a version with a step {step_id}; {hint}")

    def _left(self, uow: UnitOfWork, removal: Removal) -> list[Journey]:
        """Give the versions, other than the target, that have people in flight."""
        ids = [
            version_id
            for journey, version_id in uow.enrollments.live_counts(removal.account_id)
            if journey == removal.journey and version_id != removal.target.id
        ]
        found = [self._versions.get(uow, removal.account_id, version_id) for version_id in ids]
        return [version.journey for version in found if version is not None and version.journey is not None]

    def move_page(self, uow: UnitOfWork, removal: Removal, after: str, now: datetime) -> tuple[Moved, str]:
        """Move the next people who are on another version; give what became of them, and behind whom to go on.

        Args:
            uow: to be committed by the caller, unless it is a dry run.
            removal: where they go.
            after: id of the last enrollment of the page before; empty at the beginning.
            now: when they are moved.

        Returns:
            An empty text in place of the id when these were the last.
        """
        rows = uow.enrollments.live_of_journey(
            removal.account_id, removal.journey, after, PAGE, is_locked=not removal.is_dry_run
        )
        moved, busy, staying = 0, 0, list[Staying]()
        ways: dict[str, Move] = {}
        for row in rows:
            if row.journey_version_id == removal.target.id or removal.target.journey is None:
                continue
            if row.lease_until is not None and row.lease_until > now:
                busy += 1
                continue
            why = self._move_one(uow, row, removal.target.journey, removal, ways, now)
            if isinstance(why, Staying):
                staying.append(why)
            else:
                moved += 1
        if moved:
            uow.nudge(JOURNEYS)
        return Moved(moved, tuple(staying), busy), rows[-1].id if len(rows) == PAGE else ""

    def _move_one(
        self,
        uow: UnitOfWork,
        row: EnrollmentRow,
        new: Journey,
        removal: Removal,
        ways: dict[str, Move],
        now: datetime,
    ) -> Staying | None:
        target = removal.target
        version = self._versions.get(uow, row.account_id, row.journey_version_id)
        state = RunState.from_json(row.state["run"])
        if version is None or version.journey is None:
            return Staying(row.id, 0, state.cursor, "its version can no longer be read")
        if version.id not in ways:
            ways[version.id] = Move(version.journey, new, removal.steps)
        there = ways[version.id].take(state)
        here = step_name(version.journey, state.cursor)
        if there is None:
            return Staying(row.id, version.number, here, f"step {here} has no counterpart in version {target.number}")
        if removal.is_dry_run:
            return None
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


def _ids(journey: Journey) -> list[str]:
    return [step.id for step in walk(journey.steps)]


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
