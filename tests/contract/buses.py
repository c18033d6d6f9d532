"""Buses to test on: in memory, on streams of the embedded server, and Kafka.

    TEST_KAFKA_URL          kafka://127.0.0.1:9092

Each test has topics of its own.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from pkg.alert import MemoryAlerts
from pkg.backoff import BackoffSettings
from pkg.bus import (
    Bus,
    ConsumerMetrics,
    KafkaSettings,
    Message,
    Partition,
    Processor,
    Producer,
    Received,
    RetrySettings,
    Source,
    Step,
    StreamSettings,
    SubscriptionSettings,
    processors,
)
from pkg.bus.memory import MemoryBus
from pkg.bus.tasks import end
from pkg.bus.valkey import ValkeyBus
from pkg.clock import SystemClock
from pkg.config import Secret
from pkg.redis import open_redis
from pkg.tokens import SystemTokens
from tests.contract.servers import EMBEDDED, MEMORY, SERVER
from tests.unit.pkg.patient import PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping

PARTITIONS = 4
SOON = timedelta(milliseconds=20)
PATIENCE = 60.0
"""Seconds until a test gives up."""
QUICK = BackoffSettings(first=timedelta(milliseconds=5), longest=timedelta(milliseconds=20))
STREAMS = StreamSettings(
    partitions=PARTITIONS,
    session=timedelta(seconds=5),
    heartbeat=timedelta(milliseconds=100),
)


class Member:
    """A source with what it was told."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.owned: set[Partition] = set()
        self.gone: list[Partition] = []
        self.on_revoked: Callable[[], Awaitable[None]] | None = None

    async def assigned(self, partitions: Collection[Partition]) -> None:
        self.owned |= set(partitions)

    async def revoked(self, partitions: Collection[Partition]) -> None:
        if self.on_revoked is not None:
            await self.on_revoked()
        self.owned -= set(partitions)
        self.gone += partitions

    async def read(self, count: int) -> list[Received]:
        """Exactly so many messages, each poll a small one."""
        found: list[Received] = []
        async with asyncio.timeout(PATIENCE):
            while len(found) < count:
                found += await self.source.poll(SOON, 100)
        assert len(found) == count, found
        return found

    async def read_nothing(self) -> None:
        for _ in range(10):
            assert not await self.source.poll(SOON, 100)

    async def until(self, partitions: int) -> None:
        """Poll, as a consumer has to, until so many partitions are ours."""
        async with asyncio.timeout(PATIENCE):
            while len(self.owned) != partitions:
                assert not await self.source.poll(SOON, 100)

    async def commit(self, received: Collection[Received]) -> None:
        await self.source.commit(ends(received))


class Background:
    """Reads for a member."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self._task = asyncio.create_task(self._read())

    async def owns(self, partitions: int) -> None:
        """Return when it has so many partitions."""
        async with asyncio.timeout(PATIENCE):
            while len(self.member.owned) != partitions:  # noqa: ASYNC110 - the bus tells no event
                await asyncio.sleep(SOON.total_seconds())

    async def stop(self) -> None:
        await end([self._task])

    async def _read(self) -> None:
        while True:
            await self.member.source.poll(SOON, 100)


class Recorder:
    """A handler that remembers what it was given."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.changed = asyncio.Condition()

    async def __call__(self, received: Received) -> None:
        async with self.changed:
            self.received.append(received)
            self.changed.notify_all()

    async def until(self, count: int, patience: float = PATIENCE) -> list[bytes]:
        """The values, once there are so many."""
        async with asyncio.timeout(patience), self.changed:
            await self.changed.wait_for(lambda: len(self.received) >= count)
        return self.values

    async def until_distinct(self, count: int, patience: float = PATIENCE) -> list[bytes]:
        """The values without what came again, once there are so many."""
        async with asyncio.timeout(patience), self.changed:
            await self.changed.wait_for(lambda: len(set(self.values)) >= count)
        return list(dict.fromkeys(self.values))

    @property
    def values(self) -> list[bytes]:
        return [each.message.value for each in self.received]

    def by_partition(self) -> dict[Partition, list[int]]:
        found: defaultdict[Partition, list[int]] = defaultdict(list)
        for each in self.received:
            found[each.where].append(each.offset)
        return found


