"""Who stands where in a journey, and what would become of them if another version took its place?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connector.domain.differences import Differences, differences
from connector.domain.journey import Journey
from connector.domain.moving import Move
from connector.domain.run import RunState
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import Ledger, UnitOfWork
from connector.services.journey_versions import JourneyVersions
from connector.services.moving_people import PAGE, step_name


@dataclass(frozen=True, slots=True)
class Standing:
    """Some people in flight.

    Attributes:
        version: the version they are on.
        step: id of the step they stand at; empty before the first.
        people: how many.
        moves_to: id of the step they would stand at if they were moved; None when they cannot be.
    """

    version: int
    step: str
    people: int
    moves_to: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A journey's file beside what is in service.

    Attributes:
        version: number of the version in service; None when none is.
        differences: None when there is nothing to compare with.
        standing: who is in it now.
    """

    journey: str
    version: int | None
    differences: Differences | None
    standing: Sequence[Standing]


class Comparer:
    """Compares files with what is in service."""

    def __init__(self, ledger: Ledger, versions: JourneyVersions) -> None:
        self._ledger, self._versions = ledger, versions

    def compare(self, account_id: str, journey: Journey) -> Comparison:
        """Compare one journey."""
        with self._ledger.begin(write=False) as uow:
            service = self._versions.in_service(uow, account_id).get(journey.id)
            ways: dict[str, Move] = {}
            rows = _in_flight(uow, account_id, journey.id)
            standing = Counter(self._standing(uow, row, journey, ways) for row in rows)
        return Comparison(
            journey.id,
            None if service is None else service.version,
            None if service is None else differences(service.journey, journey),
            [
                Standing(version, step, people, there)
                for (version, step, there), people in sorted(standing.items(), key=str)
            ],
        )

    def _standing(
        self, uow: UnitOfWork, row: EnrollmentRow, new: Journey, ways: dict[str, Move]
    ) -> tuple[int, str, str | None]:
        version = self._versions.get(uow, row.account_id, row.journey_version_id)
        state = RunState.from_json(row.state["run"])
        if version is None or version.journey is None:
            return 0, state.cursor, None
        if version.id not in ways:
            ways[version.id] = Move(version.journey, new, {})
        there = ways[version.id].take(state)
        moves_to = None if there is None else step_name(new, there.cursor)
        return version.number, step_name(version.journey, state.cursor), moves_to


def _in_flight(uow: UnitOfWork, account_id: str, journey: str) -> Iterator[EnrollmentRow]:
    """Read people in flight page by page; nothing is locked, for nothing is done to them."""
    after: str | None = ""
    while after is not None:
        rows = uow.enrollments.live_of_journey(account_id, journey, after, PAGE, is_locked=False)
        yield from rows
        after = rows[-1].id if len(rows) == PAGE else None
