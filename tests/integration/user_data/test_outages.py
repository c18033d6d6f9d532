"""What a database that is slow, locked, gone or asked for nonsense means for a caller."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from internal.user.biz import NewAccount, RegisterUsecase, UserFilter, UserUsecase
from internal.user.biz.page import Page
from pkg.config import Secret
from pkg.database import Database, DatabaseSettings
from pkg.errors import Fault
from tests.contract.user import databases
from tests.unit.internal.user.world import Ports, refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy import URL

SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT count(*) FROM n",
    "mysql": "SELECT count(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b",
    "postgresql": "SELECT pg_sleep(60)",
}
KILL_MYSELF = {
    "mysql": "KILL CONNECTION_ID()",
    "postgresql": "SELECT pg_terminate_backend(pg_backend_pid())",
}


MOMENT = timedelta(seconds=1)


@asynccontextmanager
async def another(database: Database, directory: Path, **limits: Any) -> AsyncIterator[Database]:
    """The same database with limits of its own."""
    url = database.engine.url.render_as_string(hide_password=False)
    made = Database(DatabaseSettings(url=Secret(url), **limits), data_dir=directory)
    yield made
    await made.stop()


@pytest.fixture
async def impatient(database: Database, tmp_path: Path) -> AsyncIterator[Database]:
    """The same database, by one connection that waits for little."""
    limits = {"pool_size": 1, "pool_timeout": MOMENT, "statement_timeout": MOMENT}
    async with another(database, tmp_path, **limits) as made:
        yield made


def kind(database: Database) -> str:
    return database.engine.dialect.name


async def test_a_statement_that_runs_too_long_is_stopped(impatient: Database) -> None:
    with refused("DEADLINE_EXCEEDED"):
        async with impatient.transaction(writes=False) as transaction:
            await transaction.session.execute(text(SLOW[kind(impatient)]))
    await impatient.check()


async def test_who_waits_too_long_for_a_lock_is_told_to_come_again(
    database: Database, ports: Ports, tmp_path: Path
) -> None:
    change = text("UPDATE policy_version SET version = version + 1")
    async with (
        another(database, tmp_path, lock_timeout=MOMENT) as other,
        database.transaction(writes=True) as holder,
    ):
        await holder.session.execute(change)
        with refused("UNAVAILABLE"):
            async with other.transaction(writes=True) as transaction:
                await transaction.session.execute(change)


async def test_a_reader_does_not_wait_for_a_writer(
    database: Database, ports: Ports, impatient: Database
) -> None:
    async with database.transaction(writes=True) as writer:
        await writer.session.execute(text("UPDATE policy_version SET version = 7"))
        async with impatient.transaction(writes=False) as reader:
            seen = await reader.session.scalar(text("SELECT version FROM policy_version"))
    assert seen == 0


async def test_who_finds_no_free_connection_is_told_to_come_again(impatient: Database) -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(impatient.transaction(writes=False))
        with refused("UNAVAILABLE"):
            await stack.enter_async_context(impatient.transaction(writes=False))
    await impatient.check()


@pytest.mark.parametrize("url", databases.SERVER_KINDS, indirect=True)
async def test_a_broken_connection_is_replaced(impatient: Database) -> None:
    with refused("UNAVAILABLE"):
        async with impatient.transaction(writes=False) as transaction:
            await transaction.session.execute(text(KILL_MYSELF[kind(impatient)]))
            await transaction.session.execute(text("SELECT 1"))
    async with impatient.transaction(writes=False) as transaction:
        assert await transaction.session.scalar(text("SELECT 1")) == 1


async def test_a_text_that_a_database_cannot_hold_is_the_callers_fault(ports: Ports) -> None:
    ports.captcha.answers = {"c": "123456"}
    register = RegisterUsecase(
        transactions=ports.transactions,
        captcha=ports.captcha,
        throttle=ports.throttle,
        hasher=ports.hasher,
        tokens=ports.tokens,
        clock=ports.clock,
    )
    users = UserUsecase(transactions=ports.transactions, revoker=ports.revoker, clock=ports.clock)
    reasons = set()
    for call in (
        register.register(NewAccount("bob", "a password", "c", "123456", "a\0b"), peer=""),
        users.list(UserFilter(nick_name="\0"), Page()),
        users.get(user_name="\0"),
    ):
        try:
            await call
        except Fault as fault:
            reasons.add(fault.reason)
    assert reasons <= {"INVALID_ARGUMENT", "USER_INFO_QUERY_FAILED"}


async def test_a_cancelled_request_leaves_nothing_behind(database: Database, ports: Ports) -> None:
    entered = asyncio.Event()

    async def request() -> None:
        async with database.transaction(writes=True) as transaction:
            await transaction.session.execute(text("UPDATE policy_version SET version = 99"))
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(request())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with database.transaction(writes=True) as transaction:
        assert await transaction.session.scalar(text("SELECT version FROM policy_version")) == 0


async def test_nobody_answers_and_no_password_is_shown(url: URL, tmp_path: Path) -> None:
    if url.get_backend_name() == "sqlite":
        wrong = url.set(database=str(tmp_path))  # a directory
    else:
        wrong = url.set(port=1, password="hunter2")
    settings = DatabaseSettings(url=Secret(wrong.render_as_string(hide_password=False)))
    database = Database(settings, data_dir=tmp_path)

    with pytest.raises(ConnectionError) as caught:
        await database.start()
    assert wrong.get_backend_name() in str(caught.value)
    assert "hunter2" not in str(caught.value)
    if url.get_backend_name() != "sqlite":
        with refused("UNAVAILABLE"):
            async with database.transaction(writes=False):
                pass
    await database.stop()
