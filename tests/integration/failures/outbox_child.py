"""A process that takes orders into a database and relays them to Kafka: for tests that kill it.

    python -m tests.integration.failures.outbox_child <url of Kafka> <topic> <folder> <first> <last>

It takes the orders from the first number up to the last, one after the other, each with its message
in one transaction, and writes the number of what is committed to a file. Then it relays on until it
is ended. In the folder lie the database and the file.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry
from sqlalchemy import func, insert, select

from pkg.alert import MemoryAlerts
from pkg.backoff import BackoffSettings
from pkg.bus import Message
from pkg.bus.kafka import KafkaProducer
from pkg.clock import SystemClock
from pkg.config import Secret
from pkg.database import Database, DatabaseSettings
from pkg.outbox import Outbox, OutboxSettings, Relay, RelayMetrics
from pkg.tokens import SystemTokens
from tests.contract import buses
from tests.contract.outboxes import Schema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import Table

SECOND: Final = timedelta(seconds=1)
SETTINGS: Final = OutboxSettings(
    poll=SECOND / 20,
    batch=20,
    lease=5 * SECOND,
    backoff=BackoffSettings(first=SECOND / 10, longest=SECOND),
)
PAUSE: Final = 0.03
"""Seconds between two orders."""


@dataclass
class Shop:
    """What was ordered, as it is on the disk."""

    database: Database
    schema: Schema
    acknowledged: Path

    async def order(self, outbox: Outbox, topic: str, number: int) -> None:
        """Take an order and its message, then say so."""
        message = Message(topic=topic, key=b"%d" % (number % 7), value=b"%d" % number)
        async with self.database.transaction(writes=True) as transaction:
            await transaction.session.execute(
                insert(self.schema.orders).values(id=number, state="new")
            )
            await outbox.add(transaction.session, message)
        with self.acknowledged.open("ab") as file:
            file.write(b"%d\n" % number)

    def told(self) -> set[int]:
        """The orders that were acknowledged; the last line may be cut off."""
        if not self.acknowledged.exists():
            return set()
        whole, _, _ = self.acknowledged.read_bytes().rpartition(b"\n")
        return {int(line) for line in whole.split()}

    async def orders(self) -> set[int]:
        """Those that are in the database."""
        async with self.database.transaction(writes=False) as transaction:
            return set(await transaction.session.scalars(select(self.schema.orders.c.id)))

    async def waiting(self) -> int:
        """Messages in the outbox."""
        return await self._count(self.schema.outbox)

    async def _count(self, table: Table) -> int:
        async with self.database.transaction(writes=False) as transaction:
            found = await transaction.session.scalar(select(func.count()).select_from(table))
        return int(found or 0)


@asynccontextmanager
async def shop(folder: Path) -> AsyncIterator[Shop]:
    """The shop in a folder, made if need be."""
    schema = Schema()
    settings = DatabaseSettings(url=Secret("sqlite:///shop.db"))
    database = Database(settings, data_dir=folder)
    await database.start()
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(schema.metadata.create_all)
        yield Shop(database, schema, folder / "acknowledged")
    finally:
        await database.stop()


class Child:
    """The process."""

    def __init__(self, url: str, topic: str, folder: Path, first: int, last: int) -> None:
        arguments = [url, topic, str(folder), str(first), str(last)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *arguments],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self._process.terminate()
        return self._process.wait(timeout=30)


async def _serve(url: str, topic: str, folder: str, first: str, last: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    clock, tokens = SystemClock(), SystemTokens()
    async with shop(Path(folder)) as made:
        producer = KafkaProducer(buses.kafka_settings(url))
        await producer.start()
        relay = Relay(
            made.database,
            made.schema.outbox,
            producer,
            SETTINGS,
            metrics=RelayMetrics(CollectorRegistry()),
            alerts=MemoryAlerts(),
            clock=clock,
            tokens=tokens,
            chance=random.random,
        )
        await relay.start()
        outbox = Outbox(made.schema.outbox, clock=clock, tokens=tokens)
        for number in range(int(first), int(last)):
            await made.order(outbox, topic, number)
            await asyncio.sleep(PAUSE)
        await stop.wait()
        await relay.stop()
        await producer.stop()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
