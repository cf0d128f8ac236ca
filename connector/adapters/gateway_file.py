"""What does `mappings/gateways.yaml` say?

Its parts are read by `gateway_senders` (senders, countries) and `gateway_limits` (rates, budgets, retries, lookups);
prices and routes, and what must fit together between parts, here.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from connector.adapters.gateway_limits import (
    read_budgets,
    read_lookups,
    read_rates,
    read_retries,
    refuse_uncounted_spending,
)
from connector.adapters.gateway_reading import GatewayReading
from connector.adapters.gateway_senders import read_countries, read_senders
from connector.adapters.gateway_values import COUNTRY, Chosen, day, percent, price
from connector.adapters.journey_schema import SLUG
from connector.adapters.yaml_file import Trail, read_file
from connector.adapters.yaml_shapes import Shape, listed, quoted, spoken
from connector.adapters.yaml_values import Anything, Choice, Parsed, Words
from connector.domain.gateway_book import EXPLORED, QUALITY_FLOORS, GatewayBook, Preference, RouteRule
from connector.domain.message import Purpose
from connector.domain.prices import PriceList
from connector.errors import MappingError

_OWN: dict[str, Preference] = {
    Purpose.OTP: Preference.PREMIUM,
    Purpose.TRANSACTIONAL: Preference.BALANCED,
    Purpose.MARKETING: Preference.CHEAPEST,
}
"""What a purpose's own route goes by when it does not say; any other route is balanced."""


class GatewaysShape(Shape):
    """The file itself."""

    what: ClassVar[str] = "a gateway file (prices, routes, senders, countries, rates, budgets, retries, lookups)"

    prices = Anything()
    routes = Anything()
    senders = Anything()
    countries = Anything()
    rates = Anything()
    budgets = Anything()
    retries = Anything()
    lookups = Anything()


class PricesShape(Shape):
    """What one gateway asks for; beside these stand countries."""

    what: ClassVar[str] = "a price list (currency, default, countries such as US, source, checked_on)"

    currency = Words(required=True, pattern="[A-Z]{3}", expected="a currency such as USD")
    default = Parsed(price, required=True)
    source = Words(required=True)
    checked_on = Parsed(day, required=True)


class CountryPriceShape(Shape):
    """The price in one country."""

    price = Parsed(price, required=True)


class RouteShape(Shape):
    """Which gateways a route has and what it goes by."""

    what: ClassVar[str] = "a route (gateways, prefer, quality_floor, explore)"

    gateways = Chosen(pattern=SLUG, expected="a gateway such as twilio", required=True)
    prefer = Choice([each.value for each in Preference])
    quality_floor = Parsed(percent)
    explore = Parsed(percent)


def load_gateways(path: Path) -> GatewayBook:
    """Read the file; its parts are empty when there is no such file.

    Raises:
        MappingError: every mistake with file, line and column (a ConfigurationError).
    """
    if not path.is_file():
        return GatewayBook()
    reading = GatewayReading(read_file(path), GatewaysShape())
    book = _book(reading)
    _refuse_mixed_currencies(reading, book)
    refuse_uncounted_spending(reading, book)
    if reading.mistakes:
        raise MappingError(sorted(reading.mistakes, key=lambda each: (each.line, each.column)))
    return book


def _book(reading: GatewayReading) -> GatewayBook:
    return GatewayBook(
        prices=reading.named("prices", lambda trail, _, raw: _prices(reading, trail, raw)),
        routes=reading.named("routes", lambda trail, name, raw: _route(reading, trail, name, raw)),
        senders=read_senders(reading),
        countries=read_countries(reading),
        rates=read_rates(reading),
        budgets=read_budgets(reading),
        retries=read_retries(reading),
        lookups=read_lookups(reading),
    )


def _prices(reading: GatewayReading, trail: Trail, raw: Any) -> PriceList | None:
    countries = tuple(key for key in raw if COUNTRY.fullmatch(key)) if isinstance(raw, dict) else ()
    found = reading.shape(PricesShape(), trail, raw, also=countries)
    read = {country: _country_price(reading, (*trail, country), raw[country]) for country in countries}
    if found is None:
        return None
    rows = {country: amount for country, amount in read.items() if amount is not None}
    return PriceList(found["currency"], found["default"], rows, found["source"], found["checked_on"])


def _country_price(reading: GatewayReading, trail: Trail, raw: Any) -> Decimal | None:
    """Read one country's price, and tell its mistakes under the country's own name."""
    before = len(reading.mistakes)
    found = reading.shape(CountryPriceShape(), trail, {"price": raw})
    wrong = reading.mistakes[before:]
    reading.mistakes[before:] = [reading.document.mistake(trail, each.message, each.suggestion) for each in wrong]
    return None if found is None else found["price"]


def _route(reading: GatewayReading, trail: Trail, name: str, raw: Any) -> RouteRule | None:
    if not re.fullmatch(SLUG, name):
        reading.say(trail, f"{quoted(name)} is no name of small letters and hyphens", key=True)
    if isinstance(raw, dict):
        return _ruled(reading, trail, name, raw)
    if not isinstance(raw, str) or not re.fullmatch(SLUG, raw.strip()):
        expected = "expected a gateway such as twilio, or what the route goes by (gateways: …, prefer: …)"
        reading.say(trail, f"{expected}, found {spoken(raw)}")
        return None
    return RouteRule(name, (raw.strip(),))


def _ruled(reading: GatewayReading, trail: Trail, name: str, raw: Any) -> RouteRule | None:
    found = reading.shape(RouteShape(), trail, raw)
    if found is None:
        return None
    prefer = Preference(found.get("prefer") or _OWN.get(name, Preference.BALANCED))
    floor, explore = found.get("quality_floor", QUALITY_FLOORS[prefer]), found.get("explore", EXPLORED[prefer])
    return RouteRule(name, found["gateways"], prefer, floor, explore)


def _refuse_mixed_currencies(reading: GatewayReading, book: GatewayBook) -> None:
    """Prices in two currencies cannot be compared: a route that goes by them would go by nothing."""
    for name, rule in book.routes.items():
        lists = {gateway: book.prices[gateway].currency for gateway in rule.gateways if gateway in book.prices}
        if rule.prefer is not Preference.IN_ORDER and len(set(lists.values())) > 1:
            told = listed([f"{gateway} in {currency}" for gateway, currency in lists.items()])
            hint = "write all price lists in one currency, or prefer: in_order"
            reading.say(("routes", name, "gateways"), f"their prices cannot be compared: {told}", hint)
