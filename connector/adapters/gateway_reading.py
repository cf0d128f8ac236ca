"""How is one part of `mappings/gateways.yaml` after the other read, with every mistake kept?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from connector.adapters.yaml_file import Document, Trail
from connector.adapters.yaml_shapes import Shape, shape_of, spoken
from connector.errors import Mistake

_Read = TypeVar("_Read")


class GatewayReading:
    """The file, and what is wrong in it so far.

    Attributes:
        top: its parts by name.
    """

    def __init__(self, document: Document, top: Shape) -> None:
        self.document = document
        self.mistakes: list[Mistake] = []
        self.top: Mapping[str, Any] = shape_of(top, document, (), document.value, self.mistakes) or {}

    def say(self, trail: Trail, message: str, suggestion: str | None = None, *, key: bool = False) -> None:
        """Note a mistake."""
        self.mistakes.append(self.document.mistake(trail, message, suggestion, key=key))

    def shape(self, shape: Shape, trail: Trail, raw: Any, also: tuple[str, ...] = ()) -> dict[str, Any] | None:
        """Read a mapping; None when a key it needs is missing or wrong."""
        return shape_of(shape, self.document, trail, raw, self.mistakes, also=also)

    def named(self, part: str, read: Callable[[Trail, str, Any], _Read | None]) -> dict[str, _Read]:
        """Read a part whose entries have names; those that are wrong are left out."""
        found = self.top.get(part, {})
        if not isinstance(found, dict):
            self.say((part,), f"expected {part} by name, found {spoken(found)}")
            return {}
        each = {name: read((part, name), name, raw) for name, raw in found.items()}
        return {name: value for name, value in each.items() if value is not None}

    def listed(self, part: str, read: Callable[[Trail, Any], _Read | None]) -> tuple[_Read, ...]:
        """Read a part that is a list; entries that are wrong are left out."""
        found = self.top.get(part, [])
        if not isinstance(found, list):
            self.say((part,), f"expected a list of {part} (- …), found {spoken(found)}")
            return ()
        each = [read((part, number), raw) for number, raw in enumerate(found)]
        return tuple(value for value in each if value is not None)
