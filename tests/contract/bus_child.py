"""A process that consumes into a database, each message once: for tests that kill it.

    python -m tests.contract.bus_child <kind> <url of the bus> <topic> <folder> <most>

After so many calls of its handler it hangs in the next; 0 is as many as come.

In the folder lie the database and a file with a line for each time that a handler was called.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from pkg.bus import step
from pkg.clock import SystemClock
from pkg.config import Secret
from pkg.database import Database, DatabaseSettings
from pkg.outbox import Inbox
from tests.contract import buses
from tests.contract.outboxes import Schema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pkg.bus import Handler, Processor, Received
    from tests.contract.buses import Lab

GROUP = "workers"
WORK = 0.003
"""Seconds that a message takes."""


@dataclass
class Ledger:
    """What was done with the messages, as it is on the disk."""

    database: Database
    schema: Schema
    calls: Path

    async def handle(self, received: Received) -> None:
        """Note the call; then, once only, write the number that the message holds."""
        with self.calls.open("ab") as file:
            file.write(received.message.value + b"\n")
        await asyncio.sleep(WORK)
        inbox = Inbox(
            self.schema.inbox, retention=DatabaseSettings().pool_recycle, clock=SystemClock()
        )
        async with self.database.transaction(writes=True) as transaction:
            if await inbox.once(transaction.session, received.id, GROUP):
                await transaction.session.execute(
                    insert(self.schema.orders).values(id=int(received.message.value), state="done")
                )

    def called(self) -> int:
        """How often the handler was called, in all processes."""
        return self.calls.read_bytes().count(b"\n") if self.calls.exists() else 0

    async def done(self) -> int:
        """How many messages were done, each once."""
        async with self.database.transaction(writes=False) as transaction:
            found = await transaction.session.scalar(
                select(func.count()).select_from(self.schema.orders)
            )
        return int(found or 0)

    async def numbers(self) -> set[int]:
        """Those of the messages that were done."""
        async with self.database.transaction(writes=False) as transaction:
            return set(await transaction.session.scalars(select(self.schema.orders.c.id)))

    async def until_done(self, count: int, patience: float) -> None:
        """Return when so many were done."""
        async with asyncio.timeout(patience):
            while await self.done() < count:  # noqa: ASYNC110 - other processes tell no event
                await asyncio.sleep(0.05)


@asynccontextmanager
async def ledger(folder: Path) -> AsyncIterator[Ledger]:
    """The ledger in a folder, made if need be."""
    schema = Schema()
    settings = DatabaseSettings(url=Secret("sqlite:///ledger.db"))
    database = Database(settings, data_dir=folder)
    await database.start()
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(schema.metadata.create_all)
        yield Ledger(database, schema, folder / "calls")
    finally:
        await database.stop()


def processor(lab: Lab, handler: Handler) -> Processor:
    """What consumes in this process."""
    return lab.processor({"handle": step(handler)}, group=GROUP)


class Child:
    """The process."""

    def __init__(self, kind: str, url: str, topic: str, folder: Path, most: int = 0) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", __name__, kind, url, topic, str(folder), str(most)],
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


async def _consume(kind: str, url: str, topic: str, folder: str, most: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with ledger(Path(folder)) as book, buses.connected(kind, url, topic) as lab:

        async def handle(received: Received) -> None:
            if 0 < int(most) <= book.called():
                await asyncio.Event().wait()
            await book.handle(received)

        consumer = processor(lab, handle)
        await consumer.start()
        await stop.wait()
        await consumer.stop()


if __name__ == "__main__":
    asyncio.run(_consume(*sys.argv[1:]))
