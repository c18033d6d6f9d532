"""What every HTTP engine keeps to: there when its start returns, requests finish when it stops."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pkg.app.engines import HttpEngine, HttpServer, http_server
from pkg.app.listener import ListenError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
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
async def serving(engine: HttpEngine, page: Any, **options: Any) -> AsyncIterator[HttpServer]:
    server = http_server(engine, "http", page, host="127.0.0.1", port=0, **options)
    await server.start()
    try:
        async with asyncio.timeout(10):
            yield server
    finally:
        await server.stop()


async def get(server: HttpServer, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"http://{server.address}/", headers=headers)


@pytest.fixture(params=["uvicorn", "granian"])
def engine(request: pytest.FixtureRequest) -> HttpEngine:
    """Each in turn."""
    found: HttpEngine = request.param
    return found


@asynccontextmanager
async def connected(
    server: HttpServer, sent: bytes
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that has sent something."""
    reading, writing = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writing.write(sent)
        yield reading, writing
    finally:
        writing.close()
        with suppress(OSError):
            await writing.wait_closed()


async def test_answers_when_the_start_returns_on_the_port_it_tells(engine: HttpEngine) -> None:
    async with serving(engine, Page()) as server:
        assert server.port > 0
        assert server.address == f"127.0.0.1:{server.port}"
        assert (await get(server)).status_code == 200


async def test_names_no_software_but_granian_which_has_no_switch_for_it(
    engine: HttpEngine,
) -> None:
    async with serving(engine, Page()) as server:
        named = (await get(server)).headers.get("server")
    assert named == (None if engine == "uvicorn" else "granian")


async def test_request_does_not_see_the_context_of_the_start(engine: HttpEngine) -> None:
    MARK.set("starter")
    async with serving(engine, Page()) as server:
        assert (await get(server)).text == "none"


async def test_port_in_use_is_named(engine: HttpEngine) -> None:
    async with serving(engine, Page()) as first:
        second = http_server(engine, "http", Page(), host="127.0.0.1", port=first.port)
        message = f"cannot listen on 127.0.0.1:{first.port}: Address already in use"
        with pytest.raises(ListenError, match=message):
            await second.start()
        await second.stop()


async def test_host_that_is_not_ours_is_named(engine: HttpEngine) -> None:
    server = http_server(engine, "http", Page(), host="no.such.host.invalid", port=1)
    with pytest.raises(ListenError, match=r"cannot listen on no\.such\.host\.invalid:1: "):
        await server.start()


async def test_port_may_be_shared_on_request(engine: HttpEngine) -> None:
    async with serving(engine, Page(), reuse_port=True) as first:
        second = http_server(
            engine, "http", Page(), host="127.0.0.1", port=first.port, reuse_port=True
        )
        await second.start()
        await second.stop()


async def test_port_may_be_taken_again_right_after(engine: HttpEngine) -> None:
    async with serving(engine, Page()) as first:
        await get(first)
    again = http_server(engine, "http", Page(), host="127.0.0.1", port=first.port)
    await again.start()
    await again.stop()


async def test_request_in_flight_finishes_and_new_ones_are_refused(engine: HttpEngine) -> None:
    page = Page()
    page.go.clear()
    async with serving(engine, page) as server:
        request = asyncio.create_task(get(server))
        await page.entered.wait()
        stopping = asyncio.create_task(server.stop())
        await refused(server)
        assert not stopping.done()
        page.go.set()
        await stopping
        assert (await request).status_code == 200


async def refused(server: HttpServer) -> None:
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


async def test_request_that_outlives_the_grace_is_cancelled(engine: HttpEngine) -> None:
    page = Page()
    page.go.clear()
    async with serving(engine, page, grace=timedelta(milliseconds=1)) as server:
        request = asyncio.create_task(get(server))
        await page.entered.wait()
        await server.stop()
        with pytest.raises(httpx.HTTPError):
            (await request).raise_for_status()
        assert page.cancelled


async def test_stop_that_is_cut_off_waits_for_nobody(engine: HttpEngine) -> None:
    page = Page()
    page.go.clear()
    async with serving(engine, page) as server:
        request = asyncio.create_task(get(server))
        await page.entered.wait()
        stopping = asyncio.create_task(server.stop())
        await asyncio.sleep(0)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        await asyncio.wait({asyncio.ensure_future(server.wait())})
        with pytest.raises(httpx.HTTPError):
            (await request).raise_for_status()
        assert page.cancelled


async def test_start_that_is_cut_off_leaves_nothing_open(engine: HttpEngine) -> None:
    server = http_server(engine, "http", Page(), host="127.0.0.1", port=0)
    starting = asyncio.create_task(server.start())
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await refused(server)


