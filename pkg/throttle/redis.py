"""Failures counted in Redis, for all processes of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.redis import unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from redis.asyncio import Redis

    from pkg.throttle.settings import Limits

_CHECK: Final = """
local wait = 0
for _, lock in ipairs(KEYS) do
  wait = math.max(wait, redis.call('PTTL', lock))
end
return wait
"""

_FAILED: Final = """
for i = 1, #KEYS, 2 do
  local count, lock = KEYS[i], KEYS[i + 1]
  local at = (i - 1) * 2
  local most, window = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local first, longest = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local failures = redis.call('INCR', count)
  if failures >= most then
    local wait = math.min(first * 2 ^ math.min(failures - most, 30), longest)
    wait = math.max(wait, redis.call('PTTL', lock))
    redis.call('SET', lock, '1', 'PX', string.format('%.0f', wait))
    redis.call('PEXPIRE', count, string.format('%.0f', wait + window))
  elseif redis.call('PTTL', count) < 0 then
    redis.call('PEXPIRE', count, string.format('%.0f', window))
  end
end
"""
"""As `ThrottleSettings` says. The time is the server's, as the life that its keys have left."""


class RedisThrottle:
    """A `Throttle` on Redis: what cannot be counted is refused. Belongs to its client's loop.

    One key for the failures and one for the lock, and both end by themselves. A script touches the
    keys of all accounts and addresses at once: on a cluster, give the prefix a hash tag.
    """

    def __init__(self, limits: Limits, client: Redis, prefix: str = "throttle") -> None:
        """Keep keys under `<prefix>:count:` and `<prefix>:lock:`.

        Args:
            limits: of each key.
            client: of one server.
            prefix: of every key.
        """
        self._limits = limits
        self._client: Any = client
        self._count = f"{prefix}:count:"
        self._lock = f"{prefix}:lock:"
        self._check = self._client.register_script(_CHECK)
        self._failed = self._client.register_script(_FAILED)

    async def check(self, keys: Sequence[str]) -> float | None:
        """Seconds until the last of these keys is free."""
        if not keys:
            return None
        with unavailable():
            wait = await self._check(keys=[self._lock + key for key in keys])
        return wait / 1000 if wait > 0 else None

    async def failed(self, keys: Sequence[str]) -> None:
        """Count one failure under each key."""
        names: list[str] = []
        numbers: list[int] = []
        for key in dict.fromkeys(keys):
            limits = self._limits(key)
            names += (self._count + key, self._lock + key)
            numbers += (
                limits.max_failures,
                _milliseconds(limits.window),
                _milliseconds(limits.lock_for),
                _milliseconds(limits.longest_lock),
            )
        if names:
            with unavailable():
                await self._failed(keys=names, args=numbers)

    async def succeeded(self, keys: Sequence[str]) -> None:
        """Forget the failures and the locks of each key."""
        names = [prefix + key for key in keys for prefix in (self._count, self._lock)]
        if names:
            with unavailable():
                await self._client.delete(*names)


def _milliseconds(time: timedelta) -> int:
    return max(1, round(time.total_seconds() * 1000))
