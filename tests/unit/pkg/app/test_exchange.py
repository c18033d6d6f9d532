"""How answers leave: the one write of a whole one, held against uvicorn's own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pkg.app.http_protocol import HttpProtocol
from tests.unit.pkg.app.wire import GET, POST, Site, piece, said, serving, settle, start, whole


@pytest.mark.parametrize(
    "messages",
    [
        whole(b"answer"),
        whole(b""),
        (start((b"Content-Length", b"6"), (b"X-One", b"1")), piece(b"answer")),
        whole(b"answer", (b"X-One", b"1"), (b"x-two", b"\xfc\t2")),
        whole(b"answer", (b"connection", b"close")),
        (start(), piece(b"answer")),
        (start(), piece(b"an", more=True), piece(b"swer", more=True), piece(b"")),
        (start((b"content-length", b"6")), piece(b"an", more=True), piece(b"swer")),
        (start((b"transfer-encoding", b"chunked")), piece(b"answer")),
        (start(status=204), piece(b"")),
        (start(status=304), piece(b"")),
        (start((b"content-length", b"0"), status=204), piece(b"")),
        (start((b"content-length", b"5")), piece(b"answer")),
        (start((b"content-length", b"7")), piece(b"answer")),
        (start((b"content-length", b"six")), piece(b"answer")),
        (piece(b"answer"),),
        (),
    ],
)
@pytest.mark.parametrize("request_", [GET, POST, GET.replace(b"GET", b"HEAD")])
async def test_an_answer_leaves_as_from_uvicorn(
    request_: bytes, messages: tuple[dict[str, Any], ...]
) -> None:
    theirs, ours = Site(), Site()
    theirs.messages = ours.messages = messages
    expected = await said(HttpToolsProtocol, [request_, request_], theirs)
    found = await said(HttpProtocol, [request_, request_], ours)
    assert found[0].splitlines() == expected[0].splitlines()
    assert found[1] == expected[1]
    assert len(ours.bodies) == len(theirs.bodies)


@pytest.mark.parametrize(
    "messages",
    [
        whole(b"answer", (b"x", b"1\r\nset-cookie: evil")),
        whole(b"answer", (b"x", b"1\x00")),
        whole(b"answer", (b"x: 1\r\nset-cookie", b"evil")),
        (start((b"content-length", b"6"), status=799), piece(b"answer")),
    ],
)
async def test_an_answer_that_http_cannot_say_is_a_500(
    messages: tuple[dict[str, Any], ...],
) -> None:
    written, closed = await said(HttpProtocol, [POST], Site(*messages))
    assert written.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"evil" not in written
    assert closed


async def test_a_whole_answer_is_one_write() -> None:
    served, wire = serving(HttpProtocol, Site())
    served.data_received(POST)
    await settle(served)
    assert wire.writes == [
        b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 6\r\n\r\nanswer",
    ]


async def test_who_waits_for_the_client_is_told_that_it_left() -> None:
    told = asyncio.Event()

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        told.set()
        for message in whole(b"nobody hears"):
            await send(message)

    served, wire = serving(HttpProtocol, app)
    served.data_received(POST)
    await asyncio.sleep(0)
    served.connection_lost(None)
    await settle(served)
    assert told.is_set()
    assert wire.written == b""


async def test_a_client_that_left_before_it_was_asked_is_gone() -> None:
    received = []

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        received.append(await receive())

    served, _wire = serving(HttpProtocol, app)
    served.data_received(POST)
    served.connection_lost(None)
    await settle(served)
    assert received == [{"type": "http.disconnect"}]


async def test_after_its_answer_a_request_has_no_client_any_more() -> None:
    received = []

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        for message in whole(b"answer"):
            await send(message)
        received.append(await receive())

    served, wire = serving(HttpProtocol, app)
    served.data_received(GET)
    await settle(served)
    assert received == [{"type": "http.disconnect"}]
    assert wire.written.endswith(b"answer")


@pytest.mark.parametrize("begun", [False, True])
async def test_an_application_that_breaks_is_a_500(*, begun: bool) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        if begun:
            await send(start((b"content-length", b"6")))
        raise RuntimeError("broken")

    served, wire = serving(HttpProtocol, app)
    served.data_received(POST)
    await settle(served)
    assert wire.written.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert wire.closed


async def test_an_answer_that_began_and_breaks_is_cut_off() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(start())
        await send(piece(b"an", more=True))
        raise RuntimeError("broken")

    served, wire = serving(HttpProtocol, app)
    served.data_received(GET)
    await settle(served)
    assert wire.written.endswith(b"2\r\nan\r\n")
    assert wire.closed


async def test_two_starts_are_no_answer() -> None:
    served, wire = serving(HttpProtocol, Site(start(), start(), piece(b"")))
    served.data_received(GET)
    await settle(served)
    assert wire.written.startswith(b"HTTP/1.1 500 ")


async def test_an_answer_waits_for_a_client_that_does_not_read() -> None:
    served, wire = serving(HttpProtocol, Site())
    served.pause_writing()
    served.data_received(GET)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert wire.written == b""
    served.resume_writing()
    await settle(served)
    assert wire.written.endswith(b"answer")
