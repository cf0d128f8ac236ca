"""When does an arm of a split win, and how rarely does it win by chance?"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.split_verdict import ERROR, Trials, compare, interval


def trials(people: int, hits: int) -> Trials:
    return Trials(people, hits)


def test_nothing_is_known_of_an_arm_without_people() -> None:
    assert interval(trials(0, 0), ERROR) == (0.0, 1.0)
    assert compare({"a": trials(0, 0), "b": trials(0, 0)}, 1).arms[0].rate == 0


@given(people=st.integers(1, 5000), share=st.floats(0, 1))
def test_the_interval_holds_the_rate_seen_and_stays_between_none_and_all(people: int, share: float) -> None:
    hits = round(people * share)
    low, high = interval(trials(people, hits), ERROR)
    assert 0 <= low <= hits / people <= high <= 1


@given(people=st.integers(1, 2000), share=st.floats(0, 1))
def test_the_interval_of_the_opposite_is_its_mirror_image(people: int, share: float) -> None:
    hits = round(people * share)
    low, high = interval(trials(people, hits), ERROR)
    mirrored = interval(trials(people, people - hits), ERROR)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_the_interval_is_where_the_mixture_is_a_hundred_times_likelier() -> None:
    """Worked by hand: 10 people, none of them; the mixture gives B(½, 10½)/B(½, ½), a rate p gives (1-p)^10."""
    beta = math.gamma(0.5) * math.gamma(10.5) / math.gamma(11) / math.pi
    low, high = interval(trials(10, 0), 0.01)
    assert low == 0
    assert high == pytest.approx(1 - (beta * 0.01) ** 0.1, abs=1e-9)


def test_a_smaller_error_gives_a_wider_interval_and_more_people_a_narrower_one() -> None:
    usual, careful, many = (
        interval(trials(100, 30), 0.05),
        interval(trials(100, 30), 0.01),
        interval(trials(1000, 300), 0.05),
    )
    assert careful[0] < usual[0] < many[0] < 0.3 < many[1] < usual[1] < careful[1]


def test_an_arm_wins_when_the_evidence_tells_it_apart_from_the_other() -> None:
    verdict = compare({"friendly": trials(800, 240), "firm": trials(800, 120)}, 500)
    assert verdict.winner == "friendly"
    assert verdict.odds >= verdict.needed == 20
    assert verdict.reason.startswith("friendly is better, ")
    assert (verdict.arms[0].rate, verdict.arms[1].rate) == (0.3, 0.15)


def test_the_odds_are_the_mixture_of_each_arm_over_the_best_rate_of_both() -> None:
    """Worked by hand: B(3½, ½)/B(½, ½) = 5/16 for three of three and for none of three; both: ½ six times."""
    verdict = compare({"a": trials(3, 3), "b": trials(3, 0)}, 1)
    assert verdict.odds == pytest.approx((5 / 16) ** 2 * 2**6)
    assert (verdict.winner, verdict.reason) == (None, "a leads, 6.25 to 1 where 20 to 1 decides")


def test_arms_nearly_alike_decide_nothing() -> None:
    verdict = compare({"friendly": trials(800, 130), "firm": trials(800, 120)}, 500)
    assert verdict.winner is None
    assert verdict.odds < 1


def test_of_three_arms_the_best_must_be_told_apart_from_both_others() -> None:
    arms = {"a": trials(800, 240), "b": trials(800, 120), "c": trials(800, 230)}
    assert compare(arms, 500).winner is None
    assert compare(arms | {"c": trials(800, 110)}, 500).winner == "a"


def test_the_lowest_rate_wins_where_a_high_one_is_bad() -> None:
    arms = {"friendly": trials(2000, 300), "firm": trials(2000, 60)}
    assert compare(arms, 500, lowest_wins=True).winner == "firm"
    assert compare(arms, 500).winner == "friendly"


def test_nothing_is_decided_before_every_arm_has_its_people() -> None:
    verdict = compare({"friendly": trials(500, 400), "firm": trials(499, 10)}, 500)
    assert (verdict.winner, verdict.reason) == (None, "firm has 499 of 500 people")
    assert compare({"friendly": trials(500, 400), "firm": trials(500, 10)}, 500).winner == "friendly"


def test_more_arms_share_the_same_error() -> None:
    two = compare({"a": trials(100, 30), "b": trials(100, 30)}, 1)
    five = compare({name: trials(100, 30) for name in "abcde"}, 1)
    assert five.arms[0].low < two.arms[0].low < two.arms[0].high < five.arms[0].high
    assert (two.needed, five.needed) == (20, 80)


def test_overwhelming_evidence_is_a_number_that_can_be_written_down() -> None:
    assert compare({"a": trials(10**6, 10**6), "b": trials(10**6, 0)}, 1).odds == pytest.approx(1e9)


_MOST_PEOPLE, _AFTER = 600, 20


def _decided_after(rng: random.Random, rates: tuple[float, ...], most: int) -> int | None:
    """Let people into the arms in turn, look after each of them, and give after how many in all a winner was named."""
    people, hits = [0] * len(rates), [0] * len(rates)
    for entered in range(len(rates) * most):
        arm = entered % len(rates)
        people[arm] += 1
        hits[arm] += rng.random() < rates[arm]
        if people[-1] >= _AFTER and _may_decide(people, hits):
            arms = {str(number): Trials(*counts) for number, counts in enumerate(zip(people, hits, strict=True))}
            if compare(arms, _AFTER).winner:
                return entered + 1
    return None


def _may_decide(people: list[int], hits: list[int]) -> bool:
    """Save most of the work: rates within 2.2 standard errors of each other are never 20 to 1 apart."""
    best, worst = max(hits), min(hits)
    return (best - worst) ** 2 > 5 * (best + worst) * (1 - (best + worst) / (2 * max(people)))


@pytest.mark.parametrize(("arms", "runs"), [(2, 1000), (3, 100)])
def test_arms_that_are_alike_are_told_apart_no_more_often_than_allowed_looking_after_every_person(
    arms: int, runs: int
) -> None:
    rng = random.Random(20261121)
    decided = sum(_decided_after(rng, (0.2,) * arms, _MOST_PEOPLE) is not None for _ in range(runs))
    noise = 3 * math.sqrt(ERROR * (1 - ERROR) * runs)
    assert decided <= ERROR * runs + noise


def test_the_truth_stays_inside_the_interval_at_every_look_in_all_but_a_few_runs() -> None:
    rng = random.Random(7)
    left = 0
    for _ in range(400):
        hits, is_outside = 0, False
        for people in range(1, 300):
            hits += rng.random() < 0.1
            if people % 5 == 0:
                low, high = interval(Trials(people, hits), ERROR)
                is_outside |= not low <= 0.1 <= high
        left += is_outside
    assert 0 < left <= ERROR * 400 + 3 * math.sqrt(ERROR * (1 - ERROR) * 400)


def test_a_real_difference_is_found(record_property: Callable[[str, object], None]) -> None:
    rng = random.Random(3)
    found = [_decided_after(rng, (0.30, 0.15), 2000) for _ in range(50)]
    decided = [people for people in found if people is not None]
    assert len(decided) == 50
    record_property("people in both arms until decided, median", median(decided))
    assert 300 < median(decided) < 600
