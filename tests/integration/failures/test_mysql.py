"""What holds when MariaDB is absent, is killed under load and comes back, or stands still.

absent at the start     refused in time; the same connections serve when it comes
killed, brought back    each request is told at once; what was acknowledged is there
frozen                  each request is told by its deadline; nothing waits for longer

The requests are units of work of the user service, with a deadline as the chain gives it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from internal.user.biz import Role, User, UserState
from internal.user.consts import ROLE_USER
from internal.user.data import SqlTransactions
from migrations.user import LOCATION
from pkg.clock import SystemClock
from pkg.config import Secret
from pkg.database import Database, DatabaseSettings, migrate, resolve_url
from pkg.errors import Fault
from pkg.middleware import deadline
from pkg.rpc import Call, Operation, compose
from scripts.servers.mariadb import MariaDB
from tests.contract.servers import address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytestmark = pytest.mark.integration

LOG = logging.getLogger(__name__)
SECOND = timedelta(seconds=1)
DEADLINE = 2 * SECOND
LATE = 1.5
"""Seconds that an answer may come after its deadline: one for a COMMIT, and a busy machine."""
FROZEN = 6.0
"""Seconds: several deadlines long."""
SOON = 60.0
"""Seconds for what only has to happen some time."""
CALLERS = 24
POOL = 6
OPERATION = Operation("lab.v1.Lab/Register")
LIMITS: dict[str, Any] = {
    "pool_size": POOL,
    "pool_timeout": SECOND / 2,
    "connect_timeout": SECOND,
    "statement_timeout": DEADLINE,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """A MariaDB of these tests alone, with the tables of the user service; it may be down."""
    address("TEST_MYSQL_URL")  # there is one to be had here
    made = MariaDB(tmp_path_factory.mktemp("mysql"))
    made.start()
    try:
        asyncio.run(prepare(made))
        yield made
    finally:
        made.thaw()
        made.stop()


async def prepare(server: MariaDB) -> None:
    url = server.environment()["TEST_MYSQL_URL"]
    await migrate(resolve_url(url, server.directory), LOCATION)
    async with open_desk(server) as desk, desk.transactions.writing(by="test") as work:
        await work.roles.add(Role(ROLE_USER, "User"))


@dataclass
class Desk:
    """Where requests come in, and what became of them."""

    database: Database
    asked: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    acknowledged: list[str] = field(default_factory=list)
    slowest: float = 0.0
    """Seconds that one request took."""
    most_connections: int = 0

    def __post_init__(self) -> None:
        self.transactions = SqlTransactions(self.database, clock=SystemClock())
        self._chain = compose((deadline(DEADLINE),), self._register, OPERATION)

    async def _register(self, _call: Call, name: str) -> None:
        """As a use case does: look, then write."""
        async with self.transactions.writing(by=name) as work:
            assert await work.users.get(name) is None
            await work.users.add(User(name, name, "new:secret", ROLE_USER, UserState.ACTIVE))

    async def register(self, name: str) -> None:
        """One request."""
        began = time.monotonic()
        self.asked += 1
        try:
            await self._chain(Call("http", OPERATION, {}, "", "en", "0" * 32), name)
        except Fault as fault:
            self.answers[fault.reason] += 1
        else:
            self.answers["ok"] += 1
            self.acknowledged.append(name)
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.most_connections = max(self.most_connections, connections(self.database))

    @asynccontextmanager
    async def load(self, prefix: str) -> AsyncIterator[None]:
        """Requests without pause, until it is left and all have been answered."""
        going = True

        async def calls(caller: int) -> None:
            number = 0
            while going:
                await self.register(f"{prefix}-{caller}-{number}")
                number += 1
                await asyncio.sleep(0.01)

        async with asyncio.TaskGroup() as group:
            for caller in range(CALLERS):
                group.create_task(calls(caller))
            try:
                yield
            finally:
                going = False

    async def until(self, count: int, *reasons: str) -> float:
        """Seconds until so many more requests have been answered so."""
        began = time.monotonic()
        wanted = sum(self.answers[reason] for reason in reasons) + count
        async with asyncio.timeout(SOON):
            while sum(self.answers[reason] for reason in reasons) < wanted:  # noqa: ASYNC110 - counters tell no event
                await asyncio.sleep(0.01)
        return time.monotonic() - began

    async def stored(self, prefix: str) -> set[str]:
        """Who is registered."""
        query = text("SELECT uid FROM user WHERE uid LIKE :prefix")
        async with self.database.transaction(writes=False) as transaction:
            return set(await transaction.session.scalars(query, {"prefix": f"{prefix}-%"}))

    async def served(self) -> int:
        """Connections that the server has, of everybody."""
        query = text("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'layout'")
        async with self.database.transaction(writes=False) as transaction:
            return int(await transaction.session.scalar(query) or 0)


def connections(database: Database) -> int:
    pool: Any = database.engine.pool
    return int(pool.checkedin() + pool.checkedout())


@asynccontextmanager
async def open_desk(server: MariaDB) -> AsyncIterator[Desk]:
    settings = DatabaseSettings(url=Secret(server.environment()["TEST_MYSQL_URL"]), **LIMITS)
    database = Database(settings, data_dir=server.directory)
    try:
        yield Desk(database)
    finally:
        await database.stop()


async def assert_nothing_is_lost(desk: Desk, prefix: str) -> None:
    stored = await desk.stored(prefix)
    lost = set(desk.acknowledged) - stored
    LOG.info(
        "%d asked: %s; slowest %.1f s; %d acknowledged, %d lost, %d there without",
        desk.asked,
        dict(desk.answers),
        desk.slowest,
        len(desk.acknowledged),
        len(lost),
        len(stored) - len(desk.acknowledged) + len(lost),
    )
    assert not lost
    assert desk.asked == sum(desk.answers.values())
    assert set(desk.answers) <= {"ok", "UNAVAILABLE", "DEADLINE_EXCEEDED"}
    assert desk.slowest < DEADLINE.total_seconds() + LATE
    assert desk.most_connections <= POOL


async def test_absent_at_the_start_and_there_later(server: MariaDB) -> None:
    await asyncio.to_thread(server.stop)
    async with open_desk(server) as desk:
        began = time.monotonic()
        with pytest.raises(ConnectionError, match="Can't connect"):
            await desk.database.start()
        refused = time.monotonic() - began
        async with desk.load("absent"):
            await desk.until(50, "UNAVAILABLE")
            await asyncio.to_thread(server.start)
            recovered = await desk.until(1, "ok")
        LOG.info("absent: told after %.2f s, serves %.2f s after it answers", refused, recovered)
        await assert_nothing_is_lost(desk, "absent")


async def test_killed_under_load_and_brought_back(server: MariaDB) -> None:
    await asyncio.to_thread(server.start)
    async with open_desk(server) as desk:
        await desk.database.start()
        async with desk.load("killed"):
            await desk.until(100, "ok")
            await asyncio.to_thread(server.kill)
            told = await desk.until(1, "UNAVAILABLE")
            with pytest.raises(ConnectionError):
                await desk.database.check()
            await desk.until(100, "UNAVAILABLE")
            await asyncio.to_thread(server.start)
            recovered = await desk.until(1, "ok")
            await desk.database.check()
            await desk.until(100, "ok")
        LOG.info("killed: told after %.2f s, serves %.2f s after it answers", told, recovered)
        await assert_nothing_is_lost(desk, "killed")
        assert await desk.served() <= POOL


async def test_frozen_and_thawed(server: MariaDB) -> None:
    await asyncio.to_thread(server.start)
    async with open_desk(server) as desk:
        await desk.database.start()
        before = len(asyncio.all_tasks())
        async with desk.load("frozen"):
            await desk.until(100, "ok")
            server.freeze()
            try:
                told = await desk.until(1, "UNAVAILABLE", "DEADLINE_EXCEEDED")
                with pytest.raises(ConnectionError):
                    await desk.database.check()
                await asyncio.sleep(FROZEN - told)
            finally:
                server.thaw()
            recovered = await desk.until(1, "ok")
            await desk.database.check()
            await desk.until(100, "ok")
        LOG.info("frozen: told after %.2f s, serves %.2f s after the thaw", told, recovered)
        await assert_nothing_is_lost(desk, "frozen")
        assert recovered < DEADLINE.total_seconds() + LATE
        assert len(asyncio.all_tasks()) <= before
        assert await desk.served() <= POOL


async def test_a_commit_that_is_not_answered_keeps_nobody(server: MariaDB) -> None:
    await asyncio.to_thread(server.start)
    async with open_desk(server) as desk:
        hooked = asyncio.Event()

        async def hook() -> None:
            hooked.set()

        async def request() -> None:
            async with desk.transactions.writing(by="test") as work:
                await work.users.add(User("c", "c", "new:secret", ROLE_USER, UserState.ACTIVE))
                work.after_commit(hook)
                server.freeze()

        began = time.monotonic()
        try:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await request()
        finally:
            server.thaw()
        took = time.monotonic() - began
        LOG.info("frozen at the COMMIT, with a deadline of 1 s: told after %.2f s", took)
        assert took < 1 + LATE
        assert not hooked.is_set()
        await desk.database.check()
