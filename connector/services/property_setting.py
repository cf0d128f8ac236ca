"""Which CRM properties does a step write, on which records, as which values?

A property is named as texts name it (`deal.stage`), and is the one that the event file reads under that name: what
cannot be read cannot be written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC

from connector.domain.errands import Handoff, PropertyValue, SetValues
from connector.domain.event import ObjectRef
from connector.domain.event_mapping import EventCatalogue, FieldSource, ValueKind
from connector.ports.crm import HANDOFF
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.ports.rendering import Renderer
from connector.services.announcing import message_ref
from connector.services.merged_contacts import shown_crm_id
from connector.services.message_making import Setting
from connector.services.property_values import written
from connector.services.wishes import ImpossibleError, Wish

CONTACT = "contact"


class PropertySetter:
    """Makes the rows that ask for properties to be written."""

    def __init__(self, renderer: Renderer, catalogue: EventCatalogue, new_id: Callable[[], str]) -> None:
        self._renderer, self._catalogue, self._new_id = renderer, catalogue, new_id

    def values(self, wish: Wish, step: SetValues) -> Sequence[CRMRecordRow]:
        """Ask for everything a `set` step writes in the CRM.

        Raises:
            ImpossibleError: one of the properties cannot be written; then none is.
        """
        rows = []
        for wanted in step.properties:
            ref, source = self._property(wish.setting, wanted)
            name = f"{wanted.record}.{wanted.name}"
            value = written(self._renderer, wish.setting, wanted.value, source.kind, name)
            rows.append(property_record(self._new_id(), wish, ref, source.property_name, value))
        return rows

    def handoff(self, wish: Wish, step: Handoff) -> CRMRecordRow:
        """Ask for the contact property on whose change a workflow of the CRM starts.

        The time is part of the value: the same workflow may be wanted again, and only a change starts one.
        """
        contact = ObjectRef(CONTACT, shown_crm_id(wish.setting.contact))
        value = f"{step.workflow} {wish.now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return property_record(self._new_id(), wish, contact, HANDOFF, value)

    def _property(self, setting: Setting, wanted: PropertyValue) -> tuple[ObjectRef, FieldSource]:
        name = f"{wanted.record}.{wanted.name}"
        if wanted.record == CONTACT:
            return ObjectRef(CONTACT, shown_crm_id(setting.contact)), self._of_contact(setting, wanted.name, name)
        if ObjectRef.parse(setting.subject).is_outside:
            raise ImpossibleError(f"{name} came with a webhook and is no property of the CRM, so it cannot be written")
        mapping = next(iter(self._catalogue.find(setting.event, setting.account.crm)), None)
        if mapping is None or wanted.record not in mapping.read:
            raise ImpossibleError(f"{setting.event} brings no {wanted.record}, so {name} cannot be written")
        source = mapping.read[wanted.record].get(wanted.name)
        if source is None:
            raise ImpossibleError(f"{name} is not read by {mapping.file or setting.event}, so it cannot be written")
        if source.kind is ValueKind.PIPELINE:
            raise ImpossibleError(f"{name} is the name people see; write the property that has the stage's id")
        return ObjectRef.parse(setting.subject), source

    def _of_contact(self, setting: Setting, attribute: str, name: str) -> FieldSource:
        mapping = self._catalogue.by_crm[setting.account.crm].contact
        if attribute in mapping.joined:
            parts = " and ".join(mapping.joined[attribute])
            raise ImpossibleError(f"{name} is put together of {parts}; write those")
        if attribute not in mapping.attributes:
            raise ImpossibleError(f"{name} is not read from contacts, so it cannot be written")
        return FieldSource(mapping.attributes[attribute])


def property_record(record_id: str, wish: Wish, ref: ObjectRef, property_name: str, value: str) -> CRMRecordRow:
    """Ask for one property of one record; there is one row for it for good, and the newest value wins."""
    setting = wish.setting
    return CRMRecordRow(
        id=record_id,
        account_id=setting.account.id,
        crm=setting.account.crm,
        kind=RecordSubject.PROPERTY,
        subject=f"property:{ref}:{property_name}",
        ref=message_ref(record_id),
        at=wish.now,
        not_before=wish.now,
        contact_id=setting.contact.id,
        contact_crm_id=shown_crm_id(setting.contact),
        payload={"value": value},
    )


def property_of(row: CRMRecordRow) -> tuple[ObjectRef, str]:
    """Give the record and the property that a row is about."""
    _, object_type, object_id, name = row.subject.split(":", 3)
    return ObjectRef(object_type, object_id), name
