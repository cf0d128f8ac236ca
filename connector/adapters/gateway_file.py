"""What do gateways ask for a text, and which of them does a named route mean, according to `mappings/gateways.yaml`?"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, ClassVar

from connector.adapters.journey_schema import SLUG
from connector.adapters.yaml_file import Document, Trail, read_file
from connector.adapters.yaml_shapes import Shape, quoted, shape_of, spoken
from connector.adapters.yaml_values import Anything, Parsed, Words
from connector.domain.prices import GatewayBook, PriceList
from connector.errors import MappingError, Mistake

_COUNTRY = re.compile(r"[A-Z]{2}")
_DEAREST = Decimal(10)  # no country's segment costs a tenth of that: more is a slip of the point


def _price(text: str) -> Decimal:
    """Read a price per segment.

    Raises:
        ValueError: it is none.
    """
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal(-1)
    if not (price.is_finite() and 0 <= price < _DEAREST):
        raise ValueError(f'{quoted(text)} is no price per segment: expected one such as "0.0083"')
    return price


def _day(text: str) -> date:
    """Read a date.

    Raises:
        ValueError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{quoted(text)} is no date: expected one such as 2026-11-21") from None


class GatewaysShape(Shape):
    """The file itself."""

    what: ClassVar[str] = "a gateway file (prices, routes)"

    prices = Anything()
    routes = Anything()


class PricesShape(Shape):
    """What one gateway asks for; beside these stand countries."""

    what: ClassVar[str] = "a price list (currency, default, countries such as US, source, checked_on)"

    currency = Words(required=True, pattern="[A-Z]{3}", expected="a currency such as USD")
    default = Parsed(_price, required=True)
    source = Words(required=True)
    checked_on = Parsed(_day, required=True)


class CountryShape(Shape):
    """The price in one country."""

    price = Parsed(_price, required=True)


def load_gateways(path: Path) -> GatewayBook:
    """Read prices and routes; there are none when there is no such file.

    Raises:
        MappingError: every mistake with file, line and column (a ConfigurationError).
    """
    if not path.is_file():
        return GatewayBook()
    reader = _GatewayReader(read_file(path))
    book = reader.read()
    if reader.mistakes:
        raise MappingError(reader.mistakes)
    return book


class _GatewayReader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.mistakes: list[Mistake] = []

    def read(self) -> GatewayBook:
        top = shape_of(GatewaysShape(), self.document, (), self.document.value, self.mistakes) or {}
        lists = {name: self._prices(("prices", name), raw) for name, raw in self._named(top, "prices").items()}
        routes = {name: self._route(("routes", name), name, raw) for name, raw in self._named(top, "routes").items()}
        return GatewayBook(
            {name: prices for name, prices in lists.items() if prices is not None},
            {name: gateway for name, gateway in routes.items() if gateway},
        )

    def _named(self, top: dict[str, Any], key: str) -> dict[str, Any]:
        found = top.get(key, {})
        if isinstance(found, dict):
            return found
        self._say((key,), f"expected {key} by name, found {spoken(found)}")
        return {}

    def _prices(self, trail: Trail, raw: Any) -> PriceList | None:
        countries = [key for key in raw if _COUNTRY.fullmatch(key)] if isinstance(raw, dict) else []
        found = shape_of(PricesShape(), self.document, trail, raw, self.mistakes, also=countries)
        read = {country: self._country((*trail, country), raw[country]) for country in countries}
        if found is None:
            return None
        listed = {country: price for country, price in read.items() if price is not None}
        return PriceList(found["currency"], found["default"], listed, found["source"], found["checked_on"])

    def _country(self, trail: Trail, raw: Any) -> Decimal | None:
        """Read one country's price, and tell its mistakes under the country's own name."""
        before = len(self.mistakes)
        found = shape_of(CountryShape(), self.document, trail, {"price": raw}, self.mistakes)
        wrong = [self.document.mistake(trail, each.message, each.suggestion) for each in self.mistakes[before:]]
        self.mistakes[before:] = wrong
        return None if found is None else found["price"]

    def _route(self, trail: Trail, name: str, raw: Any) -> str:
        if not re.fullmatch(SLUG, name):
            self._say(trail, f"{quoted(name)} is no name of small letters and hyphens", key=True)
        if not isinstance(raw, str) or not re.fullmatch(SLUG, raw.strip()):
            self._say(trail, f"expected a gateway such as twilio, found {spoken(raw)}")
            return ""
        return raw.strip()

    def _say(self, trail: Trail, message: str, suggestion: str | None = None, *, key: bool = False) -> None:
        self.mistakes.append(self.document.mistake(trail, message, suggestion, key=key))
