"""Does a gateway that fails get less, then nothing, then a trickle, and all of its traffic back once it answers?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.circuit import Answers, CircuitState, GatewayHealth, after, as_of, down_for, healthy
from tests.domain.gateway_parts import NOW

SECOND = timedelta(seconds=1)
GOOD, FAILED = Answers(1, 0, 0.2), Answers(0, 1)
LONGEST_REST = timedelta(minutes=5)

HEARD = st.builds(
    Answers, good=st.integers(0, 60), failed=st.integers(0, 60), seconds=st.floats(0, 60, allow_nan=False)
)
STEPS = st.lists(st.tuples(HEARD, st.floats(0, 400, allow_nan=False)), max_size=40)


def play(health: GatewayHealth, steps: list[tuple[Answers, float]]) -> list[GatewayHealth]:
    """Tell of answers one after the other, each so many seconds after the one before; give every state on the way."""
    seen, now = [health], health.updated_at
    for answers, pause in steps:
        now += timedelta(seconds=pause)
        seen.append(after(seen[-1], answers, now))
    return seen


def told(health: GatewayHealth, answers: Answers, times: int = 1, *, every: timedelta = SECOND) -> GatewayHealth:
    """Tell of the same answers again and again."""
    now = health.updated_at
    for _ in range(times):
        now += every
        health = after(health, answers, now)
    return health


def opened() -> GatewayHealth:
    return told(healthy("twilio", NOW), FAILED, 6)


def until(health: GatewayHealth) -> datetime:
    assert health.until is not None
    return health.until


@pytest.mark.parametrize(
    ("answers", "times", "state", "share"),
    [
        (GOOD, 100, CircuitState.CLOSED, 1.0),
        (FAILED, 4, CircuitState.CLOSED, 1.0),  # too few to mean anything
        (FAILED, 6, CircuitState.OPEN, 0.0),  # told one by one, six weigh five and more
        (Answers(5, 5, 1.0), 1, CircuitState.OPEN, 0.0),  # half of them
        (Answers(7, 3, 1.4), 1, CircuitState.LIMITED, 0.5),  # more than one in five
        (Answers(7, 3, 1.4), 2, CircuitState.LIMITED, 0.25),
        (Answers(7, 3, 1.4), 40, CircuitState.LIMITED, 1 / 16),  # it is never starved by that
        (Answers(9, 1, 1.8), 40, CircuitState.CLOSED, 1.0),  # one in ten is a bad day, no outage
    ],
)
def test_how_a_gateway_is_treated_follows_from_its_answers(
    answers: Answers, times: int, state: CircuitState, share: float
) -> None:
    health = told(healthy("twilio", NOW), answers, times)
    assert (health.state, health.share) == (state, share)


def test_whoever_is_kept_back_has_a_reason_in_words() -> None:
    assert opened().reason == "100% of its latest requests came to nothing"
    limited = told(healthy("twilio", NOW), Answers(7, 3, 1.4))
    assert limited.reason == "30% of its latest requests came to nothing"
    assert told(healthy("twilio", NOW), GOOD).reason == ""


def test_a_gateway_that_answers_far_slower_than_usual_gets_fewer_requests_at_a_time() -> None:
    usual = told(healthy("twilio", NOW), Answers(10, 0, 3.0), 20)
    slow = told(usual, Answers(10, 0, 60.0))
    assert (slow.state, slow.share) == (CircuitState.LIMITED, 0.5)
    assert slow.reason == "it answers within 6.0 s; usual are 0.3 s"


@pytest.mark.parametrize(
    ("usual", "now"),
    [
        (0.1, 1.9),  # nineteen times as long, and nobody notices
        (3.0, 11.0),  # it has always been slow
    ],
)
def test_an_answer_within_its_band_limits_nothing(usual: float, now: float) -> None:
    known = told(healthy("twilio", NOW), Answers(10, 0, 10 * usual), 20)
    assert told(known, Answers(10, 0, 10 * now)).state is CircuitState.CLOSED


def test_a_moment_of_slowness_does_not_become_usual() -> None:
    usual = told(healthy("twilio", NOW), Answers(10, 0, 3.0), 20)
    slow = told(usual, Answers(10, 0, 60.0), 30)
    assert slow.state is CircuitState.LIMITED
    assert slow.usual_seconds < 0.6


def test_a_gateway_that_has_become_slower_for_good_gets_its_traffic_back() -> None:
    usual = told(healthy("twilio", NOW), Answers(10, 0, 3.0), 20)
    slower = told(usual, Answers(10, 0, 25.0), 200)
    assert (slower.state, slower.share) == (CircuitState.CLOSED, 1.0)


def test_an_open_circuit_rests_twice_as_long_each_time_it_opens_again_but_never_longer_than_five_minutes() -> None:
    health, rests = opened(), []
    for _ in range(25):
        rests.append(until(health) - health.updated_at)
        health = after(health, FAILED, until(health))
    assert rests[:7] == [timedelta(seconds=5 * 2**n) for n in range(6)] + [timedelta(seconds=300)]
    assert max(rests) == LONGEST_REST


def test_an_open_circuit_whose_time_is_over_is_probed() -> None:
    health = opened()
    assert as_of(health, until(health) - SECOND).state is CircuitState.OPEN
    probing = as_of(health, until(health))
    assert (probing.state, probing.share, probing.since) == (CircuitState.PROBING, 0.0, health.until)


def test_stragglers_that_left_before_it_opened_neither_close_nor_lengthen_it() -> None:
    health = opened()
    later = after(after(health, GOOD, health.updated_at + SECOND), FAILED, health.updated_at + SECOND)
    assert (later.state, later.until, later.openings) == (CircuitState.OPEN, health.until, health.openings)


@pytest.mark.parametrize("answers", [GOOD, Answers(3, 0, 0.6), FAILED])
def test_a_request_that_left_before_the_circuit_opened_is_no_probe_however_late_its_answer(answers: Answers) -> None:
    health = opened()
    probed = after(health, GOOD, until(health))
    straggler = replace(answers, began_at=health.since - SECOND)
    later = after(probed, straggler, until(health) + SECOND)
    assert later == probed
    one_more = after(later, replace(GOOD, began_at=until(health) + SECOND), until(health) + 2 * SECOND)
    assert one_more.good_probes == 2


def test_what_is_heard_together_began_with_the_first_of_it() -> None:
    first, later = replace(GOOD, began_at=NOW), replace(FAILED, began_at=NOW + SECOND)
    assert later.plus(first).plus(GOOD) == Answers(2, 1, 0.4, began_at=NOW)


def test_an_outage_is_as_long_as_all_the_rests_of_its_circuit_since_it_was_well() -> None:
    assert down_for(healthy("twilio", NOW), NOW + SECOND) == timedelta()
    health = opened()
    began = health.since
    for _ in range(7):
        health = after(health, FAILED, until(health))
    assert down_for(health, health.since + SECOND) == health.since + SECOND - began
    probing = as_of(health, until(health) + SECOND)
    assert down_for(probing, until(health) + SECOND) == until(health) + SECOND - began


def test_one_good_probe_may_be_luck_and_three_are_none() -> None:
    health = opened()
    states = []
    for number in range(3):
        health = after(health, GOOD, until(health) + number * SECOND) if health.until else health
        states.append(health.state)
    assert states == [CircuitState.PROBING, CircuitState.PROBING, CircuitState.LIMITED]
    assert health.share == 1 / 16


def test_a_probe_that_fails_opens_it_again() -> None:
    health = opened()
    probed = after(health, GOOD, until(health))
    again = after(probed, FAILED, until(health) + SECOND)
    assert (again.state, again.openings) == (CircuitState.OPEN, 2)


def test_once_all_of_its_traffic_is_back_its_next_outage_is_a_first_one() -> None:
    health = opened()
    back = told(replace(health, updated_at=until(health)), GOOD, 20)
    assert (back.state, back.openings) == (CircuitState.CLOSED, 0)


def test_no_answers_change_nothing() -> None:
    health = opened()
    assert after(health, Answers(0, 0), until(health)) is health


@given(STEPS)
def test_a_share_is_one_and_nothing_tells_more_than_all(steps: list[tuple[Answers, float]]) -> None:
    for health in play(healthy("twilio", NOW), steps):
        assert 0.0 <= health.share <= 1.0
        assert 0.0 <= health.error_rate <= 1.0
        assert (health.share == 0.0) == (health.state in {CircuitState.OPEN, CircuitState.PROBING})
        assert (health.reason == "") == (health.state is CircuitState.CLOSED)


@given(STEPS)
def test_it_opens_only_when_something_has_just_failed(steps: list[tuple[Answers, float]]) -> None:
    seen = play(healthy("twilio", NOW), steps)
    for (answers, _), before, health in zip(steps, seen, seen[1:], strict=False):
        if health.openings > before.openings:
            assert answers.failed > 0


def test_a_good_answer_does_not_open_a_circuit_however_bad_the_ones_before() -> None:
    health = told(told(healthy("twilio", NOW), FAILED, 4), GOOD, 2)
    assert health.error_rate > 0.5
    assert health.state is not CircuitState.OPEN


@given(STEPS)
def test_an_open_circuit_says_until_when_and_that_is_soon(steps: list[tuple[Answers, float]]) -> None:
    for health in play(healthy("twilio", NOW), steps):
        if health.state is CircuitState.OPEN:
            assert timedelta() < until(health) - health.since <= LONGEST_REST


@given(STEPS, st.floats(0, 60, allow_nan=False))
def test_whatever_was_it_always_comes_back_when_all_answers_are_good(
    steps: list[tuple[Answers, float]], seconds: float
) -> None:
    health = play(healthy("twilio", NOW), steps)[-1]
    health = replace(health, updated_at=max(health.updated_at, health.until or health.updated_at))
    back = told(health, Answers(20, 0, 20 * seconds), 3000)
    assert (back.state, back.share, back.reason) == (CircuitState.CLOSED, 1.0, "")


@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_good_answers_is_irrelevant(good: list[int], random: object) -> None:
    shuffled = list(good)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    def ends(order: list[int]) -> tuple[CircuitState, float, float]:
        answers = [(Answers(each, 0, each * 0.3), 1.0) for each in order]
        health = play(told(healthy("twilio", NOW), Answers(3, 0, 0.9), 3), answers)[-1]
        return health.state, health.share, health.usual_seconds

    assert ends(good)[:2] == ends(shuffled)[:2]
    assert ends(good)[2] == pytest.approx(ends(shuffled)[2])


@given(STEPS, HEARD)
def test_failures_never_earn_a_gateway_more_than_good_answers(
    steps: list[tuple[Answers, float]], answers: Answers
) -> None:
    health = play(healthy("twilio", NOW), steps)[-1]
    now = health.updated_at + SECOND
    heard = answers.good + answers.failed
    worse = after(health, replace(answers, seconds=0.0), now)
    better = after(health, Answers(heard, 0, 0.0), now)
    assert worse.share <= better.share
