"""Which events does an account's journeys need, so that somebody has to look for them?

A search nobody needs costs calls, and a scope that the account's admin would have to grant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from connector.domain.journey import Journey
from connector.domain.steps import WaitFor, walk
from connector.ports.ledger import UnitOfWork
from connector.ports.time import Clock
from connector.services.journey_versions import JourneyVersions

COUNTED_FOR = timedelta(minutes=5)
"""Counting everybody in flight reads a row for each, and what they wait for changes with publications only."""


class NeededEvents:
    """Knows what accounts need."""

    def __init__(self, versions: JourneyVersions, clock: Clock) -> None:
        self._versions, self._clock = versions, clock
        self._in_flight: dict[str, tuple[datetime, frozenset[str]]] = {}

    def of(self, uow: UnitOfWork, account_id: str) -> frozenset[str]:
        """Give the events that journeys in service start on, end on or wait for, or that people in flight wait for."""
        in_service = self._versions.in_service(uow, account_id).values()
        return events_named(service.journey for service in in_service) | self._awaited(uow, account_id)

    def _awaited(self, uow: UnitOfWork, account_id: str) -> frozenset[str]:
        """Give the events that people wait for who are in a version that takes nobody in any more."""
        now = self._clock.now()
        kept = self._in_flight.get(account_id)
        if kept is None or kept[0] <= now:
            versions = [
                self._versions.get(uow, account_id, version) for _, version in uow.enrollments.live_counts(account_id)
            ]
            journeys = [version.journey for version in versions if version is not None and version.journey is not None]
            awaited = frozenset(name for journey in journeys for name in _awaited_by(journey))
            kept = self._in_flight[account_id] = (now + COUNTED_FOR, awaited)
        return kept[1]


def events_named(journeys: Iterable[Journey]) -> frozenset[str]:
    """Give the events that some journey starts on, ends on or waits for; a journey switched off needs none."""
    return frozenset(
        name for journey in journeys if journey.enabled for name in (journey.trigger.event, *_awaited_by(journey))
    )


def _awaited_by(journey: Journey) -> Iterator[str]:
    yield from (rule.event for rule in journey.exit_when if rule.event is not None)
    for step in walk(journey.steps):
        if isinstance(step, WaitFor):
            yield from (case.event for case in step.cases if case.event is not None)
