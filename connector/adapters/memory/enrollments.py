"""How are journeys in flight kept, leased and woken in memory?

A claim moves `due_at` to the end of its lease, as in `adapters.store.enrollments`: a `due_at` earlier than the lease's
end can only have been set by a wake that met the leased row, and `save` keeps that one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connector.adapters.memory.documents import kept, kept_text
from connector.adapters.memory.shelves import Due, Group, Journal, Shelf, Turn, turn
from connector.ports.enrollments import EnrollmentRow

DUE = "due"
_LIVE = "live"


def _due(row: EnrollmentRow) -> Turn | None:
    return turn(DUE, row.due_at, row.lease_until) if row.status == _LIVE else None


class EnrollmentShelf(Shelf[EnrollmentRow]):
    """Enrollments by id, their leases with them."""

    def __init__(self, journal: Journal) -> None:
        self.due: Due[EnrollmentRow] = Due(_due)
        self.by_entry: Group[EnrollmentRow] = Group(lambda row: (row.account_id, row.journey, row.contact_id, row.key))
        self.by_contact: Group[EnrollmentRow] = Group(lambda row: (row.account_id, row.contact_id))
        self.live_by_subject: Group[EnrollmentRow] = Group(
            lambda row: (row.account_id, row.subject) if row.status == _LIVE else None
        )
        self.live_by_journey: Group[EnrollmentRow] = Group(
            lambda row: (row.account_id, row.journey) if row.status == _LIVE else None
        )
        super().__init__(journal, self.due, self.by_entry, self.by_contact, self.live_by_subject, self.live_by_journey)


class MemoryEnrollmentRepository:
    """Enrollments; see `connector.ports.enrollments.EnrollmentRepository`."""

    def __init__(self, shelf: EnrollmentShelf) -> None:
        self._shelf = shelf

    def add(self, enrollment: EnrollmentRow) -> bool:
        """Insert; False when this (journey, contact, key, epoch) is there already."""
        entry = (enrollment.account_id, enrollment.journey, enrollment.contact_id, enrollment.key)
        entered = self._shelf.of(self._shelf.by_entry.of(entry))
        if any(row.epoch == enrollment.epoch for row in entered):
            return False
        self._shelf.put(enrollment.id, _kept(enrollment))
        return True

    def latest(self, account_id: str, journey: str, contact_id: str, key: str) -> EnrollmentRow | None:
        """Read the entry with the highest epoch."""
        entered = self._shelf.of(self._shelf.by_entry.of((account_id, journey, contact_id, key)))
        return max(entered, key=lambda row: row.epoch, default=None)

    def claim(self, limit: int, now: datetime, lease_until: datetime) -> Sequence[EnrollmentRow]:
        """Lease up to `limit` live enrollments that are due, the longest due first."""
        claimed = []
        for row in self._shelf.of(self._shelf.due.first(DUE, now, limit)):
            mine = replace(row, lease_until=lease_until, attempts=row.attempts + 1)
            self._shelf.put(row.id, replace(mine, due_at=lease_until))
            claimed.append(mine)
        return claimed

    def save(self, enrollment: EnrollmentRow) -> None:
        """Write version, state, due time and end, and drop the lease; a wake since the claim stays due."""
        row = self.find(enrollment.account_id, enrollment.id)
        if row is None:
            return
        saved = replace(
            row,
            journey_version_id=enrollment.journey_version_id,
            status=enrollment.status,
            state=_kept_state(enrollment.state, row.state),
            waits_for=kept_text(enrollment.waits_for),
            due_at=_woken_or_new(row, enrollment.due_at) if enrollment.status == _LIVE else None,
            attempts=enrollment.attempts,
            ended_at=enrollment.ended_at,
            exit_reason=kept_text(enrollment.exit_reason),
            lease_until=None,
        )
        self._shelf.put(row.id, saved)

    def wake(
        self,
        account_id: str,
        *,
        contact_ids: Sequence[str] = (),
        subjects: Sequence[str] = (),
        enrollment_ids: Sequence[str] = (),
        now: datetime,
    ) -> int:
        """Make live enrollments of these contacts or subjects, or these ones, due now; give how many."""
        shelf = self._shelf
        woken = self._wake(
            account_id, (id_ for each in contact_ids for id_ in shelf.by_contact.of((account_id, each))), now
        )
        woken += self._wake(
            account_id, (id_ for each in subjects for id_ in shelf.live_by_subject.of((account_id, each))), now
        )
        return woken + self._wake(account_id, enrollment_ids, now)

    def _wake(self, account_id: str, ids: Iterable[str], now: datetime) -> int:
        rows = [
            row for row in self._shelf.of(dict.fromkeys(ids)) if row.account_id == account_id and row.status == _LIVE
        ]
        for row in rows:
            if row.due_at is None or row.due_at > now:
                self._shelf.put(row.id, replace(row, due_at=now))
        return len(rows)

    def ended(self, enrollment_ids: Sequence[str]) -> frozenset[str]:
        """Give those of these enrollments that have ended."""
        return frozenset(row.id for row in self._shelf.of(enrollment_ids) if row.status != _LIVE)

    def find(self, account_id: str | None, enrollment_id: str) -> EnrollmentRow | None:
        """Read one by id."""
        row = self._shelf.rows.get(enrollment_id)
        return row if row is not None and account_id in {None, row.account_id} else None

    def of_contact(self, account_id: str, contact_id: str) -> Sequence[EnrollmentRow]:
        """Read a contact's enrollments, newest first."""
        rows = self._shelf.of(self._shelf.by_contact.of((account_id, contact_id)))
        return sorted(rows, key=lambda row: (row.started_at, row.id), reverse=True)

    def live_of_journey(
        self, account_id: str, journey: str, after: str, limit: int, *, is_locked: bool
    ) -> Sequence[EnrollmentRow]:
        """Read a page of a journey's live enrollments; nobody else is here whom a lock would keep away."""
        del is_locked
        rows = self._shelf.of(self._shelf.live_by_journey.of((account_id, journey)))
        return sorted((row for row in rows if row.id > after), key=lambda row: row.id)[:limit]

    def live_of_account(self, account_id: str, limit: int) -> Sequence[EnrollmentRow]:
        """Read up to `limit` live enrollments of an account."""
        rows = [row for row in self._shelf.rows.values() if row.status == _LIVE and row.account_id == account_id]
        return rows[:limit]

    def live_counts(self, account_id: str) -> Mapping[tuple[str, str], int]:
        """Count an account's live enrollments by journey and version id."""
        rows = self._shelf.rows.values()
        ours = (row for row in rows if row.account_id == account_id and row.status == _LIVE)
        return Counter((row.journey, row.journey_version_id) for row in ours)

    def any_due(self, now: datetime) -> bool:
        """Tell whether any could be claimed now."""
        return bool(self._shelf.due.first(DUE, now, 1))

    def due_count(self, now: datetime) -> int:
        """Count live enrollments that are due."""
        return self._shelf.due.count(DUE, now)


def _woken_or_new(row: EnrollmentRow, new: datetime | None) -> datetime | None:
    """Give the new due time, or the earlier one that a wake has set since the claim."""
    if row.lease_until is None or row.due_at is None or row.due_at >= row.lease_until:
        return new
    return row.due_at if new is None or row.due_at < new else new


def _kept_state(new: Mapping[str, Any], old: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keep a state; what is the very thing that was kept before, such as the values at entry, need not be gone through.

    A whole state is a document of some fifty values, and most decisions change a handful.
    """
    return {kept_text(name): part if part is old.get(name) else kept(part) for name, part in new.items()}


def _kept_since(old: Any, new: Any) -> Any:
    """Keep a document of which the very parts that were kept before, most of a state at most decisions, stay."""
    if new is old:
        return old
    if type(new) is type(old) is dict and len(new) > 1:  # one that is alone may be a tag
        return {kept_text(str(name)): _kept_since(old.get(name), part) for name, part in new.items()}
    return kept(new)


def _kept(enrollment: EnrollmentRow) -> EnrollmentRow:
    return replace(
        enrollment,
        state=kept(enrollment.state),
        waits_for=kept_text(enrollment.waits_for),
        exit_reason=kept_text(enrollment.exit_reason),
    )
