"""What does the CRM say now about the records and contacts that a batch of work is about?

One batch call per account and kind of record, never one per event. Owners and stage names change rarely and are kept
for a while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from connector.domain.event import ContactSnapshot, ObjectRef, Owner
from connector.domain.event_mapping import ContactFrom, EventCatalogue, EventMapping, ValueKind
from connector.domain.record_values import convert_record
from connector.domain.webhook_sources import PersonName
from connector.ports.crm import CRM, CRMAccount, Link
from connector.ports.ledger import AccountRow
from connector.ports.time import Clock
from connector.services.people_finding import PeopleFinder, chosen_person, is_settled

KEPT_FOR = timedelta(minutes=10)
"""A new rep or a renamed stage shows up in texts within ten minutes, for six calls an hour and account."""

CONTACT = "contact"
Raw = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Told:
    """What a webhook says of its record and of whom it concerns; the CRM has no such record.

    Attributes:
        raw: properties, as a CRM would answer them.
        people: every way in which it names the contact, the best first.
    """

    raw: Raw
    people: tuple[PersonName, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """One record that an event is about.

    Attributes:
        told: what a webhook says of it; None for a record of the CRM, which is asked.
    """

    mapping: EventMapping
    ref: ObjectRef
    told: Told | None = None


@dataclass(slots=True)
class Reading:
    """What the CRM said.

    Attributes:
        begun_at: when the CRM was first asked for records: what it says is at least as new; None when it was not.
        links: contacts associated with each record, in the CRM's order.
        people: whom each of the names means that webhooks use: ids of contacts in the CRM's order, none for nobody.
        contacts: snapshots by the id asked for; after a merge that is not the snapshot's own id.
        strangers: those of them that nothing here knew, read only for what they may say about a number.
    """

    records: dict[ObjectRef, Raw] = field(default_factory=dict)
    links: dict[ObjectRef, Sequence[Link]] = field(default_factory=dict)
    people: dict[PersonName, tuple[str, ...]] = field(default_factory=dict)
    contacts: dict[str, ContactSnapshot] = field(default_factory=dict)
    owners: Mapping[str, Owner] = field(default_factory=dict)
    stage_labels: dict[str, Mapping[str, str]] = field(default_factory=dict)
    begun_at: datetime | None = None
    strangers: frozenset[str] = frozenset()

    def values(self, wanted: Wanted) -> dict[str, dict[str, Any]] | None:
        """Give the values of an event's record by our names; None when the CRM does not have the record."""
        raw = self.records.get(wanted.ref) if wanted.told is None else wanted.told.raw
        if raw is None:
            return None
        labels = self.stage_labels.get(wanted.ref.object_type, {})
        return {
            name: {"id": wanted.ref.object_id, **convert_record(reads, raw, labels)}
            for name, reads in wanted.mapping.read.items()
        }

    def is_settled(self, wanted: Wanted) -> bool:
        """Tell whether everybody was asked for whom an event may concern."""
        return wanted.told is None or is_settled(wanted.told.people, self.people)

    def chosen_contacts(self, wanted: Wanted) -> tuple[tuple[str, ...], str]:
        """Give the contacts an event concerns, the chosen one first, and how that one was chosen."""
        if wanted.told is not None:
            return chosen_person(wanted.told.people, self.people)
        rule = wanted.mapping.contact
        if rule.source is ContactFrom.SELF:
            return (wanted.ref.object_id,), "the event is about this contact"
        links = [link for link in self.links.get(wanted.ref, ()) if rule.through or not link.via]
        if not links:
            return (), f"no contact is associated with {wanted.ref}"
        preferred = [link for link in links if rule.prefer is not None and _has(link, rule.prefer)]
        others = [link for link in links if link not in preferred]
        ids = tuple(link.object_id for link in (*preferred, *others))
        how = f"as {rule.prefer}" if preferred else "the first of its contacts" if len(ids) > 1 else "its only contact"
        via = (preferred or others)[0].via
        return ids, f"associated with {via or wanted.ref}, {how}" + (f", as {wanted.ref} has none" if via else "")


