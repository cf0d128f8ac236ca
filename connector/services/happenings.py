"""What does a stored event of the inbox say, before anything is read from the CRM?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector.domain.event import ChangeKind, ChangeNotice, ObjectRef
from connector.domain.event_mapping import ContactFrom, ContactRule, EventCatalogue, EventMapping, OnChange, Poll
from connector.ports.crm import CRM
from connector.ports.inbox import InboxRow
from connector.services.crm_reading import CONTACT

POLL = "poll"
"""Source of inbox rows that a poll has put there."""

SCHEDULED = "schedule"
"""Source of inbox rows that stand for somebody of an audience whose journey's time has come."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One inbox row, understood as far as it goes by itself.

    Attributes:
        events: the named events it makes; several mappings may take one notice.
        notice: the CRM's notice, None for what we found or planned ourselves.
        useless: why nothing follows from it, or empty.
    """

    row: InboxRow
    ref: ObjectRef | None = None
    occurred_at: datetime | None = None
    events: tuple[EventMapping, ...] = ()
    notice: ChangeNotice | None = None
    useless: str = ""

    @property
    def is_import(self) -> bool:
        """Whether it came with a bulk import."""
        return self.notice is not None and self.notice.is_import

    @property
    def contacts_concerned(self) -> tuple[str, ...]:
        """CRM ids of contacts to be read again because of the notice itself."""
        if self.notice is None or self.notice.ref.object_type != CONTACT:
            return ()
        if self.notice.kind is ChangeKind.MERGED:
            return (self.notice.ref.object_id, *self.notice.merged_ids)
        return (self.notice.ref.object_id,) if self.notice.kind is ChangeKind.CHANGED else ()


def happening(row: InboxRow, crm: CRM, catalogue: EventCatalogue) -> Happening:
    """Understand one row; never raises for what it holds."""
    try:
        body = json.loads(row.body)
    except ValueError:
        return Happening(row, useless="unreadable: no JSON")
    if not isinstance(body, dict):
        return Happening(row, useless="unreadable: no JSON object")
    if row.source == POLL:
        return _found(row, body, catalogue, crm.slug)
    if row.source == SCHEDULED:
        return _its_time(row, body, crm.slug)
    notice = crm.read_notice(body)
    if notice is None:
        return Happening(row, useless="ignored: a kind of event nothing here uses")
    events = catalogue.by_crm[crm.slug].of_notice(notice) if crm.slug in catalogue.by_crm else ()
    return Happening(row, notice.ref, notice.occurred_at, events, notice)


def finding(mapping: EventMapping, object_id: str, now: datetime) -> dict[str, str]:
    """Make the body of an inbox row for what a poll found."""
    return {"event": mapping.name, "id": object_id, "occurred_at": now.isoformat()}


def scheduled(event: str, contact: str, occurrence: datetime) -> dict[str, str]:
    """Make the body of an inbox row for somebody whose journey's time has come."""
    return {"event": event, "id": contact, "occurred_at": occurrence.isoformat()}


def _its_time(row: InboxRow, body: Mapping[str, Any], crm: str) -> Happening:
    """Understand a journey's time as an event about the contact, which brings no record and no file describes."""
    never = OnChange(CONTACT, ChangeKind.OTHER)
    mapping = EventMapping(str(body["event"]), crm, never, {}, ContactRule(ContactFrom.SELF, CONTACT))
    ref = ObjectRef(CONTACT, str(body["id"]))
    return Happening(row, ref, datetime.fromisoformat(body["occurred_at"]), (mapping,))


def _found(row: InboxRow, body: Mapping[str, Any], catalogue: EventCatalogue, crm: str) -> Happening:
    mappings = [each for each in catalogue.find(str(body.get("event")), crm) if isinstance(each.source, Poll)]
    if not mappings:
        return Happening(row, useless="ignored: no such event is polled any more")
    ref = ObjectRef(mappings[0].object_type, str(body["id"]))
    return Happening(row, ref, datetime.fromisoformat(body["occurred_at"]), tuple(mappings[:1]))
