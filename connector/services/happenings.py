"""What does a stored event of the inbox say, before anything is read from the CRM?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connector.domain.event import ChangeKind, ChangeNotice, ObjectRef
from connector.domain.event_mapping import ContactFrom, ContactRule, EventCatalogue, EventMapping, OnChange, Poll
from connector.domain.record_values import read_moment
from connector.domain.webhook_sources import OnWebhook, Payload, WebhookSource, read_payload
from connector.ports.crm import CRM
from connector.ports.inbox import InboxRow
from connector.services.crm_reading import CONTACT, Told, Wanted

POLL = "poll"
"""Source of inbox rows that a poll has put there."""

WEBHOOK = "generic"
"""Source of inbox rows that a signed webhook of any other system has brought; `context` names the system."""

BACKFILL = "backfill"
"""Source of inbox rows for what a poll found and no webhook told us: changes of records, as notices."""

_LONGEST_ID = 100
"""Characters; a column of 255 holds it with the kind of record and our own words."""

SCHEDULED = "schedule"
"""Source of inbox rows that stand for somebody of an audience whose journey's time has come."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One inbox row, understood as far as it goes by itself.

    Attributes:
        events: the named events it makes; several mappings may take one notice.
        notice: the CRM's notice, None for what we found or planned ourselves.
        told: of a webhook, what each of its events is about, by the event's name.
        useless: why nothing follows from it, or empty.
    """

    row: InboxRow
    ref: ObjectRef | None = None
    occurred_at: datetime | None = None
    events: tuple[EventMapping, ...] = ()
    notice: ChangeNotice | None = None
    useless: str = ""
    told: Mapping[str, Wanted] = field(default_factory=dict)

    def wanted(self, event: EventMapping) -> Wanted | None:
        """Give what is to be read for one of its events; None when no record is named."""
        if event.name in self.told:
            return self.told[event.name]
        return None if self.ref is None else Wanted(event, self.ref)

    @property
    def refs(self) -> tuple[ObjectRef, ...]:
        """Every record it is about."""
        own = () if self.ref is None else (self.ref,)
        return tuple(dict.fromkeys([*own, *(wanted.ref for wanted in self.told.values())]))

    @property
    def is_found(self) -> bool:
        """Whether a poll found it, for no webhook told us."""
        return self.row.source == BACKFILL

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
        return (self.notice.ref.object_id,) if self.notice.kind in {ChangeKind.CHANGED, ChangeKind.RESTORED} else ()


def happening(row: InboxRow, crm: CRM, catalogue: EventCatalogue) -> Happening:
    """Understand one row; never raises for what it holds."""
    return delivered(row, catalogue) if row.source == WEBHOOK else _of_the_crm(row, crm, catalogue)


def _of_the_crm(row: InboxRow, crm: CRM, catalogue: EventCatalogue) -> Happening:
    """Understand what the CRM has told, or what we found or planned there."""
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
    notice = missed_notice(body) if row.source == BACKFILL else crm.read_notice(body)
    if notice is None:
        return Happening(row, useless="ignored: a kind of event nothing here uses")
    events = catalogue.by_crm[crm.slug].of_notice(notice) if crm.slug in catalogue.by_crm else ()
    return Happening(row, notice.ref, notice.occurred_at, events, notice)


def finding(mapping: EventMapping, object_id: str, now: datetime) -> dict[str, str]:
    """Make the body of an inbox row for what a poll found."""
    return {"event": mapping.name, "id": object_id, "occurred_at": now.isoformat()}


def missed(notice: ChangeNotice) -> dict[str, Any]:
    """Make the body of an inbox row for a change that no webhook told us of."""
    return {
        "object": notice.ref.object_type,
        "id": notice.ref.object_id,
        "kind": notice.kind.value,
        "occurred_at": notice.occurred_at.isoformat(),
        "property": notice.property_name,
        "value": notice.property_value,
        "is_import": notice.is_import,
        "merged_ids": list(notice.merged_ids),
    }


def missed_notice(body: Mapping[str, Any]) -> ChangeNotice:
    """Read what `missed` made."""
    return ChangeNotice(
        ref=ObjectRef(body["object"], body["id"]),
        kind=ChangeKind(body["kind"]),
        occurred_at=datetime.fromisoformat(body["occurred_at"]),
        property_name=body["property"],
        property_value=body["value"],
        is_import=body["is_import"],
        merged_ids=tuple(body["merged_ids"]),
    )


def scheduled(event: str, contact: str, occurrence: datetime) -> dict[str, str]:
    """Make the body of an inbox row for somebody whose journey's time has come."""
    return {"event": event, "id": contact, "occurred_at": occurrence.isoformat()}


def _its_time(row: InboxRow, body: Mapping[str, Any], crm: str) -> Happening:
    """Understand a journey's time as an event about the contact, which brings no record and no file describes."""
    never = OnChange(CONTACT, ChangeKind.OTHER)
    mapping = EventMapping(str(body["event"]), crm, never, {}, ContactRule(ContactFrom.SELF, CONTACT))
    ref = ObjectRef(CONTACT, str(body["id"]))
    return Happening(row, ref, datetime.fromisoformat(body["occurred_at"]), (mapping,))


def delivered(row: InboxRow, catalogue: EventCatalogue) -> Happening:
    """Understand a webhook of any other system by `mappings/events/generic.yaml` as it is now."""
    source = catalogue.webhooks.sources.get(str(row.context.get("source")))
    payload = read_payload(row.body)
    if payload is None:
        return Happening(row, useless="unreadable: no JSON object")
    if source is None:
        return Happening(row, useless="ignored: no such source is described any more")
    type_ = type_of(source, payload, str(row.context.get("type") or ""))
    found = catalogue.webhooks.of_payload(source.name, type_, payload)
    told = {name: _told(event, on, payload) for name, (event, on) in found.items()}
    if not told:
        return Happening(row, useless="ignored: a kind of event nothing here uses")
    nameless = [name for name, wanted in told.items() if not wanted.ref.object_id]
    if nameless:
        return Happening(row, useless=f"unreadable: no id of the record that {', '.join(nameless)} is about")
    events = tuple(wanted.mapping for wanted in told.values())
    return Happening(row, None, _time_of(source, payload), events, told=told)


def type_of(source: WebhookSource, payload: Payload, header: str) -> str | None:
    """Give the type a webhook says it is of; None when it says none."""
    return source.type.read(payload) if source.type is not None else header or None


def _told(event: EventMapping, on: OnWebhook, payload: Payload) -> Wanted:
    ref = ObjectRef(on.object_type, _fitting(on.record_id.read(payload) or ""))
    return Wanted(event, ref, Told(on.raw(payload), on.names_of_people(payload)))


def _fitting(record_id: str) -> str:
    """Give an id that the ledger has room for; a longer one goes by its hash, which names it as well."""
    return record_id if len(record_id) <= _LONGEST_ID else hashlib.sha256(record_id.encode()).hexdigest()


def _time_of(source: WebhookSource, payload: Payload) -> datetime | None:
    said = source.at.read(payload) if source.at is not None else None
    return read_moment(said) if said is not None else None


def _found(row: InboxRow, body: Mapping[str, Any], catalogue: EventCatalogue, crm: str) -> Happening:
    mappings = [each for each in catalogue.find(str(body.get("event")), crm) if isinstance(each.source, Poll)]
    if not mappings:
        return Happening(row, useless="ignored: no such event is polled any more")
    ref = ObjectRef(mappings[0].object_type, str(body["id"]))
    return Happening(row, ref, datetime.fromisoformat(body["occurred_at"]), tuple(mappings[:1]))
