"""What may a journey's conditions and texts refer to, and what would plausible values of it be?

The names come from the event files, so that one that does not exist is found before a customer could miss it. The
plausible values let the check run every condition and text once: a sum of a text and a number shows, and so does a
text of seven parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connector.domain.consent import KeywordBook
from connector.domain.event_mapping import EventCatalogue, FieldSource, Reads, ValueKind

_MOMENT = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
_BY_KIND: Mapping[ValueKind, Any] = {
    ValueKind.TEXT: "Website relaunch",
    ValueKind.NUMBER: Decimal(12),
    ValueKind.MONEY: Decimal("1249.50"),
    ValueKind.TIME: _MOMENT,
    ValueKind.DATE: date(2026, 11, 20),
    ValueKind.YES_NO: True,
    ValueKind.PIPELINE: "Demo booked",
}
_BY_NAME: Mapping[str, str] = {
    "id": "18204417",
    "owner_id": "51203",
    "name": "Alexandra Schneider",
    "first_name": "Alexandra",
    "last_name": "Schneider",
    "email": "alexandra.schneider@example.com",
    "phone": "+12025550143",
    "company": "Brightwater Ltd",
    "city": "Manchester",
    "number": "INV-20417",
    "currency": "EUR",
    "link": "https://pay.example.com/invoices/8f3kd92hq1x7",
    "status": "open",
    "priority": "HIGH",
    "subject": "Checkout page shows an error",
}  # lengths as they are in practice; some people have longer names than this one

_OWNER = {"id": "51203", "name": "Samuel Okafor", "first_name": "Samuel", "email": "samuel.okafor@example.com"}
_ACCOUNT = {"id": "4471023", "name": "Brightwater", "time_zone": "Europe/London", "currency": "EUR"}


@dataclass(frozen=True, slots=True)
class World:
    """What a journey file is checked against; None means "not known, do not check".

    Attributes:
        templates: sources of all templates by file name under `templates/`.
        templates_dir: how the admin knows that folder.
        windows: names of send windows.
    """

    catalogue: EventCatalogue = field(default_factory=EventCatalogue)
    templates: Mapping[str, str] = field(default_factory=dict)
    templates_dir: str = "templates"
    keywords: KeywordBook | None = None
    windows: frozenset[str] | None = None


def sample_names(
    world: World, crm: str | None, trigger: str, event: str | None, variables: Mapping[str, Any]
) -> dict[str, Any]:
    """Give every name that a condition or text may use, with a plausible value each.

    `trigger` is the event that starts the journey, `event` the one being looked at (None where there is none), `crm`
    the journey's CRM or None for any, `variables` the values of `vars.*`.
    """
    contact = {name: _plausible(name) for name in world.catalogue.contact_names(crm)}
    records = {record: sample_record(reads) for record, reads in world.catalogue.records(trigger, crm).items()}
    names: dict[str, Any] = {
        "contact": contact,
        "owner": dict(_OWNER),
        "account": dict(_ACCOUNT),
        "last_reply": {"text": "Yes please", "at": _MOMENT},
        "last_message": {"state": "delivered", "at": _MOMENT},
        "now": _MOMENT,
        "vars": dict(variables),
        **{record: values for record, values in records.items() if record != "contact"},
    }
    if event is not None:
        seen = world.catalogue.records(event, crm)
        values = {record: sample_record(reads) for record, reads in seen.items()}
        names["event"] = {**values, "name": event, "occurred_at": _MOMENT, "id": _BY_NAME["id"]}
    return names


def sample_record(reads: Reads) -> dict[str, Any]:
    """Give plausible values of what is read of a record."""
    return {name: _plausible(name, source) for name, source in reads.items()}


def _plausible(name: str, source: FieldSource | None = None) -> Any:
    kind = ValueKind.TEXT if source is None else source.kind
    return _BY_NAME.get(name, _BY_KIND[kind]) if kind is ValueKind.TEXT else _BY_KIND[kind]
