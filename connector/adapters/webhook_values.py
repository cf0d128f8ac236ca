"""Which values does an event of a webhook read, as the file of webhooks writes them?

- `number: $.data.number`: a text
- `due_at: {time: $.data.due, in: seconds}`: money, number, time, date, yes_no; in what unit
- `balance_due: {money: $.data.amount, in: minor}`: in the smallest unit of the `currency` read beside it
- `status: {text: $.state, words: {in_transit: shipped}}`: the system's words in ours
- `carrier: {always: DHL}`: what no payload says
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connector.adapters.journey_schema import VARIABLE
from connector.adapters.json_paths import json_path
from connector.adapters.webhook_schema import UNITS
from connector.adapters.yaml_file import Document, Trail
from connector.adapters.yaml_shapes import closest, listed, quoted, spoken
from connector.domain.event_mapping import FieldSource, Reads, ValueKind
from connector.domain.webhook_sources import PayloadPath, PayloadValue, Unit
from connector.errors import Mistake

_ALWAYS = "always"
_CURRENCY = "currency"
_KINDS = tuple(kind.value for kind in ValueKind if kind is not ValueKind.PIPELINE)  # stages are the CRM's
_FITS: Mapping[Unit, frozenset[str]] = {
    Unit.MINOR: frozenset({ValueKind.MONEY.value, ValueKind.NUMBER.value}),
    Unit.SECONDS: frozenset({ValueKind.TIME.value, ValueKind.DATE.value}),
}


class ValueReader:
    """Reads `read`, and paths."""

    def __init__(self, document: Document, mistakes: list[Mistake]) -> None:
        self._document, self._mistakes = document, mistakes

    def read(self, trail: Trail, raw: Any) -> tuple[dict[str, Reads], dict[str, PayloadValue]]:
        """Give what is read of each record, and what each property it names stands for."""
        if not isinstance(raw, dict) or not raw:
            self._say(trail, f"expected records with what is read of each, found {spoken(raw)}")
            return {}, {}
        found = [
            (record, name, kind, value)
            for record, parts in raw.items()
            for name, kind, value in self._record((*trail, record), record, parts)
        ]
        reads: dict[str, dict[str, FieldSource]] = {record: {} for record in raw}
        for record, name, kind, _ in found:
            reads[record][name] = FieldSource(f"{record}.{name}", kind)
        return dict(reads), {f"{record}.{name}": value for record, name, _, value in found}

    def path(self, trail: Trail, raw: Any, expected: str = "a JSONPath, such as $.data.id") -> PayloadPath | None:
        """Read a JSONPath."""
        if not isinstance(raw, str):
            self._say(trail, f"expected {expected}, found {spoken(raw)}")
            return None
        try:
            return json_path(raw.strip())
        except ValueError as error:
            near = f"write $.{raw.strip()}" if re.fullmatch(r"[A-Za-z_][\w.]*", raw.strip()) else None
            self._say(trail, f"{quoted(raw)}: {error}", near)
            return None

    def _record(self, trail: Trail, record: str, raw: Any) -> Iterator[tuple[str, ValueKind, PayloadValue]]:
        if not re.fullmatch(VARIABLE, record) or record == "contact":
            self._say(trail, f"{quoted(record)} is no name of a record, such as invoice", key=True)
        if not isinstance(raw, dict):
            self._say(trail, f"expected our names with places (number: $.data.number), found {spoken(raw)}")
            return
        currency = self.path((*trail, _CURRENCY), raw[_CURRENCY]) if isinstance(raw.get(_CURRENCY), str) else None
        for name, written in raw.items():
            at = (*trail, name)
            if not re.fullmatch(VARIABLE, name):
                self._say(
                    at, f"{quoted(name)} is no name: expected lower-case letters, digits and underscores", key=True
                )
            if name == _CURRENCY and isinstance(written, str):
                if currency is not None:
                    yield name, ValueKind.TEXT, PayloadValue(currency, Unit.CAPITALS)
                continue
            value = self._value(at, written, currency)
            if value is not None:
                yield name, *value

    def _value(self, trail: Trail, raw: Any, currency: PayloadPath | None) -> tuple[ValueKind, PayloadValue] | None:
        if isinstance(raw, str):
            path = self.path(trail, raw)
            return None if path is None else (ValueKind.TEXT, PayloadValue(path))
        if not isinstance(raw, dict) or not raw:
            self._say(trail, f"expected a JSONPath, or {{money: JSONPath}}, found {spoken(raw)}")
            return None
        if list(raw) == [_ALWAYS]:
            return self._always((*trail, _ALWAYS), raw[_ALWAYS])
        kind = self._kind(trail, raw)
        if kind is None:
            return None
        path = self.path((*trail, kind), raw[kind])
        unit = self._unit((*trail, "in"), kind, raw["in"], currency) if "in" in raw else Unit.PLAIN
        words = self._words((*trail, "words"), kind, raw["words"]) if "words" in raw else {}
        if path is None or unit is None:
            return None
        return ValueKind(kind), PayloadValue(path, unit, currency if unit is Unit.MINOR else None, words)

    def _kind(self, trail: Trail, raw: Mapping[str, Any]) -> str | None:
        """Give the key that names the kind of value; every other key is one that goes with it."""
        kinds = [key for key in raw if key in _KINDS]
        for unknown in raw.keys() - {*kinds, "in", "words"}:
            known = [*_KINDS, "in", "words", _ALWAYS]
            message = f"there is no kind of value {quoted(unknown)}"
            self._say((*trail, unknown), message, closest(unknown, known) or f"there are {listed(known)}", key=True)
        if len(kinds) == 1:
            return kinds[0]
        if raw.keys() <= {*kinds, "in", "words"}:
            self._say(trail, f"expected one kind of value ({listed(_KINDS)}), found {listed(kinds) or 'none'}")
        return None

    def _unit(self, trail: Trail, kind: str, raw: Any, currency: PayloadPath | None) -> Unit | None:
        unit = UNITS.get(raw) if isinstance(raw, str) else None
        if unit is None:
            self._say(trail, f"{spoken(raw)} is no unit", closest(str(raw), UNITS) or f"there are {listed(UNITS)}")
        elif kind not in _FITS[unit]:
            self._say(trail, f"`{unit}` goes with {' or '.join(sorted(_FITS[unit]))}, not with {kind}")
        elif unit is Unit.MINOR and currency is None:
            self._say(trail, "the smallest unit of which currency?", "read `currency: $.…` beside it")
        else:
            return unit
        return None

    def _words(self, trail: Trail, kind: str, raw: Any) -> dict[str, str]:
        if kind != ValueKind.TEXT.value:
            self._say(trail, f"words go with a text, not with {kind}", key=True)
        elif not isinstance(raw, dict) or not all(isinstance(word, str) for word in raw.values()):
            self._say(trail, f"expected their words with ours (in_transit: shipped), found {spoken(raw)}")
        else:
            return dict(raw)
        return {}

    def _always(self, trail: Trail, raw: Any) -> tuple[ValueKind, PayloadValue] | None:
        if isinstance(raw, str):
            return ValueKind.TEXT, PayloadValue(None, fixed=raw)
        self._say(trail, f"expected a text, found {spoken(raw)}")
        return None

    def _say(self, trail: Trail, message: str, suggestion: str | None = None, *, key: bool = False) -> None:
        self._mistakes.append(self._document.mistake(trail, message, suggestion, key=key))
