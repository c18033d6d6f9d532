"""Revocations in Redis, shared by every process of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.errors import Fault
from pkg.jwt.shared_reads import SharedReads
from pkg.redis import unavailable

if TYPE_CHECKING:
    from datetime import timedelta

    from redis.asyncio import Redis

_RAISE: Final = """
local kept = tonumber(redis.call('GET', KEYS[1]) or ARGV[1])
local left = redis.call('PTTL', KEYS[1])
local version, ttl = math.max(kept, tonumber(ARGV[1])), math.max(left, tonumber(ARGV[2]))
redis.call('SET', KEYS[1], string.format('%.0f', version), 'PX', ttl)
"""
"""Neither the version nor the time that is left ever sinks."""

_EXTEND: Final = """
local left = redis.call('PTTL', KEYS[1])
redis.call('SET', KEYS[1], '1', 'PX', math.max(left, tonumber(ARGV[1])))
"""


class RedisRevocations:
    """`Revocations` in Redis. Belongs to its client's event loop."""

    def __init__(self, client: Redis, prefix: str = "jwt") -> None:
        """Keep keys under `<prefix>:session:` and `<prefix>:version:`."""
        self._client: Any = client
        self._session = f"{prefix}:session:"
        self._version = f"{prefix}:version:"
        self._reads = SharedReads(client)
        self._raise = self._client.register_script(_RAISE)
        self._extend = self._client.register_script(_EXTEND)

    async def end_session(self, session: str, ttl: timedelta) -> None:
        """Refuse the tokens of a session."""
        with unavailable():
            await self._extend(keys=[self._session + session], args=[_milliseconds(ttl)])

    async def raise_version(self, subject: str, version: int, ttl: timedelta) -> None:
        """Refuse the subject's older tokens."""
        with unavailable():
            await self._raise(keys=[self._version + subject], args=[version, _milliseconds(ttl)])

    async def check(self, session: str, subject: str, version: int) -> None:
        """Pass a token that is not revoked."""
        with unavailable():
            ended, least = await self._reads.get(self._session + session, self._version + subject)
        if ended is not None or (least is not None and version < int(least)):
            raise Fault("UNAUTHENTICATED")


def _milliseconds(ttl: timedelta) -> int:
    return max(1, round(ttl.total_seconds() * 1000))
