"""How requests come in: the short way of whole ones, held against uvicorn's own protocol."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pkg.app.exchange import Exchange
from pkg.app.http_protocol import HttpProtocol
from tests.unit.pkg.app.wire import GET, POST, Site, said, serving, settle, whole

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNKED = (
    b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n"
)


@pytest.mark.parametrize(
    "request_",
    [
        GET,
        POST,
        CHUNKED,
        b"GET /a%20b/%C3%BC?q=%20 HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET //a/b HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /a?b?c HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /a? HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /a%zz HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /\xc3\xbc HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET http://other/a?b HTTP/1.1\r\nhost: a\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
        b"HEAD /a HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /a HTTP/1.0\r\nhost: a\r\n\r\n",
        b"GET /a HTTP/1.1\r\nhost: a\r\nConnection: close\r\n\r\n",
        b"GET /a HTTP/1.1\r\nhost: a\r\nX: 1\r\nX: 2\r\nCookie: a=b\r\n\r\n",
        b"GET /a HTTP/1.1\r\nhost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"GET /a HTTP/1.1\r\nhost: a\r\nContent-Length: x\r\n\r\n",
        b"GET /a HTTP/1.1\r\nhost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"BREW /a HTTP/1.1\r\nhost: a\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\x00" * 64,
    ],
)
async def test_a_request_is_understood_and_answered_as_uvicorn_does(request_: bytes) -> None:
    theirs, ours = Site(), Site()
    expected = await said(HttpToolsProtocol, [request_], theirs)
    assert await said(HttpProtocol, [request_], ours) == expected
    assert ours.scopes == theirs.scopes or b"X-Trailer" in request_
    assert ours.bodies == theirs.bodies


@pytest.mark.parametrize("request_", [POST, CHUNKED], ids=["length", "chunked"])
async def test_a_request_may_come_in_any_two_pieces(request_: bytes) -> None:
    for at in range(1, len(request_)):
        site = Site()
        reads = [request_[:at], request_[at:]]
        assert await said(HttpProtocol, reads, site) == await said(HttpToolsProtocol, reads, Site())
        assert site.bodies == [b"hello"]


async def test_a_client_that_asks_whether_to_go_on_is_told_to() -> None:
    head = b"PUT /a HTTP/1.1\r\nhost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    for reads in ([head, b"ok"], [head[:20], head[20:], b"o", b"k"]):
        expected = await said(HttpToolsProtocol, reads, Site())
        assert await said(HttpProtocol, reads, Site()) == expected
        assert expected[0].startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


async def test_requests_that_come_at_once_are_answered_one_after_the_other() -> None:
    ours, theirs = Site(), Site()
    reads = [GET + POST + CHUNKED + GET[:20], GET[20:] + POST]
    expected = await said(HttpToolsProtocol, reads, theirs)
    assert await said(HttpProtocol, reads, ours) == expected
    assert ours.bodies == theirs.bodies == [b"", b"hello", b"hello", b"", b"hello"]


async def test_what_comes_while_a_request_is_in_work_waits_for_its_answer() -> None:
    go = asyncio.Event()
    paths = []

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        paths.append(scope["path"])
        await go.wait()
        for message in whole(scope["path"].encode()):
            await send(message)

    served, wire = serving(HttpProtocol, app)
    served.data_received(GET)
    await asyncio.sleep(0)
    served.data_received(GET.replace(b"/v1/x", b"/v1/y"))
    await asyncio.sleep(0)
    assert (paths, wire.reading) == (["/v1/x"], False)
    go.set()
    await settle(served)
    assert (paths, wire.reading) == (["/v1/x", "/v1/y"], True)
    assert wire.written.index(b"/v1/x") < wire.written.index(b"/v1/y")


async def test_a_trailer_is_no_header() -> None:
    site = Site()
    await said(HttpProtocol, [CHUNKED], site)
    assert dict(site.scopes[0]["headers"]).keys() == {b"host", b"transfer-encoding"}


async def test_a_stop_lets_the_request_in_work_finish_and_closes() -> None:
    served, wire = serving(HttpProtocol, Site())
    served.data_received(GET)
    served.shutdown()
    assert not wire.closed
    await settle(served)
    assert wire.closed
    assert b"connection: close\r\n" in wire.written


async def test_a_stop_closes_an_idle_connection() -> None:
    served, wire = serving(HttpProtocol, Site())
    served.data_received(GET)
    await settle(served)
    served.shutdown()
    assert wire.closed


class Hand:
    """A clock for the keep-alive timer, turned by hand."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = 100.0
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.create_task = loop.create_task

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        self.due.append((self.now + seconds, callback))
        return asyncio.get_running_loop().call_later(3600, lambda: None)

    def turn(self, seconds: float) -> None:
        self.now += seconds
        ripe = [callback for when, callback in self.due if when <= self.now]
        self.due = [each for each in self.due if each[0] > self.now]
        for callback in ripe:
            callback()


async def test_a_connection_is_closed_when_nothing_came_for_the_keep_alive() -> None:
    served, wire = serving(HttpProtocol, Site(), keep_alive=5)
    hand = Hand(asyncio.get_running_loop())
    served.loop = hand  # type: ignore[assignment] # what the protocol asks of a loop, no more
    served.data_received(GET)
    await settle(served)
    hand.turn(4)
    served.data_received(GET)
    await settle(served)
    hand.turn(4)  # the first timer is due, the connection was idle for four seconds
    assert not wire.closed
    hand.turn(0.9)
    assert not wire.closed
    hand.turn(0.2)
    assert wire.closed
    assert not hand.due


async def test_a_connection_with_a_request_in_work_is_not_idle() -> None:
    go = asyncio.Event()
    go.set()

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await go.wait()
        for message in whole(b"answer"):
            await send(message)

    served, wire = serving(HttpProtocol, app, keep_alive=5)
    hand = Hand(asyncio.get_running_loop())
    served.loop = hand  # type: ignore[assignment] # what the protocol asks of a loop, no more
    served.data_received(GET)
    await settle(served)
    go.clear()
    served.data_received(GET)
    await asyncio.sleep(0)
    hand.turn(60)
    assert not wire.closed
    go.set()
    await settle(served)
    hand.turn(4)
    assert not wire.closed
    hand.turn(2)
    assert wire.closed


async def test_whole_requests_take_the_short_way() -> None:
    for request, short in ((GET, True), (POST, True), (POST[:-1], False)):
        served, _wire = serving(HttpProtocol, Site())
        served.data_received(request)
        assert isinstance(served.cycle, Exchange) is short
        served.connection_lost(None)
        await settle(served)
