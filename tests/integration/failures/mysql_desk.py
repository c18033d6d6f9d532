"""Units of work of the user service on a MariaDB that may be broken, and what became of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

from internal.user.biz import User, UserState
from internal.user.consts import ROLE_USER
from internal.user.data import SqlTransactions
from pkg.clock import SystemClock
from pkg.config import Secret
from pkg.database import Database, DatabaseSettings
from pkg.errors import Fault
from pkg.middleware import deadline
from pkg.rpc import Call, Operation, compose

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scripts.servers.mariadb import MariaDB

LOG: Final = logging.getLogger(__name__)
SECOND: Final = timedelta(seconds=1)
DEADLINE: Final = 2 * SECOND
"""Of a request, as the chain gives it."""
LATE: Final = 3.0
"""Seconds that an answer may come after its deadline: one for a COMMIT, and a busy machine."""
SOON: Final = 60.0
"""Seconds for what only has to happen some time."""
CALLERS: Final = 24
POOL: Final = 6
OPERATION: Final = Operation("lab.v1.Lab/Register")
LIMITS: Final[dict[str, Any]] = {
    "pool_size": POOL,
    "pool_timeout": SECOND / 2,
    "connect_timeout": SECOND,
    "statement_timeout": DEADLINE,
}


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
