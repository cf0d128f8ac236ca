"""What holds where the file of gateways says nothing, and how do its rules read a text, a sender and a failed try?"""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.gateway_book import (
    EXPLORED,
    QUALITY_FLOORS,
    RETRIES,
    CountryRule,
    GatewayBook,
    Jitter,
    LookupRule,
    Preference,
    Rates,
    RetryRule,
    RouteRule,
    SenderEntry,
    SenderKind,
    TextEncoding,
)
from connector.domain.message import LIFETIMES, Purpose
from connector.domain.retry import backoff
from connector.domain.segments import foreign_characters, replace_smart_characters
from tests.domain.gateway_parts import long_code, name, route

IN_GSM7 = CountryRule("FR", encoding=TextEncoding.GSM7)


def test_an_empty_book_leaves_everything_as_it_was() -> None:
    book = GatewayBook()
    assert book.route_for(Purpose.MARKETING, "gone") == RouteRule("", ())
    assert book.senders_for("twilio", "US", Purpose.OTP) == ()
    assert book.country(None) == CountryRule("default")
    assert book.country("US") == CountryRule("US")
    assert (book.rates, book.budgets, book.lookups) == (Rates(), (), LookupRule())
    assert book.lookups.gateways == ()


def test_a_step_names_its_route_or_takes_its_purposes_own() -> None:
    book = GatewayBook(routes=route("a", name="otp") | route("b", name="quick"))
    assert book.route_for(Purpose.OTP).gateways == ("a",)
    assert book.route_for(Purpose.OTP, "quick").gateways == ("b",)
    assert book.route_for(Purpose.MARKETING).gateways == ()


def test_a_routes_first_gateway_is_the_first_one_in_use() -> None:
    book = GatewayBook(routes=route("a", "b", "c", name="all") | route("a", name="one"))
    assert book.first_gateways() == {"all": "a", "one": "a"}
    assert book.first_gateways({"b", "c"}) == {"all": "b"}


def test_a_country_without_a_rule_has_the_one_for_all_others() -> None:
    book = GatewayBook(countries={"default": CountryRule(most_segments=3), "US": CountryRule("US")})
    assert book.country("FR") == CountryRule("FR", most_segments=3)
    assert book.country("US").most_segments is None
    assert book.country(None) == CountryRule(most_segments=3)


def test_senders_are_given_in_the_order_written() -> None:
    pool = (name("Northgate", "a"), long_code("+12025550143", "a", "US"), long_code("+12025550144", "b", "US"))
    book = GatewayBook(senders=pool)
    assert book.senders_for("a", "US", Purpose.OTP) == pool[:2]
    assert book.senders_for("a", "GB", Purpose.OTP) == pool[:1]
    assert book.senders_for("a", None, Purpose.OTP) == pool[:1]


def test_a_sender_for_codes_carries_nothing_else() -> None:
    entry = SenderEntry("242424", "a", SenderKind.SHORT_CODE, purposes=frozenset({Purpose.OTP}))
    assert CountryRule("US").unfit(entry, Purpose.MARKETING) == "is not for marketing texts"
    assert CountryRule("US").unfit(entry, Purpose.OTP) == ""


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Ça coûte 5 €", "Ça coûte 5 €".replace("û", "u")),
        ("Zażółć “gęślą” jaźń", 'Zazólc "gesla" jazn'.replace("ó", "o")),
        ("Straße: 5 °C", "Straße: 5 °C"),  # the degree sign stays, so nothing is gained by losing anything else
        ("Até amanhã ☀", "Até amanhã ☀"),
        ("Hello", "Hello"),
    ],
)
def test_a_text_loses_its_accents_only_where_that_makes_it_cheaper(written: str, sent: str) -> None:
    assert IN_GSM7.written(written) == sent
    assert CountryRule("FR").written(written) == written


@given(st.text(st.sampled_from("aé“ç☀ğ€Ł°😀")))
def test_a_text_written_for_gsm7_either_gets_there_or_loses_no_accent(text: str) -> None:
    sent, plain = IN_GSM7.written(text), replace_smart_characters(text)
    assert sent == plain or not foreign_characters(sent)
    assert IN_GSM7.written(sent) == sent


# --- retries --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", Purpose)
def test_every_purpose_has_its_retries(purpose: Purpose) -> None:
    assert GatewayBook().retry(purpose) == RETRIES[purpose]
    own = RetryRule(1, timedelta(seconds=1), timedelta(seconds=1))
    assert GatewayBook(retries={purpose: own}).retry(purpose) is own


def test_a_code_is_tried_while_it_is_good_and_no_longer() -> None:
    rule, rng = RETRIES[Purpose.OTP], random.Random(1)
    waits = [rule.wait_after(tries, rng) for tries in range(1, rule.tries)]
    assert sum(waits, timedelta()) < timedelta(minutes=1)
    assert rule.lifetime == LIFETIMES[Purpose.OTP]
    assert rule.unknown_after < timedelta(minutes=1)


@pytest.mark.parametrize("purpose", [Purpose.TRANSACTIONAL, Purpose.MARKETING])
def test_other_texts_are_tried_for_as_long_as_a_gateways_deployment_takes(purpose: Purpose) -> None:
    rule = RETRIES[purpose]
    assert (rule.tries, rule.base, rule.cap) == (12, timedelta(seconds=2), timedelta(minutes=5))
    one, other = random.Random(5), random.Random(5)
    for tries in range(1, 40):
        assert rule.wait_after(tries, one) == backoff(tries, other, rule.base, rule.cap)
        assert rule.may_retry(tries) == (tries < 12)


@pytest.mark.parametrize(
    ("purpose", "is_sent_again"), [(Purpose.OTP, True), (Purpose.TRANSACTIONAL, False), (Purpose.MARKETING, False)]
)
def test_only_codes_are_sent_again_by_themselves_when_a_phone_was_off(purpose: Purpose, is_sent_again: bool) -> None:
    assert GatewayBook().retry(purpose).resend_undelivered is is_sent_again


@given(st.sampled_from(Jitter), st.integers(1, 2000), st.randoms())
def test_a_wait_lies_between_what_is_fixed_and_its_ceiling(jitter: Jitter, tries: int, rng: random.Random) -> None:
    rule = RetryRule(5, timedelta(seconds=2), timedelta(seconds=60), jitter=jitter)
    ceiling = min(2.0 * 2.0 ** min(tries - 1, 10), 60.0)
    wait = rule.wait_after(tries, rng).total_seconds()
    least = {Jitter.FULL: 0.0, Jitter.EQUAL: ceiling / 2, Jitter.NONE: ceiling}[jitter]
    assert least - 1e-5 <= wait <= ceiling + 1e-5


def test_nothing_is_waited_for_before_anything_has_failed() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        RETRIES[Purpose.OTP].wait_after(0, random.Random(1))


@pytest.mark.parametrize("prefer", Preference)
def test_every_preference_has_a_floor_and_a_share_of_trials(prefer: Preference) -> None:
    assert 0 <= QUALITY_FLOORS[prefer] < 1
    assert 0 <= EXPLORED[prefer] <= 0.1
