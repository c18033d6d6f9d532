"""A server is there when its start returns, and lets requests finish when it stops."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pkg.app import UvicornServer
from pkg.app.listener import ListenError, address, listen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MARK: ContextVar[str] = ContextVar("mark", default="none")


class Page:
    """An application whose answer waits until it is let go."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()
        self.cancelled = False
        self.client: Any = None

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        self.entered.set()
        self.client = scope["client"]
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": MARK.get().encode()})


@asynccontextmanager
async def serving(page: Page, **options: Any) -> AsyncIterator[UvicornServer]:
    server = UvicornServer("http", page, host="127.0.0.1", port=0, **options)
    await server.start()
    try:
        async with asyncio.timeout(10):
            yield server
    finally:
        await server.stop()


async def get(server: UvicornServer, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"http://{server.address}/", headers=headers)


async def test_answers_when_the_start_returns_on_the_port_it_tells() -> None:
    async with serving(Page()) as server:
        assert server.port > 0
        assert server.address == f"127.0.0.1:{server.port}"
        assert (await get(server)).status_code == 200


async def test_says_nothing_of_what_it_is() -> None:
    async with serving(Page()) as server:
        assert "server" not in (await get(server)).headers


async def test_request_does_not_see_the_context_of_the_start() -> None:
    MARK.set("starter")
    async with serving(Page()) as server:
        assert (await get(server)).text == "none"


async def test_port_in_use_is_named() -> None:
    async with serving(Page()) as first:
        second = UvicornServer("http", Page(), host="127.0.0.1", port=first.port)
        message = f"cannot listen on 127.0.0.1:{first.port}: Address already in use"
        with pytest.raises(ListenError, match=message):
            await second.start()
        await second.stop()


async def test_host_that_is_not_ours_is_named() -> None:
    server = UvicornServer("http", Page(), host="no.such.host.invalid", port=1)
    with pytest.raises(ListenError, match=r"cannot listen on no\.such\.host\.invalid:1: "):
        await server.start()


async def test_port_may_be_shared_on_request() -> None:
    async with serving(Page(), reuse_port=True) as first:
        second = UvicornServer("http", Page(), host="127.0.0.1", port=first.port, reuse_port=True)
        await second.start()
        await second.stop()


async def test_port_may_be_taken_again_right_after() -> None:
    async with serving(Page()) as first:
        await get(first)
    again = UvicornServer("http", Page(), host="127.0.0.1", port=first.port)
    await again.start()
    await again.stop()


async def test_request_in_flight_finishes_and_new_ones_are_refused() -> None:
    page = Page()
    page.go.clear()
    async with serving(page) as server:
        request = asyncio.create_task(get(server))
        await page.entered.wait()
        stopping = asyncio.create_task(server.stop())
        await refused(server)
        assert not stopping.done()
        page.go.set()
        await stopping
        assert (await request).status_code == 200


async def refused(server: UvicornServer) -> None:
    """Return when the server accepts no connections any more."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.close()
            await writer.wait_closed()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            continue  # it was in the queue of the socket when that was closed


async def test_request_that_outlives_the_grace_is_cancelled() -> None:
    page = Page()
    page.go.clear()
    async with serving(page, grace=timedelta(milliseconds=1)) as server:
        request = asyncio.create_task(get(server))
        await page.entered.wait()
        await server.stop()
        with pytest.raises(httpx.HTTPError):
            (await request).raise_for_status()
        assert page.cancelled


async def test_stop_that_is_cut_off_waits_for_nobody() -> None:
    page = Page()
    page.go.clear()
    async with serving(page) as server:
        request = asyncio.create_task(get(server))
        await page.entered.wait()
        stopping = asyncio.create_task(server.stop())
        await asyncio.sleep(0)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        await server.wait()
        with pytest.raises(httpx.HTTPError):
            (await request).raise_for_status()
        assert page.cancelled


async def test_start_that_is_cut_off_leaves_nothing_open() -> None:
    server = UvicornServer("http", Page(), host="127.0.0.1", port=0)
    starting = asyncio.create_task(server.start())
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await refused(server)


async def test_wait_ends_with_the_server() -> None:
    server = UvicornServer("http", Page(), host="127.0.0.1", port=0)
    with pytest.raises(RuntimeError, match="has not started"):
        await server.wait()
    await server.start()
    waiting = asyncio.create_task(server.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    await server.stop()
    await waiting


async def test_forwarded_addresses_are_believed_of_trusted_proxies_only() -> None:
    page = Page()
    async with serving(page) as server:
        await get(server, **{"X-Forwarded-For": "9.9.9.9"})
        assert page.client[0] == "127.0.0.1"
    async with serving(page, trusted_proxies=["127.0.0.0/8"]) as server:
        await get(server, **{"X-Forwarded-For": "9.9.9.9"})
        assert page.client[0] == "9.9.9.9"


def test_address_of_version_6_has_brackets() -> None:
    assert address("::1", 80) == "[::1]:80"


@pytest.mark.skipif(not socket.has_ipv6, reason="the host has no IPv6")
def test_every_address_means_version_4_as_well() -> None:
    try:
        sock = listen("::", 0)
    except ListenError:
        pytest.skip("the host has no IPv6")
    with sock, socket.create_connection(("127.0.0.1", sock.getsockname()[1]), timeout=5):
        pass
