"""A watch outlives its Redis."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.rbac import PolicyWatch, RedisNotifier
from pkg.redis import EmbeddedValkey, RedisSettings, open_redis
from tests.unit.pkg.rbac.sources import Source, engine_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from redis.asyncio import Redis

    from pkg.rbac import Rule

RULE: Rule = ("user", "/a", "GET")
SETTINGS = RedisSettings(retries=0)


class Attempts:
    """A notifier that counts how often it is subscribed to."""

    def __init__(self, notifier: RedisNotifier) -> None:
        self.notifier = notifier
        self.subscribed = asyncio.Semaphore(0)

    async def publish(self, version: int) -> None:
        await self.notifier.publish(version)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[int]]:
        async with self.notifier.subscribe() as versions:
            self.subscribed.release()
            yield versions


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[Redis]:
    client = open_redis(SETTINGS, url)
    try:
        yield client
    finally:
        await client.aclose()


async def test_notifications_are_heard_again_after_the_server_was_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pkg.rbac")
    source = Source()
    engine = engine_of(source)
    server = EmbeddedValkey(tmp_path)
    await server.start()
    tries = 0

    async def pause(_time: timedelta) -> None:
        """Polling never comes to its turn; the subscription is tried again after a moment."""
        nonlocal tries
        tries += 1
        if tries == 1:
            await asyncio.Event().wait()
        await asyncio.sleep(0.01)

    async with asyncio.timeout(30), client_of(server.url) as client:
        notifier = Attempts(RedisNotifier(client))
        watch = PolicyWatch(engine, notifier, source.version, pause=pause)
        await watch.start()
        await notifier.subscribed.acquire()

        await server.stop()
        while tries < 4:
            await asyncio.sleep(0.01)
        await server.start()
        await notifier.subscribed.acquire()
        await notifier.publish(source.change(RULE))
        while not engine.allowed(*RULE):
            await asyncio.sleep(0.01)

        await watch.stop()
        await server.stop()

    told = [each.getMessage() for each in caplog.records if "polling only" in each.getMessage()]
    assert len(told) == 2, told
    assert told[1].startswith("over after")


async def test_a_server_that_confirms_no_subscription_is_given_up(tmp_path: Path) -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            writer.write(b"+OK\r\n" * 0)
        writer.close()

    path = tmp_path / "deaf.sock"
    server = await asyncio.start_unix_server(deaf, path)
    settings = RedisSettings(
        retries=0,
        timeout=timedelta(milliseconds=50),
        connect_timeout=timedelta(milliseconds=50),
    )
    client = open_redis(settings, f"unix://{path}")
    notifier = RedisNotifier(client, subscribe_timeout=0.05)

    with pytest.raises(Exception, match=r"(?i)time"):
        async with notifier.subscribe():
            pass
    await client.aclose()
    server.close()
