"""Does the adapter stay inside HubSpot's limits, and never burst when it cannot know them?"""

from __future__ import annotations

import pytest
import redis

from connector.adapters.crm.hubspot.limits import PortalLimits
from connector.adapters.rate_limiter import RedisRateLimiter
from connector.errors import CRMUnavailableError, QueueUnavailableError
from connector.ports.crm import SearchFilter
from tests.adapters.crm.conftest import HubSpot
from tests.adapters.crm.doubles import ScriptedLimiter


def test_calls_and_searches_have_their_own_bucket_per_portal(hubspot: HubSpot) -> None:
    hubspot.crm.read_records(hubspot.account, "deal", ["1"], [])
    hubspot.crm.search(hubspot.account, "deal", [SearchFilter("dealname", "EQ", "Roof")], [])
    assert hubspot.limiter.taken == [("hubspot:calls:12345", 9.0, 10), ("hubspot:searches:12345", 4.0, 1)]


def test_a_short_shortage_is_waited_out() -> None:
    slept: list[float] = []
    PortalLimits(ScriptedLimiter([0, 0, 1]), slept.append).admit("1")
    assert slept == pytest.approx([1 / 9, 1 / 9])


@pytest.mark.parametrize("is_search", [False, True])
def test_a_long_shortage_gives_the_work_back_after_two_seconds(is_search: bool) -> None:
    slept: list[float] = []
    limits = PortalLimits(ScriptedLimiter([0] * 1000), slept.append)
    with pytest.raises(CRMUnavailableError) as caught:
        limits.admit("1", is_search=is_search)
    assert caught.value.retry_after is not None
    assert 1.7 < sum(slept) <= 2.0 + 1e-9


def test_nothing_is_called_while_the_buckets_are_away(hubspot: HubSpot) -> None:
    hubspot.limiter.error = QueueUnavailableError("Redis is away")
    with pytest.raises(CRMUnavailableError):
        hubspot.crm.read_records(hubspot.account, "deal", ["1"], [])
    assert hubspot.calls("deals.batch_read") == 0


class SimulatedTime:
    """The real buckets on a clock that only a sleep moves."""

    def __init__(self, client: redis.Redis) -> None:
        self.now = 1000.0
        self._buckets = RedisRateLimiter(client)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def take(self, bucket: str, *, rate: float, burst: int, wanted: int = 1) -> int:
        now = int(self.now * 1_000_000)
        return self._buckets.take(bucket, rate=rate, burst=burst, wanted=wanted, now_microseconds=now)


@pytest.mark.parametrize(("is_search", "window", "most"), [(False, 10.0, 100), (True, 1.0, 5)])
def test_no_window_holds_more_calls_than_hubspot_grants(
    redis_client: redis.Redis, is_search: bool, window: float, most: int
) -> None:
    time = SimulatedTime(redis_client)
    limits = PortalLimits(time, time.sleep)
    made: list[float] = []
    while time.now < 1030:
        limits.admit("1", is_search=is_search)
        made.append(time.now)
    assert max(sum(start <= at < start + window for at in made) for start in made) <= most
    assert len(made) >= 30 * most / window * 0.75  # and the rate is used
