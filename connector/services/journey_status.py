"""Which journeys take people in, on which version since when, and what keeps the others out?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.ports.enrollments import PublicationRow
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.services.journey_versions import JourneyVersions
from connector.services.publications import JourneyFiles

IN_SERVICE = "in service"


@dataclass(frozen=True, slots=True)
class JourneyStatus:
    """How one journey stands in one account.

    Attributes:
        account: the CRM's id of it; empty for a file while there is no account.
        status: `in service`, `switched off`, `retired`, `off: never published`, `off: there is no account yet` or
            `unreadable` (by this program; another release may read it).
        version: number of the version in service.
        since: when it was put in, or when the journey was taken out.
        by: who did that.
        people: how many are in it now, on whichever version.
        mistake: the first one of its file, with file, line and column; or why its version cannot be read.
        is_edited: whether its file says something else than the version in service.
    """

    account: str
    journey: str
    status: str
    version: int | None = None
    since: datetime | None = None
    by: str = ""
    people: int = 0
    mistake: str = ""
    is_edited: bool = False


def journey_statuses(uow: UnitOfWork, versions: JourneyVersions, files: JourneyFiles) -> Sequence[JourneyStatus]:
    """Give every journey of every account, published or not."""
    accounts = uow.accounts.all()
    names = {*files.journeys, *files.broken}
    if not accounts:
        return [
            JourneyStatus("", name, "off: there is no account yet", mistake=files.broken.get(name, ""))
            for name in sorted(names)
        ]
    return [status for account in accounts for status in of_account(uow, versions, files, account)]


def of_account(
    uow: UnitOfWork, versions: JourneyVersions, files: JourneyFiles, account: AccountRow
) -> Sequence[JourneyStatus]:
    """Give every journey of one account, published or not."""
    current = uow.publications.current(account.id)
    people: dict[str, int] = {}
    for (journey, _), count in uow.enrollments.live_counts(account.id).items():
        people[journey] = people.get(journey, 0) + count
    return [
        _status(uow, versions, files, account, name, current, people.get(name, 0))
        for name in sorted({*files.journeys, *files.broken, *current})
    ]


def _status(
    uow: UnitOfWork,
    versions: JourneyVersions,
    files: JourneyFiles,
    account: AccountRow,
    name: str,
    current: Mapping[str, PublicationRow],
    people: int,
) -> JourneyStatus:
    publication, mistake = current.get(name), files.broken.get(name, "")
    if publication is None:
        return JourneyStatus(account.external_id, name, "off: never published", people=people, mistake=mistake)
    since, by = publication.at, publication.published_by
    version = versions.published(uow, publication)
    if version is None:
        return JourneyStatus(account.external_id, name, "retired", None, since, by, people, mistake)
    if version.journey is None:
        why = mistake or version.unreadable
        return JourneyStatus(account.external_id, name, "unreadable", version.number, since, by, people, why)
    word = IN_SERVICE if version.journey.enabled else "switched off"
    file = files.journeys.get(name)
    is_edited = file is not None and file.hash != version.journey.hash
    return JourneyStatus(account.external_id, name, word, version.number, since, by, people, mistake, is_edited)
