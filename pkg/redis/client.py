"""A client of one event loop, with a bound on everything that it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff

if TYPE_CHECKING:
    from pkg.redis.settings import RedisSettings

_BACKOFF = 0.05
"""Seconds before a broken connection is tried again."""


def open_redis(settings: RedisSettings, url: str) -> Redis:
    """A client that connects when it is first used. Close it with `aclose()`.

    Every command ends within `timeout`, or `connect_timeout` where it must connect, times one more
    than `retries`, and then raises `RedisError`. Answers are bytes.

    Args:
        settings: the bounds.
        url: of the server; that of `EmbeddedValkey` where the settings have none.
    """
    timeout = settings.timeout.total_seconds()
    pool: Any = BlockingConnectionPool.from_url(
        url,
        max_connections=settings.max_connections,
        timeout=timeout,
        socket_timeout=timeout,
        socket_connect_timeout=settings.connect_timeout.total_seconds(),
        retry=Retry(ConstantBackoff(_BACKOFF), settings.retries),
    )
    return Redis.from_pool(pool)


class RedisClient:
    """A client as a component: starts only if the server answers, is healthy while it does."""

    def __init__(self, settings: RedisSettings, url: str, name: str = "redis") -> None:
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
            RedisError: it does not answer.
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
        """Ask the server whether it is there.

        Raises:
            RedisError: it does not answer.
        """
        client: Any = self.client
        await client.ping()
