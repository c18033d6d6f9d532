"""Events over a real connection: they come at once, and a client that leaves ends the call."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx

from pkg.app import UvicornServer
from tests.unit.pkg.http.listener import Listener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def served(lab: Listener) -> AsyncIterator[httpx.AsyncClient]:
    server = UvicornServer("http", lab.app, host="127.0.0.1", port=0)
    await server.start()
    try:
        async with (
            asyncio.timeout(10),
            httpx.AsyncClient(trust_env=False, base_url=f"http://{server.address}") as client,
        ):
            yield client
    finally:
        await server.stop()


async def test_an_event_comes_before_the_stream_has_ended() -> None:
    lab = Listener()
    lab.service.hold()
    async with (
        served(lab) as client,
        client.stream("GET", "/v1/lab/chain/watch/a", params={"count": 1}) as answer,
    ):
        lines = answer.aiter_lines()
        assert await anext(lines) == 'data: {"name":"a","times":1,"token":""}'
        lab.service.go_on.set()
        assert [line async for line in lines] == [""]


async def test_a_client_that_hangs_up_ends_the_call() -> None:
    lab = Listener()
    lab.service.hold()
    async with served(lab) as client:
        async with client.stream("GET", "/v1/lab/chain/watch/a", params={"count": 1}) as answer:
            await anext(answer.aiter_lines())
        await lab.service.closed.wait()


async def test_a_client_that_does_not_read_holds_the_service_up() -> None:
    lab = Listener()
    async with served(lab) as client:
        path = "/v1/lab/chain/watch/" + "a" * 20
        async with client.stream("GET", path, params={"count": 10_000_000}) as answer:
            await anext(answer.aiter_lines())
            before = -1
            while before != lab.service.made:  # until the buffers on the way are full
                before = lab.service.made
                await asyncio.sleep(0.2)
            assert before < 1_000_000
        await lab.service.closed.wait()
