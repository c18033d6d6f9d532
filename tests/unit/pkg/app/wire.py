"""A connection without a socket, and an application to talk to through it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.server import ServerState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    App = Callable[[Any, Any, Any], Any]

GET = b"GET /v1/x HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /v1/x?a=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 5), "sockname": ("127.0.0.1", 80)})
        self.writes: list[bytes] = []
        self.closed = False
        self.reading = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    @property
    def written(self) -> bytes:
        return b"".join(self.writes)


class Site:
    """An application that keeps what it was asked."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.scopes: list[Any] = []
        self.bodies: list[bytes] = []
        self.messages = messages or whole(b"answer")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.bodies.append(body)
        for message in self.messages:
            await send(message)


def start(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def piece(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


def whole(body: bytes, *headers: tuple[bytes, bytes]) -> tuple[dict[str, Any], ...]:
    return (start((b"content-length", b"%d" % len(body)), *headers), piece(body))


def serving(
    protocol: type[HttpToolsProtocol], app: App, *, keep_alive: int = 5
) -> tuple[HttpToolsProtocol, Wire]:
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=keep_alive,
    )
    config.load()
    state = ServerState()
    state.default_headers = [(b"date", b"today")]
    served = protocol(config, state, {}, asyncio.get_running_loop())
    wire = Wire()
    served.connection_made(wire)
    return served, wire


async def settle(served: HttpToolsProtocol) -> None:
    """Until nothing is in work."""
    async with asyncio.timeout(30):
        while served.tasks:
            await asyncio.wait(set(served.tasks))
            await asyncio.sleep(0)


async def said(
    protocol: type[HttpToolsProtocol], reads: Sequence[bytes], site: Site
) -> tuple[bytes, bool]:
    served, wire = serving(protocol, site)
    for read in reads:
        if not wire.closed:
            served.data_received(read)
            for _ in range(10):  # turns of the loop: enough for all that need not wait
                await asyncio.sleep(0)
    served.connection_lost(None)
    await settle(served)
    return wire.written, wire.closed
