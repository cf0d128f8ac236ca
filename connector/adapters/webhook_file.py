"""Which systems' webhooks are taken, and which events do they make? What `mappings/events/generic.yaml` says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connector.adapters.journey_schema import EVENT, SLUG, VARIABLE
from connector.adapters.webhook_schema import (
    GENERIC,
    OccurrenceShape,
    OnWebhookShape,
    SignatureShape,
    SourceShape,
    TypeShape,
    WebhookFileShape,
)
from connector.adapters.webhook_values import ValueReader
from connector.adapters.yaml_file import Document, Trail
from connector.adapters.yaml_shapes import closest, listed, quoted, shape_of, spoken
from connector.domain.event_mapping import ContactFrom, ContactRule, EventMapping, FieldSource, WebhookEvents
from connector.domain.webhook_sources import (
    NamedBy,
    OnWebhook,
    PayloadPath,
    PayloadTest,
    PayloadValue,
    PersonPath,
    Signature,
    SignatureKind,
    Unit,
    WebhookSource,
)
from connector.errors import Mistake

_RECIPES: Mapping[str, Signature] = {
    # docs.stripe.com, "Verify webhook signatures manually"
    "stripe": Signature(SignatureKind.TIMESTAMPED, "Stripe-Signature"),
    # docs.github.com, "Validating webhook deliveries"
    "github": Signature(SignatureKind.HMAC, "X-Hub-Signature-256", prefix="sha256="),
}
"""Ways of signing that go by a name."""

_LONGEST_NAME = 40
"""Characters: the name is part of an address, and of keys in the ledger that have 255."""

_TEST = re.compile(r"\s*(\$.*?)\s*(?:(?<![=!<>])(!=|=)(?!=)\s*(.+?)|\s(in)\s*\((.+)\)|\s(exists|missing))\s*")


def read_webhooks(document: Document, mistakes: list[Mistake]) -> WebhookEvents:
    """Read the file; a source or an event with a mistake is left out, the others stand."""
    return _WebhookReader(document, mistakes).read()


class _WebhookReader:
    def __init__(self, document: Document, mistakes: list[Mistake]) -> None:
        self.document, self.mistakes = document, mistakes
        self.values = ValueReader(document, mistakes)

    def read(self) -> WebhookEvents:
        found = shape_of(WebhookFileShape(), self.document, (), self.document.value, self.mistakes)
        if found is None:
            return WebhookEvents()
        named = self._mapping(("sources",), found["sources"], "systems by name")
        read = {name: self._source(name, ("sources", name), raw) for name, raw in named.items()}
        events = self._mapping(("events",), found["events"], "events by name")
        made = tuple(each for name, raw in events.items() for each in self._event(name, raw, named))
        return WebhookEvents({name: source for name, source in read.items() if source is not None}, made)

    # --- systems -----------------------------------------------------------------------------------------------

    def _source(self, name: str, trail: Trail, raw: Any) -> WebhookSource | None:
        before = len(self.mistakes)
        if not re.fullmatch(SLUG, name) or len(name) > _LONGEST_NAME:
            expected = f"at most {_LONGEST_NAME} lower-case letters, digits and dashes"
            self._say(trail, f"{quoted(name)} is no name: expected {expected}", key=True)
        found = shape_of(SourceShape(), self.document, trail, raw, self.mistakes)
        if found is None:
            return None
        signature = self._signature((*trail, "signature"), found["signature"])
        id_ = self._path((*trail, "id"), found["id"]) if "id" in found else None
        type_, header = self._type((*trail, "type"), found["type"]) if "type" in found else (None, "")
        at = self._at((*trail, "at"), found["at"]) if "at" in found else None
        if signature is None or len(self.mistakes) > before:
            return None
        return WebhookSource(name, signature, id_, type_, header, at)

    def _signature(self, trail: Trail, raw: Any) -> Signature | None:
        if isinstance(raw, str):
            if raw not in _RECIPES:
                hint = closest(raw, _RECIPES) or f"there are {listed(_RECIPES)}, or write {{kind: hmac, header: …}}"
                self._say(trail, f"no way of signing is named {quoted(raw)}", hint)
            return _RECIPES.get(raw)
        found = shape_of(SignatureShape(), self.document, trail, raw, self.mistakes)
        if found is None:
            return None
        if found["kind"] == SignatureKind.TOKEN.value and found.keys() & {"encoding", "prefix"}:
            self._say(trail, "a token is compared as it is: it has no encoding and no prefix")
        kind = SignatureKind(found["kind"])
        return Signature(kind, found["header"], found.get("encoding", "hex"), found.get("prefix", ""))

    def _type(self, trail: Trail, raw: Any) -> tuple[PayloadPath | None, str]:
        if isinstance(raw, str):
            return self._path(trail, raw), ""
        found = shape_of(TypeShape(), self.document, trail, raw, self.mistakes)
        return None, "" if found is None else found["header"]

    def _at(self, trail: Trail, raw: Any) -> PayloadValue | None:
        unit = Unit.PLAIN
        if isinstance(raw, dict) and list(raw) == [Unit.SECONDS.value]:
            unit, raw, trail = Unit.SECONDS, raw[Unit.SECONDS.value], (*trail, Unit.SECONDS.value)
        path = self._path(trail, raw, f"a JSONPath, or {{{Unit.SECONDS}: JSONPath}}")
        return None if path is None else PayloadValue(path, unit)

    # --- events ------------------------------------------------------------------------------------------------

    def _event(self, name: str, raw: Any, sources: Mapping[str, Any]) -> Iterator[EventMapping]:
        trail: Trail = ("events", name)
        if not re.fullmatch(EVENT, name):
            self._say(
                trail, f"{quoted(name)} is no event name: expected two words with a dot, such as cart.left", key=True
            )
            return
        several = raw if isinstance(raw, list) else [raw]
        for number, item in enumerate(several):
            event = self._occurrence(name, (*trail, number) if isinstance(raw, list) else trail, item, sources)
            if event is not None:
                yield event

    def _occurrence(self, name: str, trail: Trail, raw: Any, sources: Mapping[str, Any]) -> EventMapping | None:
        before = len(self.mistakes)
        found = shape_of(OccurrenceShape(), self.document, trail, raw, self.mistakes)
        if found is None:
            return None
        on = shape_of(OnWebhookShape(), self.document, (*trail, "on"), found["on"], self.mistakes)
        if on is not None and on["source"] not in sources:
            hint = closest(on["source"], sources) or f"there are {listed(sorted(sources))}"
            self._say((*trail, "on", "source"), f"no source is named {quoted(on['source'])}", hint)
        tests = tuple(self._tests((*trail, "where"), found.get("where", [])))
        record = self._record((*trail, "record"), found["record"])
        reads, values = self.values.read((*trail, "read"), found["read"]) if "read" in found else ({}, {})
        people = tuple(self._people((*trail, "contact"), found["contact"]))
        if on is None or record is None or len(self.mistakes) > before:
            return None
        name_of_id = f"{record[0]}.id"  # that of the record is read in any case: journeys tell their keys by it
        reads = {**reads, record[0]: {"id": FieldSource(name_of_id), **reads.get(record[0], {})}}
        values = {name_of_id: PayloadValue(record[1]), **values}
        source = OnWebhook(on["source"], on.get("type", ()), tests, *record, values, people)
        rule, line = ContactRule(ContactFrom.NAMED, source.object_type), self.document.spot(trail).line
        return EventMapping(name, GENERIC, source, reads, rule, self.document.file, line)

    def _record(self, trail: Trail, raw: Any) -> tuple[str, PayloadPath] | None:
        if not isinstance(raw, dict) or len(raw) != 1:
            self._say(trail, f"expected a record with the place of its id (invoice: $.id), found {spoken(raw)}")
            return None
        ((name, place),) = raw.items()
        if not re.fullmatch(VARIABLE, name) or name == "contact":
            self._say((*trail, name), f"{quoted(name)} is no name of a record, such as invoice", key=True)
            return None
        path = self._path((*trail, name), place)
        return None if path is None else (name, path)

    def _tests(self, trail: Trail, items: list[Any]) -> Iterator[PayloadTest]:
        for number, item in enumerate(items):
            at = (*trail, number)
            found = _TEST.fullmatch(item) if isinstance(item, str) else None
            if found is None:
                expected = "a JSONPath with =, !=, in (…), exists or missing"
                self._say(at, f"{spoken(item)} is no condition: expected {expected}", 'write "$.status = paid"')
                continue
            path = self._path(at, found[1])
            if path is None:
                continue
            if found[2]:
                yield PayloadTest(path, "EQ" if found[2] == "=" else "NEQ", (found[3],))
            elif found[4]:
                yield PayloadTest(path, "IN", tuple(word.strip() for word in found[5].split(",")))
            else:
                yield PayloadTest(path, found[6].upper())

    def _people(self, trail: Trail, raw: Any) -> Iterator[PersonPath]:
        ways = [by.value for by in NamedBy]
        if not isinstance(raw, dict | list) or not raw:
            self._say(trail, f"expected where the contact is named ({listed(ways)}), found {spoken(raw)}")
            return
        for at, key, place in _entries(trail, raw):
            if key not in ways:
                hint = closest(key, ways) or f"there are {listed(ways)}"
                self._say((*at, key), f"a contact is not found by {quoted(key)}", hint, key=True)
                continue
            path = self._path((*at, key), place)
            if path is not None:
                yield PersonPath(NamedBy(key), path)

    # --- both --------------------------------------------------------------------------------------------------

    def _path(self, trail: Trail, raw: Any, expected: str = "a JSONPath, such as $.data.id") -> PayloadPath | None:
        return self.values.path(trail, raw, expected)

    def _mapping(self, trail: Trail, raw: Any, expected: str) -> dict[str, Any]:
        if isinstance(raw, dict):
            return raw
        self._say(trail, f"expected {expected}, found {spoken(raw)}")
        return {}

    def _say(self, trail: Trail, message: str, suggestion: str | None = None, *, key: bool = False) -> None:
        self.mistakes.append(self.document.mistake(trail, message, suggestion, key=key))


def _entries(trail: Trail, raw: dict[str, Any] | list[Any]) -> Iterator[tuple[Trail, str, Any]]:
    """Give every `email: $.place` of a mapping, or of a list of them, in the order written."""
    if isinstance(raw, dict):
        yield from ((trail, key, place) for key, place in raw.items())
        return
    for number, item in enumerate(raw):
        yield from _entries((*trail, number), item if isinstance(item, dict) else {str(spoken(item)): None})
