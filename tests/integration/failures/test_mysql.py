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
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from internal.user.biz import Role, User, UserState
from internal.user.consts import ROLE_USER
from migrations.user import LOCATION
from pkg.database import migrate, resolve_url
from scripts.servers.mariadb import MariaDB
from tests.contract.servers import address
from tests.integration.failures.mysql_desk import (
    DEADLINE,
    LATE,
    POOL,
    assert_nothing_is_lost,
    open_desk,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

LOG = logging.getLogger(__name__)
FROZEN = 6.0
"""Seconds: several deadlines long."""


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


def stands_still(server: MariaDB) -> bool:
    """Whether every thread of it has stopped, which may be later than the signal."""
    stats = Path(f"/proc/{server.pid}/task").glob("*/stat")
    return all(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in stats)


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
            await desk.until(100, "ok")
        await desk.database.check()
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
            await desk.until(100, "ok")
        await desk.database.check()
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
                while not stands_still(server):  # noqa: ASYNC110 - a signal tells no event
                    await asyncio.sleep(0.01)

        began = time.monotonic()
        try:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2):
                    await request()
        finally:
            server.thaw()
        took = time.monotonic() - began
        LOG.info("frozen at the COMMIT, with a deadline of 2 s: told after %.2f s", took)
        assert took < 2 + LATE
        assert not hooked.is_set()
        await desk.database.check()
