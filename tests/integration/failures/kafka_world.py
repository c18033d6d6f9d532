"""A Kafka that may be broken, and clients of it that give up soon."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry

from pkg.alert import MemoryAlerts
from pkg.backoff import Backoff
from pkg.bus import (
    BufferFullError,
    Message,
    Publisher,
    PublisherMetrics,
    PublishSettings,
    UnavailableError,
)
from pkg.bus.kafka import KafkaBus, KafkaProducer
from pkg.bus.kafka_topics import create_topics
from pkg.tokens import SystemTokens
from tests.contract import buses
from tests.contract.servers import SERVER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pkg.bus import Processor
    from scripts.servers.kafka import Kafka
    from tests.contract.buses import Lab

ROUNDS: Final = int(os.environ.get("ROUNDS", "1"))
PATIENCE: Final = 120.0
"""Seconds: a Kafka takes some to start, and a busy machine makes them more."""
SECOND: Final = timedelta(seconds=1)
PUBLISH: Final = PublishSettings(
    buffer=50, batch=20, wait=SECOND / 5, flush=SECOND, backoff=buses.QUICK
)


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
