"""Which version of each journey takes people in now?

The ledger says so, and it is asked at every drain: a publication or a rollback holds from the next drain on, in every
process, without a restart. Versions never change, so each is built once per process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from connector.domain.journey import Journey
from connector.errors import ConfigurationError, MappingError
from connector.ports.enrollments import PublicationAction, PublicationRow
from connector.ports.ledger import UnitOfWork
from connector.ports.rendering import JourneyReader

log = structlog.get_logger(__name__)

_MOST_KEPT = 2000  # versions of some kilobytes each: dozens of journeys in dozens of accounts


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a journey, built from its stored source.

    Attributes:
        journey: None when this program no longer reads its source.
        unreadable: why not, or empty.
    """

    id: str
    number: int
    journey: Journey | None
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class InService:
    """A journey that takes people in.

    Attributes:
        since: when this version was put in service.
        by: who did it.
    """

    journey: Journey
    version_id: str
    version: int
    since: datetime
    by: str


class JourneyVersions:
    """Gives journeys as they were published."""

    def __init__(self, reader: JourneyReader) -> None:
        self._reader = reader
        self._built: dict[tuple[str, str], Version] = {}
        self._in_service: dict[str, tuple[str, Mapping[str, InService]]] = {}

    def in_service(self, uow: UnitOfWork, account_id: str) -> Mapping[str, InService]:
        """Give the journeys of an account that take people in, by id; one that cannot be read is left out."""
        stamp = uow.publications.stamp(account_id)
        if not stamp:
            return {}
        kept = self._in_service.get(account_id)
        if kept is None or kept[0] != stamp:
            kept = self._in_service[account_id] = stamp, self._read(uow, account_id)
        return kept[1]

    def _read(self, uow: UnitOfWork, account_id: str) -> Mapping[str, InService]:
        found = {}
        for journey_id, publication in uow.publications.current(account_id).items():
            version = self.published(uow, publication)
            if version is not None and version.journey is not None:
                found[journey_id] = InService(
                    version.journey, version.id, version.number, publication.at, publication.published_by
                )
        return found

    def published(self, uow: UnitOfWork, publication: PublicationRow) -> Version | None:
        """Give the version a publication has put in service; None when it took the journey out."""
        if publication.journey_version_id is None:
            return None
        return self.get(uow, publication.account_id, publication.journey_version_id)

    def get(self, uow: UnitOfWork, account_id: str, version_id: str) -> Version | None:
        """Give one version; None when the account has no such version."""
        built = self._built.get((account_id, version_id))
        if built is None:
            row = uow.versions.get(account_id, version_id)
            if row is None:
                return None
            if len(self._built) >= _MOST_KEPT:
                self._built.clear()
            built = self._build(row.id, row.version, row.journey, row.source)
            self._built[account_id, version_id] = built
        return built

    def _build(self, version_id: str, number: int, journey: str, source: Mapping[str, object]) -> Version:
        try:
            return Version(version_id, number, self._reader(journey, source))
        except MappingError as error:
            log.error("journey.unreadable", journey=journey, version=number)
            return Version(version_id, number, None, str(error).partition("\n")[0])


def schedule_since(uow: UnitOfWork, versions: JourneyVersions, account_id: str, journey: Journey) -> datetime | None:
    """Give since when a journey has been in service on the schedule it has now, whatever else of it was changed.

    None when it is not in service, or not on this schedule.
    """
    since = None
    for publication in reversed(uow.publications.history(account_id, journey.id)):
        version = versions.published(uow, publication)
        if version is None or version.journey is None or not _same_clock(version.journey, journey):
            break
        since = publication.at
    return since


def _same_clock(one: Journey, other: Journey) -> bool:
    return (one.trigger.schedule, one.time_zone) == (other.trigger.schedule, other.time_zone)


def taken_back(uow: UnitOfWork, account_id: str, journey: str) -> tuple[PublicationRow, frozenset[str]] | None:
    """Give the rollback or retirement that holds for a journey, and the versions it took out of service.

    None when nothing was taken back since it was last published.
    """
    history = uow.publications.history(account_id, journey)
    if not history or history[-1].action not in {PublicationAction.ROLLBACK, PublicationAction.RETIRE}:
        return None
    out: set[str] = set()
    for before, after in zip(reversed(history[:-1]), reversed(history), strict=False):
        if after.action in {PublicationAction.PUBLISH, PublicationAction.OWN}:
            break
        if before.journey_version_id is not None:
            out.add(before.journey_version_id)
    return history[-1], frozenset(out) - {history[-1].journey_version_id or ""}


def is_own(uow: UnitOfWork, account_id: str, journey: str) -> bool:
    """Tell whether an account has this journey from files of its own, which the shared ones then leave alone.

    A journey that was retired is what it was before; an earlier version is whatever it was when it was published.
    """
    history = [*uow.publications.history(account_id, journey)]
    while history and history[-1].action is PublicationAction.RETIRE:
        history.pop()
    if history and history[-1].action is PublicationAction.ROLLBACK:
        back = history[-1].journey_version_id
        history = [
            row
            for row in history
            if row.journey_version_id == back and row.action in {PublicationAction.PUBLISH, PublicationAction.OWN}
        ]
    return bool(history) and history[-1].action is PublicationAction.OWN


def earlier_version(
    uow: UnitOfWork, versions: JourneyVersions, account_id: str, journey: str, number: int | None
) -> Version:
    """Give the version to go back to: the one with this number, or the one that the present one took the place of.

    Going back twice goes back two versions. After a retirement it is the version that was in service until then.

    Raises:
        ConfigurationError: there is none, it is in service already, or this program no longer reads it.
    """
    history = uow.publications.history(account_id, journey)
    if not history:
        raise ConfigurationError(f"{journey} was never published")
    present = history[-1].journey_version_id
    version_id = _numbered(uow, account_id, journey, number) if number is not None else _before(history, present)
    if version_id is None:
        raise ConfigurationError(
            f"{journey} has no earlier version; take it out of service with: smsctl retire {journey}"
        )
    version = versions.get(uow, account_id, version_id)
    if version is None or version_id == present:
        raise ConfigurationError(f"{journey}: version {number} is in service already")
    if version.journey is None:
        raise ConfigurationError(f"{journey}: version {version.number} can no longer be read: {version.unreadable}")
    return version


def _numbered(uow: UnitOfWork, account_id: str, journey: str, number: int) -> str:
    rows = uow.versions.of_journey(account_id, journey)
    for row in rows:
        if row.version == number:
            return row.id
    known = ", ".join(str(row.version) for row in rows)
    raise ConfigurationError(f"{journey} has no version {number}; there are {known}")


def _before(history: Sequence[PublicationRow], present: str | None) -> str | None:
    """Give the version that was in service before the present one was published."""
    published = [
        place
        for place, row in enumerate(history)
        if row.journey_version_id == present and row.action is not PublicationAction.ROLLBACK
    ]
    earlier = history[: published[-1]] if published else history
    return next(
        (row.journey_version_id for row in reversed(earlier) if row.journey_version_id not in {None, present}), None
    )