async def test_wait_ends_with_the_server(engine: HttpEngine) -> None:
    server = http_server(engine, "http", Page(), host="127.0.0.1", port=0)
    with pytest.raises(RuntimeError, match="has not started"):
        await server.wait()
    await server.start()
    waiting = asyncio.create_task(server.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    await server.stop()
    await waiting


async def test_forwarded_addresses_are_believed_of_trusted_proxies_only(engine: HttpEngine) -> None:
    page = Page()
    async with serving(engine, page) as server:
        await get(server, **{"X-Forwarded-For": "9.9.9.9"})
        assert page.client[0] == "127.0.0.1"
    async with serving(engine, page, trusted_proxies=["127.0.0.0/8"]) as server:
        await get(server, **{"X-Forwarded-For": "9.9.9.9"})
        assert page.client[0] == "9.9.9.9"


class Reader:
    """An application that takes so much of the body, and answers with what it got."""

    def __init__(self, limit: float = float("inf")) -> None:
        self.limit = limit
        self.got = 0
        self.largest = 0
        self.messages: list[str] = []
        self.heard = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more and self.got <= self.limit:
            message = await receive()
            self.heard.set()
            if message["type"] == "http.disconnect":
                self.left.set()
                return
            self.got += len(message["body"])
            self.largest = max(self.largest, len(message["body"]))
            more = message["more_body"]
        status = 413 if self.got > self.limit else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": str(self.got).encode()})


async def test_a_huge_body_comes_in_pieces(engine: HttpEngine) -> None:
    reader = Reader()
    size = 20 << 20
    async with serving(engine, reader) as server, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"http://{server.address}/", content=b"x" * size)
    assert answer.text == str(size)
    assert reader.largest < 1 << 20


async def test_an_application_may_refuse_a_body_that_it_has_not_read(engine: HttpEngine) -> None:
    head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 999999999\r\n\r\n"
    async with (
        serving(engine, Reader(limit=1000)) as server,
        connected(server, head + b"x" * 5000) as (reading, _),
    ):
        assert (await reading.readline()).startswith(b"HTTP/1.1 413 ")


async def test_the_application_is_told_of_a_caller_that_leaves_in_its_body(
    engine: HttpEngine,
) -> None:
    reader = Reader()
    head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n"
    async with serving(engine, reader) as server:
        async with connected(server, head + b"half"):
            await reader.heard.wait()
        await reader.left.wait()


async def test_an_idle_connection_is_closed_after_the_keep_alive(engine: HttpEngine) -> None:
    async with (
        serving(engine, Page(), keep_alive=timedelta(seconds=3)) as server,
        connected(server, GET) as (reading, writing),
    ):
        assert b"HTTP/1.1 200 " in await reading.readuntil(b"none")
        writing.write(GET)
        assert b"HTTP/1.1 200 " in await reading.readuntil(b"none")
        await reading.read()  # to its end


async def test_idle_connections_do_not_hold_up_the_stop(engine: HttpEngine) -> None:
    async with serving(engine, Page()) as server, connected(server, GET) as (reading, _):
        await reading.readuntil(b"none")
        async with asyncio.timeout(5):
            await server.stop()


async def test_half_a_head_does_not_hold_up_the_stop_for_longer_than_the_grace(
    engine: HttpEngine,
) -> None:
    async with (
        serving(engine, Page(), grace=timedelta(milliseconds=50)) as server,
        connected(server, GET[:20]),
    ):
        await get(server)  # by then the half has been read too
        async with asyncio.timeout(5):
            await server.stop()
        await asyncio.wait({asyncio.ensure_future(server.wait())})


async def test_a_failing_application_is_an_error_and_no_end(engine: HttpEngine) -> None:
    async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
        raise LookupError("a defect")

    async with serving(engine, broken) as server:
        for _ in range(2):
            assert (await get(server)).status_code == 500


async def test_signals_are_left_to_the_process(engine: HttpEngine) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    async with serving(engine, Page()):
        assert [signal.getsignal(number) for number in numbers] == before


async def test_the_handlers_of_the_log_are_left_alone(engine: HttpEngine) -> None:
    before = logging.getLogger().handlers[:], list(logging._handlers)  # type: ignore[attr-defined]  # not in the stubs
    async with serving(engine, Page()) as server:
        await get(server)
    after = logging.getLogger().handlers[:], list(logging._handlers)  # type: ignore[attr-defined]  # not in the stubs
    assert after == before


def test_an_engine_that_is_not_chosen_is_not_imported() -> None:
    program = (
        "import sys; from pkg.app.engines import http_server;"
        "http_server('uvicorn', 'http', None, host='127.0.0.1', port=0);"
        "sys.exit('granian' in sys.modules)"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)  # noqa: S603 - our own interpreter
