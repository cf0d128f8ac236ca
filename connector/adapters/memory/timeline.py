"""How is what happened written down in memory, once, and read back in order?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from connector.adapters.memory.documents import kept, kept_text
from connector.adapters.memory.shelves import Group, Journal, Shelf
from connector.domain.timeline import EntryKind, TimelineEntry


class _Line(NamedTuple):
    """An entry and which one it is: of two at one time the one written first is told first."""

    entry: TimelineEntry
    number: int


class TimelineShelf(Shelf[_Line]):
    """Entries by what makes them one of a kind."""

    def __init__(self, journal: Journal) -> None:
        # By kind, since of a long history a decision asks for a few kinds only.
        self.by_contact: Group[_Line] = Group(lambda line: _about(line.entry.contact_id, line.entry))
        self.by_subject: Group[_Line] = Group(lambda line: _about(line.entry.subject, line.entry))
        self.by_message: Group[_Line] = Group(lambda line: line.entry.message_id)
        self.by_enrollment: Group[_Line] = Group(lambda line: line.entry.enrollment_id)
        super().__init__(journal, self.by_contact, self.by_subject, self.by_message, self.by_enrollment)


def _about(name: str | None, entry: TimelineEntry) -> tuple[str, str, str] | None:
    return None if name is None else (entry.account_id, name, entry.kind)


class MemoryTimelineRepository:
    """Timeline entries; see `connector.ports.enrollments.TimelineRepository`."""

    def __init__(self, shelf: TimelineShelf) -> None:
        self._shelf = shelf

    def add(self, entries: Sequence[TimelineEntry]) -> int:
        """Append entries not written before; give how many were new."""
        before = len(self._shelf.rows)
        for entry in entries:
            key = (entry.account_id, entry.kind, entry.subject, entry.discriminator)
            if key not in self._shelf.rows:
                written = replace(entry, summary=kept_text(entry.summary), data=kept(entry.data))
                self._shelf.put(key, _Line(written, len(self._shelf.rows)))
        return len(self._shelf.rows) - before

    def facts(
        self, account_id: str, contact_id: str, subject_ref: str, since: datetime, kinds: Sequence[EntryKind]
    ) -> Sequence[TimelineEntry]:
        """Read entries about a contact or a CRM record since a time, oldest first, for `decide`."""
        shelf = self._shelf
        keys = [key for kind in kinds for key in shelf.by_contact.of((account_id, contact_id, kind))]
        about = [key for kind in kinds for key in shelf.by_subject.of((account_id, subject_ref, kind))]
        lines = shelf.of(dict.fromkeys([*keys, *about]))
        return _in_order(line for line in lines if line.entry.at >= since)

    def events_of(self, account_id: str, subjects: Sequence[str]) -> Mapping[str, Sequence[TimelineEntry]]:
        """Read the received events of CRM records, oldest first, by record."""
        about = {each: self._shelf.by_subject.of((account_id, each, EntryKind.EVENT_RECEIVED)) for each in subjects}
        return {each: _in_order(self._shelf.of(keys)) for each, keys in about.items() if keys}

    def of_message(self, account_id: str, message_id: str) -> Sequence[TimelineEntry]:
        """Read a message's entries, oldest first."""
        return self._of(account_id, self._shelf.by_message.of(message_id))

    def of_enrollment(self, account_id: str, enrollment_id: str) -> Sequence[TimelineEntry]:
        """Read an enrollment's entries, oldest first."""
        return self._of(account_id, self._shelf.by_enrollment.of(enrollment_id))

    def of_contact(self, account_id: str, contact_id: str, limit: int) -> Sequence[TimelineEntry]:
        """Read a contact's latest entries, oldest first."""
        by_contact = self._shelf.by_contact
        keys = [key for kind in EntryKind for key in by_contact.of((account_id, contact_id, kind))]
        return self._of(account_id, keys)[-limit:]

    def _of(self, account_id: str, keys: Iterable[object]) -> list[TimelineEntry]:
        return _in_order(line for line in self._shelf.of(keys) if line.entry.account_id == account_id)


def _in_order(lines: Iterable[_Line]) -> list[TimelineEntry]:
    return [line.entry for line in sorted(lines, key=lambda line: (line.entry.at, line.number))]
