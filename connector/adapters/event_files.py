"""Which events do the files under `mappings/events/` declare, and what do they read?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from connector.adapters.event_schema import (
    PROPERTY,
    ContactRuleShape,
    ContactShape,
    EventFileShape,
    EventShape,
    OnShape,
    PollShape,
)
from connector.adapters.journey_schema import EVENT, VARIABLE
from connector.adapters.poll_conditions import parse_condition
from connector.adapters.webhook_file import read_webhooks
from connector.adapters.webhook_schema import GENERIC
from connector.adapters.yaml_file import Document, Trail, files_in, read_file
from connector.adapters.yaml_shapes import closest, listed, quoted, shape_of, spoken
from connector.domain.event import ChangeKind
from connector.domain.event_mapping import (
    ContactFrom,
    ContactMapping,
    ContactRule,
    CRMEvents,
    EventCatalogue,
    EventMapping,
    FieldSource,
    OnChange,
    Poll,
    PollFilter,
    Reads,
    ValueKind,
    WebhookEvents,
)
from connector.errors import MappingError, Mistake

_SOONEST = timedelta(minutes=1)  # a CRM's search index lags by about as much; more often finds nothing new


@dataclass(frozen=True, slots=True)
class EventShelf:
    """All event files: what is right in them, and what is wrong."""

    catalogue: EventCatalogue
    mistakes: tuple[Mistake, ...]


def load_events(mappings_dir: Path) -> EventShelf:
    """Read every file under `mappings/events/`; an event with a mistake is left out, the others stand."""
    by_crm: dict[str, CRMEvents] = {}
    webhooks = WebhookEvents()
    paths, mistakes = files_in(mappings_dir / "events")
    for path in paths:
        try:
            document = read_file(path)
        except MappingError as exc:
            mistakes.extend(exc.mistakes)
            continue
        if path.stem == GENERIC:
            webhooks = read_webhooks(document, mistakes)
            continue
        reader = _EventReader(document)
        events = reader.read(path.stem)
        mistakes.extend(reader.mistakes)
        if events is not None:
            by_crm[events.crm] = events
    return EventShelf(EventCatalogue(by_crm, webhooks), tuple(mistakes))


class _EventReader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.mistakes: list[Mistake] = []

    def read(self, stem: str) -> CRMEvents | None:
        found = shape_of(EventFileShape(), self.document, (), self.document.value, self.mistakes)
        if found is None:
            return None
        if found["crm"] != stem:
            self._say(("crm",), f"the file is named {stem}, the crm `{found['crm']}`: they must be the same")
        events = found["events"]
        if not isinstance(events, dict):
            self._say(("events",), f"expected events by name, found {spoken(events)}")
            return None
        read = (self._event(name, found["crm"], ("events", name), raw) for name, raw in events.items())
        contact = self._contact_mapping(found["contact"])
        kept = {event.name: event for event in read if event is not None}
        return CRMEvents(found["crm"], kept, contact, self.document.file)

    def _event(self, name: str, crm: str, trail: Trail, raw: Any) -> EventMapping | None:
        before = len(self.mistakes)
        if not re.fullmatch(EVENT, name):
            self._say(
                trail, f"{quoted(name)} is no event name: expected two words with a dot, such as deal.won", key=True
            )
        found = shape_of(EventShape(), self.document, trail, raw, self.mistakes)
        if found is None:
            return None
        source = self._source(trail, raw)
        read = self._records((*trail, "read"), found["read"]) if "read" in found else {}
        rule = self._contact_rule((*trail, "contact"), found["contact"], source)
        if source is None or rule is None or len(self.mistakes) > before:
            return None
        line = self.document.spot(trail, key=True).line
        return EventMapping(name, crm, source, read, rule, self.document.file, line)

    def _source(self, trail: Trail, raw: Mapping[str, Any]) -> OnChange | Poll | None:
        if ("on" in raw) == ("poll" in raw):
            self._say(trail, "expected `on` or `poll`, and not both", key=True)
            return None
        return self._on((*trail, "on"), raw["on"]) if "on" in raw else self._poll((*trail, "poll"), raw["poll"])

    def _on(self, trail: Trail, raw: Any) -> OnChange | None:
        found = shape_of(OnShape(), self.document, trail, raw, self.mistakes)
        if found is None:
            return None
        kind = ChangeKind(found.get("kind", ChangeKind.CHANGED.value))
        if (kind is ChangeKind.CHANGED) != ("property" in found):
            self._say(trail, "expected a `property` that changed, or `kind: created`")
            return None
        return OnChange(found["object"], kind, found.get("property"), found.get("values", ()))

    def _poll(self, trail: Trail, raw: Any) -> Poll | None:
        found = shape_of(PollShape(), self.document, trail, raw, self.mistakes)
        if found is None:
            return None
        if found["every"] < _SOONEST:
            self._say((*trail, "every"), "polls more often than once a minute", "write 1 minute or more")
        where = [self._filter((*trail, "where", number), item) for number, item in enumerate(found["where"])]
        return Poll(found["every"], found["object"], tuple(each for each in where if each), found["once_per"])

    def _filter(self, trail: Trail, raw: Any) -> PollFilter | None:
        try:
            return parse_condition(raw if isinstance(raw, str) else spoken(raw))
        except ValueError as exc:
            self._say(trail, str(exc))
            return None

    def _records(self, trail: Trail, raw: Any) -> dict[str, Reads]:
        if not isinstance(raw, dict) or not raw:
            self._say(trail, f"expected records with what is read of each, found {spoken(raw)}")
            return {}
        return {record: dict(self._reads((*trail, record), parts)) for record, parts in raw.items()}

    def _reads(self, trail: Trail, raw: Any) -> Iterator[tuple[str, FieldSource]]:
        if not isinstance(raw, dict):
            self._say(trail, f"expected our names with the CRM's properties (name: dealname), found {spoken(raw)}")
            return
        for name, value in raw.items():
            at = (*trail, name)
            if not re.fullmatch(VARIABLE, name):
                self._say(
                    at, f"{quoted(name)} is no name: expected lower-case letters, digits and underscores", key=True
                )
            source = self._field(at, value)
            if source is not None:
                yield name, source

    def _field(self, trail: Trail, value: Any) -> FieldSource | None:
        kind, property_name = ValueKind.TEXT.value, value
        if isinstance(value, dict) and len(value) == 1:
            ((kind, property_name),) = value.items()
        known = [each.value for each in ValueKind]
        if kind not in known:
            self._say(
                (*trail, kind), f"there is no kind of value `{kind}`", closest(kind, known) or listed(known), key=True
            )
            return None
        if not isinstance(property_name, str) or not re.fullmatch(PROPERTY, property_name):
            self._say(trail, f"expected a property, or {{money: property}}, found {spoken(property_name)}")
            return None
        return FieldSource(property_name, ValueKind(kind))

    def _contact_rule(self, trail: Trail, raw: Any, source: OnChange | Poll | None) -> ContactRule | None:
        if raw == ContactFrom.SELF.value:
            return ContactRule(ContactFrom.SELF, source.object_type if source else "contact")
        found = shape_of(ContactRuleShape(), self.document, trail, raw, self.mistakes)
        if found is None:
            return None
        if source is not None and found["associated"] != source.object_type:
            self._say((*trail, "associated"), f"the event is about a {source.object_type}, not a {found['associated']}")
        return ContactRule(ContactFrom.ASSOCIATED, found["associated"], found.get("prefer"), found.get("through"))

    def _contact_mapping(self, raw: Any) -> ContactMapping:
        trail: Trail = ("contact",)
        found = shape_of(ContactShape(), self.document, trail, raw, self.mistakes)
        if found is None:
            return ContactMapping()
        read = found["read"]
        if not isinstance(read, dict):
            self._say((*trail, "read"), f"expected our names with the CRM's properties, found {spoken(read)}")
            return ContactMapping()
        attributes = {name: value for name, value in read.items() if isinstance(value, str)}
        joined = {name: tuple(value) for name, value in read.items() if isinstance(value, list)}
        for name, parts in joined.items():
            for part in parts:
                if part not in attributes:
                    self._say((*trail, "read", name), f"is put together of {spoken(part)}, which is not read here")
        for name in read.keys() - attributes.keys() - joined.keys():
            self._say((*trail, "read", name), "expected a property, or a list of names read here")
        return ContactMapping(attributes, joined)

    def _say(self, trail: Trail, message: str, suggestion: str | None = None, *, key: bool = False) -> None:
        self.mistakes.append(self.document.mistake(trail, message, suggestion, key=key))
