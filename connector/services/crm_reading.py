"""What does the CRM say now about the records and contacts that a batch of work is about?

One batch call per account and kind of record, never one per event. Owners and stage names change rarely and are kept
for a while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connector.domain.event import ContactSnapshot, ObjectRef, Owner
from connector.domain.event_mapping import ContactFrom, EventCatalogue, EventMapping, ValueKind, convert_record
from connector.ports.crm import CRM, CRMAccount, Link
from connector.ports.ledger import AccountRow
from connector.ports.time import Clock

KEPT_FOR = timedelta(minutes=10)
"""A new rep or a renamed stage shows up in texts within ten minutes, for six calls an hour and account."""

CONTACT = "contact"
Raw = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One record that an event is about."""

    mapping: EventMapping
    ref: ObjectRef


@dataclass(slots=True)
class Reading:
    """What the CRM said.

    Attributes:
        links: contacts associated with each record, in the CRM's order.
        contacts: snapshots by the id asked for; after a merge that is not the snapshot's own id.
    """

    records: dict[ObjectRef, Raw] = field(default_factory=dict)
    links: dict[ObjectRef, Sequence[Link]] = field(default_factory=dict)
    contacts: dict[str, ContactSnapshot] = field(default_factory=dict)
    owners: Mapping[str, Owner] = field(default_factory=dict)
    stage_labels: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def values(self, wanted: Wanted) -> dict[str, dict[str, Any]] | None:
        """Give the values of an event's record by our names; None when the CRM does not have the record."""
        raw = self.records.get(wanted.ref)
        if raw is None:
            return None
        labels = self.stage_labels.get(wanted.ref.object_type, {})
        return {
            name: {"id": wanted.ref.object_id, **convert_record(reads, raw, labels)}
            for name, reads in wanted.mapping.read.items()
        }

    def chosen_contacts(self, wanted: Wanted) -> tuple[tuple[str, ...], str]:
        """Give the contacts an event concerns, the chosen one first, and how that one was chosen."""
        rule = wanted.mapping.contact
        if rule.source is ContactFrom.SELF:
            return (wanted.ref.object_id,), "the event is about this contact"
        links = self.links.get(wanted.ref, ())
        if not links:
            return (), f"no contact is associated with {wanted.ref}"
        preferred = [link for link in links if rule.prefer is not None and _has(link, rule.prefer)]
        others = [link for link in links if link not in preferred]
        ids = tuple(link.object_id for link in (*preferred, *others))
        how = f"as {rule.prefer}" if preferred else "the first of its contacts" if len(ids) > 1 else "its only contact"
        return ids, f"associated with {wanted.ref}, {how}"


class CRMReader:
    """Reads what events and enrollments need, in batches; every method raises `CRMError`s only."""

    def __init__(self, crms: Mapping[str, CRM], catalogue: EventCatalogue, clock: Clock) -> None:
        self._crms, self._catalogue, self._clock = crms, catalogue, clock
        self._owners: dict[str, tuple[datetime, Mapping[str, Owner]]] = {}
        self._labels: dict[tuple[str, str], tuple[datetime, Mapping[str, str]]] = {}

    def read(self, account: AccountRow, wanted: Sequence[Wanted], contact_ids: Sequence[str] = ()) -> Reading:
        """Read the records of events, their contacts and owners, and further contacts by the CRM's ids."""
        crm, reading = self._crms[account.crm], Reading()
        acting = CRMAccount(account.id, account.external_id, account.settings)
        for object_type in dict.fromkeys(want.ref.object_type for want in wanted):
            self._read_kind(crm, acting, [want for want in wanted if want.ref.object_type == object_type], reading)
        chosen = [reading.chosen_contacts(want)[0][:1] for want in wanted if want.ref in reading.records]
        ids = list(dict.fromkeys([*contact_ids, *(crm_id for ids in chosen for crm_id in ids)]))
        if ids:
            attributes = self._catalogue.by_crm[account.crm].contact.attributes
            reading.contacts.update(crm.read_contacts(acting, ids, attributes))
            reading.owners = self._owners_of(crm, acting)
        return reading

    def _read_kind(self, crm: CRM, account: CRMAccount, wanted: Sequence[Wanted], reading: Reading) -> None:
        object_type = wanted[0].ref.object_type
        ids = list(dict.fromkeys(want.ref.object_id for want in wanted))
        names = dict.fromkeys(name for want in wanted for name in _properties(want.mapping))
        found = crm.read_records(account, object_type, ids, list(names))
        reading.records.update({ObjectRef(object_type, each): raw for each, raw in found.items()})
        if any(want.mapping.contact.source is ContactFrom.ASSOCIATED for want in wanted) and found:
            links = crm.associated_contacts(account, object_type, list(found))
            reading.links.update({ObjectRef(object_type, each): linked for each, linked in links.items()})
        if any(_has_stages(want.mapping) for want in wanted):
            reading.stage_labels[object_type] = self._labels_of(crm, account, object_type)

    def _owners_of(self, crm: CRM, account: CRMAccount) -> Mapping[str, Owner]:
        kept = self._owners.get(account.account_id)
        if kept is None or kept[0] <= self._clock.now():
            kept = self._owners[account.account_id] = (self._clock.now() + KEPT_FOR, crm.owners(account))
        return kept[1]

    def _labels_of(self, crm: CRM, account: CRMAccount, object_type: str) -> Mapping[str, str]:
        key = (account.account_id, object_type)
        kept = self._labels.get(key)
        if kept is None or kept[0] <= self._clock.now():
            kept = self._labels[key] = (self._clock.now() + KEPT_FOR, crm.stage_labels(account, object_type))
        return kept[1]


def _properties(mapping: EventMapping) -> list[str]:
    """Give every property an event's record is asked for, whichever of our names it is read under."""
    named = [name for reads in mapping.read.values() for name in (source.property_name for source in reads.values())]
    return [*named, *mapping.properties(mapping.object_type)]


def _has_stages(mapping: EventMapping) -> bool:
    return any(source.kind is ValueKind.PIPELINE for reads in mapping.read.values() for source in reads.values())


def _has(link: Link, label: str) -> bool:
    return label.casefold() in {each.casefold() for each in link.labels}
