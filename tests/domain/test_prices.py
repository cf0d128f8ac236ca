"""What does a text cost, and what is said when nobody knows?"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from connector.domain.gateway_book import GatewayBook
from connector.domain.prices import Price, PriceList

LISTED = PriceList("USD", Decimal("0.05"), {"US": Decimal("0.01")}, "a price list", date(2026, 11, 20))


@pytest.mark.parametrize(("country", "amount"), [("US", "0.03"), ("FR", "0.15"), (None, "0.15")])
def test_a_text_costs_its_segments_at_its_countrys_price_or_the_usual_one(country: str | None, amount: str) -> None:
    assert GatewayBook({"twilio": LISTED}).price("twilio", 3, country) == Price(Decimal(amount), "USD")


def test_what_a_gateway_without_a_list_asks_for_is_not_known() -> None:
    assert GatewayBook({"twilio": LISTED}).price("other", 1, "US") is None
