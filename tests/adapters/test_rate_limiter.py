from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from uuid import uuid4

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.adapters.rate_limiter import RedisRateLimiter
from connector.adapters.redis_server import make_redis
from connector.errors import QueueUnavailableError
from connector.ports.queue import Bucket

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


# ---- several buckets at once, urgent and bulk

MAIN = st.builds(lambda rate, burst: (rate, burst), st.sampled_from([0.5, 1.0, 3.0, 20.0, 100.0]), st.integers(1, 40))
ITEMS = st.lists(st.sets(st.sampled_from(["sender", "account", "campaign"])), max_size=12)
ASKS = st.lists(st.tuples(st.integers(0, 1_500_000), st.booleans(), ITEMS), min_size=1, max_size=25)


class Street:
    """A limiter whose clock is moved by hand, with buckets of its own."""

    def __init__(self, client: redis.Redis, **limits: tuple[float, int]) -> None:
        self._limiter, prefix = RedisRateLimiter(client), uuid4().hex
        self.buckets = {name: Bucket(f"{prefix}:{name}", *limit) for name, limit in limits.items()}
        self.now = START

    def ask(self, count: int, *, is_urgent: bool, main: str = "main") -> int:
        """Ask for so many items that have nothing but the one bucket."""
        return sum(self.ask_each([[main]] * count, is_urgent=is_urgent))

    def ask_each(self, items: Sequence[Sequence[str]], *, is_urgent: bool) -> Sequence[bool]:
        asked = [[self.buckets[name] for name in item] for item in items]
        return self._limiter.take_each(asked, is_urgent=is_urgent, now_microseconds=self.now)


def assert_never_over(grants: Sequence[tuple[int, int]], rate: float, burst: int) -> None:
    """Check every window that begins and ends with a grant; its last microsecond belongs to it."""
    for first, (begin, _) in enumerate(grants):
        total = 0
        for end, granted in grants[first:]:
            total += granted
            assert total <= burst + Fraction(rate) * (end - begin + 1) / 1_000_000


@ON_A_SHARED_SERVER
@given(main=MAIN, sender=MAIN, account=MAIN, campaign=MAIN, asks=ASKS)
def test_no_bucket_grants_more_than_its_burst_and_its_rate_in_any_window_whatever_is_asked_of_it(
    redis_client: redis.Redis,
    main: tuple[float, int],
    sender: tuple[float, int],
    account: tuple[float, int],
    campaign: tuple[float, int],
    asks: list[tuple[int, bool, list[set[str]]]],
) -> None:
    limits = {"main": main, "sender": sender, "account": account, "campaign": campaign}
    street, grants = Street(redis_client, **limits), {name: list[tuple[int, int]]() for name in limits}
    for pause, is_urgent, others in asks:
        street.now += pause
        items = [["main", *sorted(names)] for names in others]
        granted = street.ask_each(items, is_urgent=is_urgent)
        for name in limits:
            taken = sum(got and name in item for item, got in zip(items, granted, strict=True))
            grants[name].append((street.now, taken))
    for name, (rate, burst) in limits.items():
        assert_never_over(grants[name], rate, burst)


@ON_A_SHARED_SERVER
@given(main=MAIN, asks=st.lists(st.tuples(st.integers(0, 1_500_000), st.integers(0, 30)), min_size=1, max_size=25))
def test_one_kind_alone_gets_what_an_exact_bucket_gives_but_for_rounding(
    redis_client: redis.Redis, main: tuple[float, int], asks: list[tuple[int, int]]
) -> None:
    street, model, granted_by_model, granted = Street(redis_client, main=main), Model(*main), 0, 0
    for pause, wanted in asks:
        street.now += pause
        granted_by_model += model.take(street.now, wanted)
        granted += street.ask(wanted, is_urgent=True)
    # What each grant costs is rounded up to a microsecond, so that a full bucket may come up one short.
    assert granted_by_model - math.ceil(len(asks) * main[0] / 1_000_000) - 1 <= granted <= granted_by_model + 1


