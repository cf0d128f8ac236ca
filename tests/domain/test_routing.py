"""Through which gateway and from which sender does a text go, and what is never chosen?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.domain.gateway_book import (
    VIA,
    Alphanumeric,
    CountryRule,
    GatewayBook,
    Preference,
    RouteRule,
    SenderEntry,
    SenderKind,
)
from connector.domain.message import Purpose
from connector.domain.prices import PriceList
from connector.domain.routing import Choice, NoRoute, Wanted, choose
from connector.domain.scoring import Scores, score
from tests.domain.gateway_parts import NOW, book, long_code, minutes, name, prices, route

US = Wanted("message-1", Purpose.TRANSACTIONAL, "US")
OPEN = {"a": 1.0, "b": 1.0, "c": 1.0}
HOUR = range(2, 62)


def chosen(made: GatewayBook, wanted: Wanted = US, shares: Mapping[str, float] = OPEN, **rates: float) -> Choice:
    found = choose(made, replace(wanted, route=wanted.route or "r"), shares, scores(**rates), "usual")
    assert isinstance(found, Choice), found
    return found


def refused(made: GatewayBook, wanted: Wanted = US, shares: Mapping[str, float] = OPEN, **rates: float) -> NoRoute:
    found = choose(made, replace(wanted, route=wanted.route or "r"), shares, scores(**rates), "usual")
    assert isinstance(found, NoRoute), found
    return found


def scores(**rates: float) -> Scores:
    return score([each for gateway, rate in rates.items() for each in minutes(gateway, "US", HOUR, rate=rate)], NOW)


def candidates(found: Choice | NoRoute) -> dict[str, dict[str, Any]]:
    return {each["gateway"]: each for each in found.numbers["candidates"]}


# --- which gateway --------------------------------------------------------------------------------------------------


def test_without_a_route_the_usual_gateway_takes_it() -> None:
    found = choose(GatewayBook(), US, {"usual": 1.0}, Scores(), "usual")
    assert isinstance(found, Choice)
    assert (found.gateway, found.sender, found.is_trial) == ("usual", None, False)
    assert found.reason == "usual: the only one"


def test_a_purposes_own_route_takes_texts_that_name_none_and_a_named_one_goes_before() -> None:
    routes = route("a", name="transactional") | route("b", name="special")
    assert choose(book(routes), US, OPEN, Scores(), "usual").reason.startswith("a:")
    assert chosen(book(routes), replace(US, route="special")).gateway == "b"
    assert chosen(book(routes), replace(US, route="gone")).gateway == "a"


def test_a_route_none_of_whose_gateways_is_in_use_here_holds_no_text() -> None:
    found = chosen(book(route("x", "y")), shares={"usual": 1.0})
    assert found.gateway == "usual"


def test_in_order_takes_the_first_whatever_the_others_cost_and_deliver() -> None:
    made = book(route("a", "b", prefer=Preference.IN_ORDER), a="0.09", b="0.01")
    found = chosen(made, a=0.7, b=0.99)
    assert (found.gateway, found.reason) == ("a", "a: the first in order")


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [(Preference.PREMIUM, "a"), (Preference.BALANCED, "b"), (Preference.CHEAPEST, "c")],
)
def test_what_a_route_prefers_decides(prefer: Preference, expected: str) -> None:
    made = book(route("a", "b", "c", prefer=prefer), a="0.02", b="0.008", c="0.004")
    assert chosen(made, a=0.98, b=0.93, c=0.65).gateway == expected


def test_the_cheapest_must_clear_the_floor() -> None:
    made = book(route("a", "c", prefer=Preference.CHEAPEST, floor=0.8), a="0.02", c="0.004")
    found = chosen(made, a=0.95, c=0.65)
    assert found.gateway == "a"
    assert candidates(found)["c"]["below_floor"] is True


def test_below_the_floor_is_better_than_not_at_all() -> None:
    made = book(route("a", "c", floor=0.8), a="0.02", c="0.004")
    found = chosen(made, shares={"a": 0.0, "c": 1.0}, a=0.95, c=0.65)
    assert (found.gateway, found.reason) == ("c", "c: below the quality floor, and nothing better is left")


def test_a_new_gateway_is_not_preferred_to_one_that_is_known_to_be_good() -> None:
    made = book(route("new", "b"), new="0.01", b="0.01")
    assert chosen(made, shares={"new": 1.0, "b": 1.0}, b=0.9).gateway == "b"


def test_a_quicker_gateway_is_preferred_for_codes() -> None:
    made = book(route("a", "b", prefer=Preference.PREMIUM), a="0.01", b="0.01")
    slow, quick = (minutes(gateway, "US", HOUR, seconds=each) for gateway, each in (("a", 90.0), ("b", 5.0)))
    found = choose(made, replace(US, route="r"), OPEN, score([*slow, *quick], NOW), "usual")
    assert isinstance(found, Choice)
    assert found.gateway == "b"


def test_a_gateway_that_refuses_many_requests_loses() -> None:
    made = book(route("a", "b"), a="0.01", b="0.01")
    failing = [replace(each, failed=each.sent) for each in minutes("a", "US", HOUR)]
    found = choose(made, replace(US, route="r"), OPEN, score([*failing, *minutes("b", "US", HOUR)], NOW), "usual")
    assert isinstance(found, Choice)
    assert found.gateway == "b"


def test_a_price_nobody_knows_is_taken_for_the_highest_and_two_currencies_for_none() -> None:
    made = book(route("a", "b", prefer=Preference.CHEAPEST), b="0.01")
    assert chosen(made, a=0.95, b=0.95).gateway == "a", "as dear as the dearest, so the first of equals"
    assert chosen(book(made.routes, b="0.01", c="0.02"), a=0.95, b=0.95).gateway == "a"
    euros = replace(prices(b="0.001")["b"], currency="EUR")
    mixed = GatewayBook({**prices(a="0.01"), "b": euros}, made.routes)
    assert chosen(mixed, a=0.95, b=0.94).gateway == "a"


# --- what has failed, and what is closed ----------------------------------------------------------------------------


def test_a_gateway_that_has_failed_with_the_text_comes_last() -> None:
    made = book(route("a", "b", prefer=Preference.IN_ORDER))
    assert chosen(made, replace(US, tried=frozenset("a"))).gateway == "b"
    again = chosen(made, replace(US, tried=frozenset("ab")))
    assert again.gateway == "a"
    alone = chosen(made, replace(US, tried=frozenset("a")), shares={"a": 1.0, "b": 0.0})
    assert alone.reason == "a: tried before, and nothing else is left"


def test_a_closed_circuit_takes_no_text_and_when_all_are_closed_the_text_waits() -> None:
    made = book(route("a", "b"))
    assert chosen(made, shares={"a": 0.0, "b": 1.0}).gateway == "b"
    none = refused(made, shares={"a": 0.0, "b": 0.0})
    assert none.reason == "no gateway can take it: a its circuit is open; b its circuit is open"
    assert not none.is_final


def test_a_circuit_that_lets_a_quarter_through_gets_a_quarter() -> None:
    made = book(route("a", "b", prefer=Preference.IN_ORDER))
    through = Counter(
        chosen(made, replace(US, message_id=f"message-{index}"), shares={"a": 0.25, "b": 1.0}).gateway
        for index in range(2000)
    )
    assert 0.22 < through["a"] / 2000 < 0.28


def test_a_gateway_of_the_route_that_is_not_in_use_is_left_out() -> None:
    found = chosen(book(route("x", "b")), shares={"b": 1.0})
    assert candidates(found)["x"]["refused"] == "is not in use here"


def test_a_gateway_that_is_not_in_use_will_not_be_by_waiting() -> None:
    elsewhere = [long_code("+442079460018", "b", "GB")]
    none = refused(book(route("x", "b"), elsewhere), shares={"b": 1.0})
    assert none.reason == "no gateway can take it: x is not in use here; b has no sender for US"
    assert none.is_final
    closed = refused(book(route("x", "b")), shares={"b": 0.0})
    assert not closed.is_final


def test_a_gateway_without_a_sender_is_refused_for_good_though_its_circuit_is_open() -> None:
    none = refused(book(route("a"), [long_code("+442079460018", "a", "GB")]), shares={"a": 0.0})
    assert (none.is_final, none.reason) == (True, "no gateway can take it: a has no sender for US")


def test_a_text_that_tries_a_gateway_out_takes_no_other() -> None:
    trying = replace(US, route=f"{VIA}x")
    none = refused(book(route("a")), trying, shares={"a": 1.0, "usual": 1.0})
    assert (none.is_final, none.reason) == (True, "no gateway can take it: x is not in use here")
    assert chosen(book(route("a")), trying, shares={"x": 1.0, "usual": 1.0}).gateway == "x"


# --- senders --------------------------------------------------------------------------------------------------------

ONE, TWO, UK = long_code("+12025550143", "a", "US"), long_code("+12025550144", "b", "US"), name("Northgate", "a")


def test_a_sender_that_fits_the_country_is_used_and_the_first_of_equals() -> None:
    second = long_code("+12025550145", "a", "US")
    made = book(route("a"), [long_code("+442079460018", "a", "GB"), ONE, second])
    assert chosen(made).sender == ONE.sender


def test_a_sender_that_delivers_better_is_used() -> None:
    second = long_code("+12025550145", "a", "US")
    bad, good = (minutes("a", "US", HOUR, sender=each.sender, rate=rate) for each, rate in ((ONE, 0.6), (second, 0.95)))
    found = choose(book(route("a"), [ONE, second]), replace(US, route="r"), OPEN, score([*bad, *good], NOW), "usual")
    assert isinstance(found, Choice)
    assert found.sender == second.sender


def test_a_gateway_without_listed_senders_sends_from_its_own() -> None:
    assert chosen(book(route("b"), [ONE])).sender is None


def test_a_gateway_whose_senders_are_all_for_other_countries_is_refused() -> None:
    found = chosen(book(route("a", "b"), [long_code("+442079460018", "a", "GB"), TWO]))
    assert found.gateway == "b"
    assert candidates(found)["a"]["refused"] == "has no sender for US"
    none = refused(book(route("a"), [long_code("+442079460018", "a", "GB")]), replace(US, country=None))
    assert "a number whose country is not known" in none.reason
    assert none.is_final


def test_where_names_are_refused_the_next_sender_is_used() -> None:
    rules = {"US": CountryRule("US", Alphanumeric.REFUSED)}
    assert chosen(book(route("a"), [UK, ONE], rules)).sender == ONE.sender
    assert chosen(book(route("a"), [UK, ONE], rules), replace(US, sender="Northgate")).sender == ONE.sender
    assert chosen(book(route("a"), [UK, ONE])).sender == "Northgate"
    alone = refused(book(route("a"), [UK], rules))
    assert alone.reason == "no gateway can take it: a has no sender for US (names are refused as senders there)"


def test_a_name_that_is_not_listed_is_left_to_the_gateway_where_names_are_refused() -> None:
    rules = {"US": CountryRule("US", Alphanumeric.REFUSED)}
    assert chosen(book(route("b"), [], rules), replace(US, sender="Northgate")).sender is None
    assert chosen(book(route("b"), [], rules), replace(US, sender="+12025550199")).sender == "+12025550199"
    assert chosen(book(route("b")), replace(US, sender="Northgate")).sender == "Northgate"


def test_where_registration_is_needed_only_senders_of_that_very_country_are_used() -> None:
    rules = {"US": CountryRule("US", needs_registration=True)}
    anywhere = long_code("+12025550146", "a")
    assert chosen(book(route("a"), [anywhere, ONE], rules)).sender == ONE.sender
    none = refused(book(route("a", "b"), [anywhere], rules), replace(US, sender="+12025550199"))
    assert none.is_final
    assert "a has no sender that is registered in US; b has no sender that is registered in US" in none.reason


def test_the_rule_for_all_other_countries_asks_for_senders_of_the_texts_own_country() -> None:
    rules = {"default": CountryRule(needs_registration=True)}
    assert chosen(book(route("a"), [ONE], rules)).sender == ONE.sender
    assert refused(book(route("a"), [ONE], rules), replace(US, country="FR")).is_final


def test_a_sender_is_used_for_its_purposes_only() -> None:
    codes = SenderEntry("242424", "a", SenderKind.SHORT_CODE, purposes=frozenset({Purpose.OTP}))
    made = book(route("a"), [codes, ONE])
    assert chosen(made).sender == ONE.sender
    assert chosen(made, replace(US, purpose=Purpose.OTP)).sender == "242424"


def test_a_named_sender_decides_the_gateway() -> None:
    made = book(route("a", "b", prefer=Preference.IN_ORDER), [ONE, TWO])
    found = chosen(made, replace(US, sender=TWO.sender))
    assert (found.gateway, found.sender) == ("b", TWO.sender)
    assert candidates(found)["a"]["refused"] == f"does not send from {TWO.sender}"


def test_a_named_sender_of_a_gateway_outside_the_route_finds_none() -> None:
    none = refused(book(route("a"), [ONE, TWO]), replace(US, sender=TWO.sender))
    assert (none.is_final, none.reason) == (True, f"no gateway can take it: a does not send from {TWO.sender}")


def test_a_conversation_keeps_its_sender_while_its_gateway_can_be_used() -> None:
    made = book(route("a", "b", prefer=Preference.IN_ORDER), [ONE, TWO])
    talking = replace(US, conversation_sender=TWO.sender)
    found = chosen(made, talking)
    assert (found.gateway, found.sender, found.reason) == (
        "b",
        TWO.sender,
        f"b from {TWO.sender}: the conversation's sender",
    )
    assert chosen(made, talking, shares={"a": 1.0, "b": 0.0}).gateway == "a"
    assert chosen(made, replace(talking, tried=frozenset("b"))).gateway == "a"
    assert chosen(made, replace(talking, sender=ONE.sender)).sender == ONE.sender


def test_a_sender_of_two_gateways_keeps_the_conversation_and_goes_the_better_way() -> None:
    made = book(route("a", "b"), [UK, name("Northgate", "b"), ONE])
    found = chosen(made, replace(US, conversation_sender="Northgate"), a=0.85, b=0.95)
    assert (found.gateway, found.sender) == ("b", "Northgate")


def test_a_conversation_leaves_a_gateway_that_no_longer_delivers() -> None:
    made = book(route("a", "b", floor=0.8), [ONE, TWO])
    assert chosen(made, replace(US, conversation_sender=TWO.sender), a=0.95, b=0.1).gateway == "a"


def test_no_trial_tears_a_conversation_in_two() -> None:
    made = book(route("a", "b", explore=1.0), [ONE, TWO])
    talking = replace(US, conversation_sender=TWO.sender)
    found = [chosen(made, replace(talking, message_id=f"message-{index}")) for index in range(50)]
    assert {(each.gateway, each.is_trial) for each in found} == {("b", False)}


def test_a_text_longer_than_its_country_takes_is_refused_for_good() -> None:
    rules = {"US": CountryRule("US", most_segments=2)}
    none = refused(book(route("a"), [], rules), replace(US, segments=3))
    assert (none.is_final, none.reason) == (True, "it takes 3 SMS, and texts to US may take 2")
    assert chosen(book(route("a"), [], rules), replace(US, segments=2)).gateway == "a"


# --- trials ---------------------------------------------------------------------------------------------------------


def _trials(made: GatewayBook, count: int = 4000, **rates: float) -> Counter[str]:
    known = scores(**rates)
    texts = [replace(US, message_id=f"message-{index}", route="r") for index in range(count)]
    found = [choose(made, text, OPEN, known, "usual") for text in texts]
    return Counter(each.gateway for each in found if isinstance(each, Choice) and each.is_trial)


def test_trials_go_to_those_that_could_be_better() -> None:
    trials = _trials(book(route("a", "b", "c", explore=0.1), a="0.01", b="0.01", c="0.01"), a=0.93, c=0.3)
    assert 0.08 < trials.total() / 4000 < 0.12
    assert trials["b"] > 5 * trials["c"] > 0


def test_when_no_other_could_be_better_a_tenth_of_the_trials_remains() -> None:
    trials = _trials(book(route("a", "c", explore=0.1), a="0.01", c="0.01"), a=0.95, c=0.3)
    assert 0 < trials.total() / 4000 < 0.02


def test_a_text_that_has_failed_once_is_no_trial() -> None:
    made = book(route("a", "b", "c", explore=1.0))
    assert not chosen(made, replace(US, tried=frozenset("a"))).is_trial
    assert chosen(made).is_trial


# --- what is told ---------------------------------------------------------------------------------------------------


def test_every_choice_tells_its_numbers() -> None:
    found = chosen(book(route("a", "b", floor=0.5), a="0.0100", b="0.0200"), replace(US, segments=2), a=0.95, b=0.9)
    assert found.reason == "a: the best of 2, balanced"
    assert {"route", "prefer", "floor", "explore", "candidates"} == found.numbers.keys()
    told = candidates(found)["a"]
    assert (told["price"], told["currency"], told["rate"]) == ("0.0200", "USD", 0.95)
    assert told["lower"] < told["rate"]
    assert {"latency", "errors", "score", "texts"} < told.keys()
    assert json.loads(json.dumps(found.numbers)) == found.numbers


def test_a_pool_of_numbers_is_not_told_one_by_one() -> None:
    pool = [long_code(f"+120255501{index:02}", "a", "US") for index in range(30)]
    found = chosen(book(route("a"), pool))
    assert (len(found.numbers["candidates"]), found.numbers["more"]) == (8, 22)
    assert found.numbers["candidates"][0]["sender"] == found.sender


# --- laws -----------------------------------------------------------------------------------------------------------

GATEWAYS = "abc"
RATES = st.fixed_dictionaries({}, optional={gateway: st.floats(0, 1) for gateway in GATEWAYS})
SHARES = st.fixed_dictionaries({}, optional={gateway: st.sampled_from([0.0, 0.3, 1.0]) for gateway in GATEWAYS})
PRICES = st.fixed_dictionaries(
    {}, optional={gateway: st.integers(0, 2000).map(lambda n: f"{Decimal(n) / 10000}") for gateway in GATEWAYS}
)
SENDERS = st.lists(
    st.builds(
        SenderEntry,
        st.sampled_from(["+12025550143", "+12025550144", "Northgate"]),
        st.sampled_from(GATEWAYS),
        st.sampled_from(SenderKind),
        st.frozensets(st.sampled_from(["US", "GB"])),
        st.frozensets(st.sampled_from(Purpose)),
    ),
    max_size=5,
    unique_by=lambda entry: (entry.gateway, entry.sender),
)
RULES = st.builds(
    CountryRule,
    st.just("US"),
    st.sampled_from(Alphanumeric),
    st.booleans(),
    st.none() | st.integers(1, 3),
)
ROUTES = st.builds(
    RouteRule,
    st.just("r"),
    st.permutations(GATEWAYS).map(tuple),
    st.sampled_from(Preference),
    st.sampled_from([0.0, 0.8]),
    st.sampled_from([0.0, 0.05, 1.0]),
)
TEXTS = st.builds(
    Wanted,
    st.uuids().map(str),
    st.sampled_from(Purpose),
    st.sampled_from(["US", "GB", None]),
    segments=st.integers(1, 4),
    route=st.just("r"),
    sender=st.none() | st.sampled_from(["+12025550143", "Northgate", "+12025550199"]),
    conversation_sender=st.none() | st.sampled_from(["+12025550144", "Northgate"]),
    tried=st.frozensets(st.sampled_from(GATEWAYS)),
)


@given(ROUTES, SENDERS, RULES, PRICES, RATES, SHARES, TEXTS)
def test_nothing_refused_is_ever_chosen(
    rule: RouteRule,
    senders: list[SenderEntry],
    country: CountryRule,
    each: dict[str, str],
    rates: dict[str, float],
    shares: dict[str, float],
    wanted: Wanted,
) -> None:
    made = book({"r": rule}, senders, {"US": country}, listed=each)
    found = choose(made, wanted, shares, scores(**rates), "a")
    if isinstance(found, NoRoute):
        return
    assert shares.get(found.gateway, 0) > 0
    entries = [entry for entry in senders if (entry.gateway, entry.sender) == (found.gateway, found.sender)]
    for entry in entries:
        assert entry in made.senders_for(found.gateway, wanted.country, wanted.purpose)
    if made.country(wanted.country).needs_registration:
        assert entries
    if not entries and found.sender is not None:
        assert found.sender == wanted.sender
    told = found.numbers["candidates"][0]
    assert (told["gateway"], told.get("sender")) == (found.gateway, found.sender)
    assert "refused" not in told
    assert wanted.tried.isdisjoint({found.gateway}) or all(
        each.get("tried") or each.get("refused") for each in found.numbers["candidates"]
    )


@given(ROUTES, PRICES, RATES, TEXTS)
def test_the_same_text_meets_the_same_choice(
    rule: RouteRule, each: dict[str, str], rates: dict[str, float], wanted: Wanted
) -> None:
    made, known = book({"r": rule}, listed=each), scores(**rates)
    assert choose(made, wanted, OPEN, known, "a") == choose(made, wanted, dict(reversed(OPEN.items())), known, "a")


@given(ROUTES, PRICES, RATES, TEXTS, st.decimals("0.5", "0.99", places=2))
def test_what_is_chosen_stays_chosen_when_it_gets_cheaper(
    rule: RouteRule, each: dict[str, str], rates: dict[str, float], wanted: Wanted, factor: Decimal
) -> None:
    known, calm = scores(**rates), replace(rule, explore=0.0)
    before = choose(book({"r": calm}, listed=each), wanted, OPEN, known, "a")
    assert isinstance(before, Choice)
    if before.gateway in each:
        each[before.gateway] = str(Decimal(each[before.gateway]) * factor)
        after = choose(book({"r": calm}, listed=each), wanted, OPEN, known, "a")
        # a price nobody knows counts as the dearest that is known, which this very price may be
        if set(each) == set(GATEWAYS):
            assert isinstance(after, Choice)
            assert after.gateway == before.gateway


@given(PRICES, RATES, TEXTS, st.sampled_from([Preference.PREMIUM, Preference.BALANCED, Preference.CHEAPEST]))
def test_the_order_of_a_route_decides_between_equals_only(
    each: dict[str, str], rates: dict[str, float], wanted: Wanted, prefer: Preference
) -> None:
    known = scores(**rates)
    one, other = (
        choose(book(route(*order, prefer=prefer), listed=each), wanted, OPEN, known, "a") for order in ("abc", "cab")
    )
    assert isinstance(one, Choice)
    assert isinstance(other, Choice)
    first, second = candidates(one)[one.gateway], candidates(one)[other.gateway]
    assert first["score"] == pytest.approx(second["score"], abs=2e-4)


@settings(deadline=None)  # a thousand choices each: slow on a busy machine
@given(st.floats(0, 0.2), RATES)
def test_trials_keep_to_their_share(explore: float, rates: dict[str, float]) -> None:
    trials = _trials(book(route("a", "b", "c", explore=explore)), count=200, **rates)
    assert trials.total() <= 200 * explore + 5 * (200 * explore) ** 0.5 + 1


def test_price_lists_by_country_are_what_a_choice_goes_by() -> None:
    here, there = (
        PriceList("USD", Decimal("0.05"), {"US": Decimal(price)}, "a test", prices(a="1")["a"].checked_on)
        for price in ("0.01", "0.02")
    )
    made = GatewayBook({"a": there, "b": here}, route("a", "b", prefer=Preference.CHEAPEST))
    assert chosen(made, a=0.95, b=0.95).gateway == "b"


# --- whose senders --------------------------------------------------------------------------------------------------

MINE, NOBODYS, THEIRS = "+12025550110", "+12025550111", "+12025550112"


def shared(*senders: str) -> GatewayBook:
    return book(route("a"), senders=tuple(long_code(sender, "a") for sender in senders))


def test_an_account_texts_from_its_own_sender_before_one_that_nobody_named() -> None:
    assert chosen(shared(NOBODYS, MINE), replace(US, own=frozenset({MINE}))).sender == MINE
    assert chosen(shared(NOBODYS, MINE)).sender == NOBODYS


def test_another_accounts_sender_is_never_used() -> None:
    theirs = replace(US, foreign=frozenset({THEIRS}))
    assert chosen(shared(THEIRS, NOBODYS), theirs).sender == NOBODYS
    assert "senders of other accounts only" in refused(shared(THEIRS), theirs).reason
    named = replace(theirs, sender=THEIRS)
    assert "another account's" in refused(shared(THEIRS, NOBODYS), named).reason


def test_a_conversation_does_not_go_on_from_a_sender_that_became_another_accounts() -> None:
    before = replace(US, conversation_sender=THEIRS, foreign=frozenset({THEIRS}))
    assert chosen(shared(NOBODYS, THEIRS), before).sender == NOBODYS
