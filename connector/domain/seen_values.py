"""Which values did an expression see, so that its answer can be explained?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_NAME = re.compile(r"(?<![\w.|])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_PRIVATE = frozenset({"text", "body", "phone", "mobile", "mobilephone", "msisdn", "email"})
"""Last parts of names whose values are bodies, numbers or addresses: a trace shows that they were looked at only."""
_NUMBER = re.compile(r"\+\d[\d ().-]{6,}")
_HIDDEN, _UNDEFINED = "(not shown)", "(undefined)"
_LONGEST = 120  # a trace is read by a person on one line


def seen_values(source: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values behind the dotted names of an expression; bodies, numbers and addresses are not shown."""
    found = (match[0] for match in _NAME.finditer(_LITERAL.sub("''", source)))
    return {name: _shown(name, _value(name, names)) for name in sorted(set(found)) if name.partition(".")[0] in names}


def _value(name: str, names: Mapping[str, Any]) -> Any:
    value: Any = names
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return _UNDEFINED
        value = value[part]
    return value


def _shown(name: str, value: Any) -> Any:
    if name.rpartition(".")[2] in _PRIVATE:
        return _HIDDEN
    if isinstance(value, Mapping):
        return "(a record)"
    if isinstance(value, str):
        return _HIDDEN if _NUMBER.fullmatch(value.strip()) else value[:_LONGEST]
    return value
