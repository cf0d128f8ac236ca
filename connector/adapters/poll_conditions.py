"""How is a condition written by which records are searched for in a CRM, such as `hs_due_date < now - 30 days`?"""

from __future__ import annotations

import re
from datetime import timedelta

from connector.adapters.event_schema import PROPERTY
from connector.adapters.yaml_shapes import quoted
from connector.domain.durations import format_duration, parse_duration
from connector.domain.event_mapping import NOW, PollFilter

_FILTER = re.compile(rf"\s*({PROPERTY})\s*(?:(<=|>=|!=|=|<|>)\s*(.+?)|(in)\s*\((.+)\)|(exists))\s*")
_NEARBY = re.compile(rf"{NOW}\s*([-+])\s*(.+)")
_DOUBLED = re.compile(r"([=<>!]+)\s*(.*)")
_OPERATORS = {"=": "EQ", "!=": "NEQ", "<": "LT", "<=": "LTE", ">": "GT", ">=": "GTE"}
_MEANT = {"==": "=", "=>": ">=", "=<": "<=", "<>": "!=", "=!": "!="}
"""What people of other languages write, and what it is here."""

_SIGNS = {operator: sign for sign, operator in _OPERATORS.items()}


def parse_condition(text: str) -> PollFilter:
    """Read a condition.

    Raises:
        ValueError: it is none; says what was expected.
    """
    found = _FILTER.fullmatch(text)
    if found is None:
        raise ValueError(f"{quoted(text)} is no condition: expected a property, =, !=, <, <=, >, >=, in (…) or exists")
    if found[4]:
        return PollFilter(found[1], "IN", tuple(word.strip() for word in found[5].split(",")))
    if found[6]:
        return PollFilter(found[1], "HAS_PROPERTY")
    doubled = _DOUBLED.match(found[3])
    if doubled:
        written = found[2] + doubled[1]
        meant = f"{found[1]} {_MEANT.get(written, found[2])} {doubled[2]}"
        raise ValueError(f"{quoted(text)} is no condition: there is no {written} (did you mean {quoted(meant)}?)")
    nearby = _NEARBY.fullmatch(found[3])
    if nearby is None:
        return PollFilter(found[1], _OPERATORS[found[2]], found[3])
    distance = parse_duration(nearby[2])
    return PollFilter(found[1], _OPERATORS[found[2]], NOW, distance if nearby[1] == "-" else -distance)


def format_condition(condition: PollFilter) -> str:
    """Write a condition so that `parse_condition` reads it back."""
    name, value = condition.property_name, condition.value
    if condition.operator == "IN":
        return f"{name} in ({', '.join(value)})"
    if condition.operator == "HAS_PROPERTY":
        return f"{name} exists"
    sign = "-" if condition.back > timedelta(0) else "+"
    distance = f" {sign} {format_duration(abs(condition.back))}" if condition.back else ""
    return f"{name} {_SIGNS[condition.operator]} {value}{distance}"
