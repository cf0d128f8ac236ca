"""Which changes of records have we not heard of?"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.domain.event import ChangeKind, ChangeNotice, ObjectRef
from connector.domain.event_mapping import EventMapping, OnChange
from connector.domain.opt_out_fields import TRUE, OptOutField, opt_out_fields
from connector.ports.contacts import ContactRow
from connector.ports.crm import Change, ChangedRecord, SearchFilter
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.services.crm_flags import CRM_OPTED_OUT_BY
from connector.services.heard_events import HeardEvents


@dataclass(frozen=True, slots=True)
class Walk:
    """What is walked along: records of one kind, for the events they make, or for an opt-out set on them."""

    name: str
    object_type: str
    events: tuple[EventMapping, ...] = ()
    opt_out: OptOutField | None = None

    @property
    def properties(self) -> list[str]:
        """The properties whose changes count."""
        watched = [event.source.property_name for event in self.events if isinstance(event.source, OnChange)]
        flag = [self.opt_out.property_name] if self.opt_out is not None else []
        return [name for name in dict.fromkeys([*watched, *flag]) if name]

    @property
    def filters(self) -> list[SearchFilter]:
        """What records have to meet."""
        if self.opt_out is None:
            return []
        name, values = self.opt_out.property_name, self.opt_out.values
        if values == TRUE:  # a checkbox, which takes no other word
            return [SearchFilter(name, "EQ", "true")]
        # HubSpot wants small letters for texts, and the values of a list as they are.
        return [SearchFilter(name, "IN", tuple(dict.fromkeys([*values, *(each.casefold() for each in values)])))]


def missing_changes(
    uow: UnitOfWork, account: AccountRow, walk: Walk, records: Sequence[ChangedRecord], since: datetime
) -> Iterator[ChangeNotice]:
    """Give the changes we have not heard of."""
    if walk.opt_out is not None:
        yield from _flags(uow, account, walk, records)
        return
    refs = [ObjectRef(walk.object_type, record.object_id) for record in records]
    heard = HeardEvents(uow, account.id, refs)
    for record, ref in zip(records, refs, strict=True):
        found = [notice for event in walk.events if (notice := _change(heard, event, ref, record, since)) is not None]
        yield from dict.fromkeys(found)


def _flags(
    uow: UnitOfWork, account: AccountRow, walk: Walk, records: Sequence[ChangedRecord]
) -> Iterator[ChangeNotice]:
    """Give the contacts that show an opt-out which holds nobody back here, strangers among them.

    What we read of a contact may be older than a block that was lifted since, so only the block itself counts.
    """
    known = uow.contacts.by_crm_ids(account.id, [record.object_id for record in records])
    numbers = sorted({contact.msisdn for contact in known.values() if contact.msisdn})
    blocked = uow.consents.suppressions(account.id, numbers)
    (name,) = walk.properties
    is_own = name in {each.property_name for each in opt_out_fields(account.settings)}
    for record in records:
        contact = known.get(record.object_id)
        if contact is None or not _is_heeded(contact, blocked, is_own=is_own):
            when = record.changed.get(name, Change(record.modified_at))
            ref, value = ObjectRef("contact", record.object_id), record.properties.get(name)
            yield ChangeNotice(ref, ChangeKind.CHANGED, when.at, name, value, when.is_import)


def _is_heeded(contact: ContactRow, blocked: Container[str | None], *, is_own: bool) -> bool:
    """Tell whether we know of an opt-out; a field of the account's own outlasts the person's word."""
    return contact.msisdn in blocked and (not is_own or bool(contact.attributes.get(CRM_OPTED_OUT_BY)))


def _change(
    heard: HeardEvents, event: EventMapping, ref: ObjectRef, record: ChangedRecord, since: datetime
) -> ChangeNotice | None:
    """Give the notice that should have come for an event of a record; None if it came, or nothing happened."""
    on = event.source
    assert isinstance(on, OnChange)  # noqa: S101 - a walk has no other
    made = record.created is not None and record.created.at >= since
    if on.kind is ChangeKind.CREATED:
        notice = _notice(ref, on.kind, record.created) if record.created is not None and made else None
    else:
        notice = _changed(heard, event.name, on, ref, record, since, made=made)
    if notice is None or not on.fits(notice) or heard.knows(event.name, notice, is_found=True):
        return None
    return notice


def _changed(
    heard: HeardEvents,
    event: str,
    on: OnChange,
    ref: ObjectRef,
    record: ChangedRecord,
    since: datetime,
    *,
    made: bool,
) -> ChangeNotice | None:
    """Give the notice of a property's present value.

    A CRM without a history tells only that something of the record changed. That it was this property is certain where
    we know another value of it, and for a record just made.
    """
    name = on.property_name or ""
    value, change = record.properties.get(name), record.changed.get(name)
    if value is None:
        return None
    if change is not None:
        return _notice(ref, on.kind, change, name, value) if change.at >= since else None
    if not made and heard.last_value(event, ref) is None:
        return None
    return _notice(ref, on.kind, Change(record.modified_at), name, value)


def _notice(
    ref: ObjectRef, kind: ChangeKind, change: Change, name: str | None = None, value: str | None = None
) -> ChangeNotice:
    return ChangeNotice(ref, kind, change.at, name, value, change.is_import)
