"""The file of gateways, and the mistakes it can hold."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connector.adapters.check import check
from connector.adapters.gateway_file import load_gateways
from connector.domain.gateway_book import (
    RETRIES,
    Alphanumeric,
    Budget,
    BudgetScope,
    CountryRule,
    GatewayBook,
    Jitter,
    LookupRule,
    Preference,
    Rate,
    Rates,
    RetryRule,
    RouteRule,
    SenderEntry,
    SenderKind,
    TextEncoding,
)
from connector.domain.message import Purpose
from connector.domain.prices import Price
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

FULL = """\
prices:
  sinch: {currency: EUR, source: x, checked_on: 2026-11-21, default: "0.05"}
  twilio: {currency: USD, source: x, checked_on: 2026-11-21, default: "0.05"}
routes:
  otp: {gateways: [twilio, vonage]}
  news: {gateways: vonage, prefer: cheapest, quality_floor: 72.5%, explore: 1%}
senders:
  - {sender: "+12025550143", gateway: twilio, kind: long_code, countries: [US, CA], per_second: "0.25"}
  - {sender: Northgate, gateway: vonage, kind: alphanumeric, purposes: marketing}
countries:
  US: {alphanumeric: refused}
  IN: {needs_registration: yes, dlt_entity: "1101234567890123456", dlt_templates: {a/b: "1107161234567890123"}}
  default: {most_segments: 4, encoding: gsm7}
rates:
  gateways: {twilio: {per_second: 10, burst: 20, concurrency: 8}}
  account: {per_second: 30}
  campaign: {per_second: 5}
budgets:
  - {scope: gateway, name: twilio, per_day_spend: 250 USD}
  - {scope: journey, per_day_texts: 20000}
retries:
  otp: {tries: 3, base: 2 seconds, cap: 30 seconds, jitter: equal, resend_undelivered: no}
