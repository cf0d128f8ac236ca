"""How good is a gateway held to be, how soon is silence noticed, and which fall is told?"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.scoring import LOOK_BACK, REMEMBERED, USUAL_RATE, Scores, Tally, fallen, score, wilson
from connector.domain.tallies import FINE, LEANS, Counts
from tests.domain.gateway_parts import MINUTE, NOW, minutes

HOUR = range(2, 62)


def test_a_gateway_nobody_knows_is_neither_trusted_nor_condemned() -> None:
    unknown = Scores().of("new", "US")
    assert unknown.delivery_rate == USUAL_RATE
    assert unknown.lower < 0.8
    assert unknown.upper > 0.95
    assert unknown.texts == 0


def test_an_hour_of_receipts_gives_the_rate_and_a_narrow_bound() -> None:
    known = score(minutes("a", "US", HOUR, rate=0.95), NOW).of("a", "US")
    assert known.delivery_rate == pytest.approx(0.95, abs=0.005)
    assert 0.935 < known.lower < 0.95 < known.upper < 0.965
    assert known.latency_seconds == pytest.approx(6, abs=0.1)


def test_ten_texts_widen_what_a_thousand_narrow() -> None:
    few, many = (score(minutes("a", "US", [5], texts=texts, rate=1), NOW).of("a", "US") for texts in (10, 1000))
    assert few.upper - few.lower > 3 * (many.upper - many.lower)


def test_a_gateway_that_falls_silent_is_noticed_within_minutes() -> None:
    good = minutes("a", "US", range(4, 64))
    before = score(good, NOW - 4 * MINUTE).of("a", "US")
    after = score([*good, *minutes("a", "US", range(4), is_silent=True)], NOW).of("a", "US")
    assert before.lower > 0.93
    assert after.upper < 0.8, "four minutes at a text a second"


def test_texts_of_the_last_seconds_are_no_failures_yet() -> None:
    good = minutes("a", "US", HOUR)
    young = replace(minutes("a", "US", [0], is_silent=True)[0], slot=NOW - timedelta(seconds=2))
    estimate = score([*good, young], NOW).of("a", "US").delivery_rate
    assert estimate == pytest.approx(score(good, NOW).of("a", "US").delivery_rate, abs=0.015)


def test_a_slow_gateway_is_given_the_time_it_usually_takes() -> None:
    quick, slow = (
        score([*minutes(name, "US", HOUR, seconds=each), *minutes(name, "US", [1], is_silent=True)], NOW).of(name, "US")
        for name, each in (("quick", 4.0), ("slow", 200.0))
    )
    assert slow.delivery_rate > quick.delivery_rate


def test_silence_of_a_gateway_that_never_tells_means_nothing() -> None:
    silent = minutes("mute", "US", HOUR, is_silent=True)
    assert score(silent, NOW, frozenset({"mute"})).of("mute", "US").delivery_rate == USUAL_RATE
    assert score(silent, NOW).of("mute", "US").delivery_rate < 0.01


def test_a_bad_hour_is_forgiven_within_a_day_but_not_within_minutes() -> None:
    bad = minutes("a", "US", range(10, 70), rate=0.3)
    rates = [score(bad, NOW + later).of("a", "US").delivery_rate for later in (MINUTE, timedelta(hours=3))]
    assert rates[0] < 0.35
    assert rates[0] < rates[1] < USUAL_RATE


def test_what_older_days_showed_is_remembered_as_a_few_texts() -> None:
    yesterday = minutes("a", "US", range(1440, 1500), rate=0.4)
    known = score(yesterday, NOW).of("a", "US")
    assert known.texts == pytest.approx(REMEMBERED, abs=0.1)
    assert 0.4 < known.delivery_rate < 0.6


def test_a_country_without_texts_leans_on_its_gateway_and_its_own_texts_outweigh_that() -> None:
    tallies = minutes("a", "US", HOUR, rate=0.7)
    assert score(tallies, NOW).of("a", "FR").delivery_rate == pytest.approx(0.7, abs=0.01)
    assert score(tallies, NOW).of("a", "FR").lower < 0.6, "leaning is not knowing"
    own = score([*tallies, *minutes("a", "FR", HOUR, rate=1, texts=10)], NOW).of("a", "FR")
    assert own.delivery_rate > 0.95


def test_carrier_leans_on_sender_and_sender_on_country() -> None:
    tallies = [
        *minutes("a", "US", HOUR, rate=0.95, sender="+12025550143", carrier="One"),
        *minutes("a", "US", HOUR, rate=0.55, sender="+12025550144", carrier="Two"),
    ]
    scores = score(tallies, NOW)
    assert scores.of("a", "US").delivery_rate == pytest.approx(0.75, abs=0.01)
    assert scores.of("a", "US", "+12025550144").delivery_rate == pytest.approx(0.55, abs=0.02)
    assert scores.of("a", "US", "+12025550144", "Three").delivery_rate == pytest.approx(0.55, abs=0.02)
    assert scores.of("a", "US", carrier="One").delivery_rate == pytest.approx(0.95, abs=0.02)


def test_texts_sent_under_no_carrier_and_delivered_under_one_are_no_silence() -> None:
    tallies = [
        each
        for age in HOUR
        for each in (
            Tally("a", "US", "", "", NOW - age * MINUTE, sent=60),
            Tally("a", "US", "", "One", NOW - age * MINUTE, delivered=57, delivery_seconds=300.0),
        )
    ]
    assert score(tallies, NOW).of("a", "US").delivery_rate == pytest.approx(0.95, abs=0.01)


def test_requests_that_fail_count_as_errors_and_not_as_texts() -> None:
    failing = [replace(each, failed=20) for each in minutes("a", "US", HOUR)]
    known = score(failing, NOW).of("a", "US")
    assert known.error_rate == pytest.approx(0.25, abs=0.01)
    assert known.delivery_rate == pytest.approx(0.95, abs=0.01)


def test_a_cohort_counts_as_far_as_its_receipts_should_have_come() -> None:
    counts = Counts(sent=100)
    assert counts.exposure(0.0, 10.0) == 0
    assert counts.exposure(10.0, 10.0) == pytest.approx(63.2, abs=0.1)
    assert counts.exposure(100.0, 10.0) == pytest.approx(100, abs=0.1)
    assert Counts(sent=100, delivered=80).exposure(1.0, 10.0) == 80


def test_what_is_taken_back_counts_as_never_sent() -> None:
    dead_numbers = [Tally("a", "US", "", "One", NOW - age * MINUTE, sent=-30) for age in HOUR]
    half_silent = minutes("a", "US", HOUR, rate=0.5)
    unheard = [replace(each, undelivered=0) for each in half_silent]
    known = score([*unheard, *dead_numbers], NOW).of("a", "US")
    assert known.delivery_rate > 0.97
    assert score(dead_numbers, NOW).of("a", "US").delivery_rate == USUAL_RATE


def test_hours_of_long_ago_say_what_their_minutes_said() -> None:
    ago = int(FINE / MINUTE) + 30
    fine, coarse = (minutes("a", "US", range(first, first + 60), rate=0.5) for first in (ago - 60, ago + 60))
    one, other = (score(each, NOW).of("a", "US") for each in (fine, coarse))
    assert one.delivery_rate == pytest.approx(other.delivery_rate, abs=0.01)
    assert LOOK_BACK > FINE


def _counted(way: tuple[str, str, str, str], age: int, counts: tuple[int, int, int, int]) -> Tally:
    silent, delivered, undelivered, failed = counts
    sent = silent + delivered + undelivered
    return Tally(*way, NOW - age * MINUTE, sent, delivered, undelivered, failed, delivery_seconds=delivered * 5.0)


_COUNT = st.integers(0, 50)
TALLIES = st.lists(
    st.builds(
        _counted,
        st.tuples(
            st.sampled_from("ab"),
            st.sampled_from(["US", "GB", ""]),
            st.sampled_from(["", "+12025550143"]),
            st.sampled_from(["", "One"]),
        ),
        st.integers(0, 5000),
        st.tuples(_COUNT, _COUNT, _COUNT, _COUNT),
    ),
    max_size=12,
)


@given(TALLIES, st.randoms())
def test_the_order_of_what_was_counted_does_not_matter(tallies: list[Tally], rng: random.Random) -> None:
    shuffled = rng.sample(tallies, len(tallies))
    one, other = (score(each, NOW).of("a", "US", "+12025550143", "One") for each in (tallies, shuffled))
    assert one.delivery_rate == pytest.approx(other.delivery_rate)
    assert (one.lower, one.upper) == pytest.approx((other.lower, other.upper))


@given(TALLIES, st.sampled_from("abc"))
def test_a_rate_lies_within_its_bounds_and_all_are_shares(tallies: list[Tally], gateway: str) -> None:
    known = score(tallies, NOW).of(gateway, "US", "+12025550143", "One")
    assert 0 <= known.lower <= known.delivery_rate <= known.upper <= 1
    assert 0 <= known.error_rate <= 1
    assert known.latency_seconds > 0


@given(TALLIES, st.integers(0, 100), st.integers(1, 100))
def test_one_more_delivery_never_lowers_a_rate(tallies: list[Tally], age: int, texts: int) -> None:
    slot = NOW - age * MINUTE
    silent = Tally("a", "US", "", "", slot, sent=texts)
    arrived = replace(silent, delivered=texts, delivery_seconds=5.0 * texts)
    worse, better = (score([*tallies, each], NOW).of("a", "US").delivery_rate for each in (silent, arrived))
    assert better >= worse - 1e-9


@given(st.floats(0, 1), st.floats(LEANS, 1e6))
def test_wilsons_interval_holds_the_rate_and_narrows_with_texts(rate: float, texts: float) -> None:
    lower, upper = wilson(rate, texts)
    narrower = wilson(rate, texts * 2)
    assert 0 <= lower <= rate + 1e-9
    assert rate - 1e-9 <= upper <= 1
    assert narrower[1] - narrower[0] <= upper - lower + 1e-9


# --- falls ---------------------------------------------------------------------------------------------------------


def test_a_country_in_which_a_gateway_fell_is_told_with_both_rates() -> None:
    tallies = [*minutes("a", "GB", range(30, 600)), *minutes("a", "GB", range(1, 30), rate=0.5)]
    tallies += minutes("a", "US", range(1, 600))
    (fall,) = fallen(tallies, NOW)
    assert (fall.gateway, fall.country, fall.carrier) == ("a", "GB", "")
    assert fall.before == pytest.approx(0.95, abs=0.01)
    assert fall.now_rate == pytest.approx(0.5, abs=0.02)


def test_silence_is_a_fall_within_minutes() -> None:
    tallies = [*minutes("a", "GB", range(6, 600)), *minutes("a", "GB", range(6), is_silent=True)]
    assert [(fall.country, round(fall.now_rate)) for fall in fallen(tallies, NOW)] == [("GB", 0)]
    assert fallen(tallies, NOW, frozenset({"a"})) == []


def test_a_carrier_is_told_beside_its_country() -> None:
    tallies = [
        *minutes("a", "US", range(600), carrier="One"),
        *minutes("a", "US", range(30, 600), carrier="Two"),
        *minutes("a", "US", range(30), carrier="Two", rate=0.2),
    ]
    assert {(fall.country, fall.carrier) for fall in fallen(tallies, NOW)} == {("US", ""), ("US", "Two")}


def test_what_was_always_bad_is_no_news() -> None:
    assert fallen(minutes("a", "US", range(1, 1600, 5), rate=0.4), NOW) == []


def test_a_few_texts_are_no_fall_and_a_small_one_is_no_reason_to_wake_anybody() -> None:
    few = [*minutes("a", "US", range(10, 600)), *minutes("a", "US", [1], texts=5, rate=0)]
    assert fallen(few, NOW) == []
    small = [*minutes("a", "US", range(30, 600), texts=5000), *minutes("a", "US", range(1, 30), texts=5000, rate=0.93)]
    assert fallen(small, NOW) == []


def test_looking_every_minute_of_two_days_at_ten_steady_ways_finds_no_fall() -> None:
    rng = random.Random(11)
    tallies = [
        Tally("a", f"{way:02}", "", "", NOW + age * 10 * MINUTE, 10, good, 10 - good, delivery_seconds=good * 5.0)
        for way in range(10)
        for age in range(288)
        for good in [sum(rng.random() < 0.9 for _ in range(10))]
    ]
    assert [fallen(tallies, NOW + hours * timedelta(hours=1)) for hours in range(24, 48, 3)] == [[]] * 8
