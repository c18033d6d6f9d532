"""A service to call in the tests of gRPC, a server around it, and what refusals look like."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import grpc.aio
from google.rpc import error_details_pb2, status_pb2

from api.lab.strict.v1 import Line
from api.lab.strict.v1.service import strict_service
from pkg.grpc import GrpcServer, GrpcSettings, Mounted
from pkg.grpc.status import DETAILS
from pkg.middleware import validation
from pkg.tokens import FakeTokens
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from pkg.rpc import Call, Middleware

SERVICE = "lab.strict.v1.StrictService"
SOON = timedelta(seconds=30)
"""Longer than anything here takes; a test that waits so long fails."""


CHOSEN = {"engine": "aio"}
"""The engine of the servers; see the fixture `engine`."""


class Strict:
    """Implements StrictService: what a line says decides what happens."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.heard: list[str] = []
        self.hears = asyncio.Event()
        self.entered = asyncio.Event()
        """A call waits, for being told to by the line `wait`."""
        self.go_on = asyncio.Event()
        self.closed = asyncio.Event()
        """An iterator of ours was closed, or a waiting call was cancelled."""
        self.error: Exception | None = None

    async def say(self, request: Line, call: Call, /) -> Line:
        self.calls.append(call)
        if self.error is not None:
            raise self.error
        if request.line_text == "wait":
            await self._wait()
        return Line(line_text=request.line_text.upper(), tags=request.tags)

    async def split(self, request: Line, call: Call, /) -> AsyncIterator[Line]:
        self.calls.append(call)
        try:
            for word in request.line_text.split():
                if word == "wait":
                    await self._wait()
                if word == "break" and self.error is not None:
                    raise self.error
                yield Line(line_text=word)
        finally:
            self.closed.set()

    async def join(self, requests: AsyncIterator[Line], call: Call, /) -> Line:
        self.calls.append(call)
        async for each in requests:
            self.heard.append(each.line_text)
            self.hears.set()
        return Line(line_text=" ".join(self.heard))

    async def talk(self, requests: AsyncIterator[Line], call: Call, /) -> AsyncIterator[Line]:
        self.calls.append(call)
        try:
            async for each in requests:
                self.heard.append(each.line_text)
                yield Line(line_text=each.line_text.upper())
        finally:
            self.closed.set()

    async def _wait(self) -> None:
        self.entered.set()
        try:
            await self.go_on.wait()
        finally:
            self.closed.set()


class Running:
    """A server with its service. Both live in the server's loop; reach it by `there`."""

    def __init__(self, server: GrpcServer, strict: Strict, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self.strict = strict
        self.loop = loop

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    async def there(self, event: asyncio.Event) -> None:
        """Wait for an event of the server's loop."""
        waiting = asyncio.run_coroutine_threadsafe(event.wait(), self.loop)
        await asyncio.wait_for(asyncio.wrap_future(waiting), SOON.total_seconds())

    def let_go_on(self) -> None:
        self.loop.call_soon_threadsafe(self.strict.go_on.set)


def settings(**changes: Any) -> GrpcSettings:
    return GrpcSettings(**{"host": "127.0.0.1", "port": 0, **CHOSEN, **changes})


@asynccontextmanager
async def running(chain: Sequence[Middleware] = (), **changes: Any) -> AsyncIterator[Running]:
    """A server on a free port, stopped at the end; `validation` is the chain's innermost."""
    made: list[tuple[Strict, asyncio.AbstractEventLoop]] = []

    @asynccontextmanager
    async def mounts() -> AsyncIterator[Mounted]:
        strict = Strict()
        made.append((strict, asyncio.get_running_loop()))
        yield Mounted((*chain, validation()), [strict_service(strict)])

    server = GrpcServer(registry(), settings(**changes), mounts, tokens=FakeTokens())
    await server.start()
    try:
        yield Running(server, *made[0])
    finally:
        await asyncio.wait_for(server.stop(timedelta(0)), SOON.total_seconds())


def encoded(text: str, *tags: str) -> bytes:
    message = registry().schema.message("lab.strict.v1.Line")(line_text=text, tags=tags)
    return message.SerializeToString()


def decoded(raw: bytes) -> str:
    message: Any = registry().schema.message("lab.strict.v1.Line").FromString(raw)
    return str(message.line_text)


async def bytes_of(raws: Sequence[bytes]) -> AsyncIterator[bytes]:
    for raw in raws:
        yield raw


class Refusal:
    """The details of a refused call, by their kind."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        self.code = error.code()
        self.text = error.details()
        self.trailers = dict(error.trailing_metadata() or ())
        self.status = status_pb2.Status.FromString(self.trailers.get(DETAILS, b""))
        self.info = error_details_pb2.ErrorInfo()
        self.localized = error_details_pb2.LocalizedMessage()
        self.bad_request = error_details_pb2.BadRequest()
        self.retry = error_details_pb2.RetryInfo()
        self.request = error_details_pb2.RequestInfo()
        self.quota = error_details_pb2.QuotaFailure()
        known = (
            self.info,
            self.localized,
            self.bad_request,
            self.retry,
            self.request,
            self.quota,
        )
        for detail in self.status.details:
            assert sum(detail.Unpack(each) for each in known) == 1

    @property
    def fields(self) -> dict[str, str]:
        return {each.field: each.description for each in self.bad_request.field_violations}


async def refusal(call: Any) -> Refusal:
    """What a call is refused with; an assertion if it is not."""
    try:
        if hasattr(call, "__aiter__"):
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return Refusal(error)
    raise AssertionError("the call was not refused")


async def forever(call: Callable[[], Awaitable[object]]) -> None:
    """Call until it raises."""
    while True:
        await call()
