"""A Kafka that is absent, killed under load, or frozen, and consumers that are killed.

absent at the start     everything starts; publishing waits in the buffer; flows when it comes
killed, brought back    count in = count out; what comes twice is done once, by the inbox
frozen                  senders are told in time; noticed; over when it thaws
consumer killed         what it had in hand is done by the next; once, by the inbox

Operation records, for which no call may wait:

killed, brought back    records in = records on the topic + records counted as dropped
frozen at the stop      the stop ends in its time, and what is lost is counted

The long form, where TEST_KAFKA_URL says that there is a Kafka to be had:

    ROUNDS=20 pytest tests/integration/failures/test_kafka.py -k rounds --log-cli-level=INFO
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import time
import uuid
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from pkg.alert import MemoryAlerts
from pkg.audit import AuditMetrics, AuditSettings, Recorder, RecordWriter
from pkg.audit.bus import BusSink
from pkg.backoff import Backoff
from pkg.bus import (
    BufferFullError,
    DeliveryError,
    Message,
    Publisher,
    PublisherMetrics,
    PublishSettings,
    UnavailableError,
    step,
)
from pkg.bus.kafka import KafkaBus, KafkaProducer
from pkg.bus.kafka_topics import create_topics
from pkg.clock import SystemClock
from pkg.tokens import SystemTokens
from scripts.servers.kafka import Kafka
from tests.contract import bus_child, buses
from tests.contract.servers import SERVER, address
from tests.unit.pkg.audit.ends import call
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from pkg.bus import Processor
    from tests.contract.buses import Lab

pytestmark = pytest.mark.integration

LOG = logging.getLogger(__name__)
ROUNDS = int(os.environ.get("ROUNDS", "1"))
PATIENCE = 120.0
"""Seconds: a Kafka takes some to start, and a busy machine makes them more."""
SECOND = timedelta(seconds=1)
PUBLISH = PublishSettings(buffer=50, batch=20, wait=SECOND / 5, flush=SECOND, backoff=buses.QUICK)


@pytest.fixture(autouse=True)
def patience() -> None:
    """Let these tests take longer than others may before they count as hanging."""
    faulthandler.dump_traceback_later(240 + 120 * ROUNDS, exit=True, file=2)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A Kafka of these tests alone."""
    address("TEST_KAFKA_URL")  # there is one to be had here
    made = Kafka(tmp_path_factory.mktemp("kafka"))
    try:
        yield made
    finally:
        made.thaw()
        made.stop()


@pytest.fixture
def kafka(server: Kafka) -> Kafka:
    server.thaw()
    server.start()
    return server


def url_of(server: Kafka) -> str:
    return server.environment()["TEST_KAFKA_URL"]


@asynccontextmanager
async def world(server: Kafka, *, topic: str = "") -> AsyncIterator[Lab]:
    """A lab whose clients give up soon."""
    settings = buses.kafka_settings(
        url_of(server),
        delivery_timeout=3 * SECOND,
        connect_timeout=3 * SECOND,
        request_timeout=2 * SECOND,
    )
    name = topic or f"test-{uuid.uuid4().hex}"
    if not topic:
        await create(server, name)
    producer = KafkaProducer(settings)
    await producer.start()
    try:
        yield buses.Lab(SERVER, KafkaBus(settings), producer, name, url_of(server))
    finally:
        await producer.stop()


async def create(server: Kafka, topic: str) -> None:
    settings = buses.kafka_settings(url_of(server))
    names = (topic, f"{topic}.dead")
    await create_topics(settings, names, partitions=buses.PARTITIONS, replicas=1)


@asynccontextmanager
async def publishing(lab: Lab) -> AsyncIterator[Publisher]:
    publisher = Publisher(
        lab.producer,
        PUBLISH,
        backoff=Backoff(buses.QUICK, lambda: 0.5),
        metrics=PublisherMetrics(CollectorRegistry()),
        alerts=MemoryAlerts(),
        tokens=SystemTokens(),
    )
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()


