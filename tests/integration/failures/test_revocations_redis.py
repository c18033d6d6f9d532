"""What is revoked is seen in time, whatever happens to the way to Redis."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from pkg.clock import SystemClock
from pkg.errors import Fault
from pkg.jwt import FollowedRevocations, RedisRevocations, RevocationSettings
from pkg.redis import RedisSettings, open_redis
from tests.integration.redis_process import RedisProcess, eventually
from tests.unit.pkg.patient import PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pkg.jwt import Revocations

LOG = logging.getLogger(__name__)
TTL = timedelta(minutes=15)
SECOND = timedelta(seconds=1)
ANSWER = SECOND / 5
SETTINGS = RedisSettings(timeout=ANSWER, connect_timeout=ANSWER, retries=1, max_connections=8)
FOLLOWING = RevocationSettings(max_delay=SECOND)
DEADLINE = 5.0
"""Seconds for any call: two tries and the pause between them, with room for a busy machine."""


class Cable:
    """A way to a server whose connections can be made to hang: nothing comes through any more."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._pipes: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._passing = asyncio.Event()
        self.url = ""

    async def __aenter__(self) -> Cable:
        self._passing.set()
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for pipe in self._pipes:
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)
        await self._server.wait_closed()

    def hang(self) -> None:
        """The connections that there are, stay open and are dead; new ones pass."""
        self._passing.clear()
        self._passing = asyncio.Event()
        self._passing.set()

    def cut(self) -> None:
        """The connections that there are, end; new ones are made, and nothing comes through."""
        for pipe in self._pipes:
            pipe.cancel()
        self._passing = asyncio.Event()

    async def _connect(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, there = await asyncio.open_connection("127.0.0.1", self._to)
        passing = self._passing
        for source, target in ((near, there), (far, back)):
            pipe = asyncio.create_task(_pipe(source, target, passing))
            self._pipes.add(pipe)
            pipe.add_done_callback(self._pipes.discard)


async def _pipe(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, passing: asyncio.Event
) -> None:
    try:
        while data := await source.read(65536):
            await passing.wait()
            target.write(data)
            await target.drain()
    except OSError:
        pass  # an end has let go
    finally:
        target.close()


class Process:
    """One that follows, and what it has to say of a session."""

    def __init__(self, url: str, redis: RedisSettings, settings: RevocationSettings) -> None:
        self.registry = CollectorRegistry()
        self.client: Any = open_redis(redis, url)
        self.followed = FollowedRevocations(
            settings, clock=SystemClock(), chance=lambda: 0.5, registry=self.registry
        )
        self._here: Revocations = self.followed.on(self.client)
        self.slowest = 0.0

    async def says(self, session: str) -> str:
        began = time.monotonic()
        try:
            await self._here.check(session, "u", 1)
        except Fault as fault:
            return fault.reason
        finally:
            self.slowest = max(self.slowest, time.monotonic() - began)
        return "OK"

    async def in_step(self) -> bool:
        return bool(self.registry.get_sample_value("revocations_in_step"))

    async def in_doubt(self) -> bool:
        return not await self.in_step()


@asynccontextmanager
async def following(
    url: str, redis: RedisSettings = SETTINGS, settings: RevocationSettings = FOLLOWING
) -> AsyncIterator[Process]:
    made = Process(url, redis, settings)
    watch = made.followed.watch(made.client)
    await watch.start()
    try:
        yield made
    finally:
        await watch.stop()
        await made.client.aclose()


@asynccontextmanager
async def another(server: RedisProcess) -> AsyncIterator[Revocations]:
    """A process that revokes, straight at the server."""
    client = open_redis(SETTINGS, server.url)
    try:
        yield RedisRevocations(client)
    finally:
        await client.aclose()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisProcess]:
    made = RedisProcess(tmp_path / "redis")
    try:
        yield made
    finally:
        made.stop()


async def test_absent_at_the_start_and_there_later(server: RedisProcess) -> None:
    async with following(server.url) as process:
        assert await process.says("s") == "UNAVAILABLE"

        await server.start()
        async with another(server) as there:
            await there.end_session("s", TTL)
        assert await process.says("s") == "UNAUTHENTICATED"
        await eventually(process.in_step)
        assert (await process.says("s"), await process.says("other")) == ("UNAUTHENTICATED", "OK")
    assert process.slowest < DEADLINE


