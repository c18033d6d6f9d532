"""A database on SQLite: transactions, hooks, limits, loops."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import uvloop
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from pkg.config import Secret
from pkg.database import Database, DatabaseSettings, Transaction
from pkg.errors import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ENDLESS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """With one table `t (n)`."""
    made = Database(
        DatabaseSettings(statement_timeout=timedelta(milliseconds=100)), data_dir=tmp_path / "new"
    )
    await made.start()
    async with made.transaction(writes=True) as transaction:
        await transaction.session.execute(text("CREATE TABLE t (n INTEGER UNIQUE)"))
    yield made
    await made.stop()


@asynccontextmanager
async def failing(
    database: Database, error: type[Exception], match: str | None = None
) -> AsyncIterator[Transaction]:
    """A transaction that is left by this error."""
    with pytest.raises(error, match=match):
        async with database.transaction(writes=True) as transaction:
            yield transaction


async def add(database: Database, number: int) -> None:
    async with database.transaction(writes=True) as transaction:
        await transaction.session.execute(text("INSERT INTO t VALUES (:n)"), {"n": number})


async def numbers(database: Database) -> list[int]:
    async with database.transaction(writes=False) as transaction:
        return list(await transaction.session.scalars(text("SELECT n FROM t ORDER BY n")))


async def test_the_file_and_its_directory_are_made(database: Database, tmp_path: Path) -> None:
    assert (tmp_path / "new" / "data.db").is_file()
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    assert database.address == f"sqlite+aiosqlite:///{tmp_path}/new/data.db"
    assert database.name == "database"


async def test_sqlite_is_set_up_for_a_service(database: Database) -> None:
    async with database.transaction(writes=False) as transaction:
        pragmas = {
            name: await transaction.session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "synchronous": 1,
    }


async def test_what_is_left_cleanly_is_committed(database: Database) -> None:
    await add(database, 1)
    assert await numbers(database) == [1]


async def test_what_raises_is_rolled_back(database: Database) -> None:
    async with failing(database, LookupError) as transaction:
        await transaction.session.execute(text("INSERT INTO t VALUES (1)"))
        raise LookupError
    assert await numbers(database) == []


async def test_writers_wait_for_each_other(database: Database) -> None:
    await asyncio.gather(*(add(database, number) for number in range(20)))
    assert await numbers(database) == list(range(20))


async def test_hooks_run_after_the_commit_and_only_then(database: Database) -> None:
    seen: list[list[int]] = []

    async def look() -> None:
        seen.append(await numbers(database))

    async with database.transaction(writes=True) as transaction:
        await transaction.session.execute(text("INSERT INTO t VALUES (1)"))
        transaction.after_commit(look)
    assert seen == [[1]]

    async with failing(database, LookupError) as transaction:
        transaction.after_commit(look)
        raise LookupError
    assert seen == [[1]]


async def test_a_failing_hook_is_told_when_the_others_have_run(database: Database) -> None:
    ran: list[str] = []

    async def fail() -> None:
        ran.append("fail")
        raise LookupError("first")

    async def go_on() -> None:
        ran.append("go on")

    async def commit() -> None:
        async with database.transaction(writes=True) as transaction:
            await transaction.session.execute(text("INSERT INTO t VALUES (1)"))
            for hook in (fail, go_on, fail):
                transaction.after_commit(hook)

    with pytest.raises(LookupError, match="first"):
        await commit()
    assert ran == ["fail", "go on", "fail"]
    assert await numbers(database) == [1]


@pytest.mark.parametrize("failing", [False, True])
async def test_a_cancelled_caller_does_not_cut_the_hooks_off(
    database: Database, *, failing: bool
) -> None:
    started, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hook() -> None:
        started.set()
        await go_on.wait()
        done.set()
        if failing:
            raise LookupError

    async def request() -> None:
        async with database.transaction(writes=True) as transaction:
            await transaction.session.execute(text("INSERT INTO t VALUES (1)"))
            transaction.after_commit(hook)

    task = asyncio.create_task(request())
    await started.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()
    assert await numbers(database) == [1]


async def test_a_commit_that_is_not_answered_keeps_no_cancelled_caller() -> None:
    class Silent:
        """A session whose server has gone quiet."""

        asked = asyncio.Event()

        async def commit(self) -> None:
            self.asked.set()
            await asyncio.Event().wait()

    async def hook() -> None:
        pytest.fail("nobody knows whether it is committed")

    session: Any = Silent()
    transaction = Transaction(session, linger=timedelta(milliseconds=10))
    transaction.after_commit(hook)
    task = asyncio.create_task(transaction.commit())
    await session.asked.wait()

    task.cancel()

    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_statement_without_end_is_stopped_and_the_connection_goes_on(
    database: Database,
) -> None:
    async with failing(database, Fault, "DEADLINE_EXCEEDED") as transaction:
        await transaction.session.execute(text("INSERT INTO t VALUES (1)"))
        await transaction.session.execute(ENDLESS)
    assert await numbers(database) == []
    await add(database, 2)
    assert await numbers(database) == [2]


async def test_a_defect_in_a_statement_is_not_the_callers_fault(database: Database) -> None:
    with pytest.raises(OperationalError, match="no such table"):
        async with database.transaction(writes=False) as transaction:
            await transaction.session.execute(text("SELECT * FROM missing"))


async def test_values_are_not_in_an_errors_text(database: Database) -> None:
    with pytest.raises(OperationalError) as caught:
        async with database.transaction(writes=False) as transaction:
            await transaction.session.execute(text("SELECT :x FROM missing"), {"x": "hunter2"})
    assert "hunter2" not in str(caught.value)


async def test_a_database_belongs_to_one_loop(database: Database) -> None:
    def elsewhere() -> None:
        asyncio.run(database.check())

    with pytest.raises(RuntimeError, match="one event loop"):
        await asyncio.to_thread(elsewhere)
    await database.check()


async def test_a_file_that_cannot_be_opened_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "data.db").mkdir()
    database = Database(DatabaseSettings(), data_dir=tmp_path)

    with pytest.raises(ConnectionError, match="unable to open database file"):
        await database.start()
    await database.stop()


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
async def test_a_server_that_never_answers_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    writers: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    database = Database(
        DatabaseSettings(
            url=Secret(f"{kind}://u:hunter2@127.0.0.1:{port}/d"),
            connect_timeout=timedelta(milliseconds=100),
        ),
        data_dir=tmp_path,
    )

    with pytest.raises(ConnectionError) as caught:
        await database.start()
    assert "hunter2" not in str(caught.value)

    await database.stop()
    silent.close()
    for writer in writers:
        writer.close()
    await silent.wait_closed()


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_a_server_that_hangs_up_while_it_is_connected_to_is_unavailable(
    tmp_path: Path, kind: str
) -> None:
    def hang_up() -> None:
        with suppress(OSError):  # the end of the test
            while True:
                busy.accept()[0].close()

    async def ask() -> None:
        url = Secret(f"{kind}://u:hunter2@127.0.0.1:{busy.getsockname()[1]}/d")
        database = Database(DatabaseSettings(url=url), data_dir=tmp_path)
        for _ in range(20):
            with pytest.raises(Fault) as caught:
                async with database.transaction(writes=False):
                    pytest.fail("there is nobody to talk to")
            assert caught.value.reason == "UNAVAILABLE"
        with pytest.raises(ConnectionError):
            await database.check()
        await database.stop()

    busy = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=hang_up)
    thread.start()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # that of the services
            runner.run(ask())
    finally:
        busy.shutdown(socket.SHUT_RDWR)
        busy.close()
        thread.join()
