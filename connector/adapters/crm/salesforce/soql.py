"""How is a question put into SOQL so that no value of anybody's becomes part of the question?

Values go through simple-salesforce's formatter, names through `names.checked`; nothing else makes a query.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from simple_salesforce.format import format_soql

from connector.adapters.crm.salesforce.fields import MULTIPLE_CHOICE, Field, parsed_moment
from connector.adapters.crm.salesforce.names import checked
from connector.errors import CRMRefusedError
from connector.ports.crm import SearchFilter

LARGEST_BATCH = 200
"""Rows of one collection call; as many ids fit into one query, whose whole address may have 16,384 characters."""

PAGE = 2_000  # what Salesforce answers at once
_OPERATORS = {"EQ": "=", "NEQ": "!=", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
T = TypeVar("T")


def batched(items: Sequence[T], size: int = LARGEST_BATCH) -> Iterator[Sequence[T]]:
    """Cut `items` into runs of at most `size`, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def select(names: Sequence[str], api_name: str, where: Sequence[str], *, order: str = "", limit: int = 0) -> str:
    """Give a whole query; all conditions of `where` must hold."""
    fields = ", ".join(dict.fromkeys(checked(each) for each in ("Id", *names)))
    text = f"SELECT {fields} FROM {checked(api_name)}"  # noqa: S608 - every part is checked or formatted
    text += f" WHERE {' AND '.join(where)}" if where else ""
    text += f" ORDER BY {order}" if order else ""
    return text + (f" LIMIT {limit}" if limit else "")


def is_in(name: str, values: Sequence[str]) -> str:
    """Give the condition that a field has one of some values, at least one of them."""
    return str(format_soql("{:literal} IN {}", checked(name), list(values)))


def compares(name: str, sign: str, value: Any) -> str:
    """Give the condition that a field compares to a value."""
    return str(format_soql("{:literal} {:literal} {}", checked(name), sign, value))


def digits_like(name: str, digits: str) -> str:
    """Give the condition that these digits stand in a field in this order, whatever stands between them."""
    return str(format_soql("{:literal} LIKE {}", checked(name), f"%{'%'.join(digits)}%"))


def condition(wanted: SearchFilter, name: str, field: Field | None) -> str:
    """Give a search filter as a condition on the field `name`; `field` describes it, None behind a reference.

    Raises:
        CRMRefusedError: the value is none of the field's kind.
    """
    if wanted.operator == "HAS_PROPERTY":
        return compares(name, "!=", None)
    if wanted.operator == "IN":
        values = (wanted.value,) if isinstance(wanted.value, str) else wanted.value
        # IN compares all that is chosen in a field as one text, INCLUDES each choice of it.
        sign = "INCLUDES" if field is not None and field.kind == MULTIPLE_CHOICE else "IN"
        asked = list(dict.fromkeys(_value(each, field) for each in values))
        return str(format_soql("{:literal} {:literal} {}", checked(name), sign, asked))
    text = wanted.value if isinstance(wanted.value, str) else ";".join(wanted.value)
    return compares(name, _OPERATORS[wanted.operator], _value(text, field))


def _value(text: str, field: Field | None) -> str | bool | int | float | date | datetime | None:
    if field is None:
        return text
    if field.kind in {"date", "datetime"}:
        moment = parsed_moment(text)
        if moment is None:
            raise CRMRefusedError(f"{field.name} is compared to times only", status=400)
        return moment.date() if field.kind == "date" else moment
    value: str | bool | int | float | None = field.value(text)
    return value
