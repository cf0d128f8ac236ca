"""How do shares, rates, amounts of money, days and lists of words stand in `mappings/gateways.yaml`?"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from marshmallow import ValidationError

from connector.adapters.yaml_shapes import Complaint, closest, listed, quoted
from connector.adapters.yaml_values import TextList
from connector.domain.prices import Price

COUNTRY = re.compile(r"[A-Z]{2}")

_DEAREST = Decimal(10)  # no country's segment costs a tenth of that: more is a slip of the point
_RICHEST = Decimal(10_000_000)  # nobody spends more on texts in a day: more is a slip of the point
_FASTEST = 10_000.0  # texts a second; carriers take a tenth of that from the largest senders
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,2})?)\s*%")
_MONEY = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,4})?)\s+([A-Z]{3})")


def price(text: str) -> Decimal:
    """Read a price per segment.

    Raises:
        ValueError: it is none.
    """
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal(-1)
    if not (found.is_finite() and 0 <= found < _DEAREST):
        raise ValueError(f'{quoted(text)} is no price per segment: expected one such as "0.0083"')
    return found


def day(text: str) -> date:
    """Read a date.

    Raises:
        ValueError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{quoted(text)} is no date: expected one such as 2026-11-21") from None


def percent(text: str) -> float:
    """Read a share such as `80%`, as 0 to 1.

    Raises:
        ValueError: it is none.
    """
    found = _PERCENT.fullmatch(text)
    if found is None or float(found[1]) > 100:
        raise ValueError(f'{quoted(text)} is no share: expected one such as "80%"')
    return float(found[1]) / 100


def per_second(text: str) -> float:
    """Read a number of texts per second, such as `0.25` or `30`.

    Raises:
        ValueError: it is none.
    """
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found <= _FASTEST:
        raise ValueError(f'{quoted(text)} is no number of texts per second: expected one such as "10" or "0.25"')
    return found


def money(text: str) -> Price:
    """Read an amount such as `250 USD`.

    Raises:
        ValueError: it is none.
    """
    found = _MONEY.fullmatch(text)
    if found is None or not 0 < Decimal(found[1]) <= _RICHEST:
        raise ValueError(f"{quoted(text)} is no amount of money: expected one such as 250 USD")
    return Price(Decimal(found[1]), found[2])


class Chosen(TextList):
    """One of a few words, or a list of them; none may stand twice."""

    def __init__(self, options: Collection[str] = (), *, pattern: str = "", expected: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._options, self._pattern, self._expected = tuple(options), pattern, expected

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        found = super()._deserialize(value, *args, **kwargs)
        wrong = {n: [why] for n, word in enumerate(found) if (why := self._complaint(word, found[:n])) is not None}
        if wrong:
            raise ValidationError(wrong if isinstance(value, list) else wrong[0])
        return found

    def _complaint(self, word: str, before: Collection[str]) -> Complaint | None:
        if word in before:
            return Complaint(f"{quoted(word)} stands here twice")
        if self._options and word not in self._options:
            return Complaint(f"{quoted(word)} is not one of {listed(self._options)}", closest(word, self._options))
        if self._pattern and not re.fullmatch(self._pattern, word):
            return Complaint(f"{quoted(word)} is not {self._expected}")
        return None
