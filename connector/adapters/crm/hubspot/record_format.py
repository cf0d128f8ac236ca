"""How does a record of ours look as a HubSpot object?

A text is a Communication of channel SMS, logged from the CRM; a task is a Task, a note a Note. Association type ids are
HubSpot's own (developers.hubspot.com/docs/api-reference/latest/crm/associations). There is none between these and
invoices, so such an association is left out and the record stands on its contact alone.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from connector.domain.event import ObjectRef
from connector.ports.crm_writing import RecordKind, RecordWrite

BODY_PROPERTY = MappingProxyType(
    {
        RecordKind.COMMUNICATION: "hs_communication_body",
        RecordKind.TASK: "hs_task_body",
        RecordKind.NOTE: "hs_note_body",
    }
)
_ASSOCIATION_TYPES: Mapping[RecordKind, Mapping[str, int]] = MappingProxyType(
    {
        RecordKind.COMMUNICATION: {"contact": 81, "ticket": 83, "deal": 85, "company": 87},
        RecordKind.TASK: {"contact": 204, "company": 192, "deal": 216, "ticket": 230},
        RecordKind.NOTE: {"contact": 202, "company": 190, "deal": 214, "ticket": 228},
    }
)
_PRIORITIES = frozenset({"LOW", "MEDIUM", "HIGH"})


def creation(row: RecordWrite) -> Mapping[str, Any]:
    """Give the input of a batch create."""
    return {
        "properties": {**_lasting(row), **changeable(row)},
        "associations": list(_associations(row)),
        "objectWriteTraceId": row.ref,
    }


def change(row: RecordWrite) -> Mapping[str, Any]:
    """Give the input of a batch update."""
    return {"id": row.crm_record_id, "properties": changeable(row), "objectWriteTraceId": row.ref}


def changeable(row: RecordWrite) -> Mapping[str, str]:
    """Give the properties that follow the row; what a person may have changed since, such as a task's status, is not
    among them.
    """
    text = {BODY_PROPERTY[row.kind]: _rich_text(row), "hs_timestamp": timestamp(row.at)}
    return text | {"hs_task_subject": row.title} if row.kind is RecordKind.TASK else text


def timestamp(moment: datetime) -> str:
    """Write a moment as HubSpot reads it: UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def carries(rich_text: str, ref: str) -> bool:
    """Whether a body read from HubSpot carries our reference, as a word of its own."""
    return re.search(rf"(?<![\w-]){re.escape(ref)}(?![\w-])", html.unescape(rich_text)) is not None


def _lasting(row: RecordWrite) -> Mapping[str, str]:
    owner = {"hubspot_owner_id": row.owner_id} if row.owner_id else {}
    if row.kind is RecordKind.COMMUNICATION:
        return {"hs_communication_channel_type": "SMS", "hs_communication_logged_from": "CRM", **owner}
    return owner if row.kind is RecordKind.NOTE else {**_of_task(row), **owner}


def _of_task(row: RecordWrite) -> Mapping[str, str]:
    priority = row.priority.upper()
    return {
        "hs_task_type": "CALL" if row.is_call else "TODO",
        "hs_task_status": "NOT_STARTED",
        "hs_task_priority": priority if priority in _PRIORITIES else "NONE",
        **({"hs_queue_membership_ids": row.queue_id} if row.queue_id else {}),
    }


def _rich_text(row: RecordWrite) -> str:
    """HubSpot shows bodies as HTML. The reference is added where the text lacks it: lost answers are found by it."""
    text = row.body if carries(row.body, row.ref) else f"{row.body}\n{row.ref}".lstrip("\n")
    return html.escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>")


def _associations(row: RecordWrite) -> Iterable[Mapping[str, Any]]:
    known = _ASSOCIATION_TYPES[row.kind]
    contact = (ObjectRef("contact", row.contact_crm_id),) if row.contact_crm_id else ()
    for ref in dict.fromkeys([*contact, *row.associations]):
        if ref.object_type in known:
            kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": known[ref.object_type]}
            yield {"to": {"id": ref.object_id}, "types": [kind]}