@ON_A_SHARED_SERVER
@given(full=st.sets(st.sampled_from(["sender", "account", "campaign"])), is_urgent=st.booleans())
def test_an_item_is_granted_only_when_all_of_its_buckets_have_room_and_else_takes_from_none(
    redis_client: redis.Redis, full: set[str], is_urgent: bool
) -> None:
    limits = {"main": (10.0, 10), "sender": (1.0, 1), "account": (1.0, 1), "campaign": (1.0, 1)}
    street = Street(redis_client, **limits)
    for name in sorted(full):
        assert street.ask(1, is_urgent=True, main=name) == 1
    granted = street.ask_each([["main", "sender", "account", "campaign"]], is_urgent=is_urgent)
    assert list(granted) == [not full]
    rest = [name for name in ("sender", "account", "campaign") if name not in full]
    assert [street.ask(1, is_urgent=True, main=name) for name in rest] == [0 if not full else 1 for _ in rest]


def test_items_are_granted_in_order_and_one_that_does_not_fit_stops_no_other(redis_client: redis.Redis) -> None:
    street = Street(redis_client, main=(10.0, 3), sender=(1.0, 1))
    items = [["main", "sender"], ["main", "sender"], ["main"], ["main"], ["main"]]
    assert list(street.ask_each(items, is_urgent=True)) == [True, False, True, True, False]