@dataclass
class Lab:
    """A bus with a topic that nobody has used yet."""

    kind: str
    bus: Bus
    producer: Producer
    topic: str
    url: str = ""
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    alerts: MemoryAlerts = field(default_factory=MemoryAlerts)

    def __post_init__(self) -> None:
        self.metrics = ConsumerMetrics(self.registry)

    @property
    def dead(self) -> str:
        return f"{self.topic}.dead"

    def message(self, value: object, key: str | None = None, **headers: bytes) -> Message:
        return Message(
            topic=self.topic,
            value=str(value).encode(),
            key=None if key is None else key.encode(),
            headers=tuple(headers.items()),
        )

    async def send(self, *values: object, key: str | None = None) -> None:
        await self.producer.send(*(self.message(value, key) for value in values))

    @asynccontextmanager
    async def member(
        self, group: str = "readers", *, topic: str = "", **options: Any
    ) -> AsyncIterator[Member]:
        member = Member(self.bus.source(topic or self.topic, group, **options))
        await member.source.open(member)
        try:
            yield member
        finally:
            await member.source.close()

    @asynccontextmanager
    async def member_in_background(self) -> AsyncIterator[Background]:
        """A member that reads by itself, and forgets what it reads."""
        async with self.member() as member:
            background = Background(member)
            try:
                yield background
            finally:
                await background.stop()

    async def until_lag(self, lag: int, group: str = "workers") -> None:
        """Return when the metrics tell this lag, of all partitions."""
        async with asyncio.timeout(PATIENCE):
            while self._lag(group) != lag:  # noqa: ASYNC110 - metrics tell no event
                await asyncio.sleep(SOON.total_seconds())

    def _lag(self, group: str) -> float | None:
        found = [
            sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name == "bus_lag" and sample.labels["group"] == group
        ]
        return sum(found) if found else None

    def processor(self, steps: Mapping[str, Step], **settings: Any) -> Processor:
        settings = {
            "topic": self.topic,
            "group": "workers",
            "func": tuple(steps),
            "retry": RetrySettings(attempts=3, backoff=QUICK),
            "commit_every": SOON,
            "lag_every": SOON * 2,
            "drain": timedelta(seconds=2),
        } | settings
        (made,) = processors(
            [SubscriptionSettings(**settings)],
            steps,
            bus=self.bus,
            producer=self.producer,
            metrics=self.metrics,
            alerts=self.alerts,
            clock=SystemClock(),
            chance=lambda: 0.5,
            reconnect=QUICK,
        )
        return made

    @asynccontextmanager
    async def running(self, steps: Mapping[str, Step], **settings: Any) -> AsyncIterator[Processor]:
        processor = self.processor(steps, **settings)
        await processor.start()
        try:
            yield processor
        finally:
            await processor.stop()

    def count(self, name: str, group: str = "workers") -> float:
        labels = {"topic": self.topic, "group": group}
        return self.registry.get_sample_value(name, labels) or 0.0

    async def keys_apart(self, count: int = 2) -> list[str]:
        """Keys whose messages lie in different partitions."""
        found: dict[int, str] = {}
        probe = f"{self.topic}.dead"  # has as many partitions
        async with self.member("probes", topic=probe) as member:
            names = [f"key-{number}" for number in range(40)]
            await self.producer.send(
                *(Message(topic=probe, key=name.encode(), value=b"") for name in names)
            )
            for each in await member.read(len(names)):
                found.setdefault(each.partition, (each.message.key or b"").decode())
        return sorted(found.values())[:count]


@asynccontextmanager
async def lab(kind: str, url: str) -> AsyncIterator[Lab]:
    """A lab of this kind; `url` is that of its server."""
    topic = f"test-{uuid.uuid4().hex}"
    if kind == SERVER:
        # The other labs need no client of Kafka.
        from pkg.bus.kafka_topics import create_topics

        topics = (topic, f"{topic}.dead")  # are left behind: their names are ours alone
        await create_topics(kafka_settings(url), topics, partitions=PARTITIONS, replicas=1)
    async with connected(kind, url, topic) as made:
        yield made
        if kind == EMBEDDED:
            client: Any = open_redis(PATIENT, url)
            keys = [key async for key in client.scan_iter(f"{topic}:*")]
            if keys:
                await client.delete(*keys)
            await client.aclose()


@asynccontextmanager
async def connected(kind: str, url: str, topic: str) -> AsyncIterator[Lab]:
    """A lab with a topic that there is; several processes may have the same."""
    if kind == MEMORY:
        bus = MemoryBus(clock=SystemClock(), partitions=PARTITIONS)
        yield Lab(kind, bus, bus, topic, url)
    elif kind == EMBEDDED:
        client = open_redis(PATIENT, url)
        settings = STREAMS.model_copy(update={"prefix": topic})
        streams = ValkeyBus(client, settings, tokens=SystemTokens())
        try:
            yield Lab(kind, streams, streams, topic, url)
        finally:
            await client.aclose()
    else:
        from pkg.bus.kafka import KafkaBus, KafkaProducer

        kafka = kafka_settings(url)
        producer = KafkaProducer(kafka)
        await producer.start()
        try:
            yield Lab(kind, KafkaBus(kafka), producer, topic, url)
        finally:
            await producer.stop()


def kafka_settings(url: str, **options: Any) -> KafkaSettings:
    """Those of a Kafka for tests, where a member that has died is missed soon."""
    return KafkaSettings(url=Secret(url), session=timedelta(seconds=5), **options)


def ends(received: Collection[Received]) -> dict[Partition, int]:
    """What to commit for these."""
    return {each.where: each.offset + 1 for each in received}


def duplicates(values: Collection[bytes]) -> list[bytes]:
    """What is there more than once."""
    return [value for value, count in Counter(values).items() if count > 1]
