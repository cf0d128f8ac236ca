"""How do all processes together keep to a number of calls per second?"""

from __future__ import annotations

import redis

from connector.errors import QueueUnavailableError

_SCRIPT = """
local rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local depth = math.ceil(burst * 1000000 / rate)
local known = tonumber(redis.call('GET', KEYS[1]) or now)
local full_at = math.min(math.max(known, now), now + depth)
local granted = math.min(wanted, math.floor((now + depth - full_at) * rate / 1000000))
while granted < wanted and full_at + math.ceil((granted + 1) * 1000000 / rate) <= now + depth do
  granted = granted + 1
end
while granted > 0 and full_at + math.ceil(granted * 1000000 / rate) > now + depth do
  granted = granted - 1
end
if granted > 0 or known > full_at then
  full_at = full_at + math.ceil(granted * 1000000 / rate)
  local keep_ms = math.ceil((full_at - now) / 1000) + tonumber(ARGV[5])
  redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', keep_ms)
end
return granted
"""
# The generic cell rate algorithm in whole microseconds of Redis's clock. The one value kept per bucket is the time at
# which it will be full again. What a grant costs is rounded up, so rounding never grants more than the rate. A value
# beyond one full depth can only come from a clock that was set back or from other settings: it is cut to the depth,
# or a clock an hour wrong would stop sending for an hour. The two loops mend a division that fell a hair short or long.

_KEEP_MS = 60_000  # a bucket outlives its refill, for a replica whose clock lags behind
_PREFIX = "rate:"


class RedisRateLimiter:
    """One token bucket per name, shared over Redis by every process; see `connector.ports.queue.RateLimiter`."""

    def __init__(self, client: redis.Redis) -> None:
        self._run = client.register_script(_SCRIPT)

    def take(
        self, bucket: str, *, rate: float, burst: int, wanted: int = 1, now_microseconds: int | None = None
    ) -> int:
        """Take up to `wanted` permits: over any t seconds at most `burst` + `rate` x t are granted.

        Args:
            bucket: what is limited, such as `gateway:twilio`.
            rate: permits per second, above 0.
            burst: permits a rested bucket holds, at least 1.
            wanted: how many the caller could use, at least 0.
            now_microseconds: for tests; else Redis's own clock, the one that all processes share.

        Raises:
            QueueUnavailableError: Redis does not answer; nothing is granted.
        """
        if rate <= 0 or burst < 1 or wanted < 0:
            raise ValueError(f"no rate limit: rate {rate}, burst {burst}, wanted {wanted}")
        now = "" if now_microseconds is None else now_microseconds
        try:
            granted = self._run(keys=[_PREFIX + bucket], args=[rate, burst, wanted, now, _KEEP_MS])
        except redis.RedisError as exc:
            raise QueueUnavailableError("Redis does not answer; rate limits cannot be kept") from exc
        return int(granted)
