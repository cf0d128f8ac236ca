"""What does a text of so many segments cost in a country, through a gateway?

List prices for previews, simulations and budgets; what was really paid comes from the gateway with the receipt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """An amount of money; `currency` is an ISO 4217 code."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class PriceList:
    """What one gateway asks for one segment.

    Attributes:
        default: for countries that are not listed.
        countries: by ISO 3166 country.
        source: where the prices come from.
        checked_on: when they were last compared with it.
    """

    currency: str
    default: Decimal
    countries: Mapping[str, Decimal]
    source: str
    checked_on: date

    def price(self, segments: int, country: str | None) -> Price:
        """Give the price of a text; `country` is its recipient's, None when not known."""
        each = self.countries.get(country or "", self.default)
        return Price(each * segments, self.currency)
