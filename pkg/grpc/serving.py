"""One gRPC server, from bound to drained, all of it within one event loop."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import grpc
import grpc.aio

from pkg.grpc import health, reflection
from pkg.grpc.handlers import Handlers
from pkg.grpc.health import Health
from pkg.grpc.reflection import Reflection

if TYPE_CHECKING:
    import logging
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from pkg.grpc.settings import GrpcSettings
    from pkg.rpc.bound import Bound
    from pkg.rpc.chain import Middleware
    from pkg.rpc.registry import Registry
    from pkg.tokens import Tokens

    Finish = Callable[[float], Awaitable[None]]
    """Returns when no call runs any more, or after so many seconds."""


@dataclass(frozen=True, slots=True)
class Mounted:
    """What a loop's object graph comes to: the chain, and the services that it serves."""

    chain: Sequence[Middleware]
    services: Sequence[Bound]


class Mounts(Protocol):
    """Builds the object graph inside the loop that uses it, and takes it down there again."""

    def __call__(self) -> AbstractAsyncContextManager[Mounted]: ...


class Serving:
    """A server that runs."""

    def __init__(self, server: Any, finish: Finish | None, health: Health, port: int) -> None:
        self._server = server
        self._finish = finish
        self._health = health
        self._ended = asyncio.create_task(server.wait_for_termination())
        self.port = port

    def drain(self) -> None:
        """Tell health checks that no more calls are wanted; those that come are served still."""
        self._health.drain()

    async def until(self, asked: asyncio.Event) -> bool:
        """Serve until the event. False: the server has ended before, of itself."""
        asking = asyncio.create_task(asked.wait())
        # Not to be cancelled: that would cancel the server's own future of its end.
        await asyncio.wait((asking, self._ended), return_when=asyncio.FIRST_COMPLETED)
        asking.cancel()
        return asked.is_set()

    async def stop(self, grace: timedelta) -> None:
        """Take no more calls, and end those that still run after `grace`."""
        self.drain()
        seconds = grace.total_seconds()
        if seconds and self._finish is not None:
            await self._finish(seconds)
            seconds = 0
        await self._server.stop(seconds)
        await self._ended


@asynccontextmanager
async def serving(
    registry: Registry,
    mounted: Mounted,
    settings: GrpcSettings,
    tokens: Tokens,
    log: logging.Logger,
) -> AsyncIterator[Serving]:
    """Serve until the block is left; whatever still runs then is ended at once.

    Raises:
        OSError: the address cannot be listened on; says which and why.
        KeyError, ValueError: a service cannot be mounted.
    """
    makes = Handlers(registry, mounted.chain, tokens, log)
    table: dict[str, Any] = {}
    for bound in mounted.services:
        table.update(makes.of(bound))
    names = [bound.service for bound in mounted.services]
    state = Health(names)
    table.update(state.handlers())
    if settings.reflection:
        names += [health.SERVICE, *reflection.SERVICES]
        table.update(Reflection(names, registry.schema.files()).handlers())
    server, finish = engine_server(settings, table)
    port = _bind(server, settings)
    await server.start()
    running = Serving(server, finish, state, port)
    try:
        yield running
    finally:
        await running.stop(timedelta(0))


def engine_server(settings: GrpcSettings, table: Mapping[str, Any]) -> tuple[Any, Finish | None]:
    """The server of the engine that the settings name; handlers are by the path of a method.

    And what is to be waited for before its own stop, where that does not wait as it should.
    """
    if settings.engine == "native":
        from pkg.grpc.native import native_server  # only who chooses it pays for it

        native, running = native_server(settings, table)
        return native, running.finish
    server = grpc.aio.server(options=settings.options())
    server.add_generic_rpc_handlers((_Table(table),))
    return server, None


class _Table:
    """One look-up for every method; what grpc calls a generic handler."""

    def __init__(self, handlers: Mapping[str, Any]) -> None:
        self._handlers = handlers

    def service(self, details: Any) -> Any:
        return self._handlers.get(details.method)


def _bind(server: Any, settings: GrpcSettings) -> int:
    failed = f"gRPC cannot listen on {settings.address}"
    try:
        _probe(settings)
        port: int = server.add_insecure_port(settings.address)
    except OSError as error:
        raise OSError(error.errno, f"{failed}: {error.strerror or error}") from error
    except RuntimeError as error:
        raise OSError(f"{failed}: {error}") from error
    return port


def _probe(settings: GrpcSettings) -> None:
    """Listen for a moment, because gRPC says that it cannot but not why."""
    if settings.port and not settings.reuse_port:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        socket.create_server((settings.host, settings.port), family=family).close()