lookups: {gateways: [twilio], purposes: [marketing, otp], keep: 30 days, per_day: 50}
"""


def _load(tmp_path: Path, text: str) -> GatewayBook:
    path = tmp_path / "gateways.yaml"
    path.write_text(text, encoding="utf-8")
    return load_gateways(path)


def _mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(MappingError) as refused:
        _load(tmp_path, text)
    path = tmp_path / "gateways.yaml"
    return [
        f"{mistake} ({mistake.suggestion})".removeprefix(f"{path}:").removesuffix(" (None)")
        for mistake in refused.value.mistakes
    ]


def test_a_text_costs_its_segments_at_the_price_of_its_country(tmp_path: Path) -> None:
    book = _load(tmp_path, GOOD)
    assert book.price("twilio", 3, "US") == Price(Decimal("0.0249"), "USD")
    assert book.prices["twilio"].checked_on == date(2026, 11, 21)


@pytest.mark.parametrize("country", ["NZ", None])
def test_a_country_without_a_row_costs_the_default(tmp_path: Path, country: str | None) -> None:
    assert _load(tmp_path, GOOD).price("twilio", 1, country) == Price(Decimal("0.05"), "USD")


def test_a_gateway_without_prices_has_none(tmp_path: Path) -> None:
    assert _load(tmp_path, GOOD).price("null", 1, "US") is None


def test_no_file_means_nothing_of_everything(tmp_path: Path) -> None:
    assert load_gateways(tmp_path / "gateways.yaml") == GatewayBook()
    assert _load(tmp_path, "prices: {}\n") == GatewayBook()


def test_the_file_that_ships_is_right_and_leaves_everything_to_the_usual_gateway() -> None:
    book = load_gateways(ROOT / "mappings" / "gateways.yaml")
    assert book.price("twilio", 1, "US") == Price(Decimal("0.0083"), "USD")
    assert set(book.first_gateways().values()) <= book.prices.keys()
    assert [book.route_for(purpose).gateways for purpose in Purpose] == [()] * 3
    assert (book.senders, book.rates, book.budgets, book.lookups.gateways) == ((), Rates(), (), ())


def test_the_examples_in_the_file_that_ships_are_right(tmp_path: Path) -> None:
    text = (ROOT / "mappings" / "gateways.yaml").read_text(encoding="utf-8")
    head, _, rest = text.partition("# With a second gateway:\n")
    examples, _, routes = rest.partition("\nroutes:\n")
    parts, _, named = examples.partition("# and among the routes:\n")
    shown = "\n".join(line.removeprefix("# ").removeprefix("#") for line in parts.splitlines())
    further = "\n".join(line.removeprefix("# ").removeprefix("#") for line in named.splitlines())
    book = _load(tmp_path, f"{head}{shown}\nroutes:\n{further}\n{routes}")
    assert {"otp", "marketing", "standard"} == book.routes.keys()
    assert len(book.senders) == 3
    assert book.rates.gateways
    assert len(book.budgets) == 2
    assert book.retries == {Purpose.OTP: RETRIES[Purpose.OTP]}
    assert book.lookups == LookupRule(("twilio",))


# --- the parts ------------------------------------------------------------------------------------------------------


def test_a_bare_gateway_is_a_route_of_one(tmp_path: Path) -> None:
    assert _load(tmp_path, GOOD).routes == {"cheap": RouteRule("cheap", ("twilio",), Preference.IN_ORDER, 0.0, 0.0)}


def test_a_purposes_own_route_prefers_what_fits_it(tmp_path: Path) -> None:
    names = ("otp", "transactional", "marketing", "other")
    text = "routes:\n" + "".join(f"  {name}: {{gateways: [a, b]}}\n" for name in names)
    prefer = {name: rule.prefer.value for name, rule in _load(tmp_path, text).routes.items()}
    assert prefer == {"otp": "premium", "transactional": "balanced", "marketing": "cheapest", "other": "balanced"}


def test_routes_say_what_they_go_by(tmp_path: Path) -> None:
    routes = _load(tmp_path, FULL).routes
    assert routes["otp"] == RouteRule("otp", ("twilio", "vonage"), Preference.PREMIUM, 0.85, 0.02)
    assert routes["news"] == RouteRule("news", ("vonage",), Preference.CHEAPEST, 0.725, 0.01)


def test_senders_have_a_kind_and_may_have_countries_purposes_and_a_rate(tmp_path: Path) -> None:
    first, second = _load(tmp_path, FULL).senders
    assert first == SenderEntry(
        "+12025550143", "twilio", SenderKind.LONG_CODE, frozenset({"US", "CA"}), frozenset(), per_second=0.25
    )
    assert second == SenderEntry(
        "Northgate", "vonage", SenderKind.ALPHANUMERIC, frozenset(), frozenset({Purpose.MARKETING})
    )


def test_countries_have_rules(tmp_path: Path) -> None:
    book = _load(tmp_path, FULL)
    assert book.country("US") == CountryRule("US", Alphanumeric.REFUSED)
    assert book.country("IN") == CountryRule(
        "IN", needs_registration=True, dlt_entity="1101234567890123456", dlt_templates={"a/b": "1107161234567890123"}
    )
    assert book.country("FR") == CountryRule("FR", most_segments=4, encoding=TextEncoding.GSM7)


def test_rates_budgets_retries_and_lookups_are_read(tmp_path: Path) -> None:
    book = _load(tmp_path, FULL)
    assert book.rates == Rates({"twilio": Rate(10.0, 20, 8)}, Rate(30.0), Rate(5.0))
    assert book.budgets == (
        Budget(BudgetScope.GATEWAY, "twilio", per_day_spend=Price(Decimal(250), "USD")),
        Budget(BudgetScope.JOURNEY, per_day_texts=20000),
    )
    assert book.lookups == LookupRule(
        ("twilio",), frozenset({Purpose.MARKETING, Purpose.OTP}), timedelta(days=30), per_day=50
    )


def test_retries_say_only_what_differs(tmp_path: Path) -> None:
    usual = RETRIES[Purpose.OTP]
    book = _load(tmp_path, FULL)
    assert book.retry(Purpose.OTP) == RetryRule(
        tries=3,
        base=timedelta(seconds=2),
        cap=timedelta(seconds=30),
        lifetime=usual.lifetime,
        jitter=Jitter.EQUAL,
        resend_undelivered=False,
        unknown_after=usual.unknown_after,
    )
    assert book.retry(Purpose.MARKETING) == RETRIES[Purpose.MARKETING]


# --- mistakes -------------------------------------------------------------------------------------------------------


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
    found = _mistakes(tmp_path, GOOD.replace(before, after))
    assert any(mistake.startswith(expected) for mistake in found), found


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("[twilio, vonage]", "[twilio, twilio]", "5:28: routes.otp.gateways[1]: `twilio` stands here twice"),
        ("[twilio, vonage]", "[Twilio!]", "5:20: routes.otp.gateways[0]: `Twilio!` is not a gateway such as twilio"),
        ("[twilio, vonage]", "[twilio, sinch]", "5:19: routes.otp.gateways: their prices cannot be compared: t"),
        ("{gateways: [twilio, vonage]}", "{prefer: premium}", "5:3: routes.otp.gateways: is missing"),
        ("prefer: cheapest", "prefer: cheap", "(did you mean `cheapest`?)"),
        ("72.5%", "0.725", '`0.725` is no share: expected one such as "80%"'),
        ("72.5%", "172%", "`172%` is no share"),
        ("explore: 1%", "explores: 1%", "`explores` is not a key of a route"),
        ('"+12025550143"', '"12025550143"', 'is not a full number such as +12025550143 (write "+12025550143")'),
        ("Northgate", "Northgate Services", "9:14: senders[1].sender: `Northgate Services` is not a name of up"),
        ("Northgate", '"12345"', "`12345` is not a name of up to eleven letters and digits, with a letter in it"),
        ("kind: long_code", "kind: long", "(did you mean `long_code`?)"),
        ("[US, CA]", "[US, canada]", "senders[0].countries[1]: `canada` is not a country code of two capitals"),
        ("purposes: marketing", "purposes: marketting", "(did you mean `marketing`?)"),
        ('"0.25"', '"0"', "`0` is no number of texts per second"),
        ('"0.25"', '"fast"', "`fast` is no number of texts per second"),
        ("sender: Northgate, gateway: vonage", "sender: Northgate", "senders[1].gateway: is missing"),
        ("sender: Northgate, gateway: vonage, kind: alphanumeric",
         'sender: "+12025550143", gateway: twilio, kind: long_code',
         "9:5: senders[1]: `+12025550143` of twilio is listed above already"),
        ("  US: {", "  us: {", "11:3: countries.us: `us` is no country code of two capitals, nor default (write US)"),
        ("  US: {", "  America: {", "11:3: countries.America: `America` is no country code of two"),
        ("refused", "forbidden", "countries.US.alphanumeric: `forbidden` is not one of allowed, refused"),
        ("most_segments: 4", "most_segments: 40", "expected a whole number from 1 to 10"),
        ("needs_registration: yes", "needs_registration: perhaps", "expected yes or no"),
        ('dlt_entity: "1101234567890123456", ', "", "12:3: countries.IN: has dlt_templates and no dlt_entity"),
        ('"1107161234567890123"', "first", "countries.IN.dlt_templates.a/b: expected the id of a registered text"),
        ('{a/b: "1107161234567890123"}', "many", "countries.IN.dlt_templates: expected ids by text"),
        ("per_second: 10, ", "", "rates.gateways.twilio.per_second: is missing"),
        ("gateways: {twilio: {per_second: 10, burst: 20, concurrency: 8}}", "gateways: 5", "expected rates by gateway"),
        ("burst: 20", "burst: 0", "rates.gateways.twilio.burst: expected a whole number from 1"),
        ("campaign:", "journey:", "`journey` is not a key of rates"),
        ("250 USD", "250", "budgets[0].per_day_spend: `250` is no amount of money: expected one such as 250 USD"),
        (", per_day_texts: 20000", "", "budgets[1]: limits nothing (add per_day_texts, per_day_spend or both)"),
        ("name: twilio, per", "name: Twilio!, per", "budgets[0].name: `Twilio!` is no gateway of small letters"),
        ("scope: journey", "scope: gateway, name: twilio",
         "20:5: budgets[1]: a budget for `gateway twilio` stands above already (write both limits in one)"),
        ("  otp: {tries", "  codes: {tries", "22:3: retries.codes: `codes` is no purpose (there are otp"),
        ("  otp: {tries", "  opt: {tries", "22:3: retries.opt: `opt` is no purpose (did you mean `otp`?)"),
        ("base: 2 seconds", "base: 2s", "retries.otp.base: "),
        ("base: 2 seconds", "base: 2 minutes", "retries.otp.cap: the longest wait (cap) is shorter than the first"),
        ("cap: 30 seconds", "lifetime: 5 minutes, base: 2 minutes", "stands here twice"),
        ("jitter: equal", "jitter: half", "`half` is not one of full, equal, none"),
        ("keep: 30 days", "keep: 900 days", "lookups.keep: is longer than 730 days"),
        ("lookups: {gateways: [twilio], ", "lookups: {", "lookups.gateways: is missing"),
        ("lookups: {gateways: [twilio], purposes: [marketing, otp], keep: 30 days, per_day: 50}", "lookups: twilio",
         "23:10: lookups: expected lookups (gateways, purposes, keep, per_day), found `twilio`"),
    ],
)  # fmt: skip
def test_a_mistake_in_any_part_is_named_with_its_place(tmp_path: Path, before: str, after: str, expected: str) -> None:
    assert before in FULL
    found = _mistakes(tmp_path, FULL.replace(before, after, 1))
    assert any(expected in mistake for mistake in found), found


UNCOUNTED = "what goes through {} cannot be counted: no price list of theirs is in USD"


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        ("{scope: gateway, name: twilio, per_day_spend: 250 GBP}", "no price list is in GBP"),
        ("{scope: account, per_day_spend: 250 GBP, per_day_texts: 10}", "no price list is in GBP"),
        ("{scope: gateway, name: vonage, per_day_spend: 250 USD}", UNCOUNTED.format("vonage")),
        ("{scope: gateway, name: sinch, per_day_spend: 250 USD}", UNCOUNTED.format("sinch")),
        ("{scope: gateway, per_day_spend: 250 USD}", UNCOUNTED.format("vonage")),
        ("{scope: account, per_day_spend: 250 USD}", UNCOUNTED.format("vonage")),
        ("{scope: journey, name: tips, per_day_spend: 250 USD}", UNCOUNTED.format("vonage")),
        ("{scope: journey, name: tips, per_day_spend: 250 USD, per_day_texts: 10}", None),
        ("{scope: gateway, name: twilio, per_day_spend: 250 USD}", None),
        ("{scope: gateway, name: sinch, per_day_spend: 250 EUR}", None),
    ],
)
def test_a_budget_of_money_needs_the_prices_it_counts_by(tmp_path: Path, budget: str, expected: str | None) -> None:
    text = FULL.replace("{scope: gateway, name: twilio, per_day_spend: 250 USD}", budget)
    if expected is None:
        assert len(_load(tmp_path, text).budgets) == 2
        return
    (found,) = _mistakes(tmp_path, text)
    assert found.startswith(f"19:{5 + budget.index('250')}: budgets[0].per_day_spend: {expected}")


def test_a_price_list_that_is_wrong_is_not_told_as_missing(tmp_path: Path) -> None:
    (found,) = _mistakes(tmp_path, FULL.replace("currency: USD", "currency: dollars"))
    assert "`dollars` is not a currency" in found


@pytest.mark.parametrize("part", ["senders", "budgets"])
def test_a_part_that_is_a_list_must_be_one(tmp_path: Path, part: str) -> None:
    assert _mistakes(tmp_path, f"{part}: {{}}\n") == [
        f"1:{len(part) + 3}: {part}: expected a list of {part} (- …), found a mapping (key: value)"
    ]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = FULL.replace("refused", "no").replace("72.5%", "much").replace("tries: 3", "tries: many")
    found = _mistakes(tmp_path, text)
    assert [mistake.split(":")[0] for mistake in found] == ["6", "11", "22"]


def test_a_retry_that_names_only_its_first_wait_is_told_that_it_exceeds_the_longest(tmp_path: Path) -> None:
    (found,) = _mistakes(tmp_path, "retries:\n  otp: {base: 5 minutes}\n")
    assert found.startswith("2:15: retries.otp.base: the longest wait")


def test_check_tells_the_mistakes_of_every_part(tmp_path: Path) -> None:
    (tmp_path / "gateways.yaml").write_text("routes: {otp: {gateways: twilio, prefer: best}}\n", encoding="utf-8")
    told = [each for each in check(tmp_path, tmp_path).mistakes if each.file.endswith("gateways.yaml")]
    assert [(each.line, each.path) for each in told] == [(1, "routes.otp.prefer")]
