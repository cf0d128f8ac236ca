"""How does JSON become the values of `models`, and a value JSON?"""

from __future__ import annotations

import types
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

_T = TypeVar("_T")


def read(kind: type[_T], document: Mapping[str, Any]) -> _T:
    """Read a value of a dataclass; what the class does not know is passed over.

    Raises:
        KeyError: something it needs is missing.
        ValueError: something is of another kind.
        TypeError: as ValueError.
    """
    values = {}
    for name, key, hint, is_needed in _parts(cast("Hashable", kind)):
        if is_needed or key in document:
            values[name] = _value(hint, document[key])
    return kind(**values)


def write(value: Any) -> dict[str, Any]:
    """Give a dataclass as JSON has it, without what is None."""
    found = {part.metadata.get("name", part.name): getattr(value, part.name) for part in fields(value)}
    return {
        key: each.isoformat() if isinstance(each, datetime) else each for key, each in found.items() if each is not None
    }


@cache
def _parts(kind: Any) -> list[tuple[str, str, Any, bool]]:
    """Give a dataclass's fields: name here, name in JSON, type, and whether it must be there."""
    hints = get_type_hints(kind)
    return [
        (
            part.name,
            part.metadata.get("name", part.name),
            hints[part.name],
            part.default is MISSING and part.default_factory is MISSING,
        )
        for part in fields(kind)
    ]


def _value(hint: Any, given: Any) -> Any:  # noqa: PLR0911 - one line per kind of value
    if get_origin(hint) is types.UnionType:
        return None if given is None else _value(get_args(hint)[0], given)
    if get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], each) for each in given)
    if is_dataclass(hint) and isinstance(hint, type):
        return read(hint, given)
    if hint is datetime:
        return datetime.fromisoformat(given)
    if hint is Decimal:
        return Decimal(given)
    if hint is float and isinstance(given, int):
        return float(given)
    if not isinstance(given, hint):
        raise TypeError(f"expected {hint.__name__}")
    return given