async def test_killed_and_brought_back_without_its_data(server: RedisProcess) -> None:
    await server.start()
    async with following(server.url) as process, another(server) as there:
        await eventually(process.in_step)
        await there.end_session("before", TTL)
        await eventually(lambda: _is(process, "before", "UNAUTHENTICATED"))

        server.kill()
        await eventually(process.in_doubt)
        # What was heard is certain; of all else nobody can tell.
        assert await process.says("before") == "UNAUTHENTICATED"
        assert await process.says("other") == "UNAVAILABLE"

        await server.start()
        await there.end_session("meanwhile", TTL)
        assert await process.says("meanwhile") == "UNAUTHENTICATED"
        await eventually(process.in_step)
        said = [await process.says(each) for each in ("before", "meanwhile", "other")]
        assert said == ["UNAUTHENTICATED", "UNAUTHENTICATED", "OK"]
    assert process.slowest < DEADLINE


async def test_frozen_what_is_not_known_is_in_doubt_within_the_bound(server: RedisProcess) -> None:
    await server.start()
    async with following(server.url) as process, another(server) as there:
        await eventually(process.in_step)
        server.freeze()
        began = time.monotonic()

        await eventually(lambda: _is(process, "s", "UNAVAILABLE"))
        took = time.monotonic() - began
        LOG.info("frozen: in doubt after %.2f s", took)
        assert took < FOLLOWING.max_delay.total_seconds() + DEADLINE

        server.thaw()
        await there.end_session("s", TTL)
        assert await process.says("s") == "UNAUTHENTICATED"
        await eventually(process.in_step)
        assert (await process.says("s"), await process.says("other")) == ("UNAUTHENTICATED", "OK")
    assert process.slowest < DEADLINE


async def test_cut_off_without_notice_what_others_revoke_is_seen_within_the_bound(
    server: RedisProcess,
) -> None:
    await server.start()
    async with (
        Cable(server.port) as cable,
        following(cable.url) as process,
        another(server) as there,
    ):
        await eventually(process.in_step)
        cable.hang()
        began = time.monotonic()
        await there.end_session("s", TTL)

        await eventually(lambda: _is(process, "s", "UNAUTHENTICATED"))
        took = time.monotonic() - began
        LOG.info("cut off: seen after %.2f s", took)
        assert took < FOLLOWING.max_delay.total_seconds() + DEADLINE
        assert await process.says("other") == "OK"

        await eventually(process.in_step)
        await there.end_session("later", TTL)
        await eventually(lambda: _is(process, "later", "UNAUTHENTICATED"))
    assert process.slowest < DEADLINE


async def test_a_connection_that_breaks_is_doubted_before_another_is_made(
    server: RedisProcess,
) -> None:
    await server.start()
    slow = RevocationSettings(max_delay=60 * SECOND)
    async with Cable(server.port) as cable, following(cable.url, PATIENT, slow) as process:
        await eventually(process.in_step)

        cable.cut()

        await eventually(process.in_doubt)


async def test_nothing_that_is_revoked_under_load_is_missed_through_outages(
    server: RedisProcess,
) -> None:
    await server.start()
    revoked: list[str] = []
    done = asyncio.Event()
    async with (
        Cable(server.port) as cable,
        following(cable.url) as process,
        another(server) as there,
    ):

        async def revoke() -> None:
            while not done.is_set():
                session = f"s{len(revoked)}"
                await there.end_session(session, TTL)
                revoked.append(session)
                await asyncio.sleep(0.002)

        revoking = asyncio.create_task(revoke())
        watcher: Any = open_redis(SETTINGS, server.url)
        for number in range(4):
            await eventually(process.in_step)
            if number % 2:
                cable.hang()
            else:
                await watcher.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            await eventually(process.in_doubt)
        await watcher.aclose()
        await eventually(process.in_step)
        done.set()
        await revoking

        await eventually(lambda: _is(process, revoked[-1], "UNAUTHENTICATED"))
        said = {await process.says(session) for session in revoked}
        LOG.info("%d revoked through four outages", len(revoked))
        assert said == {"UNAUTHENTICATED"}
        assert await process.in_step()
        assert len(process.followed.held) == len(revoked)


async def _is(process: Process, session: str, reason: str) -> bool:
    return await process.says(session) == reason