async def publish(publisher: Publisher, message: Message) -> None:
    """Publish as a patient caller does: again when there was no room."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await publisher.publish(message)
            except BufferFullError:
                continue
            return


async def until_well(*components: Processor | Publisher) -> None:
    async with asyncio.timeout(PATIENCE):
        for each in components:
            while True:
                try:
                    await each.check()
                except UnavailableError:
                    await asyncio.sleep(0.1)
                else:
                    break


async def until_ill(component: Processor) -> float:
    """Seconds until it says that something is wrong."""
    began = time.monotonic()
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await component.check()
            except UnavailableError:
                return time.monotonic() - began
            await asyncio.sleep(0.1)


async def test_absent_at_the_start(server: Kafka) -> None:
    server.stop()
    recorder, topic = buses.Recorder(), f"test-{uuid.uuid4().hex}"
    async with world(server, topic=topic) as lab, publishing(lab) as publisher:
        consumer = lab.processor({"record": step(recorder)})
        await consumer.start()

        began = time.monotonic()
        with pytest.raises(DeliveryError) as caught:
            await lab.producer.send(lab.message("direct"))
        assert caught.value.unavailable == (lab.message("direct"),)
        assert time.monotonic() - began < 10
        for number in range(PUBLISH.buffer):
            await publisher.publish(lab.message(number, "k"))
        with pytest.raises(BufferFullError):
            await publisher.publish(lab.message("one too many"))
        with pytest.raises(UnavailableError):
            await consumer.check()

        await asyncio.to_thread(server.start)
        await create(server, topic)
        # A fresh Kafka may confirm later than these clients wait, and be sent a batch again.
        values = await recorder.until_distinct(PUBLISH.buffer, PATIENCE)
        await until_well(consumer, publisher)
        await consumer.stop()

    assert values == [str(number).encode() for number in range(PUBLISH.buffer)]
    assert len([each for each in lab.alerts.sent if "cannot consume" in each.title]) == 1


async def test_killed_under_load_and_brought_back_in_rounds(kafka: Kafka, tmp_path: Path) -> None:
    accepted = 0
    async with (
        world(kafka) as lab,
        bus_child.ledger(tmp_path) as ledger,
        publishing(lab) as publisher,
        lab.running({"handle": step(ledger.handle)}, group=bus_child.GROUP) as consumer,
    ):
        going = True

        async def load() -> None:
            nonlocal accepted
            while going:
                await publish(publisher, lab.message(accepted, f"key-{accepted % 7}"))
                accepted += 1
                await asyncio.sleep(0.01)

        loading = asyncio.create_task(load())
        for turn in range(ROUNDS):
            await ledger.until_done(20 * (turn + 1), PATIENCE)
            kafka.kill()
            await until_ill(consumer)
            await asyncio.to_thread(kafka.start)
            await until_well(consumer, publisher)
        going = False
        await loading
        await ledger.until_done(accepted, PATIENCE)

        assert await ledger.done() == accepted
        LOG.info("%d in and done, %d called again", accepted, ledger.called() - accepted)
    assert lab.count("bus_dead_total", bus_child.GROUP) == 0


async def test_frozen(kafka: Kafka) -> None:
    recorder = buses.Recorder()
    async with (
        world(kafka) as lab,
        lab.running({"record": step(recorder)}) as consumer,
    ):
        await lab.send("before", key="k")
        await recorder.until(1, PATIENCE)
        kafka.freeze()
        try:
            began = time.monotonic()
            with pytest.raises(DeliveryError) as caught:
                await lab.send("frozen", key="k")
            told = time.monotonic() - began
            noticed = await until_ill(consumer)
        finally:
            kafka.thaw()
        assert [type(why) for _, why in caught.value.failures] == [UnavailableError]
        assert told < 10
        assert noticed < 10

        await until_well(consumer)
        await lab.send("after", key="k")
        values = await recorder.until(2, PATIENCE)
        while b"after" not in values:
            values = await recorder.until(len(values) + 1, PATIENCE)

    # What could not be confirmed may have arrived; nothing else may be there.
    assert set(values) <= {b"before", b"frozen", b"after"}


async def test_consumers_that_are_killed_in_rounds(kafka: Kafka, tmp_path: Path) -> None:
    batch = 30
    async with world(kafka) as lab, bus_child.ledger(tmp_path) as ledger:
        sent = 0
        for turn in range(ROUNDS):
            numbers = range(sent, sent + batch)
            await lab.producer.send(*(lab.message(each, f"key-{each % 7}") for each in numbers))
            sent += batch
            child = bus_child.Child(lab.kind, lab.url, lab.topic, tmp_path)
            try:
                await ledger.until_done(turn * batch + batch // 3, PATIENCE)
            finally:
                child.kill()
        last = bus_child.Child(lab.kind, lab.url, lab.topic, tmp_path)
        try:
            await ledger.until_done(sent, PATIENCE)
        finally:
            assert last.stop() == 0

        assert await ledger.done() == sent
        LOG.info("%d in and done, %d called again", sent, ledger.called() - sent)
        async with lab.member(bus_child.GROUP) as heir:
            await heir.read_nothing()  # the last one committed before it ended


class Audit:
    """A recorder that writes to the lab's topic, and what it has counted."""

    def __init__(self, lab: Lab) -> None:
        self.registry, clock = CollectorRegistry(), SystemClock()
        self.recorder = Recorder(
            BusSink(lab.producer, lab.topic, registry().schema),
            RecordWriter(
                registry(), service="lab", max_body=4096, clock=clock, tokens=SystemTokens()
            ),
            AuditSettings(queue=300, batch=50, flush=SECOND, backoff=buses.QUICK),
            backoff=Backoff(buses.QUICK, lambda: 0.5),
            metrics=AuditMetrics(self.registry),
            alerts=MemoryAlerts(),
            clock=clock,
        )

    def record(self) -> None:
        self.recorder.record(call(), None, "OK", 0.0, 0.0)

    def count(self, name: str, **labels: str) -> int:
        return int(self.registry.get_sample_value(name, labels) or 0)

    def _busy(self, written: int) -> bool:
        return bool(self.count("audit_waiting")) or self.count("audit_written_total") < written

    async def until_none_waits(self, written: int = 1) -> None:
        """Return when so many were written at least, and none waits."""
        async with asyncio.timeout(PATIENCE):
            while self._busy(written):  # noqa: ASYNC110 - metrics tell no event
                await asyncio.sleep(0.1)


