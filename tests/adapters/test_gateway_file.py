"""The file of prices and routes, and the mistakes it can hold."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from connector.adapters.gateway_file import load_gateways
from connector.domain.prices import GatewayBook, Price
from connector.errors import MappingError

ROOT = Path(__file__).parents[2]

GOOD = """\
prices:
  twilio:
    currency: USD
    source: our contract
    checked_on: 2026-11-21
    default: "0.05"
    US: "0.0083"
routes:
  cheap: twilio
"""


def _load(tmp_path: Path, text: str) -> GatewayBook:
    path = tmp_path / "gateways.yaml"
    path.write_text(text, encoding="utf-8")
    return load_gateways(path)


def test_a_text_costs_its_segments_at_the_price_of_its_country(tmp_path: Path) -> None:
    book = _load(tmp_path, GOOD)
    assert book.price("twilio", 3, "US") == Price(Decimal("0.0249"), "USD")
    assert book.routes == {"cheap": "twilio"}
    assert book.prices["twilio"].checked_on == date(2026, 11, 21)


@pytest.mark.parametrize("country", ["NZ", None])
def test_a_country_without_a_row_costs_the_default(tmp_path: Path, country: str | None) -> None:
    assert _load(tmp_path, GOOD).price("twilio", 1, country) == Price(Decimal("0.05"), "USD")


def test_a_gateway_without_prices_has_none(tmp_path: Path) -> None:
    assert _load(tmp_path, GOOD).price("null", 1, "US") is None


def test_no_file_means_no_prices_and_no_routes(tmp_path: Path) -> None:
    assert load_gateways(tmp_path / "gateways.yaml") == GatewayBook()


def test_the_file_that_ships_is_right() -> None:
    book = load_gateways(ROOT / "mappings" / "gateways.yaml")
    assert book.price("twilio", 1, "US") == Price(Decimal("0.0083"), "USD")
    assert set(book.routes.values()) <= book.prices.keys()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('US: "0.0083"', "US: cheap", "7:9: prices.twilio.US: `cheap` is no price per segment"),
        ('US: "0.0083"', 'US: "83"', "7:9: prices.twilio.US: `83` is no price per segment"),
        ('US: "0.0083"', 'usa: "0.0083"', "7:5: prices.twilio.usa: `usa` is not a key of a price list"),
        ('default: "0.05"', 'default: "-1"', "6:14: prices.twilio.default: `-1` is no price per segment"),
        ('default: "0.05"', 'default: "NaN"', "6:14: prices.twilio.default: `NaN` is no price per segment"),
        ("2026-11-21", "yesterday", "5:17: prices.twilio.checked_on: `yesterday` is no date"),
        ("currency: USD", "currency: dollars", "3:15: prices.twilio.currency: `dollars` is not a currency"),
        ("    source: our contract\n", "", "2:3: prices.twilio.source: is missing"),
        ("cheap: twilio", "cheap: [twilio]", "9:10: routes.cheap: expected a gateway such as twilio"),
        ("  cheap:", "  Cheap!:", "9:3: routes.Cheap!: `Cheap!` is no name"),
        ("routes:\n  cheap: twilio", "routes: twilio", "8:9: routes: expected routes by name"),
        ("routes:", "rutes:", "8:1: rutes: `rutes` is not a key of a gateway file"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, before: str, after: str, expected: str) -> None:
    assert before in GOOD
    with pytest.raises(MappingError) as refused:
        _load(tmp_path, GOOD.replace(before, after))
    path = tmp_path / "gateways.yaml"
    found = [str(mistake).removeprefix(f"{path}:") for mistake in refused.value.mistakes]
    assert any(mistake.startswith(expected) for mistake in found), found
