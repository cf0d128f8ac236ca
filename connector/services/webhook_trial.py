"""What would a webhook become, had it come now?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connector.domain.event_mapping import EventCatalogue, EventMapping
from connector.domain.webhook_sources import read_payload
from connector.ports.inbox import InboxRow
from connector.services.crm_reading import Reading
from connector.services.happenings import WEBHOOK, Happening, delivered, type_of


def tried(catalogue: EventCatalogue, source: str, type_: str, body: bytes, now: datetime) -> dict[str, Any]:
    """Understand a body as the inbox would, and give what came of it as plain values.

    Returns:
        `type`, `occurred_at`, `nothing` (why no event is made, or empty) and `events`, each with its name, record,
        values by `record.name`, the ways its contact is named, file and line.
    """
    each = understood(catalogue, source, type_, body, now)
    payload = read_payload(body)
    said = None if payload is None else type_of(catalogue.webhooks.sources[source], payload, type_)
    return {
        "type": said,
        "occurred_at": None if each.occurred_at is None else each.occurred_at.isoformat(),
        "nothing": each.useless,
        "events": [_event(each, event) for event in each.events],
    }


def understood(catalogue: EventCatalogue, source: str, type_: str, body: bytes, now: datetime) -> Happening:
    """Understand a body as the inbox would."""
    row = InboxRow("trial", None, WEBHOOK, "trial", body, {"source": source, "type": type_}, now)
    return delivered(row, catalogue)


def _event(each: Happening, event: EventMapping) -> dict[str, Any]:
    wanted = each.told[event.name]
    values = Reading().values(wanted) or {}
    people = wanted.told.people if wanted.told is not None else ()
    return {
        "event": event.name,
        "record": str(wanted.ref),
        "values": {
            f"{record}.{name}": None if value is None else str(value)
            for record, named in values.items()
            for name, value in named.items()
        },
        "contact": [{"by": person.by.value, "text": person.text} for person in people],
        "file": event.file,
        "line": event.line,
    }
