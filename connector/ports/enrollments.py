"""How do services read and write journeys in flight and what happened in them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from connector.domain.timeline import EntryKind, TimelineEntry


@dataclass(frozen=True, slots=True)
class JourneyVersionRow:
    """One version of a journey's source, as some account runs it."""

    id: str
    account_id: str
    journey: str
    version: int
    hash: str
    source: Mapping[str, Any]
    published_by: str
    published_at: datetime


class JourneyVersionRepository(Protocol):
    """Versions of journeys."""

    def ensure(
        self,
        account_id: str,
        journey: str,
        hash_: str,
        source: Mapping[str, Any],
        published_by: str,
        now: datetime,
    ) -> JourneyVersionRow:
        """Give the version with this hash, made now with the next number if it is new."""
        ...

    def get(self, account_id: str, version_id: str) -> JourneyVersionRow | None:
        """Read one."""
        ...

    def of_journey(self, account_id: str, journey: str) -> Sequence[JourneyVersionRow]:
        """Read every version of a journey, oldest first."""
        ...


class PublicationAction(StrEnum):
    """What was done to a journey in service."""

    PUBLISH = "publish"  # from the files that all accounts share
    OWN = "own"  # from files of the account's own; stays until the shared one is asked for by name
    ROLLBACK = "rollback"  # an earlier version is in service again
    RETIRE = "retire"  # taken out of service; those in it finish
    REMOVE = "remove"  # likewise, because its file was gone when everything was published


@dataclass(frozen=True, slots=True)
class PublicationRow:
    """One change of which version of a journey takes people in; the latest one of a journey holds.

    Attributes:
        journey_version_id: None when it was taken out of service.
    """

    id: str
    account_id: str
    journey: str
    journey_version_id: str | None
    action: PublicationAction
    published_by: str
    at: datetime


class PublicationRepository(Protocol):
    """Which versions take people in; append-only."""

    def add(self, publication: PublicationRow) -> None:
        """Append one."""
        ...

    def stamp(self, account_id: str) -> str:
        """Give a word that is another one after every publication of an account; empty before the first."""
        ...

    def current(self, account_id: str) -> Mapping[str, PublicationRow]:
        """Give the latest publication of every journey of an account, by journey."""
        ...

    def history(self, account_id: str, journey: str) -> Sequence[PublicationRow]:
        """Give every publication of a journey, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class EnrollmentRow:
    """One contact's way through one journey.

    Attributes:
        subject: the trigger's record, such as `deal:9001`.
        state: `domain.enrollment.RunState` and the names conditions see, JSON-able.
        waits_for: for people: what it waits for and until when.
        due_at: when it must be looked at next; None when only an event can wake it.
        lease_until: how long whoever claimed it may work it; saving drops the lease.
    """

    id: str
    account_id: str
    contact_id: str
    journey: str
    journey_version_id: str
    key: str
    epoch: int
    subject: str
    status: str
    state: Mapping[str, Any]
    started_at: datetime
    waits_for: str = ""
    due_at: datetime | None = None
    attempts: int = 0
    ended_at: datetime | None = None
    exit_reason: str = ""
    lease_until: datetime | None = field(default=None, compare=False)


class EnrollmentRepository(Protocol):
    """Enrollments."""

    def add(self, enrollment: EnrollmentRow) -> bool:
        """Insert; False when this (journey, contact, key, epoch) is there already."""
        ...

    def latest(self, account_id: str, journey: str, contact_id: str, key: str) -> EnrollmentRow | None:
        """Read the entry with the highest epoch."""
        ...

    def claim(self, limit: int, now: datetime, lease_until: datetime) -> Sequence[EnrollmentRow]:
        """Lease up to `limit` live enrollments that are due."""
        ...

    def save(self, enrollment: EnrollmentRow) -> None:
        """Write version, cursor, state, due time and end, and drop the lease."""
        ...

    def wake(
        self,
        account_id: str,
        *,
        contact_ids: Sequence[str] = (),
        subjects: Sequence[str] = (),
        enrollment_ids: Sequence[str] = (),
        now: datetime,
    ) -> int:
        """Make live enrollments of these contacts or subjects, or these ones, due now; give how many.

        A wake that meets a leased row must not be lost: the row is due again when its holder has saved it.
        """
        ...

    def ended(self, enrollment_ids: Sequence[str]) -> frozenset[str]:
        """Give those of these enrollments that have ended; for the claim, which sends nothing for them any more."""
        ...

    def find(self, account_id: str | None, enrollment_id: str) -> EnrollmentRow | None:
        """Read one by id."""
        ...

    def of_contact(self, account_id: str, contact_id: str) -> Sequence[EnrollmentRow]:
        """Read a contact's enrollments, newest first."""
        ...

    def live_of_journey(
        self, account_id: str, journey: str, after: str, limit: int, *, is_locked: bool
    ) -> Sequence[EnrollmentRow]:
        """Read up to `limit` live enrollments of a journey, those with an id behind `after`, in the order of ids.

        `is_locked` keeps them locked until commit where the database can; for moving them.
        """
        ...

    def live_of_account(self, account_id: str, limit: int) -> Sequence[EnrollmentRow]:
        """Read, and lock until commit, up to `limit` live enrollments of an account."""
        ...

    def live_counts(self, account_id: str) -> Mapping[tuple[str, str], int]:
        """Count an account's live enrollments by journey and version id."""
        ...

    def any_due(self, now: datetime) -> bool:
        """Tell whether any could be claimed now."""
        ...

    def due_count(self, now: datetime) -> int:
        """Count live enrollments that are due; for people, since it looks at each of them."""
        ...


class TimelineRepository(Protocol):
    """What happened; append-only."""

    def add(self, entries: Sequence[TimelineEntry]) -> int:
        """Append entries not written before; give how many were new."""
        ...

    def facts(
        self, account_id: str, contact_id: str, subject_ref: str, since: datetime, kinds: Sequence[EntryKind]
    ) -> Sequence[TimelineEntry]:
        """Read entries about a contact or a CRM record since a time, oldest first, for `decide`."""
        ...

    def events_of(self, account_id: str, subjects: Sequence[str]) -> Mapping[str, Sequence[TimelineEntry]]:
        """Read what we heard of CRM records, such as `deal:9001`: their received events, oldest first, by record."""
        ...

    def of_message(self, account_id: str, message_id: str) -> Sequence[TimelineEntry]:
        """Read a message's entries, oldest first."""
        ...

    def of_enrollment(self, account_id: str, enrollment_id: str) -> Sequence[TimelineEntry]:
        """Read an enrollment's entries, oldest first."""
        ...

    def of_contact(self, account_id: str, contact_id: str, limit: int) -> Sequence[TimelineEntry]:
        """Read a contact's latest entries, oldest first."""
        ...
