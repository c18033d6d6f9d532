"""The server as a component: starting, failing to start, draining, stopping, dying."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import grpc.aio
import pytest

from pkg.grpc import GrpcServer, Mounted
from pkg.tokens import FakeTokens
from tests.unit.pkg.grpc.strict import (
    SERVICE,
    SOON,
    decoded,
    encoded,
    forever,
    refusal,
    running,
    settings,
)
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.usefixtures("engine")

NOW = timedelta(0)


@asynccontextmanager
async def nothing() -> AsyncIterator[Mounted]:
    yield Mounted((), ())


def grpc_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "grpc"]


async def test_a_taken_port_is_refused_naming_the_address_and_the_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = GrpcServer(
            registry(),
            settings(port=port),
            nothing,
            tokens=FakeTokens(),
        )
        with pytest.raises(
            OSError, match=f"gRPC cannot listen on 127.0.0.1:{port}: .*in use"
        ) as found:
            await server.start()
    assert found.value.errno is not None
    await server.stop(NOW)
    assert grpc_threads() == []


async def test_an_address_of_no_interface_is_refused_naming_it() -> None:
    server = GrpcServer(registry(), settings(host="192.0.2.1"), nothing, tokens=FakeTokens())
    with pytest.raises(OSError, match=r"gRPC cannot listen on 192\.0\.2\.1:0"):
        await server.start()
    await server.stop(NOW)


async def test_a_graph_that_cannot_be_built_fails_the_start_with_its_cause() -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[Mounted]:
        raise LookupError("no database")
        yield

    server = GrpcServer(registry(), settings(), broken, tokens=FakeTokens())
    with pytest.raises(LookupError, match="no database"):
        await server.start()
    with pytest.raises(ConnectionError):
        await server.check()
    await server.stop(NOW)
    assert grpc_threads() == []


async def test_an_unknown_service_fails_the_start_and_the_graph_is_taken_down() -> None:
    from pkg.rpc import Bound

    downs: list[bool] = []

    @asynccontextmanager
    async def mounts() -> AsyncIterator[Mounted]:
        try:
            yield Mounted((), [Bound("no.such.Service", {})])
        finally:
            downs.append(True)

    server = GrpcServer(registry(), settings(), mounts, tokens=FakeTokens())
    with pytest.raises(KeyError, match=r"no\.such\.Service"):
        await server.start()
    assert downs == [True]


async def test_a_start_that_is_given_up_leaves_nothing_running() -> None:
    entered, downs = threading.Event(), []

    @asynccontextmanager
    async def hangs() -> AsyncIterator[Mounted]:
        entered.set()
        try:
            await asyncio.Event().wait()
            yield Mounted((), ())
        finally:
            downs.append(True)

    server = GrpcServer(registry(), settings(), hangs, tokens=FakeTokens())
    starting = asyncio.create_task(server.start())
    await asyncio.to_thread(entered.wait)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(starting, SOON.total_seconds())
    assert downs == [True]
    assert grpc_threads() == []


async def test_a_start_that_is_given_up_at_once_builds_nothing() -> None:
    server = GrpcServer(registry(), settings(), nothing, tokens=FakeTokens())
    starting = asyncio.create_task(server.start())
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(starting, SOON.total_seconds())
    assert grpc_threads() == []


async def test_a_server_is_started_once() -> None:
    async with running() as run:
        with pytest.raises(RuntimeError, match="once"):
            await run.server.start()


async def test_stop_of_a_server_that_never_started_does_nothing() -> None:
    server = GrpcServer(registry(), settings(), nothing, tokens=FakeTokens())
    await server.stop(NOW)
    await server.drain()
    with pytest.raises(ConnectionError, match="not started"):
        await server.check()


async def test_the_graph_is_built_used_and_taken_down_in_the_servers_own_loop() -> None:
    seen: list[tuple[str, asyncio.AbstractEventLoop, str]] = []

    def note(what: str) -> None:
        seen.append((what, asyncio.get_running_loop(), threading.current_thread().name))

    @asynccontextmanager
    async def mounts() -> AsyncIterator[Mounted]:
        note("built")
        yield Mounted((), ())
        await asyncio.sleep(0)  # as closing an engine does
        note("taken down")

    server = GrpcServer(registry(), settings(), mounts, tokens=FakeTokens())
    await server.start()
    await server.check()
    await server.stop(NOW)
    assert [(what, thread) for what, _, thread in seen] == [
        ("built", "grpc"),
        ("taken down", "grpc"),
    ]
    assert seen[0][1] is seen[1][1]
    assert seen[0][1] is not asyncio.get_running_loop()
    with pytest.raises(ConnectionError, match="ended"):
        await server.check()
    await server.wait()


async def test_a_graph_that_cannot_be_taken_down_is_told_by_stop() -> None:
    @asynccontextmanager
    async def mounts() -> AsyncIterator[Mounted]:
        yield Mounted((), ())
        raise LookupError("does not close")

    server = GrpcServer(registry(), settings(), mounts, tokens=FakeTokens())
    await server.start()
    with pytest.raises(LookupError, match="does not close"):
        await server.stop(NOW)


async def test_stop_lets_a_running_call_finish_and_takes_no_new_one() -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        say = channel.unary_unary(f"/{SERVICE}/Say")
        call = asyncio.ensure_future(say(encoded("wait")))
        await run.there(run.strict.entered)
        stopping = asyncio.create_task(run.server.stop(SOON))
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await forever(lambda: say(encoded("late"), timeout=5))
        assert late.value.code() in (
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.CANCELLED,
            grpc.StatusCode.DEADLINE_EXCEEDED,  # grpc.aio may leave one that comes just then alone
        )
        assert not stopping.done()
        run.let_go_on()
        assert decoded(await call) == "WAIT"
        await stopping


async def test_stop_ends_a_call_that_outstays_the_grace() -> None:
    async with running() as run, grpc.aio.insecure_channel(run.target) as channel:
        call = asyncio.ensure_future(channel.unary_unary(f"/{SERVICE}/Say")(encoded("wait")))
        await run.there(run.strict.entered)
        await run.server.stop(timedelta(milliseconds=20))
        ended = await refusal(call)
        assert ended.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        assert run.strict.closed.is_set()
        assert grpc_threads() == []


async def test_a_second_stop_makes_the_first_more_urgent() -> None:
    async with (
        running(stop_grace=timedelta(hours=1)) as run,
        grpc.aio.insecure_channel(run.target) as channel,
    ):
        call = asyncio.ensure_future(channel.unary_unary(f"/{SERVICE}/Say")(encoded("wait")))
        await run.there(run.strict.entered)
        patient = asyncio.create_task(run.server.stop())
        await asyncio.sleep(0)
        await asyncio.wait_for(run.server.stop(NOW), SOON.total_seconds())
        await patient
        await refusal(call)


async def test_the_death_of_the_servers_loop_is_told() -> None:
    async with running() as run:
        waiting = asyncio.create_task(run.server.wait())
        run.loop.call_soon_threadsafe(run.loop.stop)
        with pytest.raises(RuntimeError, match="stopped"):
            await asyncio.wait_for(waiting, SOON.total_seconds())
        with pytest.raises(ConnectionError) as found:
            await run.server.check()
        assert isinstance(found.value.__cause__, RuntimeError)
