"""What did an admin write in a YAML file, and on which line and column does each value stand?

Reads a small, unsurprising part of YAML 1.2: mappings, lists and texts. No value is guessed to be a number, a date or
a boolean; whoever uses a value decides what it is. Anchors, aliases, tags, several documents and repeated keys are
refused, because each of them lets a file say something else than a reviewer sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from connector.adapters.yaml_traps import explain, unquoted_template, unread_comment
from connector.errors import MappingError, Mistake

Trail = tuple[str | int, ...]
"""Where in a document: keys and list positions from the top, such as `("steps", 3, "send")`."""

_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # libyaml is ten times faster
_LARGEST = 512 * 1024  # characters; the longest hand-written journey is a few hundred lines
_DEEPEST = 60  # levels; ten nested branches need about 40


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a value stands: line and column from 1, span of the source it takes, and how it is quoted.

    Attributes:
        style: empty for a plain text, else one of `'`, `"`, `|`, `>`.
    """

    line: int
    column: int
    start: int = 0
    end: int = 0
    style: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file, read.

    Attributes:
        file: its path as the admin knows it.
        text: what stands in it.
        value: dicts, lists, texts, and None where a key has no value.
    """

    file: str
    text: str
    value: Any
    _spots: Mapping[Trail, Spot]
    _keys: Mapping[Trail, Spot]

    def spot(self, trail: Trail, *, key: bool = False) -> Spot:
        """Find a value, or its key; of something that is not there, the nearest thing around it."""
        found = (self._keys.get(trail) if key else None) or self._spots.get(trail)
        if found is not None:
            return found
        return self.spot(trail[:-1], key=True) if trail else Spot(1, 1)

    def has(self, trail: Trail) -> bool:
        """Tell whether something is written there."""
        return trail in self._spots

    def content_spot(self, trail: Trail) -> Spot:
        """Find where the text of a value begins: a block (`|`, `>`) begins on the line below its mark."""
        spot = self.spot(trail)
        if spot.style not in {"|", ">"}:
            return spot
        head = re.compile(r"[^\n]*\n(?:[ ]*\n)*([ ]*)").match(self.text, spot.start)
        if head is None:
            return spot
        line = spot.line + self.text.count("\n", spot.start, head.end())
        return Spot(line, len(head[1]) + 1, head.end(), spot.end, spot.style)

    def find(self, trail: Trail, words: str, line: int = 1) -> Spot:
        """Find `words` in a value, from the value's own `line` on; the value's beginning when they are not there."""
        start = self.content_spot(trail)
        offset = start.start
        if start.style == "|":
            for _ in range(line - 1):
                offset = self.text.find("\n", offset) + 1 or offset
        before, after = r"(?<![\w.])" if words[:1].isalnum() else "", r"(?!\w)" if words[-1:].isalnum() else ""
        pattern = before + re.escape(words) + after
        found = re.compile(pattern).search(self.text, offset, start.end)
        return spot_at(self.text, found.start()) if found else start

    def mistake(
        self, trail: Trail, message: str, suggestion: str | None = None, *, key: bool = False, severity: str = "error"
    ) -> Mistake:
        """Say that something is wrong at a place of this document."""
        return self.mistake_at(self.spot(trail, key=key), trail, message, suggestion, severity=severity)

    def mistake_at(
        self, spot: Spot, trail: Trail, message: str, suggestion: str | None = None, *, severity: str = "error"
    ) -> Mistake:
        """Say that something is wrong at an exact spot."""
        return Mistake(self.file, spot.line, spot.column, format_trail(trail), message, suggestion, severity)


def format_trail(trail: Trail) -> str:
    """Write `("steps", 3, "wait_for")` as `steps[3].wait_for`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in trail).removeprefix(".")


def spot_at(text: str, index: int) -> Spot:
    """Turn a position in a text into line and column."""
    return Spot(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index), index, index)


def files_in(folder: Path) -> tuple[list[Path], list[Mistake]]:
    """Find a folder's `.yaml` files by name; a `.yml` file, which would be overlooked in silence, is a mistake."""
    unread = [
        Mistake(str(path), 0, 0, "", "is not read", "rename it to .yaml") for path in sorted(folder.glob("*.yml"))
    ]
    return sorted(folder.glob("*.yaml")), unread


def read_file(path: Path, file: str | None = None) -> Document:
    """Read a YAML file.

    Raises:
        MappingError: the file cannot be read, is no UTF-8 or no YAML of the kind described above.
    """
    return read_yaml(read_text(path, file), file or str(path))


