"""Does a document fit a JSON Schema (2020-12)? As far as our own schema goes: any other keyword is refused.

No validator is among the dependencies; the few keywords used are checked here as json-schema.org says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
}
_SAID = {"$schema", "$defs", "title", "description", "examples"}


def fits(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> bool:
    """Tell whether a value is valid.

    Raises:
        LookupError: the schema has a keyword that is not known here.
    """
    top = schema if root is None else root
    unknown = schema.keys() - _KEYWORDS.keys() - _SAID
    if unknown:
        raise LookupError(f"nothing here knows {unknown}")
    return all(check(value, schema[key], schema, top) for key, check in _KEYWORDS.items() if key in schema)


def _type(value: Any, wanted: Any, *_: Any) -> bool:
    return any(_TYPES[name](value) for name in ([wanted] if isinstance(wanted, str) else wanted))


def _enum(value: Any, wanted: Any, *_: Any) -> bool:
    return any(value == each and type(value) is type(each) for each in wanted)


def _ref(value: Any, wanted: str, _: Any, root: Mapping[str, Any]) -> bool:
    assert wanted.startswith("#/$defs/")
    return fits(value, root["$defs"][wanted.removeprefix("#/$defs/")], root)


def _properties(value: Any, wanted: Any, _: Any, root: Mapping[str, Any]) -> bool:
    return not isinstance(value, dict) or all(fits(value[key], wanted[key], root) for key in value if key in wanted)


def _pattern_properties(value: Any, wanted: Any, _: Any, root: Mapping[str, Any]) -> bool:
    if not isinstance(value, dict):
        return True
    met = ((item, schema) for key, item in value.items() for name, schema in wanted.items() if re.search(name, key))
    return all(fits(item, schema, root) for item, schema in met)


def _additional(value: Any, wanted: Any, schema: Mapping[str, Any], _: Any) -> bool:
    assert wanted is False
    if not isinstance(value, dict):
        return True
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    return all(key in known or any(re.search(name, key) for name in patterns) for key in value)


_KEYWORDS: Mapping[str, Callable[[Any, Any, Any, Any], bool]] = {
    "type": _type,
    "enum": _enum,
    "required": lambda value, wanted, *_: not isinstance(value, dict) or all(key in value for key in wanted),
    "additionalProperties": _additional,
    "$ref": _ref,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "minProperties": lambda value, wanted, *_: not isinstance(value, dict) or len(value) >= wanted,
    "items": lambda value, wanted, _, root: (
        not isinstance(value, list) or all(fits(item, wanted, root) for item in value)
    ),
    "minItems": lambda value, wanted, *_: not isinstance(value, list) or len(value) >= wanted,
    "pattern": lambda value, wanted, *_: not isinstance(value, str) or bool(re.search(wanted, value)),
    "minLength": lambda value, wanted, *_: not isinstance(value, str) or len(value) >= wanted,
    "maxLength": lambda value, wanted, *_: not isinstance(value, str) or len(value) <= wanted,
    "minimum": lambda value, wanted, *_: not isinstance(value, int | float) or value >= wanted,
    "maximum": lambda value, wanted, *_: not isinstance(value, int | float) or value <= wanted,
    "anyOf": lambda value, wanted, _, root: any(fits(value, each, root) for each in wanted),
    "oneOf": lambda value, wanted, _, root: sum(fits(value, each, root) for each in wanted) == 1,
}
"""Those that settle most things go first: a step is held against all kinds of step, at every level."""
