from __future__ import annotations

import math
from fractions import Fraction
from uuid import uuid4

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.adapters.rate_limiter import RedisRateLimiter
from connector.adapters.redis_server import make_redis
from connector.errors import QueueUnavailableError

START = 1_790_000_000_000_000
TAKES = st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(0, 60)), min_size=1, max_size=40)
RATES = st.one_of(st.sampled_from([0.1, 0.5, 1.0, 3.0, 80.0, 1000.0, 3000.0]), st.floats(0.05, 5000))
ON_A_SHARED_SERVER = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Model:
    """The same law in exact fractions: a bucket that refills steadily and never overflows."""

    def __init__(self, rate: float, burst: int) -> None:
        self.rate, self.burst = Fraction(rate) / 1_000_000, burst
        self.level, self.at = Fraction(burst), START

    def take(self, now: int, wanted: int) -> int:
        self.level = min(Fraction(self.burst), self.level + (now - self.at) * self.rate)
        self.at = now
        granted = min(wanted, math.floor(self.level))
        self.level -= granted
        return granted


def run(client: redis.Redis, rate: float, burst: int, takes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    limiter, bucket, now = RedisRateLimiter(client), uuid4().hex, START
    grants = []
    for pause, wanted in takes:
        now += pause
        grants.append((now, limiter.take(bucket, rate=rate, burst=burst, wanted=wanted, now_microseconds=now)))
    return grants


@ON_A_SHARED_SERVER
@given(rate=RATES, burst=st.integers(1, 50), takes=TAKES)
def test_no_window_is_granted_more_than_its_burst_and_its_rate(
    redis_client: redis.Redis, rate: float, burst: int, takes: list[tuple[int, int]]
) -> None:
    grants = run(redis_client, rate, burst, takes)
    for first, (begin, _) in enumerate(grants):
        total = 0
        for end, granted in grants[first:]:
            total += granted
            # The window's last microsecond belongs to it.
            assert total <= burst + Fraction(rate) * (end - begin + 1) / 1_000_000


@ON_A_SHARED_SERVER
@given(rate=RATES, burst=st.integers(1, 50), takes=TAKES)
def test_grants_are_those_of_an_exact_bucket_less_at_most_rounding(
    redis_client: redis.Redis, rate: float, burst: int, takes: list[tuple[int, int]]
) -> None:
    model, granted_by_model, granted = Model(rate, burst), 0, 0
    for (_, wanted), (now, got) in zip(takes, run(redis_client, rate, burst, takes), strict=True):
        granted_by_model += model.take(now, wanted)
        granted += got
    # Each grant costs up to one microsecond more than its share.
    lost = math.ceil(len(takes) * rate / 1_000_000) + 1
    assert granted_by_model - lost <= granted <= granted_by_model + 1


def test_rested_bucket_grants_its_burst_and_then_its_rate(redis_client: redis.Redis) -> None:
    grants = run(redis_client, 10.0, 5, [(0, 100), (0, 1), (100_000, 5), (1_000_000, 100)])
    assert [granted for _, granted in grants] == [5, 0, 1, 5]


def test_buckets_do_not_know_each_other(redis_client: redis.Redis) -> None:
    limiter = RedisRateLimiter(redis_client)
    assert limiter.take("one", rate=1.0, burst=1) == 1
    assert limiter.take("one", rate=1.0, burst=1) == 0
    assert limiter.take("two", rate=1.0, burst=1) == 1


def test_clock_set_back_pauses_no_longer_than_one_full_bucket(redis_client: redis.Redis) -> None:
    limiter, an_hour = RedisRateLimiter(redis_client), 3_600_000_000

    def take(now: int) -> int:
        return limiter.take("clock", rate=1.0, burst=2, wanted=2, now_microseconds=now)

    assert take(START) == 2
    assert take(START - an_hour) == 0
    assert take(START - an_hour + 2_000_000) == 2


def test_bucket_of_a_sleeping_sender_leaves_redis_by_itself(redis_client: redis.Redis) -> None:
    RedisRateLimiter(redis_client).take("asleep", rate=1.0, burst=1)
    assert 0 < redis_client.pttl("rate:asleep") <= 61_000


def test_script_survives_a_flushed_redis(redis_client: redis.Redis) -> None:
    limiter = RedisRateLimiter(redis_client)
    limiter.take("one", rate=1.0, burst=1)
    redis_client.script_flush()
    redis_client.flushall()
    assert limiter.take("one", rate=1.0, burst=1) == 1


def test_without_redis_nothing_is_granted() -> None:
    with pytest.raises(QueueUnavailableError):
        RedisRateLimiter(make_redis("redis://127.0.0.1:1/0")).take("one", rate=1.0, burst=1)


@pytest.mark.parametrize(("rate", "burst", "wanted"), [(0.0, 1, 1), (1.0, 0, 1), (1.0, 1, -1)])
def test_limit_that_limits_nothing_is_refused(redis_client: redis.Redis, rate: float, burst: int, wanted: int) -> None:
    with pytest.raises(ValueError, match="no rate limit"):
        RedisRateLimiter(redis_client).take("one", rate=rate, burst=burst, wanted=wanted)