def both_ask(
    street: Street, *, seconds: int, every: int, urgent: int, bulk: int, first_urgent: bool = True
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Have both kinds ask at once, again and again; give what urgent and what bulk was granted, by time."""
    granted: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    for _ in range(seconds * 1_000_000 // every):
        for is_urgent in (first_urgent, not first_urgent):
            got = street.ask(urgent if is_urgent else bulk, is_urgent=is_urgent)
            granted[is_urgent].append((street.now, got))
        street.now += every
    return granted[True], granted[False]


def total(grants: Sequence[tuple[int, int]]) -> int:
    return sum(got for _, got in grants)


FEW = settings(ON_A_SHARED_SERVER, max_examples=8)  # each plays for most of a minute, in a thousand asks or two
RATE = st.sampled_from([1.0, 5.0, 20.0, 100.0])
SECONDS = 45  # twice as long as one text takes at a twentieth of the slowest rate
EVERY = st.sampled_from([50_000, 70_000])  # a lane that a rate holds up asks again every 50 ms


@FEW
@given(rate=RATE, every=EVERY, first_urgent=st.booleans())
def test_bulk_and_urgent_both_get_something_while_each_of_them_takes_all_it_can(
    redis_client: redis.Redis, rate: float, every: int, first_urgent: bool
) -> None:
    street = Street(redis_client, main=(rate, int(rate)))
    wanted = math.ceil(rate / 4)
    urgent, bulk = both_ask(street, seconds=SECONDS, every=every, urgent=wanted, bulk=wanted, first_urgent=first_urgent)
    possible = SECONDS * rate
    assert total(bulk) >= max(1, int(0.03 * possible))
    assert total(urgent) >= 0.75 * possible
    assert total(urgent) + total(bulk) >= 0.9 * possible  # little is lost by keeping them apart


@FEW
@given(rate=st.sampled_from([0.5, 1.0, 5.0]), every=EVERY, first_urgent=st.booleans())
def test_a_bucket_without_a_reserve_goes_to_urgent_first_and_to_bulk_too_whoever_looks_first(
    redis_client: redis.Redis, rate: float, every: int, first_urgent: bool
) -> None:
    street = Street(redis_client, main=(rate, 1))
    urgent, bulk = both_ask(street, seconds=SECONDS, every=every, urgent=3, bulk=3, first_urgent=first_urgent)
    assert total(bulk) >= 1
    assert total(urgent) >= 0.6 * SECONDS * rate  # the rest falls between two looks


@FEW
@given(rate=RATE, every=EVERY, burst=st.integers(5, 40))
def test_urgent_finds_its_reserve_untouched_while_bulk_takes_all_it_can(
    redis_client: redis.Redis, rate: float, every: int, burst: int
) -> None:
    street = Street(redis_client, main=(rate, burst))
    both_ask(street, seconds=3, every=every, urgent=0, bulk=60)
    reserve = burst // 5
    assert street.ask(60, is_urgent=True) >= max(1, reserve - 1)


@FEW
@given(rate=RATE, every=EVERY)
def test_bulk_alone_gets_the_whole_rate(redis_client: redis.Redis, rate: float, every: int) -> None:
    street = Street(redis_client, main=(rate, int(rate)))
    _, bulk = both_ask(street, seconds=30, every=every, urgent=0, bulk=60)
    assert total(bulk) >= 0.9 * 30 * rate


def test_a_one_time_code_does_not_queue_behind_a_campaign(redis_client: redis.Redis) -> None:
    street, waits = Street(redis_client, main=(10.0, 10)), list[int]()
    for tenth in range(100):
        street.ask(50, is_urgent=False)
        if tenth % 10 == 5:
            waits.append(street.ask(1, is_urgent=True))
        street.now += 100_000
    assert waits == [1] * 10


def test_urgent_gets_all_there_is_while_no_bulk_waits(redis_client: redis.Redis) -> None:
    street = Street(redis_client, main=(10.0, 10))
    assert street.ask(10, is_urgent=True) == 10
    street.now += 1_000_000
    assert street.ask(10, is_urgent=True) == 10


def test_clock_set_back_pauses_several_buckets_no_longer_than_one_full_one(redis_client: redis.Redis) -> None:
    street, an_hour = Street(redis_client, main=(1.0, 2), sender=(0.5, 1)), 3_600_000_000
    items = [["main", "sender"], ["main"]]
    assert list(street.ask_each(items, is_urgent=True)) == [True, True]
    street.now = START - an_hour
    assert list(street.ask_each(items, is_urgent=True)) == [False, False]
    street.now += 2_000_000
    assert list(street.ask_each(items, is_urgent=True)) == [True, True]


@ON_A_SHARED_SERVER
@given(
    back=st.integers(0, 10_000_000_000),
    asks=st.lists(st.tuples(st.integers(0, 500_000), st.booleans(), st.integers(0, 30)), max_size=15),
)
def test_after_a_clock_was_set_back_no_window_is_over_the_rate_either(
    redis_client: redis.Redis, back: int, asks: list[tuple[int, bool, int]]
) -> None:
    street, grants = Street(redis_client, main=(10.0, 8)), list[tuple[int, int]]()
    street.ask(8, is_urgent=False)
    street.now -= back
    for pause, is_urgent, wanted in asks:
        street.now += pause
        grants.append((street.now, street.ask(wanted, is_urgent=is_urgent)))
    assert_never_over(grants, 10.0, 8)


def test_the_buckets_of_those_who_sleep_leave_redis_by_themselves(redis_client: redis.Redis) -> None:
    limiter = RedisRateLimiter(redis_client)
    for is_urgent in (False, True):
        limiter.take_each([[Bucket("asleep", 1.0, 1)]] * 3, is_urgent=is_urgent)
    keys = redis_client.keys("rate:asleep*")
    assert len(keys) >= 2
    assert all(0 < redis_client.pttl(key) <= 61_000 + 20_000 for key in keys)


def test_each_script_survives_a_flushed_redis(redis_client: redis.Redis) -> None:
    limiter = RedisRateLimiter(redis_client)
    assert limiter.take_each([[Bucket("one", 1.0, 1)]]) == [True]
    redis_client.script_flush()
    redis_client.flushall()
    assert limiter.take_each([[Bucket("one", 1.0, 1)]]) == [True]


def test_nobody_who_asks_for_nothing_is_granted_anything(redis_client: redis.Redis) -> None:
    assert RedisRateLimiter(redis_client).take_each([]) == []


def test_without_redis_no_item_is_granted() -> None:
    with pytest.raises(QueueUnavailableError):
        RedisRateLimiter(make_redis("redis://127.0.0.1:1/0")).take_each([[Bucket("one", 1.0, 1)]])


@pytest.mark.parametrize("bucket", [Bucket("one", 0.0, 1), Bucket("one", 1.0, 0)])
def test_a_bucket_that_limits_nothing_is_refused(redis_client: redis.Redis, bucket: Bucket) -> None:
    with pytest.raises(ValueError, match="no rate limit"):
        RedisRateLimiter(redis_client).take_each([[bucket]])
