"""A statement ends in the database when its call does, and not at the ceiling of the settings."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import text

from pkg.config import Secret
from pkg.database import Database, DatabaseSettings
from pkg.errors import Fault
from pkg.middleware import deadline
from pkg.rpc import Call, Operation, current_call
from tests.contract import servers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

TIME: Final = timedelta(milliseconds=300)
"""What the call has."""
SOON: Final = 10.0
"""Seconds in which everything has ended; well below the ceiling."""
CEILING: Final = timedelta(seconds=60)


@dataclass(frozen=True)
class Kind:
    """A database, and how to keep it busy and look at what it does."""

    variable: str
    """Of the environment, with its address; empty for a file."""
    slow: str
    running: str
    """How many slow statements run."""


KINDS: Final = {
    "sqlite": Kind(
        "",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "",
    ),
    "mysql": Kind(
        "TEST_MYSQL_URL",
        "SELECT sum(a.seq * b.seq) FROM seq_1_to_1000000 a, seq_1_to_1000000 b",
        "SELECT count(*) FROM information_schema.processlist"
        " WHERE info LIKE '%seq_1_to%' AND id <> connection_id()",
    ),
    "postgres": Kind(
        "TEST_POSTGRES_URL",
        "SELECT sum(a * b) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b",
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
        " AND query LIKE '%generate_series%' AND pid <> pg_backend_pid()",
    ),
}


@dataclass
class Lab:
    kind: Kind
    database: Database
    other: Database
    """Another process, as it were."""

    async def slow(self) -> None:
        async with self.database.transaction(writes=True) as transaction:
            await transaction.session.execute(text(self.kind.slow))

    async def ask(self, database: Database, statement: str) -> Any:
        async with database.transaction(writes=False) as transaction:
            return await transaction.session.scalar(text(statement))

    async def nothing_runs(self) -> None:
        """Wait until the server does nothing for us any more."""
        async with asyncio.timeout(SOON):
            if not self.kind.running:
                # The slow statement held the lock of writers, for which others wait.
                async with self.other.transaction(writes=True):
                    return
            while await self.ask(self.other, self.kind.running):  # noqa: ASYNC110 - a server has no events
                await asyncio.sleep(0.02)


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("mysql", marks=pytest.mark.integration),
        pytest.param("postgres", marks=pytest.mark.integration),
    ]
)
async def lab(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Lab]:
    kind = KINDS[request.param]
    url = servers.address(kind.variable) if kind.variable else "sqlite:///data.db"
    settings = DatabaseSettings(url=Secret(url), pool_size=1, statement_timeout=CEILING)
    made = [Database(settings, data_dir=tmp_path) for _ in range(2)]
    for each in made:
        await each.start()
    yield Lab(kind, *made)
    for each in made:
        await each.stop()


@asynccontextmanager
async def within(seconds: float | None) -> AsyncIterator[Call]:
    """A call that has so much time, and whom nobody cancels."""
    now = asyncio.get_running_loop().time()
    call = Call("http", Operation("a.B/C"), {}, "", "en", "0" * 32)
    call.deadline = None if seconds is None else now + seconds
    token = current_call.set(call)
    try:
        yield call
    finally:
        current_call.reset(token)


async def limited(work: Callable[[], Awaitable[Any]]) -> Any:
    """Do it as the handler of a call that has `TIME`."""

    async def handler(_call: Call, _payload: Any) -> Any:
        return await work()

    operation = Operation("a.B/C")
    async with within(None) as call:
        return await deadline(TIME)(handler, operation)(call, None)


async def test_a_slow_statement_ends_in_the_server_at_the_calls_deadline(lab: Lab) -> None:
    async with asyncio.timeout(SOON):
        with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
            await limited(lab.slow)
    await lab.nothing_runs()
    # The pool has one connection: it is well, or there is another.
    assert await lab.ask(lab.database, "SELECT 1") == 1


async def test_many_of_them_leave_a_pool_that_works(lab: Lab) -> None:
    for _ in range(3):
        with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
            await limited(lab.slow)
    await lab.nothing_runs()
    assert await asyncio.gather(*(lab.ask(lab.database, "SELECT 1") for _ in range(5))) == [1] * 5


async def test_a_client_that_leaves_leaves_nothing_running_for_long(lab: Lab) -> None:
    async with within(5):
        asking = asyncio.create_task(lab.slow())
        await asyncio.sleep(0.3)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    await lab.nothing_runs()


async def test_a_statement_whose_call_is_over_is_not_sent(lab: Lab) -> None:
    async with within(-1):
        with pytest.raises(Fault, match="DEADLINE_EXCEEDED"):
            await lab.ask(lab.database, "SELECT 1")
    assert await lab.ask(lab.database, "SELECT 1") == 1


async def test_what_is_quick_enough_knows_nothing_of_it(lab: Lab) -> None:
    async with within(30), lab.database.transaction(writes=True) as transaction:
        session = transaction.session
        await session.execute(text("CREATE TEMPORARY TABLE quick (n INTEGER, word VARCHAR(20))"))
        rows = [{"n": n, "word": "100 %"} for n in range(3)]
        await session.execute(text("INSERT INTO quick VALUES (:n, :word)"), rows)
        await session.execute(text("INSERT INTO quick VALUES (:n, :word)"), {"n": 3, "word": "%s"})
        await session.execute(text("UPDATE quick SET n = n + 1 WHERE n = :n"), {"n": 3})
        found = await session.execute(text("SELECT n, word FROM quick ORDER BY n"))
        assert [tuple(row) for row in found] == [
            *((n, "100 %") for n in range(3)),
            (4, "%s"),
        ]
        assert await session.scalar(text("WITH a AS (SELECT 1 AS n) SELECT n FROM a")) == 1
        await session.execute(text("DROP TABLE quick"))
