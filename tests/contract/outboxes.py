"""Databases with an outbox and an inbox, on SQLite always, on MySQL and PostgreSQL with addresses.

The account in TEST_MYSQL_URL and TEST_POSTGRES_URL must be allowed to create databases.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from pkg.alert import MemoryAlerts
from pkg.backoff import BackoffSettings
from pkg.bus import DeliveryError, Message, RejectedError, UnavailableError
from pkg.clock import FakeClock
from pkg.config import Secret
from pkg.database import Database, DatabaseSettings, resolve_url
from pkg.outbox import (
    Inbox,
    Outbox,
    OutboxSettings,
    Relay,
    RelayMetrics,
    inbox_table,
    outbox_table,
)
from pkg.tokens import FakeTokens, SystemTokens
from tests.contract import servers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from sqlalchemy import URL

    from pkg.bus import BusError

SQLITE, MYSQL, POSTGRES = "sqlite", "mysql", "postgres"
VARIABLES = {MYSQL: "TEST_MYSQL_URL", POSTGRES: "TEST_POSTGRES_URL"}
QUICK = BackoffSettings(first=timedelta(milliseconds=5), longest=timedelta(milliseconds=20))
SETTINGS = OutboxSettings(poll=timedelta(milliseconds=10), batch=10, backoff=QUICK)


class Schema:
    """Tables of a service: its data, and the two of `pkg.outbox`."""

    def __init__(self) -> None:
        self.metadata = MetaData()
        self.orders = Table(
            "orders",
            self.metadata,
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("state", String(20), nullable=False),
            mysql_engine="InnoDB",
        )
        self.outbox = outbox_table(self.metadata, "shop_")
        self.inbox = inbox_table(self.metadata, "shop_")


class Wire:
    """A producer that keeps what it is sent, and can be told to fail."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.away = False
        self.refuse: bytes | None = None
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.asked = asyncio.Event()
        self.changed = asyncio.Condition()

    async def send(self, *messages: Message) -> None:
        self.asked.set()
        await self.go_on.wait()
        failures: list[tuple[Message, BusError]] = []
        for each in messages:
            if self.away:
                failures.append((each, UnavailableError("away")))
            elif each.value == self.refuse:
                failures.append((each, RejectedError("too large")))
            else:
                self.sent.append(each)
        async with self.changed:
            self.changed.notify_all()
        if failures:
            raise DeliveryError(failures)

    async def until(self, count: int) -> list[bytes]:
        async with asyncio.timeout(30), self.changed:
            await self.changed.wait_for(lambda: len(self.sent) >= count)
        return self.values

    @property
    def values(self) -> list[bytes]:
        return [each.value for each in self.sent]


@dataclass
class Shop:
    """A service with a database."""

    database: Database
    schema: Schema
    directory: Path
    clock: FakeClock = field(default_factory=FakeClock)
    wire: Wire = field(default_factory=Wire)
    alerts: MemoryAlerts = field(default_factory=MemoryAlerts)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.schema.outbox, clock=self.clock, tokens=FakeTokens())
        self.inbox = Inbox(self.schema.inbox, retention=timedelta(days=7), clock=self.clock)

    def relay(
        self, database: Database | None = None, registry: CollectorRegistry | None = None
    ) -> Relay:
        return Relay(
            database or self.database,
            self.schema.outbox,
            self.wire,
            SETTINGS,
            metrics=RelayMetrics(registry or self.registry),
            alerts=self.alerts,
            clock=self.clock,
            tokens=SystemTokens(),
            chance=lambda: 0.5,
        )

    async def add(self, *values: object, key: str | None = None, topic: str = "orders") -> None:
        async with self.database.transaction(writes=True) as transaction:
            for value in values:
                message = Message(
                    topic=topic,
                    value=str(value).encode(),
                    key=None if key is None else key.encode(),
                )
                await self.outbox.add(transaction.session, message)

    async def order(self, number: int) -> None:
        """Write data and a message in one transaction."""
        async with self.database.transaction(writes=True) as transaction:
            await transaction.session.execute(
                insert(self.schema.orders).values(id=number, state="new")
            )
            await self.outbox.add(
                transaction.session,
                Message(topic="orders", key=b"k", value=str(number).encode()),
            )

    async def count(self, table: Table) -> int:
        async with self.database.transaction(writes=False) as transaction:
            found = await transaction.session.scalar(select(func.count()).select_from(table))
        return int(found or 0)

    @asynccontextmanager
    async def another(self, **limits: Any) -> AsyncIterator[Database]:
        """The same database, by connections of its own."""
        url = self.database.engine.url.render_as_string(hide_password=False)
        made = Database(DatabaseSettings(url=Secret(url), **limits), data_dir=self.directory)
        try:
            yield made
        finally:
            await made.stop()

    def measure(self, name: str) -> float:
        return self.registry.get_sample_value(name) or 0.0


@contextmanager
def empty_database(kind: str, directory: Path) -> Iterator[URL]:
    """The URL of a database with nothing in it."""
    if kind == SQLITE:
        yield resolve_url(f"sqlite:///{uuid.uuid4().hex}.db", directory)
        return
    url = resolve_url(servers.address(VARIABLES[kind]), directory)
    mine = url.set(database=f"test_{uuid.uuid4().hex}")
    asyncio.run(_on_server(url, f"CREATE DATABASE {mine.database}"))
    try:
        yield mine
    finally:
        force = " WITH (FORCE)" if kind == POSTGRES else ""
        asyncio.run(_on_server(url, f"DROP DATABASE {mine.database}{force}"))


@asynccontextmanager
async def shop(url: URL, directory: Path, *, made: bool = True) -> AsyncIterator[Shop]:
    """A shop on this database, with empty tables if they are to be made."""
    schema = Schema()
    settings = DatabaseSettings(url=Secret(url.render_as_string(hide_password=False)))
    database = Database(settings, data_dir=directory)
    await database.start()
    try:
        if made:
            async with database.engine.begin() as connection:
                await connection.run_sync(schema.metadata.drop_all)
                await connection.run_sync(schema.metadata.create_all)
        yield Shop(database, schema, directory)
    finally:
        await database.stop()


async def _on_server(url: URL, statement: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()
