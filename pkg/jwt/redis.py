"""Revocations in Redis, shared by every process of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.errors import Fault
from pkg.jwt.shared_reads import SharedReads
from pkg.redis import milliseconds, unavailable

if TYPE_CHECKING:
    from datetime import timedelta

    from redis.asyncio import Redis

_RAISE: Final = """
local kept = tonumber(redis.call('GET', KEYS[1]) or ARGV[1])
local left = redis.call('PTTL', KEYS[1])
local version, ttl = math.max(kept, tonumber(ARGV[1])), math.max(left, tonumber(ARGV[2]))
redis.call('SET', KEYS[1], string.format('%.0f', version), 'PX', ttl)
redis.call('PUBLISH', ARGV[3], string.format('v %.0f %.0f ', version, ttl) .. ARGV[4])
"""
"""Neither the version nor the time that is left ever sinks."""

_EXTEND: Final = """
local ttl = math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[1]))
redis.call('SET', KEYS[1], '1', 'PX', ttl)
redis.call('PUBLISH', ARGV[2], string.format('s %.0f ', ttl) .. ARGV[3])
"""


class RevocationNames:
    """Where revocations are in Redis."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.session = f"{prefix}:session:"
        """Begin of the keys of ended sessions."""
        self.version = f"{prefix}:version:"
        """Begin of the keys of subjects."""
        self.channel = f"{prefix}:revocations"
        """Tells of each: `s MILLISECONDS SESSION`, `v VERSION MILLISECONDS SUBJECT`."""


class RedisRevocations:
    """`Revocations` in Redis, read at each check. Belongs to its client's event loop.

    A revocation is stored and published at once, or not at all.
    """

    def __init__(self, client: Redis, prefix: str = "jwt") -> None:
        """Keep keys and publish under the names of `RevocationNames`."""
        self._client: Any = client
        self._names = RevocationNames(prefix)
        self._reads = SharedReads(client)
        self._raise = self._client.register_script(_RAISE)
        self._extend = self._client.register_script(_EXTEND)

    async def end_session(self, session: str, ttl: timedelta) -> None:
        """Refuse the tokens of a session."""
        names = self._names
        with unavailable():
            await self._extend(
                keys=[names.session + session], args=[milliseconds(ttl), names.channel, session]
            )

    async def raise_version(self, subject: str, version: int, ttl: timedelta) -> None:
        """Refuse the subject's older tokens."""
        names = self._names
        with unavailable():
            await self._raise(
                keys=[names.version + subject],
                args=[version, milliseconds(ttl), names.channel, subject],
            )

    async def check(self, session: str, subject: str, version: int) -> None:
        """Pass a token that is not revoked. One round trip, shared with others."""
        names = self._names
        with unavailable():
            ended, least = await self._reads.get(names.session + session, names.version + subject)
        if ended is not None or (least is not None and version < int(least)):
            raise Fault("UNAUTHENTICATED")
