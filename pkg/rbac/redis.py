"""Notifications between processes, over a channel of Redis."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis

CHANNEL = "rbac:policies"


class RedisNotifier:
    """A `PolicyNotifier` on Redis. Belongs to its client's event loop."""

    def __init__(
        self, client: Redis, channel: str = CHANNEL, *, subscribe_timeout: float = 5.0
    ) -> None:
        """Use a channel that every process of the service knows.

        Args:
            client: keeps one of its connections for each subscription.
            channel: its name.
            subscribe_timeout: seconds for the server to confirm a subscription.
        """
        self._client: Any = client
        self._channel = channel
        self._subscribe_timeout = subscribe_timeout

    async def publish(self, version: int) -> None:
        """Tell all who are subscribed now.

        Raises:
            RedisError: they may not have been told.
        """
        await self._client.publish(self._channel, str(version))

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[int]]:
        """Hear of what is published meanwhile.

        Raises:
            RedisError: on entering, and from the iterator: the server is not there.
        """
        async with self._client.pubsub() as channels:
            await channels.subscribe(self._channel)
            if await channels.get_message(timeout=self._subscribe_timeout) is None:
                raise TimeoutError("the subscription was not confirmed")
            yield _versions(channels)


async def _versions(channels: Any) -> AsyncIterator[int]:
    while True:
        message = await channels.get_message(ignore_subscribe_messages=True, timeout=None)
        if message is None:
            continue  # what concerns the connection only
        data = message["data"]
        text = data.decode(errors="replace") if isinstance(data, bytes) else str(data)
        if text.isascii() and text.isdigit() and len(text) < 20:
            yield int(text)
