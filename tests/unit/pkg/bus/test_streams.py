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
from pkg.bus.valkey_entry import entry_of, received_of
from pkg.bus.valkey_scripts import JOIN, RELEASE
from pkg.redis import EmbeddedValkey, open_redis
from pkg.tokens import SystemTokens
from tests.unit.pkg.patient import PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from pathlib import Path

    from pkg.bus import Source

SOON = timedelta(milliseconds=50)
SETTINGS = StreamSettings(
    partitions=1, max_length=3, session=timedelta(seconds=10), heartbeat=SOON, prefix="{bus}"
)


class Watcher:
    """Notes what partitions come and go."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.gone = asyncio.Event()
        self.hears = asyncio.Event()
        self.hears.set()

    async def assigned(self, partitions: Collection[Partition]) -> None:
        await self.hears.wait()
        self.events += [f"+{each}" for each in partitions]

    async def revoked(self, partitions: Collection[Partition]) -> None:
        self.events += [f"-{each}" for each in partitions]
        self.gone.set()


class SlowToRelease:
    """A client that releases no partition before it may, and counts the beats of its member."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.may = asyncio.Event()
        self.beats = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def register_script(self, script: str) -> Any:
        run = self._client.register_script(script)

        async def slow(**arguments: Any) -> Any:
            self.beats += script == JOIN
            if script == RELEASE:
                await self.may.wait()
            return await run(**arguments)

        return slow


class Streams:
    """A bus on a server of its own."""

    def __init__(self, server: EmbeddedValkey) -> None:
        self.server = server
        self.client: Any = open_redis(PATIENT.model_copy(update={"retries": 0}), server.url)
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


async def test_of_many_messages_the_first_are_taken_as_far_as_there_is_room(
    streams: Streams,
) -> None:
    bus = ValkeyBus(
        streams.client, SETTINGS.model_copy(update={"max_length": 300}), tokens=SystemTokens()
    )
    messages = [Message(topic="t", key=b"k", value=str(each).encode()) for each in range(1000)]
    async with streams.member() as source:
        with pytest.raises(DeliveryError) as caught:
            await bus.send(*messages)

        assert caught.value.unavailable == tuple(messages[300:])
        assert await streams.read(source) == [each.value for each in messages[:100]]
        assert await streams.client.xlen("{bus}:t:0") == 300


async def test_a_topic_that_nobody_reads_keeps_the_newest_of_many(streams: Streams) -> None:
    await streams.send(*range(700))

    async with streams.member() as source:
        assert await streams.read(source) == [b"697", b"698", b"699"]


async def test_a_partition_that_is_full_costs_the_others_nothing(streams: Streams) -> None:
    bus = ValkeyBus(
        streams.client, SETTINGS.model_copy(update={"partitions": 2}), tokens=SystemTokens()
    )
    full, other = (Message(topic="two", key=key, value=b"v") for key in (b"a", b"d"))
    source = bus.source("two", "g")
    await source.open(Watcher())
    try:
        await bus.send(full, full, full)
        with pytest.raises(DeliveryError) as caught:
            await bus.send(other, full, other)
        found = [each.message for each in await source.poll(SOON, 100)]
    finally:
        await source.close()

    assert caught.value.unavailable == (full,)
    assert sorted(found, key=lambda each: each.key or b"") == [full] * 3 + [other] * 2


async def test_a_command_that_the_server_refuses_leaves_what_it_had_and_what_follows(
    streams: Streams,
) -> None:
    await streams.client.set("{bus}:t:0", "no stream")
    large = Message(topic="t", key=b"k", value=bytes(600_000))
    messages = [Message(topic="else", value=b"first"), large, large, large]

    with pytest.raises(DeliveryError) as caught:
        await streams.bus.send(*messages)

    assert len(caught.value.unavailable) == 4
    assert await streams.client.xlen("{bus}:else:0") in {0, 1}, "is not known to be stored"


async def test_what_is_large_goes_in_several_commands_and_stays_in_order(
    streams: Streams,
) -> None:
    bus = ValkeyBus(
        streams.client, SETTINGS.model_copy(update={"max_length": 10}), tokens=SystemTokens()
    )
    values = [bytes([each]) * 600_000 for each in range(5)]

    await bus.send(*(Message(topic="t", key=b"k", value=each) for each in values))

    async with streams.member() as source:
        assert await streams.read(source) == values


@pytest.mark.parametrize("key", [None, b"", b"\x00k"])
@pytest.mark.parametrize(
    "headers", [(), (("", b""),), (("\u540d", b"\xff\x00"), ("a", b""), ("\u540d", b"2"))]
)
@pytest.mark.parametrize("value", [b"", b"\xff\x00v"])
def test_an_entry_holds_a_message_whole(
    key: bytes | None, headers: tuple[tuple[str, bytes], ...], value: bytes
) -> None:
    message = Message(topic="t", key=key, headers=headers, value=value)

    received = received_of("t", 3, b"7-0", {b"t": b"1500", b"m": entry_of(message)})

    assert received.message == message
    assert (received.partition, received.offset) == (3, 7)
    assert received.timestamp.timestamp() == 1.5


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


async def test_a_commit_that_comes_late_takes_nothing_back(streams: Streams) -> None:
    await streams.send(0, 1, 2)
    async with streams.member() as source:
        first, second, _ = await source.poll(SOON, 100)
        await source.commit({second.where: second.offset + 1})
        await source.commit({first.where: first.offset + 1})

    async with streams.member() as heir:
        assert await streams.read(heir) == [b"2"]


async def test_nothing_is_read_of_a_partition_before_its_reader_knows_of_it(
    streams: Streams,
) -> None:
    watcher = Watcher()
    watcher.hears.clear()
    await streams.send(0)
    source = streams.bus.source("t", "g")
    opening = asyncio.create_task(source.open(watcher))
    async with asyncio.timeout(10):
        while not await streams.client.exists("{bus}:t:owner:g:0"):
            assert await streams.read(source) == []
        assert await streams.read(source) == []

        watcher.hears.set()
        await opening
        assert await streams.read(source) == [b"0"]
    await source.close()


async def test_a_partition_that_goes_is_not_taken_back_before_it_is_free(
    streams: Streams,
) -> None:
    slow: Any = SlowToRelease(streams.client)
    watcher = Watcher()
    source = ValkeyBus(slow, SETTINGS, tokens=SystemTokens()).source("t", "g")
    async with asyncio.timeout(30):
        await source.open(watcher)
        await streams.client.delete("{bus}:t:owner:g:0")  # as after a session without a beat
        await watcher.gone.wait()
        enough = slow.beats + 3
        while slow.beats < enough:
            await source.poll(SOON, 100)
        assert watcher.events == ["+t/0", "-t/0"]

        slow.may.set()
        while watcher.events != ["+t/0", "-t/0", "+t/0"]:
            await source.poll(SOON, 100)
        await source.close()


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
