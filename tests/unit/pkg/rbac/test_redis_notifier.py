"""A watch outlives its Redis."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pkg.rbac import PolicyWatch, RedisNotifier
from pkg.redis import EmbeddedValkey, open_redis
from tests.unit.pkg.patient import PATIENT
from tests.unit.pkg.rbac.sources import Source, engine_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import timedelta
    from pathlib import Path

    from redis.asyncio import Redis

    from pkg.rbac import Rule

RULE: Rule = ("user", "/a", "GET")
SETTINGS = PATIENT.model_copy(update={"retries": 0})


class Heard(Source):
    """Tells when its version is read: where nobody polls, that is when a notification came."""

    def __init__(self) -> None:
        super().__init__()
        self.read = asyncio.Event()

    async def version(self) -> int:
        self.read.set()
        return await super().version()


class Subscribed(RedisNotifier):
    """Tells when it is subscribed to."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client)
        self.times = asyncio.Semaphore(0)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[int]]:
        async with super().subscribe() as versions:
            self.times.release()
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
    source = Heard()
    engine = engine_of(source)
    server = EmbeddedValkey(tmp_path)
    await server.start()
    pauses = 0
    tried_in_vain = asyncio.Event()

    async def pause(_time: timedelta) -> None:
        """Polling never comes to its turn, subscribing does after a moment."""
        nonlocal pauses
        pauses += 1
        if pauses == 1:
            await asyncio.Event().wait()
        if pauses == 4:
            tried_in_vain.set()
        await asyncio.sleep(0.01)

    async with asyncio.timeout(30), client_of(server.url) as client:
        notifier = Subscribed(client)
        watch = PolicyWatch(engine, notifier, source.version, pause=pause)
        await watch.start()
        await notifier.times.acquire()

        await server.stop()
        await tried_in_vain.wait()
        assert not source.read.is_set()
        await server.start()
        await notifier.times.acquire()
        await notifier.publish(source.change(RULE))
        await source.read.wait()

        await watch.stop()
        await server.stop()

    told = [each.getMessage() for each in caplog.records if "polling only" in each.getMessage()]
    assert len(told) == 2, told
    assert told[1].startswith("over after")


class Channels:
    """A connection for subscriptions, with the messages that it gets."""

    def __init__(self, *messages: dict[str, Any] | None) -> None:
        self._messages = list(messages)
        self.closed = False

    async def __aenter__(self) -> Channels:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closed = True

    async def subscribe(self, _channel: str) -> None:
        return

    async def get_message(self, **_: object) -> dict[str, Any] | None:
        return self._messages.pop(0)


class Client:
    """A client with one connection."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    def pubsub(self) -> Channels:
        return self._channels


def notifier_on(channels: Channels) -> RedisNotifier:
    client: Any = Client(channels)
    return RedisNotifier(client)


async def test_a_subscription_that_is_not_confirmed_is_given_up() -> None:
    channels = Channels(None)

    with pytest.raises(TimeoutError, match="not confirmed"):
        async with notifier_on(channels).subscribe():
            pass

    assert channels.closed


async def test_what_concerns_the_connection_only_is_passed_over() -> None:
    channels = Channels({"type": "subscribe"}, None, {"data": "8"})

    async with notifier_on(channels).subscribe() as versions:
        assert await anext(versions) == 8