def read_text(path: Path, file: str | None = None) -> str:
    """Read a text file as UTF-8, without a byte order mark and with plain line ends.

    Raises:
        MappingError: it cannot be read, or is not UTF-8.
    """
    name = file or str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as exc:
        raise MappingError([Mistake(name, 0, 0, "", f"cannot be read: {exc.strerror}")]) from exc
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        raise MappingError([Mistake(name, line, 0, "", "is not UTF-8 text: save the file as UTF-8")]) from exc
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_yaml(text: str, file: str) -> Document:
    """Read YAML from a text; `file` names it in messages.

    Raises:
        MappingError: all repeated keys, anchors, tags and traps at once, or the first place that is no YAML.
    """
    if len(text) > _LARGEST:
        raise MappingError([Mistake(file, 0, 0, "", f"is larger than {_LARGEST // 1024} KiB")])
    builder = _Builder(file, text)
    try:
        value = builder.document()
    except yaml.YAMLError as exc:
        line, column, message, suggestion = explain(text, exc)
        builder.note(Spot(line, column), (), message, suggestion)
        raise MappingError(builder.mistakes) from exc
    if builder.mistakes:
        raise MappingError(builder.mistakes)
    return Document(file, text, value, builder.spots, builder.keys)


class _Builder:
    """Turns the parser's events into values, and notes where each one stands."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.spots: dict[Trail, Spot] = {}
        self.keys: dict[Trail, Spot] = {}
        self.mistakes: list[Mistake] = []
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)

    def document(self) -> Any:
        """Read the one document of the file; an empty file is None."""
        value, documents = None, 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse((), event, "holds a second document: one file says one thing, take out the `---`")
                    break
                value = self._value(next(self._events), ())
        return value

    def _value(self, event: Any, trail: Trail) -> Any:
        self.spots[trail] = spot = self._spot(event)
        self._refuse_cleverness(event, trail)
        if len(trail) > _DEEPEST:
            raise MappingError(
                [Mistake(self.file, spot.line, spot.column, "", f"nested deeper than {_DEEPEST} levels")]
            )
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(trail)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(trail)
        if isinstance(event, yaml.AliasEvent):
            return None
        return self._scalar(event, trail, spot)

    def _mapping(self, trail: Trail) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._skip_odd_key(event, trail)
                continue
            key, at = event.value, (*trail, event.value)
            if key in found:
                first = self.keys[at].line
                self._refuse(at, event, f"`{key}` stands here twice: the first one is in line {first}")
                self._value(next(self._events), (*trail, f"{key} "))
                continue
            self.keys[at] = self._spot(event)
            found[key] = self._value(next(self._events), at)
        self._close(trail, event)
        return found

    def _skip_odd_key(self, event: Any, trail: Trail) -> None:
        spot = self._spot(event)
        advice = unquoted_template(self.text.split("\n")[spot.line - 1])
        if advice:
            column, message, suggestion = advice
            self.note(Spot(spot.line, column), trail, message, suggestion)
        else:
            self._refuse(trail, event, "a key must be one word")
        odd = (*trail, "?")
        self._value(event, odd)
        self._value(next(self._events), odd)

    def _list(self, trail: Trail) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*trail, len(found))))
        self._close(trail, event)
        return found

    def _close(self, trail: Trail, end: Any) -> None:
        self.spots[trail] = replace(self.spots[trail], end=end.end_mark.index)

    def _scalar(self, event: Any, trail: Trail, spot: Spot) -> str | None:
        if spot.style:
            return str(event.value)
        comment = unread_comment(self.text, spot.end)
        if comment:
            self._refuse(trail, event, *comment)
        return str(event.value) or None

    def _refuse_cleverness(self, event: Any, trail: Trail) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            self._refuse(
                trail,
                event,
                "`&` and `*` (YAML anchors and aliases) are not used in these files",
                "write the value out; put a text that begins with * or & in quotes",
            )
        elif event.tag not in {None, "!"}:
            self._refuse(
                trail, event, "`!` (YAML tags) are not used in these files", "put a text that begins with ! in quotes"
            )

    def _refuse(self, trail: Trail, event: Any, message: str, suggestion: str | None = None) -> None:
        self.note(self._spot(event), trail, message, suggestion)

    def note(self, spot: Spot, trail: Trail, message: str, suggestion: str | None) -> None:
        """Keep a mistake, unless the same one is known for this line."""
        if not any((known.line, known.message) == (spot.line, message) for known in self.mistakes):
            self.mistakes.append(Mistake(self.file, spot.line, spot.column, format_trail(trail), message, suggestion))

    @staticmethod
    def _spot(event: Any) -> Spot:
        start, end = event.start_mark, event.end_mark
        return Spot(start.line + 1, start.column + 1, start.index, end.index, getattr(event, "style", None) or "")
