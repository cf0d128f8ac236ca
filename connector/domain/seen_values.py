"""Which values did an expression see, so that its answer can be explained?"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_NAME = re.compile(r"(?<![\w.|])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_PRIVATE = re.compile(r"(?:.*\.)?(?:text|body|msisdn|email)|.*(?:phone|mobile|fax).*", re.IGNORECASE)
"""Names whose values are bodies, numbers or addresses: a trace shows that they were looked at only."""
_RECORD_ID = re.compile(r"(?:.*[._])?id")
_NUMBER = re.compile(r"(?:\d[\s()./\u2010-\u2015-]{0,3}){7,}")
"""As many digits as the shortest phone numbers have, however they are set apart; a CRM's free text may hold one."""
_HIDDEN, _UNDEFINED = "(not shown)", "(undefined)"
_LONGEST = 120  # a trace is read by a person on one line


def seen_values(source: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values behind the dotted names of an expression; bodies, numbers and addresses are not shown.

    A variable's text may have come from a reply, an answer or a private property, whatever the variable is called. It
    is shown only where the expression names the same text, as `vars.tone == "firm"` does.
    """
    found = {match[0] for match in _NAME.finditer(_LITERAL.sub("''", source))}
    known = {name: _value(name, names) for name in sorted(found) if name.partition(".")[0] in names}
    named = {literal[1:-1] for literal in _LITERAL.findall(source)}
    return {name: _HIDDEN if _is_unnamed(name, value, named) else _shown(name, value) for name, value in known.items()}


def _is_unnamed(name: str, value: Any, named: Collection[str]) -> bool:
    return name.startswith("vars.") and isinstance(value, str) and value not in {*named, _UNDEFINED}


def _value(name: str, names: Mapping[str, Any]) -> Any:
    value: Any = names
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return _UNDEFINED
        value = value[part]
    return value


def _shown(name: str, value: Any) -> Any:
    if _PRIVATE.fullmatch(name):
        return _HIDDEN
    if isinstance(value, Mapping):
        return "(a record)"
    if isinstance(value, list | tuple):
        return "(a list)"
    if isinstance(value, str):
        return _HIDDEN if _NUMBER.search(value) and not _RECORD_ID.fullmatch(name) else value[:_LONGEST]
    return value
