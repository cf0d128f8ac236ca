"""How does a record of ours look as a Task, and a text as a record of our package?

A text is a Task that is done, so that it stands on the timeline beside calls and e-mails; a task is one to be done, a
note one that is done. Salesforce has no kind of task for texts, and takes no other (developer.salesforce.com, Task).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.adapters.crm.salesforce.fields import Fields, timestamp
from connector.adapters.crm.salesforce.ids import LEAD, is_id, person_of
from connector.adapters.crm.salesforce.names import MESSAGE_ID, REF, OrgNames
from connector.adapters.crm.salesforce.org_facts import TaskStatuses
from connector.ports.crm_writing import RecordKind, RecordWrite, SMSFacts

SUBJECT_LENGTH = 100  # of 255: a timeline shows one line
_DESCRIPTION_LENGTH = 32_000  # the most a Task's comment holds
_PRIORITIES = MappingProxyType({"HIGH": "High", "MEDIUM": "Normal", "LOW": "Low"})
_LOOKUPS = MappingProxyType({"deal": "Opportunity__c", "ticket": "Case__c"})


@dataclass(frozen=True, slots=True)
class OrgShape:
    """What one organisation's Tasks and texts are made of.

    Attributes:
        task: fields of its Task.
        message: fields of our package's object, none where the package is not installed.
        time_zone: in which a day is meant.
    """

    names: OrgNames
    task: Fields
    message: Fields
    statuses: TaskStatuses
    time_zone: str

    @property
    def ref_field(self) -> str | None:
        """The field that carries our reference on a Task, None where the package is not installed."""
        name = self.names.packaged(REF)
        return name if name in self.task else None


def creation(row: RecordWrite, shape: OrgShape) -> dict[str, Any]:
    """Give the fields of a new Task."""
    status = shape.statuses.open if row.kind is RecordKind.TASK else shape.statuses.closed
    fields = {
        **changeable(row, shape),
        "Status": status,
        "WhoId": row.contact_crm_id or None,
        "WhatId": _what(row, shape),
        "OwnerId": row.owner_id or row.queue_id or None,
    }
    if row.kind is RecordKind.TASK:
        fields |= {"Priority": _choice(shape, "Priority", _PRIORITIES.get(row.priority.upper(), row.priority))}
        fields |= {"Type": _choice(shape, "Type", "Call") if row.is_call else None}
    if shape.ref_field:
        fields[shape.ref_field] = row.ref
    return {name: value for name, value in fields.items() if value is not None}


def changeable(row: RecordWrite, shape: OrgShape) -> dict[str, Any]:
    """Give the fields that follow the row, not those a person may have changed since, such as the status."""
    return {
        "Subject": subject(row),
        "Description": _description(row),
        "ActivityDate": row.at.astimezone(_zone(shape.time_zone)).date().isoformat(),
    }


def subject(row: RecordWrite) -> str:
    """Give the one line a timeline shows."""
    if row.title:
        return _cut(row.title, 255)
    line = next((line for line in row.body.splitlines() if line.strip()), "")
    if row.sms is not None:
        said = " ".join(row.sms.body.split())
        line = f"{'from' if row.sms.is_inbound else 'to'} contact, {row.sms.state}: {said}"
    kind = "Note" if row.kind is RecordKind.NOTE else "SMS"
    return _cut(f"{kind}{' ' if row.sms is not None else ': '}{line}".rstrip(": "), SUBJECT_LENGTH)


def message(row: RecordWrite, sms: SMSFacts, shape: OrgShape) -> dict[str, Any]:
    """Give the fields of a text's own record, without those this organisation's package does not have."""
    values: dict[str, Any] = {
        MESSAGE_ID: row.ref,
        "Direction__c": "Inbound" if sms.is_inbound else "Outbound",
        "Status__c": sms.state,
        "Body__c": sms.body,
        "From__c": sms.sender,
        "To__c": sms.recipient,
        "Segments__c": sms.segments,
        "Error__c": sms.error or None,
        "Sent_At__c": timestamp(sms.sent_at) if sms.sent_at else None,
        "Delivered_At__c": timestamp(sms.delivered_at) if sms.delivered_at else None,
        **dict(_lookups(row)),
    }
    named = {shape.names.packaged(name): value for name, value in values.items()}
    return {
        name: shape.message[name].cut(value) if isinstance(value, str) else value
        for name, value in named.items()
        if name in shape.message
    }


def carries(text: str, ref: str) -> bool:
    """Whether a text read from Salesforce carries our reference, as a word of its own."""
    return re.search(rf"(?<![\w-]){re.escape(ref)}(?![\w-])", text) is not None


def _lookups(row: RecordWrite) -> Iterator[tuple[str, str]]:
    if is_id(row.contact_crm_id):
        yield f"{person_of(row.contact_crm_id)}__c", row.contact_crm_id
    for each in row.associations:
        if each.object_type in _LOOKUPS and is_id(each.object_id):
            yield _LOOKUPS[each.object_type], each.object_id


def _what(row: RecordWrite, shape: OrgShape) -> str | None:
    """Give the record a Task is about besides the person: at most one, never beside a lead, and only of an object
    that may have tasks.
    """
    if row.contact_crm_id and person_of(row.contact_crm_id) == LEAD:
        return None
    allowed = shape.task["WhatId"].leads_to if "WhatId" in shape.task else frozenset[str]()
    fitting = (each for each in row.associations if shape.names.object(each.object_type) in allowed)
    return next((each.object_id for each in fitting if is_id(each.object_id)), None)


def _choice(shape: OrgShape, name: str, wanted: str) -> str | None:
    """Salesforce refuses a word that an admin has taken from a picklist; then its usual one stands."""
    return shape.task[name].choice(wanted) if wanted and name in shape.task else None


def _description(row: RecordWrite) -> str:
    """The reference is added where the text lacks it: lost answers are found by it."""
    text = row.body if carries(row.body, row.ref) else f"{row.body}\n{row.ref}".lstrip("\n")
    if len(text) <= _DESCRIPTION_LENGTH:
        return text
    return f"{text[: _DESCRIPTION_LENGTH - len(row.ref) - 2]}…\n{row.ref}"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
