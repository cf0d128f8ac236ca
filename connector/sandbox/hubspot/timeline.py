"""What does a contact's timeline show?"""

from typing import Any

from connector.sandbox.hubspot.portal import Portal, Record

Rows = list[dict[str, Any]]
_BODY = {"communications": "hs_communication_body", "tasks": "hs_task_body", "notes": "hs_note_body"}


def contact_timeline(portal: Portal, contact_id: str) -> Rows:
    """Logged messages, tasks and notes joined to a contact, newest first.

    Each is {id, type: communications|tasks|notes, body, timestamp, properties, associations: {type: [ids]}}.
    """
    entries = [
        _entry(portal, portal.records[name][object_id])
        for name in _BODY
        for object_id in portal.linked("contacts", contact_id, name)
    ]
    return sorted(entries, key=lambda each: (each["timestamp"], int(each["id"])), reverse=True)


def _entry(portal: Portal, record: Record) -> dict[str, Any]:
    joined = {other: [*portal.linked(record.object_type, record.id, other)] for other in portal.records}
    return {
        "id": record.id,
        "type": record.object_type,
        "body": record.properties.get(_BODY[record.object_type], ""),
        "timestamp": record.properties["hs_timestamp"],
        "properties": dict(record.properties),
        "associations": {other: ids for other, ids in joined.items() if ids},
    }
