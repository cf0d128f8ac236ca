"""What does `mappings/gateways.yaml` say of prices, routes, senders, countries, rates, budgets, retries and lookups?

The file's meaning as values, with what holds where it says nothing. How a route is chosen by it: `domain.routing`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from connector.domain.message import Purpose
from connector.domain.prices import Price, PriceList
from connector.domain.retry_rules import RETRIES, Jitter, RetryRule
from connector.domain.sender_rules import (
    DEFAULT_COUNTRY,
    Alphanumeric,
    CountryRule,
    SenderEntry,
    SenderKind,
    TextEncoding,
    reaches,
)

__all__ = [
    "DEFAULT_COUNTRY",
    "EXPLORED",
    "QUALITY_FLOORS",
    "RETRIES",
    "USUAL_ROUTE",
    "VIA",
    "Alphanumeric",
    "Budget",
    "BudgetScope",
    "CountryRule",
    "GatewayBook",
    "Jitter",
    "LookupRule",
    "Preference",
    "Rate",
    "Rates",
    "RetryRule",
    "RouteRule",
    "SenderEntry",
    "SenderKind",
    "TextEncoding",
]


class Preference(StrEnum):
    """What a route goes by."""

    PREMIUM = "premium"  # who delivers most and fastest; a price tips the scales only between equals
    BALANCED = "balanced"  # deliveries, speed and price together
    CHEAPEST = "cheapest"  # the least money per delivered text, of those that clear the quality floor
    IN_ORDER = "in_order"  # the first one that can be used


QUALITY_FLOORS: Mapping[Preference, float] = MappingProxyType(
    {
        Preference.PREMIUM: 0.85,  # good routes deliver 90 to 98 of 100; one that misses every sixth code is broken
        Preference.BALANCED: 0.8,
        Preference.CHEAPEST: 0.8,  # a grey route that loses every fourth text is cheap, and loses customers with it
        Preference.IN_ORDER: 0.0,  # whoever writes an order wants that order
    }
)
"""Share of texts that must arrive, where a route names none."""

EXPLORED: Mapping[Preference, float] = MappingProxyType(
    {
        Preference.PREMIUM: 0.02,  # a code that does not come is a customer who does not come in: try little
        Preference.BALANCED: 0.05,  # of a thousand texts an hour fifty tries, enough to know two others within it
        Preference.CHEAPEST: 0.05,
        Preference.IN_ORDER: 0.0,
    }
)
"""Share of texts that may try what does not look best, where a route names none."""


@dataclass(frozen=True, slots=True)
class RouteRule:
    """Which gateways may carry the texts of a route, and by what one of them is chosen.

    Attributes:
        name: as a step names it, or a purpose; empty for the route of those that have none.
        gateways: by slug, in the order written; empty means the usual gateway of the account.
        quality_floor: 0 to 1; a gateway that delivers a smaller share comes after all others.
        explore: 0 to 1; at most this share of texts tries what does not look best, so that a change is noticed.
    """

    name: str
    gateways: tuple[str, ...]
    prefer: Preference = Preference.IN_ORDER
    quality_floor: float = 0.0
    explore: float = 0.0


USUAL_ROUTE = RouteRule("", ())
"""The route of texts whose purpose has none: the usual gateway of the account."""

VIA = "via:"
"""What the route begins with of a text that tries one gateway out and takes no other, such as `via:twilio`."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast texts may go.

    Attributes:
        burst: how many may go at once after a pause; None for one second's worth.
        concurrency: how many requests may be under way at once; None for no limit of its own.
    """

    per_second: float
    burst: int | None = None
    concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of gateways by slug, of each account and of each campaign (a journey); None for no limit."""

    gateways: Mapping[str, Rate] = field(default_factory=dict)
    account: Rate | None = None
    campaign: Rate | None = None


class BudgetScope(StrEnum):
    """Whose texts a budget counts."""

    GATEWAY = "gateway"
    ACCOUNT = "account"
    JOURNEY = "journey"


@dataclass(frozen=True, slots=True)
class Budget:
    """At most so many texts, or so much money, in a day.

    Attributes:
        name: of the gateway, account or journey; empty for each of them by itself.
        per_day_texts, per_day_spend: at least one of them is set; the one reached first counts.
    """

    scope: BudgetScope
    name: str = ""
    per_day_texts: int | None = None
    per_day_spend: Price | None = None


@dataclass(frozen=True, slots=True)
class LookupRule:
    """Which numbers are looked up before their first text, and through whom.

    Attributes:
        gateways: asked in this order; none means that nothing is looked up.
        keep: an answer is good for so long.
        per_day: at most so many lookups, since each one costs.
    """

    gateways: tuple[str, ...] = ()
    purposes: frozenset[Purpose] = frozenset({Purpose.MARKETING})  # campaigns hold the old lists with dead numbers
    keep: timedelta = timedelta(days=90)  # carriers give a number away again 45 days or more after it was left
    per_day: int = 1000  # at about half a cent each, five dollars


@dataclass(frozen=True, slots=True)
class GatewayBook:
    """What the file says; each part is empty where it says nothing.

    Attributes:
        prices: by gateway.
        routes: by name; those called `otp`, `transactional` and `marketing` are the purposes' own.
        senders: in the order written, which is the order of preference between equals.
        countries: by ISO 3166 country, and perhaps one under "default".
    """

    prices: Mapping[str, PriceList] = field(default_factory=dict)
    routes: Mapping[str, RouteRule] = field(default_factory=dict)
    senders: tuple[SenderEntry, ...] = ()
    countries: Mapping[str, CountryRule] = field(default_factory=dict)
    rates: Rates = field(default_factory=Rates)
    budgets: tuple[Budget, ...] = ()
    retries: Mapping[Purpose, RetryRule] = field(default_factory=dict)
    lookups: LookupRule = field(default_factory=LookupRule)

    def price(self, gateway: str, segments: int, country: str | None) -> Price | None:
        """Give what a text costs through a gateway; None when its prices are not known."""
        listed = self.prices.get(gateway)
        return None if listed is None else listed.price(segments, country)

    def route_for(self, purpose: Purpose, name: str = "") -> RouteRule:
        """Give the route of that name, else the purpose's own, else the usual gateway."""
        if name.startswith(VIA):
            return RouteRule(name, (name.removeprefix(VIA),))
        return self.routes.get(name) or self.routes.get(purpose.value) or USUAL_ROUTE

    def first_gateways(self, used: Collection[str] | None = None) -> Mapping[str, str]:
        """Give the first gateway of each route, of those in use here (None: all), by the route's name."""
        return {
            name: gateway
            for name, rule in self.routes.items()
            for gateway in reversed(rule.gateways)
            if used is None or gateway in used
        }

    def senders_for(self, gateway: str, country: str | None, purpose: Purpose) -> tuple[SenderEntry, ...]:
        """Give the senders of a gateway that may be used for a text, in the order written."""
        rule = self.country(country)
        return tuple(
            entry
            for entry in self.senders
            if entry.gateway == gateway and reaches(entry, country) and not rule.unfit(entry, purpose)
        )

    def country(self, country: str | None) -> CountryRule:
        """Give the rule of a country; None is one nobody knows."""
        listed = self.countries.get(country or "")
        usual = self.countries.get(DEFAULT_COUNTRY) or CountryRule()
        return listed or replace(usual, country=country or DEFAULT_COUNTRY)

    def retry(self, purpose: Purpose) -> RetryRule:
        """Give how texts of a purpose are tried again."""
        return self.retries.get(purpose) or RETRIES[purpose]
