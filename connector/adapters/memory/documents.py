"""What is a value after it was kept as a document, when it never was one?"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from types import NoneType
from typing import Any

from connector.domain.documents import clean_text, from_document, to_document

_AS_THEY_ARE = frozenset({NoneType, bool, int, Decimal, datetime, date})


def kept(value: Any) -> Any:
    """Give what `from_document(to_document(value))` would, in one pass and a fifth of the time."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is str:
        return kept_text(value)
    if kind is dict:
        return {kept_text(str(key)): kept(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [kept(item) for item in value]
    if kind is float:
        return value if isfinite(value) else None
    return from_document(to_document(value))


def kept_text(text: str) -> str:
    """Give a text as `clean_text` does, most of them without a look at their letters."""
    return text if text.isascii() and "\x00" not in text else clean_text(text)
