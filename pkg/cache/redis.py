"""Entries in Redis."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from pkg.cache.entry import VERSION_SIZE
from pkg.cache.store import Invalidation, Stored
from pkg.redis import milliseconds, tagged, unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import timedelta

    from redis.asyncio import Redis

_GET: Final = """
local data = redis.call('GET', KEYS[1])
return data and {data, redis.call('PTTL', KEYS[1])}
"""

_CLAIM: Final = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

_PUT: Final = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1
"""

_GIVE_UP: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class RedisCacheStore:
    """A `CacheStore` on Redis. Belongs to its client's event loop.

    An entry and the claim to load it lie in one slot of a cluster. Redis may forget entries when
    its memory is full (`maxmemory-policy volatile-lfu`): if it forgets the version of a tag, an
    entry that is older than the invalidation may be believed once more.
    """

    def __init__(
        self, client: Redis, prefix: str = "cache", *, subscribe_timeout: float = 5.0
    ) -> None:
        """Keep keys under `<prefix>:`, `<prefix>:tag:`, and tell on the channel `<prefix>:changes`.

        Args:
            client: keeps one of its connections for each subscription.
            prefix: a different one for each kind of thing that is cached.
            subscribe_timeout: seconds for the server to confirm a subscription.
        """
        self._client: Any = client
        # On a cluster, where keys lie on several nodes, one question to each.
        self._get_many: Any = getattr(self._client, "mget_nonatomic", self._client.mget)
        self._prefix = prefix
        self._tags = f"{prefix}:tag"
        self._channel = f"{prefix}:changes"
        self._subscribe_timeout = subscribe_timeout
        self._get = self._client.register_script(_GET)
        self._claim = self._client.register_script(_CLAIM)
        self._put = self._client.register_script(_PUT)
        self._give_up = self._client.register_script(_GIVE_UP)

    async def get(self, key: str) -> Stored | None:
        """What a key holds."""
        with unavailable():
            found = await self._get(keys=[tagged(self._prefix, key)])
        return None if found is None else Stored(found[0], found[1] / 1000)

    async def claim(self, key: str, token: str, ttl: timedelta) -> bool:
        """Claim to load a key."""
        with unavailable():
            return bool(
                await self._claim(keys=[self._claimed(key)], args=[token, milliseconds(ttl)])
            )

    async def put(self, key: str, token: str, data: bytes, ttl: timedelta) -> bool:
        """Keep what was loaded."""
        keys = [tagged(self._prefix, key), self._claimed(key)]
        with unavailable():
            return bool(await self._put(keys=keys, args=[token, data, milliseconds(ttl)]))

    async def give_up(self, key: str, token: str) -> None:
        """End a claim."""
        with unavailable():
            await self._give_up(keys=[self._claimed(key)], args=[token])

    async def invalidate(self, key: str) -> None:
        """Forget what a key holds."""
        with unavailable():
            await self._client.delete(tagged(self._prefix, key), self._claimed(key))
            await self._client.publish(self._channel, f"k{key}")

    async def versions(self, tags: Sequence[str]) -> list[bytes]:
        """The version of each tag."""
        with unavailable():
            found = await self._get_many([tagged(self._tags, tag) for tag in tags])
        return [bytes(VERSION_SIZE) if version is None else version for version in found]

    async def invalidate_tag(self, tag: str, version: bytes, ttl: timedelta) -> None:
        """Give a tag another version."""
        with unavailable():
            await self._client.set(tagged(self._tags, tag), version, px=milliseconds(ttl))
            await self._client.publish(self._channel, f"t{tag}")

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[Invalidation]]:
        """Hear of invalidations.

        Raises:
            RedisError: on entering, and from the iterator: the server is not there.
        """
        await self._client.initialize()  # a cluster's channels do not look for its nodes
        async with self._client.pubsub() as channels:
            await channels.subscribe(self._channel)
            if await channels.get_message(timeout=self._subscribe_timeout) is None:
                raise TimeoutError("the subscription was not confirmed")
            yield _heard(channels)

    def _claimed(self, key: str) -> str:
        return f"{tagged(self._prefix, key)}:claim"


async def _heard(channels: Any) -> AsyncIterator[Invalidation]:
    while True:
        message = await channels.get_message(ignore_subscribe_messages=True, timeout=None)
        if message is None:
            continue  # what concerns the connection only
        text = str(message["data"], "utf-8", "replace")
        if text.startswith("k"):
            yield Invalidation(key=text[1:])
        elif text.startswith("t"):
            yield Invalidation(tag=text[1:])
