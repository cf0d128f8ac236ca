"""Which events of these records have we heard of already?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connector.domain.event import ChangeKind, ChangeNotice, ObjectRef
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.domain.twice_told import Telling, is_known
from connector.ports.ledger import UnitOfWork

FOUND_BY = "found_by"
"""Says, in the timeline entry of an event that no webhook told us of, what did."""

BECAME = "became"
"""Holds, in the timeline entry of a changed property, the value it got, as the CRM writes it."""


class HeardEvents:
    """What the timeline has of some records' events, and what is added to it."""

    def __init__(self, uow: UnitOfWork, account_id: str, refs: Iterable[ObjectRef]) -> None:
        subjects = sorted({str(ref) for ref in refs})
        self._entries = {each: list(found) for each, found in uow.timeline.events_of(account_id, subjects).items()}

    def knows(self, event: str, notice: ChangeNotice, *, is_found: bool) -> bool:
        """Tell whether an event that a notice makes has been heard of."""
        heard = [_telling(entry) for entry in self._of(event, notice.ref)]
        new = Telling(notice.occurred_at, notice.property_value, is_found)
        return is_known(new, heard, happens_once=notice.kind is ChangeKind.CREATED)

    def last_value(self, event: str, ref: ObjectRef) -> str | None:
        """Give what a record's property became when we heard of it last; None when we never did."""
        told = [entry for entry in self._of(event, ref) if entry.data.get(BECAME) is not None]
        return str(told[-1].data[BECAME]) if told else None

    def add(self, entry: TimelineEntry) -> None:
        """Take an event into account that has just been written down."""
        if entry.kind is EntryKind.EVENT_RECEIVED:
            self._entries.setdefault(entry.subject, []).append(entry)

    def _of(self, event: str, ref: ObjectRef) -> Sequence[TimelineEntry]:
        return [entry for entry in self._entries.get(str(ref), ()) if entry.data.get("event") == event]


def said_of_change(notice: ChangeNotice | None, *, is_found: bool) -> Mapping[str, str]:
    """Give what the timeline entry of an event keeps, so that the next telling of it is known."""
    became = {BECAME: notice.property_value} if notice is not None and notice.property_value is not None else {}
    return became | ({FOUND_BY: "poll"} if is_found else {})


def _telling(entry: TimelineEntry) -> Telling:
    became = entry.data.get(BECAME)
    return Telling(entry.at, None if became is None else str(became), FOUND_BY in entry.data)
