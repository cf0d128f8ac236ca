"""Has one process at a time a lease, and does it end with it?"""

from __future__ import annotations

import pytest
import redis

from connector.adapters import leases
from connector.adapters.leases import RedisLeases


def test_a_lease_is_had_by_one(redis_client: redis.Redis) -> None:
    ours, theirs = RedisLeases(redis_client), RedisLeases(redis_client)
    lease = ours.take("stream:1")
    assert lease is not None
    assert theirs.take("stream:1") is None
    assert theirs.take("stream:2") is not None
    assert lease.renew()
    lease.release()
    assert theirs.take("stream:1") is not None


def test_a_lease_that_ended_and_is_anothers_is_not_renewed_and_not_given_back(redis_client: redis.Redis) -> None:
    lease = RedisLeases(redis_client).take("stream:1")
    assert lease is not None
    redis_client.delete("lease:stream:1")
    assert RedisLeases(redis_client).take("stream:1") is not None
    assert not lease.renew()
    lease.release()
    assert RedisLeases(redis_client).take("stream:1") is None


def test_a_lease_ends_by_itself(redis_client: redis.Redis) -> None:
    RedisLeases(redis_client).take("stream:1")
    assert 0 < int(redis_client.pttl("lease:stream:1")) <= leases.SECONDS * 1000


def test_while_redis_is_away_a_lease_holds_for_less_than_its_time_and_none_is_taken(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("connector.adapters.leases.time.monotonic", lambda: now[0])
    lease = RedisLeases(redis_client).take("stream:1")
    assert lease is not None

    def away(*_: object, **__: object) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(redis.Redis, "execute_command", away)
    assert lease.renew()
    now[0] += leases.SECONDS * 0.9
    assert not lease.renew()
    assert RedisLeases(redis_client).take("stream:2") is None
    lease.release()
