"""How do all processes together keep to a number of calls per second?"""

from __future__ import annotations

from collections.abc import Sequence

import redis

from connector.errors import QueueUnavailableError
from connector.ports.queue import Bucket

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

_EACH_SCRIPT = """
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local is_urgent, keep_ms, count = ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4])
local reserve, bulk_share, asked_ms = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local buckets, at = {}, 8

local function open(key, rate, burst)
  local depth = math.ceil(burst * 1000000 / rate)
  local known = tonumber(redis.call('GET', key) or now)
  local full_at = math.min(math.max(known, now), now + depth)
  return {key = key, rate = rate, burst = burst, cost = math.ceil(1000000 / rate), depth = depth,
          full_at = full_at, is_changed = known > full_at}
end
local function has_room(bucket, kept)
  return bucket.full_at + bucket.cost * (1 + kept) <= now + bucket.depth
end
local function take(bucket)
  bucket.full_at, bucket.is_changed = bucket.full_at + bucket.cost, true
end
local function close(bucket)
  if bucket.is_changed then
    local ms = math.ceil((bucket.full_at - now) / 1000) + keep_ms
    redis.call('SET', bucket.key, string.format('%.0f', bucket.full_at), 'PX', ms)
  end
end

for index = 1, count do
  buckets[index] = open(KEYS[index], tonumber(ARGV[at]), tonumber(ARGV[at + 1]))
  at = at + 2
end
local shares = {}
local function share_of(main)
  if not shares[main.key] then
    local kind, part = ':urgent', 1 - bulk_share
    if not is_urgent then kind, part = ':bulk', bulk_share end
    local rate, most = main.rate * part, math.floor(main.burst * part)
    local soon = math.max(math.ceil(main.burst * reserve), math.ceil(rate / 4))
    local share = open(main.key .. kind, rate, math.max(1, math.min(most, soon)))
    share.is_contended = redis.call('EXISTS', main.key .. (is_urgent and ':asked' or ':waits')) == 1
    shares[main.key] = share
  end
  return shares[main.key]
end

local granted = {}
local is_kept_back = {}
while at <= #ARGV do
  local wanted = tonumber(ARGV[at])
  local main = buckets[tonumber(ARGV[at + 1])]
  local share = share_of(main)
  local fits, from_share = true, false
  for offset = 1, wanted do
    fits = fits and has_room(buckets[tonumber(ARGV[at + offset])], 0)
  end
  from_share = share.is_contended or (not is_urgent and not has_room(main, math.floor(main.burst * reserve)))
  local is_room = has_room(main, 0) and not (from_share and not has_room(share, 0))
  fits = fits and is_room
  if fits then
    for offset = 1, wanted do take(buckets[tonumber(ARGV[at + offset])]) end
    if from_share then take(share) end
  end
  is_kept_back[main.key] = is_kept_back[main.key] or not is_room
  granted[#granted + 1] = fits and 1 or 0
  at = at + wanted + 1
end
for _, bucket in ipairs(buckets) do close(bucket) end
for _, share in pairs(shares) do close(share) end
for key, is_so in pairs(is_kept_back) do
  local mark = key .. (is_urgent and ':waits' or ':asked')
  if is_so then redis.call('SET', mark, '1', 'PX', asked_ms)
  elseif is_urgent then redis.call('DEL', mark) end
end
return granted
"""
# The same algorithm for several buckets at a time. Beside the bucket that urgent and bulk items share stand two
# smaller ones. Bulk may take what lies above the reserve; below it, and while urgent items wait, only through a share
# of its own: a bucket of a few tokens has no reserve, and whoever looks first would else take every one of them. While
# bulk waits, urgent items go through a share as well, which leaves the other one's tokens over. A share holds no more
# than the reserve, or a quarter of a second's texts: the more it held, the longer the other kind would wait for the
# first token that is left over. Whatever the shares say, an item is granted only when every one of its buckets has
# room, so no rate is ever passed.

_RESERVE = 0.2  # of a burst, kept for urgent items: a fifth of a second's texts, at once, however much bulk there is
_BULK_SHARE = 0.05  # of the rate, for bulk while urgent items take all the rest: slow, but it ends
_ASKED_MS = 2_000  # whoever was kept back asks again within this, or is not waiting any more
_KEEP_MS = 60_000  # a bucket outlives its refill, for a replica whose clock lags behind
_PREFIX = "rate:"


class RedisRateLimiter:
    """One token bucket per name, shared over Redis by every process; see `connector.ports.queue.RateLimiter`."""

    def __init__(self, client: redis.Redis) -> None:
        self._run = client.register_script(_SCRIPT)
        self._run_each = client.register_script(_EACH_SCRIPT)

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

    def take_each(
        self, asked: Sequence[Sequence[Bucket]], *, is_urgent: bool = True, now_microseconds: int | None = None
    ) -> Sequence[bool]:
        """Ask for one permit per item; see `connector.ports.queue.RateLimiter`.

        Args:
            asked: the buckets of each item, at least one; the first is the one that urgent and bulk items share.
            is_urgent: whether the items are.
            now_microseconds: for tests; else Redis's own clock.

        Raises:
            QueueUnavailableError: Redis does not answer; nothing is granted.
        """
        if not asked:
            return []
        places: dict[Bucket, int] = {}
        items: list[int] = []
        for buckets in asked:
            items.append(len(buckets))
            items += [places.setdefault(bucket, len(places) + 1) for bucket in buckets]
        for bucket in places:
            if bucket.rate <= 0 or bucket.burst < 1:
                raise ValueError(f"no rate limit: {bucket}")
        now = "" if now_microseconds is None else now_microseconds
        head = [now, int(is_urgent), _KEEP_MS, len(places), _RESERVE, _BULK_SHARE, _ASKED_MS]
        limits = [each for bucket in places for each in (bucket.rate, bucket.burst)]
        try:
            granted = self._run_each(keys=[_PREFIX + bucket.name for bucket in places], args=[*head, *limits, *items])
        except redis.RedisError as exc:
            raise QueueUnavailableError("Redis does not answer; rate limits cannot be kept") from exc
        return [bool(each) for each in granted]
