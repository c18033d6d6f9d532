"""Locks in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.lock.store import Attempt
from pkg.redis import milliseconds, tagged, unavailable

if TYPE_CHECKING:
    from datetime import timedelta

    from redis.asyncio import Redis

_KEEP_FENCING: Final = 86_400_000
"""Milliseconds that the last fencing number is kept for longer than the lock lasts. It is the time
in microseconds, or one more than the last: so it grows though it is forgotten, unless the server's
clock went back by more than this meanwhile."""

_TAKE: Final = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return {0, redis.call('PTTL', KEYS[1])} end
local time = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local fencing = string.format('%.0f', math.max(time[1] * 1000000 + time[2], last + 1))
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], fencing, 'PX', ARGV[2] + ARGV[3])
return {tonumber(fencing), 0}
"""

_RENEW: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2] + ARGV[3])
return 1
"""

_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return redis.call('GET', KEYS[2]) == ARGV[2] and 1 or 0
"""
"""The last fencing number tells whether another held it: the answer to a release that was done may
have been lost, and the release repeated."""


class RedisLockStore:
    """A `LockStore` on one Redis. Belongs to its client's event loop.

    Whoever holds a lock when Redis loses its data, or a replica takes over that had not heard of it
    yet, is not alone for a while: that is what fencing numbers are for.
    """

    def __init__(self, client: Redis, prefix: str = "lock") -> None:
        """Keep two keys for each lock under `<prefix>:`, in one slot of a cluster."""
        self._client: Any = client
        self._prefix = prefix
        self._take = self._client.register_script(_TAKE)
        self._renew = self._client.register_script(_RENEW)
        self._release = self._client.register_script(_RELEASE)

    async def take(self, name: str, token: str, ttl: timedelta) -> Attempt:
        """Take a lock that nobody holds."""
        with unavailable():
            fencing, left = await self._take(
                keys=self._keys(name), args=[token, milliseconds(ttl), _KEEP_FENCING]
            )
        return Attempt(fencing, max(0, left) / 1000)

    async def renew(self, name: str, token: str, ttl: timedelta) -> bool:
        """Begin its time again."""
        with unavailable():
            return bool(
                await self._renew(
                    keys=self._keys(name), args=[token, milliseconds(ttl), _KEEP_FENCING]
                )
            )

    async def release(self, name: str, token: str, fencing: int) -> bool:
        """Give it up."""
        with unavailable():
            return bool(await self._release(keys=self._keys(name), args=[token, fencing]))

    def _keys(self, name: str) -> list[str]:
        key = tagged(self._prefix, name)
        return [key, f"{key}:fencing"]
