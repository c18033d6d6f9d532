"""A client of one event loop as a part of the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pkg.redis.connect import open_redis

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from pkg.redis.settings import RedisSettings


class RedisClient:
    """A client as a component: starts only if the server answers, is healthy while it does."""

    def __init__(self, settings: RedisSettings, url: str, name: str = "redis") -> None:
        """Prepare; nothing connects before the client is used.

        Args:
            settings: the bounds.
            url: as `pkg.redis.address` says.
            name: of the component.

        Raises:
            ValueError: the URL is none.
        """
        self._name = name
        self.client: Redis = open_redis(settings, url)
        """Belongs to the event loop that first uses it."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self._name

    async def start(self) -> None:
        """Reach the server.

        Raises:
            RedisError: it does not answer; of a cluster also the other `REDIS_ERRORS`.
        """
        try:
            await self.check()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close the connections."""
        await self.client.aclose()

    async def check(self) -> None:
        """Ask the server whether it is there: the master that sentinels name, all of a cluster.

        Raises:
            RedisError: it does not answer; of a cluster also the other `REDIS_ERRORS`.
        """
        client: Any = self.client
        await client.ping()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
