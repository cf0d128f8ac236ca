"""Waits between tries of a send that certainly did not go out."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.retry import backoff
from connector.domain.retry_rules import RetryRule

SECOND = timedelta(seconds=1)


class Highest(random.Random):
    """Draws the top of the range, so that a test sees the ceiling of the jitter."""

    def random(self) -> float:
        return 1.0


@pytest.mark.parametrize(
    ("tries", "seconds"), [(1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60), (5_000, 60)]
)
def test_the_longest_wait_doubles_with_every_try_until_the_cap(tries: int, seconds: int) -> None:
    assert backoff(tries, Highest(), 2 * SECOND, 60 * SECOND) == seconds * SECOND


def test_a_base_of_zero_never_waits() -> None:
    assert backoff(9, Highest(), timedelta(0), 60 * SECOND) == timedelta(0)


def test_a_wait_before_any_failure_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        backoff(0, random.Random(1), SECOND, SECOND)


@given(
    st.integers(1, 10_000),
    st.integers(),
    st.timedeltas(timedelta(0), timedelta(days=1)),
    st.timedeltas(timedelta(0), timedelta(days=7)),
)
def test_a_wait_is_never_negative_and_never_above_the_cap(
    tries: int, seed: int, base: timedelta, cap: timedelta
) -> None:
    assert timedelta(0) <= backoff(tries, random.Random(seed), base, cap) <= cap


@given(st.integers(1, 60), st.timedeltas(SECOND, timedelta(hours=1)))
def test_the_ceiling_is_the_doubled_base_or_the_cap_whichever_is_less(tries: int, base: timedelta) -> None:
    cap = timedelta(days=3)
    micros = min(cap // timedelta(microseconds=1), (base // timedelta(microseconds=1)) * 2 ** (tries - 1))
    assert backoff(tries, Highest(), base, cap) == timedelta(microseconds=micros)


def test_waits_are_spread_over_the_whole_range() -> None:
    rng = random.Random(7)
    waits = [backoff(3, rng, SECOND, 60 * SECOND) for _ in range(400)]
    assert min(waits) < 0.2 * SECOND
    assert max(waits) > 3.8 * SECOND


def test_a_rule_allows_retries_until_its_number_of_tries_is_used_up() -> None:
    rule = RetryRule(tries=3, base=SECOND, cap=3 * SECOND)
    assert [rule.may_retry(tries) for tries in (1, 2, 3)] == [True, True, False]
    assert [rule.wait_after(tries, Highest()) for tries in (1, 2, 3)] == [SECOND, 2 * SECOND, 3 * SECOND]
