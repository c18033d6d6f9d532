"""What only the bus on streams does: it is bounded, and survives its server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pkg.bus import (
    DeliveryError,
    LostPartitionError,
    Message,
    Partition,
    StreamSettings,
    UnavailableError,
)
from pkg.bus.valkey import ValkeyBus
from pkg.redis import EmbeddedValkey, RedisSettings, open_redis
from pkg.tokens import SystemTokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from pathlib import Path

    from pkg.bus import Source

SOON = timedelta(milliseconds=50)
SETTINGS = StreamSettings(
    partitions=1, max_length=3, session=timedelta(seconds=1), heartbeat=SOON, prefix="{bus}"
)


class Watcher:
    """Notes what partitions come and go."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.gone = asyncio.Event()

    async def assigned(self, partitions: Collection[Partition]) -> None:
        self.events += [f"+{each}" for each in partitions]

    async def revoked(self, partitions: Collection[Partition]) -> None:
        self.events += [f"-{each}" for each in partitions]
        self.gone.set()


class Streams:
    """A bus on a server of its own."""

    def __init__(self, server: EmbeddedValkey) -> None:
        self.server = server
        self.client: Any = open_redis(RedisSettings(retries=0), server.url)
        self.bus = ValkeyBus(self.client, SETTINGS, tokens=SystemTokens())

    async def send(self, *values: int) -> None:
        await self.bus.send(*(Message(topic="t", value=str(each).encode()) for each in values))

    @asynccontextmanager
    async def member(self, watcher: Watcher | None = None) -> AsyncIterator[Source]:
        source = self.bus.source("t", "g")
        await source.open(watcher or Watcher())
        try:
            yield source
        finally:
            await source.close()

    async def read(self, source: Source) -> list[bytes]:
        return [each.message.value for each in await source.poll(SOON, 100)]


@pytest.fixture
async def streams(tmp_path: Path) -> AsyncIterator[Streams]:
    server = EmbeddedValkey(tmp_path)
    await server.start()
    made = Streams(server)
    try:
        yield made
    finally:
        await made.client.aclose()
        await server.stop()


async def test_a_topic_that_nobody_reads_keeps_its_newest(streams: Streams) -> None:
    await streams.send(*range(5))

    async with streams.member() as source:
        assert await streams.read(source) == [b"2", b"3", b"4"]


async def test_what_a_group_has_not_committed_is_kept_and_new_messages_are_refused(
    streams: Streams,
) -> None:
    await streams.send(0, 1, 2)
    async with streams.member() as source:
        received = await source.poll(SOON, 100)
        with pytest.raises(DeliveryError) as caught:
            await streams.send(3)
        assert [each.value for each in caught.value.unavailable] == [b"3"]

        await source.commit({received[1].where: received[1].offset + 1})
        await streams.send(3, 4)
        with pytest.raises(DeliveryError):
            await streams.send(5)

    async with streams.member() as heir:
        assert await streams.read(heir) == [b"2", b"3", b"4"]


async def test_a_group_that_is_forgotten_holds_nothing_up(streams: Streams) -> None:
    async with streams.member():
        await streams.send(0, 1, 2)
    await streams.bus.forget("t", "g")

    await streams.send(3)

    assert await streams.client.xlen("{bus}:t:0") == 3


async def test_a_member_whose_lease_went_to_another_is_told_and_cannot_commit(
    streams: Streams,
) -> None:
    watcher = Watcher()
    await streams.send(0)
    async with streams.member(watcher) as source, asyncio.timeout(10):
        (received,) = await source.poll(SOON, 100)
        await streams.client.set("{bus}:t:owner:g:0", "another")

        with pytest.raises(LostPartitionError):
            await source.commit({received.where: received.offset + 1})
        await watcher.gone.wait()

    assert watcher.events == ["+t/0", "-t/0"]
    assert await streams.client.get("{bus}:t:owner:g:0") == b"another"


async def test_a_server_that_is_gone_is_told_everywhere_and_can_come_back(
    streams: Streams,
) -> None:
    await streams.send(0)
    async with streams.member() as source:
        (received,) = await source.poll(SOON, 100)
        await streams.server.stop()

        with pytest.raises(DeliveryError):
            await streams.send(1)
        for call in (
            source.poll(SOON, 100),
            source.lag(),
            source.commit({received.where: received.offset + 1}),
            streams.bus.source("t", "g").open(Watcher()),
        ):
            with pytest.raises(UnavailableError):
                await call
        await streams.server.start()

    async with streams.member() as heir, asyncio.timeout(10):
        found: list[bytes] = []
        while not found:
            found = await streams.read(heir)
    assert found == [b"0"]
