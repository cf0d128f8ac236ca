"""Which sample people and records does a text's companion file name, to see the text with?

`templates/<journey>/<step>.previews.yaml` holds `previews`, by a name for people; each says only what differs from the
plausible values. A name without a value stands for an empty field in the CRM.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from connector.adapters.name_checks import OPEN
from connector.adapters.yaml_file import Document, Trail, read_file
from connector.adapters.yaml_shapes import closest, listed, quoted, spoken
from connector.errors import MappingError, Mistake

ENDING = ".previews.yaml"

_YES_NO: Mapping[str, bool] = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True, slots=True)
class Preview:
    """Sample values to see a text with, by record and name; what is left out stays plausible."""

    name: str
    trail: Trail
    values: Mapping[str, Any]


def read_preview_files(templates_dir: Path) -> tuple[dict[str, Document], list[Mistake]]:
    """Read every companion file by the name of its text (`invoice-overdue/first`)."""
    found: dict[str, Document] = {}
    mistakes = [
        Mistake(str(path), 0, 0, "", "is not read", "rename it to .yaml")
        for path in sorted(templates_dir.rglob("*.previews.yml"))
    ]
    for path in sorted(templates_dir.rglob(f"*{ENDING}")):
        name = path.relative_to(templates_dir).as_posix().removesuffix(ENDING)
        try:
            found[name] = read_file(path)
        except MappingError as exc:
            mistakes.extend(exc.mistakes)
    return found, mistakes


def previews_of(document: Document, names: Mapping[str, Any]) -> tuple[list[Preview], list[Mistake]]:
    """Read the previews of a text that sees `names`; one with a mistake is left out, the others stand."""
    reader = _Reader(document)
    previews = list(reader.previews(names))
    return previews, reader.mistakes


class _Reader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.mistakes: list[Mistake] = []

    def previews(self, names: Mapping[str, Any]) -> Iterator[Preview]:
        top = self.document.value
        if not isinstance(top, dict):
            self._say((), f"expected previews by name (previews: …), found {spoken(top)}")
            return
        for key in top.keys() - {"previews"}:
            self._say((key,), f"`{key}` is not a key of a preview file", closest(key, ("previews",)), key=True)
        listed_ones = top.get("previews")
        if not isinstance(listed_ones, dict):
            self._say(("previews",), f"expected previews by name (long name: …), found {spoken(listed_ones)}")
            return
        for name, raw in listed_ones.items():
            before = len(self.mistakes)
            values = self._mapping(("previews", name), raw, names, "")
            if len(self.mistakes) == before:
                yield Preview(name, ("previews", name), values)

    def _mapping(self, trail: Trail, raw: Any, known: Mapping[str, Any], before: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            self._say(trail, f"expected values by name (contact: …), found {spoken(raw)}")
            return {}
        found: dict[str, Any] = {}
        for name, value in raw.items():
            at = (*trail, name)
            if name in known:
                found[name] = self._value(at, value, known[name], f"{before}{name}")
            else:
                message = f"`{before[:-1]}` has no `{name}`" if before else f"there is no `{name}`"
                near = closest(name, known)
                hint = near.replace("`", f"`{before}", 1) if near else f"there are {listed(sorted(known))}"
                self._say(at, message, hint, key=True)
        return found

    def _value(self, trail: Trail, raw: Any, sample: Any, name: str) -> Any:
        if isinstance(sample, Mapping):
            return {} if raw is None else self._mapping(trail, raw, sample, f"{name}.")
        if sample is OPEN:
            return _guessed(raw)
        if raw is None:
            return None
        if not isinstance(raw, str):
            self._say(trail, f"expected one value, found {spoken(raw)}")
            return None
        try:
            return _converted(raw.strip(), sample)
        except (ValueError, InvalidOperation):
            self._say(trail, f"expected {_wanted(sample)}, found {quoted(raw)}")
            return None

    def _say(self, trail: Trail, message: str, suggestion: str | None = None, *, key: bool = False) -> None:
        self.mistakes.append(self.document.mistake(trail, message, suggestion, key=key))


def _converted(text: str, sample: Any) -> Any:
    """Read a value as the kind that the sample is of."""
    if isinstance(sample, bool):
        if text.lower() not in _YES_NO:
            raise ValueError
        return _YES_NO[text.lower()]
    if isinstance(sample, int | float | Decimal):
        number = Decimal(text)
        if not number.is_finite():
            raise ValueError
        return number
    if isinstance(sample, datetime):
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return date.fromisoformat(text) if isinstance(sample, date) else text


def _wanted(sample: Any) -> str:
    if isinstance(sample, bool):
        return "yes or no"
    if isinstance(sample, datetime):
        return "a time such as 2026-11-20 15:30 (UTC) or 2026-11-20T15:30+01:00"
    return "a date such as 2026-11-20" if isinstance(sample, date) else "a number such as 1249.50"


def _guessed(raw: Any) -> Any:
    """Read a value of which nobody knows the kind: the answer of an endpoint."""
    if isinstance(raw, dict):
        return {name: _guessed(value) for name, value in raw.items()}
    if isinstance(raw, list):
        return [_guessed(value) for value in raw]
    try:
        number = Decimal(raw) if raw is not None else None
    except InvalidOperation:
        return raw
    return number if number is None or number.is_finite() else raw
