"""Keys in Redis, for all processes of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.idempotency.store import Begun, Claim, State
from pkg.redis import milliseconds, tagged, unavailable

if TYPE_CHECKING:
    from datetime import timedelta

    from redis.asyncio import Redis

_STATES: Final = (State.BEGUN, State.RUNNING, State.DONE, State.OTHER)

_BEGIN: Final = """
local known = redis.call('HMGET', KEYS[1], 'request', 'token', 'result')
if not known[1] then
  redis.call('HSET', KEYS[1], 'request', ARGV[1], 'token', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return {0}
end
if known[1] ~= ARGV[1] then return {3} end
if known[3] then return {2, known[3]} end
if known[2] == ARGV[2] then return {0} end
return {1}
"""
"""The numbers are places in `_STATES`."""

_FINISH: Final = """
local token = redis.call('HGET', KEYS[1], 'token')
if token and token ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'request', ARGV[1], 'token', ARGV[2], 'result', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""

_ABANDON: Final = """
local known = redis.call('HMGET', KEYS[1], 'token', 'result')
if known[1] == ARGV[1] and not known[2] then redis.call('DEL', KEYS[1]) end
"""


class RedisIdempotencyStore:
    """An `IdempotencyStore` on Redis. Belongs to its client's event loop.

    One hash for each key, which ends by itself; each step is one script on it. What Redis forgets
    is served again: give it memory enough (`maxmemory-policy noeviction`), and let it write to the
    disk. A replica that takes over may not have heard of the last moment's calls.
    """

    def __init__(self, client: Redis, prefix: str = "idempotency") -> None:
        """Keep keys under `<prefix>:`."""
        self._client: Any = client
        self._prefix = prefix
        self._begin = self._client.register_script(_BEGIN)
        self._finish = self._client.register_script(_FINISH)
        self._abandon = self._client.register_script(_ABANDON)

    async def begin(self, claim: Claim, lease: timedelta) -> Begun:
        """Take a key that is free."""
        args: list[Any] = [claim.fingerprint, claim.token, milliseconds(lease)]
        with unavailable():
            number, *result = await self._begin(keys=self._keys(claim), args=args)
        return Begun(_STATES[number], *result)

    async def finish(self, claim: Claim, result: bytes, ttl: timedelta) -> bool:
        """Keep the result of a call."""
        args: list[Any] = [claim.fingerprint, claim.token, result, milliseconds(ttl)]
        with unavailable():
            return bool(await self._finish(keys=self._keys(claim), args=args))

    async def abandon(self, claim: Claim) -> None:
        """Free the key."""
        with unavailable():
            await self._abandon(keys=self._keys(claim), args=[claim.token])

    def _keys(self, claim: Claim) -> list[str]:
        return [tagged(self._prefix, claim.key)]
