"""What does a template or condition meet when it runs: which values have parts, and which sums are allowed?

Jinja's own sandbox keeps a template from Python's insides; this one also keeps it from everything that is no record,
date or listed filter, and from sums that explode. What may be written at all is told in `jinja_syntax`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from jinja2 import StrictUndefined, Undefined, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from connector.adapters.text_filters import FILTERS, TESTS, FilterError, joined, shown
from connector.domain.durations import parse_duration

_DATE_PARTS = frozenset({"year", "month", "day"})
_TIME_PARTS = _DATE_PARTS | {"hour", "minute"}

IN_TEXT, IN_CONDITION = "_shown", "_joined"
"""Filters that write what `~` joins, which Jinja itself would write in Python's way."""


class Record:
    """A CRM record as templates see it: parts by name, null counting as absent."""

    __slots__ = ("path", "values")

    def __init__(self, path: str, values: Mapping[str, Any]) -> None:
        self.path, self.values = path, values

    def part(self, name: str) -> Any:
        """Give one part; something undefined that knows its full name when the record has no such value."""
        value = self.values.get(name)
        if value is None:
            return Missing(hint=f"`{self.path}.{name}` has no value")
        return Record(f"{self.path}.{name}", value) if isinstance(value, Mapping) else value

    def __repr__(self) -> str:
        """Raise: whatever turns a record into text would send a customer a Python object."""
        raise FilterError(f"`{self.path}` is a record and cannot be shown: name one of its parts")

    __str__ = __repr__


class Missing(StrictUndefined):
    """A name without a value: whatever is done with it, except `default` and `is defined`, is an error."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        return self._undefined_hint or f"`{self._undefined_name}` has no value"


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with nothing in it but records, the listed filters and tests, and sums that cannot explode."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//"})

    def __init__(self) -> None:
        super().__init__(
            undefined=Missing, autoescape=False, trim_blocks=True, lstrip_blocks=True, finalize=pass_context(shown)
        )  # SMS is plain text: there is nothing to escape
        self.globals.clear()
        self.filters = {**FILTERS, "_duration": parse_duration, IN_TEXT: shown, IN_CONDITION: joined}
        self.tests = dict(TESTS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read a part of a record, or of a date; nothing else has parts."""
        if isinstance(obj, Record):
            return obj.part(attribute)
        if isinstance(obj, Undefined):
            return obj._fail_with_undefined_error()  # noqa: SLF001 - Jinja's documented way to raise
        if isinstance(obj, date) and attribute in (_TIME_PARTS if isinstance(obj, datetime) else _DATE_PARTS):
            return getattr(obj, attribute)
        raise FilterError(f"this value has no part `{attribute}`")

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Read `record["part"]` as `record.part`."""
        return self.getattr(obj, argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002 - Jinja's signature
        """Add and subtract numbers, times and texts; multiply and divide numbers only."""
        for value in (left, right):
            if isinstance(value, Undefined):
                value._fail_with_undefined_error()  # noqa: SLF001 - Jinja's documented way to raise
        if operator in {"*", "/", "//"} and not (_is_number(left) and _is_number(right)):
            raise FilterError(f"`{operator}` needs two numbers")
        if _is_number(left) and _is_number(right):
            left, right = _exact(left), _exact(right)
        return self.binop_table[operator](left, right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _exact(value: Any) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


SANDBOX = Sandbox()
