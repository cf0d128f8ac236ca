"""Which CRM change becomes which event, what is read with it, and as what kind of value?

Pure data, made by `adapters.event_files` from `mappings/events/<crm>.yaml`; `domain.record_values` turns what a CRM
answers (texts and nulls) into values that conditions and texts can use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from connector.domain.event import ChangeKind, ChangeNotice
from connector.domain.webhook_sources import OnWebhook, Payload, WebhookSource

NOW = "now"
"""In a poll's condition: the time of the poll."""


class ValueKind(StrEnum):
    """What a CRM property is read as."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"  # a number whose record has a `currency` beside it
    TIME = "time"  # a moment, with its time zone
    DATE = "date"
    YES_NO = "yes_no"
    PIPELINE = "pipeline"  # a pipeline stage by the name people see, not by its internal id
    UPPER = "upper"  # a word in capitals, however this CRM writes it: one journey serves several
    LOWER = "lower"  # likewise in small letters


@dataclass(frozen=True, slots=True)
class FieldSource:
    """Where a value comes from and what it is read as."""

    property_name: str
    kind: ValueKind = ValueKind.TEXT


Reads = Mapping[str, FieldSource]
"""What is read of one record, by our names."""


@dataclass(frozen=True, slots=True)
class OnChange:
    """A CRM notice that makes the event.

    Attributes:
        property_name: for CHANGED: the property; None for any.
        values: for CHANGED: only a change to one of these; empty for any.
    """

    object_type: str
    kind: ChangeKind
    property_name: str | None = None
    values: tuple[str, ...] = ()

    def fits(self, notice: ChangeNotice) -> bool:
        """Tell whether a notice makes the event."""
        if (notice.ref.object_type, notice.kind) != (self.object_type, self.kind):
            return False
        if self.property_name is not None and notice.property_name != self.property_name:
            return False
        return not self.values or notice.property_value in self.values


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PollFilter:
    """One condition of a poll; `operator` is EQ, NEQ, LT, LTE, GT, GTE, IN or HAS_PROPERTY.

    Attributes:
        back: of a condition about `now`, how long before it: `now - 30 days`; negative behind it: `now + 1 day`.
    """

    property_name: str
    operator: str
    value: str | tuple[str, ...] = ""
    back: timedelta = timedelta(0)

    def at(self, now: datetime) -> PollFilter:
        """Put a time in the place of `now`: milliseconds since 1970, which HubSpot's search takes for times."""
        if self.value != NOW:
            return self
        return replace(self, value=str((now - self.back - _EPOCH) // timedelta(milliseconds=1)))


@dataclass(frozen=True, slots=True)
class Poll:
    """A search that makes the event, for what the CRM does not tell by itself.

    Attributes:
        once_per: properties that name one happening: a record makes the event once for each set of their values.
    """

    every: timedelta
    object_type: str
    where: tuple[PollFilter, ...]
    once_per: tuple[str, ...]

    def discriminator(self, properties: Mapping[str, str | None]) -> str:
        """Give the text that tells one happening from another."""
        return "|".join(properties.get(name) or "" for name in self.once_per)


class ContactFrom(StrEnum):
    """How the contact of a record is found."""

    SELF = "self"  # the record is the contact
    ASSOCIATED = "associated"
    NAMED = "named"  # a webhook says who, by id, e-mail address or number


@dataclass(frozen=True, slots=True)
class ContactRule:
    """Which contact an event concerns.

    Attributes:
        object_type: the record whose associated contacts are looked at.
        prefer: association label that goes first, such as `primary`; None for the CRM's order.
        through: a kind of record whose contacts stand in where the record has none of its own, such as `company`.
    """

    source: ContactFrom
    object_type: str
    prefer: str | None = None
    through: str | None = None


@dataclass(frozen=True, slots=True)
class EventMapping:
    """One event and where it comes from.

    Attributes:
        name: dotted, such as `deal.stage_changed`.
        crm: the CRM it comes from; `generic` for webhooks of any other system.
        read: what is read of each record, by object name.
    """

    name: str
    crm: str
    source: OnChange | Poll | OnWebhook
    read: Mapping[str, Reads]
    contact: ContactRule
    file: str = ""
    line: int = 0

    @property
    def object_type(self) -> str:
        """The kind of record the event is about."""
        return self.source.object_type

    def properties(self, object_type: str) -> tuple[str, ...]:
        """Give every CRM property to ask for of one kind of record."""
        extra = self.source.once_per if isinstance(self.source, Poll) and object_type == self.object_type else ()
        wanted = [source.property_name for source in self.read.get(object_type, {}).values()]
        return tuple(dict.fromkeys([*wanted, *extra]))


@dataclass(frozen=True, slots=True)
class ContactMapping:
    """What texts and conditions see of a contact; numbers, locale, zone, country and owner every adapter reads anyway.

    Attributes:
        attributes: our attribute names → CRM properties, as `ports.crm.CRM.read_contacts` takes them.
        joined: attributes put together of others, such as `name` of `first_name` and `last_name`.
    """

    attributes: Mapping[str, str] = field(default_factory=dict)
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def names(self) -> frozenset[str]:
        """Give every attribute that texts and conditions may use as `contact.…`."""
        return frozenset({"id", *self.attributes, *self.joined})

    def values(self, contact_id: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Give what `contact.…` means for a contact as it was read; an empty property is None."""
        read = {name: attributes.get(name) or None for name in self.attributes}
        whole = {
            name: " ".join(str(read[part]) for part in parts if read.get(part)) for name, parts in self.joined.items()
        }
        return {
            "id": contact_id,
            **read,
            **{name: text or attributes.get(name) or None for name, text in whole.items()},
        }


@dataclass(frozen=True, slots=True)
class CRMEvents:
    """What `mappings/events/<crm>.yaml` says."""

    crm: str
    events: Mapping[str, EventMapping]
    contact: ContactMapping
    file: str = ""

    def of_notice(self, notice: ChangeNotice) -> tuple[EventMapping, ...]:
        """Give the events a notice makes, in the file's order."""
        return tuple(
            event for event in self.events.values() if isinstance(event.source, OnChange) and event.source.fits(notice)
        )

    def polls(self) -> tuple[EventMapping, ...]:
        """Give the events that are looked for by searching."""
        return tuple(event for event in self.events.values() if isinstance(event.source, Poll))


@dataclass(frozen=True, slots=True)
class WebhookEvents:
    """What `mappings/events/generic.yaml` says; several systems may tell of the same event."""

    sources: Mapping[str, WebhookSource] = field(default_factory=dict)
    events: tuple[EventMapping, ...] = ()

    def of_payload(self, source: str, type_: str | None, payload: Payload) -> dict[str, tuple[EventMapping, OnWebhook]]:
        """Give the events a webhook makes, by name, in the file's order; of one name the first that fits."""
        found: dict[str, tuple[EventMapping, OnWebhook]] = {}
        for event in self.events:
            if isinstance(event.source, OnWebhook) and event.source.fits(source, type_, payload):
                found.setdefault(event.name, (event, event.source))
        return found


@dataclass(frozen=True, slots=True)
class EventCatalogue:
    """The events of every CRM, by CRM, and those that webhooks bring to the accounts of each of them."""

    by_crm: Mapping[str, CRMEvents] = field(default_factory=dict)
    webhooks: WebhookEvents = field(default_factory=WebhookEvents)

    def names(self, crm: str | None = None) -> tuple[str, ...]:
        """Give the names of all events, or of one CRM's and those of webhooks."""
        named = [name for events in self._of(crm) for name in events.events]
        return tuple(dict.fromkeys([*named, *(event.name for event in self.webhooks.events)]))

    def find(self, name: str, crm: str | None = None) -> tuple[EventMapping, ...]:
        """Give each CRM's mapping of an event, then those of webhooks; empty when nothing has it."""
        mapped = [events.events[name] for events in self._of(crm) if name in events.events]
        return (*mapped, *(event for event in self.webhooks.events if event.name == name))

    def records(self, name: str, crm: str | None = None) -> dict[str, Reads]:
        """Give the records an event brings and what is read of each; of several sources only what all have."""
        found = self.find(name, crm)
        if not found:
            return {}
        first, *others = (mapping.read for mapping in found)
        return {
            record: {part: source for part, source in reads.items() if all(part in other[record] for other in others)}
            for record, reads in first.items()
            if all(record in other for other in others)
        }

    def contact_names(self, crm: str | None = None) -> frozenset[str]:
        """Give what may follow `contact.`; of several CRMs only what all of them have."""
        found = [events.contact.names() for events in self._of(crm)]
        return frozenset.intersection(*found) if found else frozenset()

    def _of(self, crm: str | None) -> tuple[CRMEvents, ...]:
        return tuple(events for slug, events in self.by_crm.items() if crm in {None, slug})