class CRMReader:
    """Reads what events and enrollments need, in batches; every method raises `CRMError`s only."""

    def __init__(self, crms: Mapping[str, CRM], catalogue: EventCatalogue, clock: Clock) -> None:
        self._crms, self._catalogue, self._clock = crms, catalogue, clock
        self._owners: dict[str, tuple[datetime, Mapping[str, Owner]]] = {}
        self._labels: dict[tuple[str, str], tuple[datetime, Mapping[str, str]]] = {}

    def read_events(
        self,
        account: AccountRow,
        wanted: Sequence[Wanted],
        contact_ids: Sequence[str] = (),
        most_numbers: int | None = None,
    ) -> Reading:
        """Read the records of events, the contacts they concern with their owners, and further contacts by id.

        At most `most_numbers` people are searched by number; `Reading.is_settled` tells of whom nothing is known yet.
        """
        crm, acting = self._crms[account.crm], acting_for(account)
        reading = self.read_records(account, [want for want in wanted if want.told is None])
        for object_type in dict.fromkeys(ref.object_type for ref in reading.records):
            rules = [want.mapping.contact for want in wanted if want.ref.object_type == object_type]
            if any(rule.source is ContactFrom.ASSOCIATED for rule in rules):
                ids = [ref.object_id for ref in reading.records if ref.object_type == object_type]
                through = next((rule.through for rule in rules if rule.through), "")
                links = crm.associated_contacts(acting, object_type, ids, through=through)
                reading.links.update({ObjectRef(object_type, each): linked for each, linked in links.items()})
        told = [want.told.people for want in wanted if want.told is not None]
        self.find_people(account, reading, told, most_numbers)
        known = [want for want in wanted if want.told is not None or want.ref in reading.records]
        chosen = [reading.chosen_contacts(want)[0][:1] for want in known]
        self.read_contacts(account, reading, [*contact_ids, *(crm_id for ids in chosen for crm_id in ids)])
        if reading.contacts:
            reading.owners = self.owners(account)
        return reading

    def read_records(self, account: AccountRow, wanted: Sequence[Wanted]) -> Reading:
        """Read the records of events only."""
        reading = Reading(begun_at=self._clock.now())
        for object_type in dict.fromkeys(want.ref.object_type for want in wanted):
            alike = [want for want in wanted if want.ref.object_type == object_type]
            self._read_kind(self._crms[account.crm], acting_for(account), alike, reading)
        return reading

    def read_contacts(self, account: AccountRow, reading: Reading, crm_ids: Sequence[str]) -> None:
        """Read contacts into `reading`."""
        if crm_ids:
            attributes = self._catalogue.by_crm[account.crm].contact.attributes
            begun = self._clock.now()
            found = self._crms[account.crm].read_contacts(acting_for(account), list(dict.fromkeys(crm_ids)), attributes)
            reading.contacts.update({each: replace(snapshot, read_at=begun) for each, snapshot in found.items()})

    def owners(self, account: AccountRow) -> Mapping[str, Owner]:
        """Give every owner by id, as read at most `KEPT_FOR` ago."""
        kept = self._owners.get(account.id)
        if kept is None or kept[0] <= self._clock.now():
            owners = self._crms[account.crm].owners(acting_for(account))
            kept = self._owners[account.id] = (self._clock.now() + KEPT_FOR, owners)
        return kept[1]

    def find_people(
        self,
        account: AccountRow,
        reading: Reading,
        people: Sequence[tuple[PersonName, ...]],
        most_numbers: int | None = None,
    ) -> None:
        """Find out, into `reading`, whom another system means."""
        if people:
            email = self._catalogue.by_crm[account.crm].contact.attributes.get("email", "email")
            finder = PeopleFinder(self._crms[account.crm], acting_for(account), email)
            reading.people.update(finder.find(people, most_numbers))

    def _read_kind(self, crm: CRM, account: CRMAccount, wanted: Sequence[Wanted], reading: Reading) -> None:
        object_type = wanted[0].ref.object_type
        ids = list(dict.fromkeys(want.ref.object_id for want in wanted))
        names = dict.fromkeys(name for want in wanted for name in _properties(want.mapping))
        if object_type == CONTACT and not names:
            reading.records.update({want.ref: {} for want in wanted})
            return  # what there is to know of a contact is read as a contact
        found = crm.read_records(account, object_type, ids, list(names))
        reading.records.update({ObjectRef(object_type, each): raw for each, raw in found.items()})
        if any(_has_stages(want.mapping) for want in wanted):
            reading.stage_labels[object_type] = self._labels_of(crm, account, object_type)

    def _labels_of(self, crm: CRM, account: CRMAccount, object_type: str) -> Mapping[str, str]:
        key = (account.account_id, object_type)
        kept = self._labels.get(key)
        if kept is None or kept[0] <= self._clock.now():
            kept = self._labels[key] = (self._clock.now() + KEPT_FOR, crm.stage_labels(account, object_type))
        return kept[1]


def acting_for(account: AccountRow) -> CRMAccount:
    """Give what an adapter needs to act for an account."""
    return CRMAccount(account.id, account.external_id, account.settings)


def _properties(mapping: EventMapping) -> list[str]:
    """Give every property an event's record is asked for, whichever of our names it is read under."""
    named = [name for reads in mapping.read.values() for name in (source.property_name for source in reads.values())]
    return [*named, *mapping.properties(mapping.object_type)]


def _has_stages(mapping: EventMapping) -> bool:
    return any(source.kind is ValueKind.PIPELINE for reads in mapping.read.values() for source in reads.values())


def _has(link: Link, label: str) -> bool:
    return label.casefold() in {each.casefold() for each in link.labels}
