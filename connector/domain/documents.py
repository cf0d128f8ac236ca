"""How do values with decimals and times survive being kept as JSON?

A `Decimal`, a `datetime` and a `date` become a mapping with one tagged key and come back as what they were, so that a
condition sees the same value an hour later as it did at once. A stranger's key that looks like one of the tags is kept
with one more `$`: the answer of another system may well say `{"$date": …}` and mean something else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_DECIMAL, _TIME, _DATE = "$decimal", "$time", "$date"
_WORDS = frozenset(tag[1:] for tag in (_DECIMAL, _TIME, _DATE))


def to_document(value: Any) -> Any:
    """Give a JSON-able copy of `value`.

    Text loses NUL characters and lone surrogates, and a float that is no number becomes None: PostgreSQL's JSONB
    takes none of them, and one odd CRM property must not stop a row from being written.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_escaped(clean_text(str(key))): to_document(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_document(item) for item in value]
    return _tagged(value)


def from_document(value: Any) -> Any:
    """Give back what `to_document` was given; lists stand for every kind of sequence.

    Never raises: a mapping that only looks tagged, in a document from before such keys were told apart, stays one.
    """
    if isinstance(value, list):
        return [from_document(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        ((tag, text),) = value.items()
        if tag in _READERS and isinstance(text, str):
            return _read(tag, text)
    return {_unescaped(key): from_document(item) for key, item in value.items()}


def clean_text(text: str) -> str:
    """Take out what a database refuses in a text: NUL characters and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _escaped(key: str) -> str:
    return f"${key}" if key.startswith("$") and key.lstrip("$") in _WORDS else key


def _unescaped(key: str) -> str:
    return key[1:] if key.startswith("$$") and key.lstrip("$") in _WORDS else key


def _read(tag: str, text: str) -> Any:
    try:
        return _READERS[tag](text)
    except (ValueError, ArithmeticError):
        return {tag: text}


def _tagged(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {_DECIMAL: str(value)}
    if isinstance(value, datetime):
        return {_TIME: value.isoformat()}
    if isinstance(value, date):
        return {_DATE: value.isoformat()}
    return clean_text(str(value))


_READERS: Mapping[str, Any] = {_DECIMAL: Decimal, _TIME: datetime.fromisoformat, _DATE: date.fromisoformat}
