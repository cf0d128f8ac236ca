"""Of what are books of gateways and tallies made in these tests?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from connector.domain.gateway_book import (
    CountryRule,
    GatewayBook,
    Preference,
    RouteRule,
    SenderEntry,
    SenderKind,
)
from connector.domain.prices import PriceList
from connector.domain.scoring import Tally

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def prices(**each: str) -> Mapping[str, PriceList]:
    """Give one price for every country, by gateway."""
    return {name: PriceList("USD", Decimal(price), {}, "a test", date(2026, 11, 20)) for name, price in each.items()}


def route(
    *gateways: str, prefer: Preference = Preference.BALANCED, floor: float = 0.0, explore: float = 0.0, name: str = "r"
) -> dict[str, RouteRule]:
    """Give the routes of a book that has one."""
    return {name: RouteRule(name, gateways, prefer, floor, explore)}


def book(
    routes: Mapping[str, RouteRule],
    senders: Iterable[SenderEntry] = (),
    countries: Mapping[str, CountryRule] | None = None,
    listed: Mapping[str, str] | None = None,
    **each: str,
) -> GatewayBook:
    """Make a book of these, with prices by gateway."""
    return GatewayBook(prices(**(listed or each)), routes, tuple(senders), countries or {})


def long_code(sender: str, gateway: str, *countries: str) -> SenderEntry:
    """Make a number of ours."""
    return SenderEntry(sender, gateway, SenderKind.LONG_CODE, frozenset(countries))


def name(sender: str, gateway: str, *countries: str) -> SenderEntry:
    """Make a name of ours."""
    return SenderEntry(sender, gateway, SenderKind.ALPHANUMERIC, frozenset(countries))


def minutes(
    gateway: str,
    country: str,
    ages: Iterable[int],
    *,
    texts: int = 60,
    rate: float = 0.95,
    carrier: str = "",
    sender: str = "",
    is_silent: bool = False,
    seconds: float = 6.0,
) -> list[Tally]:
    """Make a tally per minute, so many minutes ago each; what is not delivered is undelivered, unless all is silent."""
    delivered = 0 if is_silent else round(texts * rate)
    return [
        Tally(
            gateway=gateway,
            country=country,
            sender=sender,
            carrier=carrier,
            slot=NOW - age * MINUTE,
            sent=texts,
            delivered=delivered,
            undelivered=0 if is_silent else texts - delivered,
            answer_seconds=texts * 0.2,
            delivery_seconds=delivered * seconds,
        )
        for age in ages
    ]