async def test_records_while_the_bus_is_killed_and_brought_back(kafka: Kafka) -> None:
    async with world(kafka) as lab:
        audit = Audit(lab)
        await audit.recorder.start()
        audit.record()
        await audit.until_none_waits()
        recorded, longest = 1, 0.0
        for turn in range(10):
            if turn == 2:
                kafka.kill()
            for _ in range(50):
                began = time.thread_time()
                audit.record()
                longest = max(longest, time.thread_time() - began)
                recorded += 1
            await asyncio.sleep(0.05)
        assert audit.count("audit_waiting") == 300, "the queue is full, and no fuller"

        await asyncio.to_thread(kafka.start)
        await audit.until_none_waits()
        await audit.recorder.stop()
        written = audit.count("audit_written_total")
        dropped = audit.count("audit_dropped_total", why="full")
        async with lab.member("auditors") as member:
            found: set[str] = set()
            async with asyncio.timeout(PATIENCE):
                while len(found) < written:
                    # What was not confirmed in time may have come twice, by the same id.
                    found |= {each.id for each in await member.source.poll(SECOND, 500)}

    assert written + dropped == recorded
    assert len(found) == written
    assert dropped
    assert longest < 0.05
    LOG.info("%d recorded, %d written, %d dropped", recorded, written, dropped)


async def test_records_when_the_bus_is_frozen_at_the_stop(kafka: Kafka) -> None:
    async with world(kafka) as lab:
        audit = Audit(lab)
        await audit.recorder.start()
        audit.record()
        await audit.until_none_waits()
        kafka.freeze()
        try:
            for _ in range(10):
                audit.record()
            began = time.monotonic()
            await audit.recorder.stop()
            assert time.monotonic() - began < 5
        finally:
            kafka.thaw()

    assert audit.count("audit_written_total") == 1
    assert audit.count("audit_dropped_total", why="stopped") == 10
