"""A gRPC server whose HTTP/2 runs in Rust outside the GIL, with the servicer API of grpc.aio.

Unary and server-streaming calls are served there. What has a stream of requests, reflection too,
goes through to a grpc.aio server behind it, by a unix socket: there the peer is not known.
Connections are not closed for their age, and clients that ping too often are not sent away: neither
can be had. Import this module only where the engine is chosen.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import grpc
import pygrpc_native.aio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pkg.grpc.settings import GrpcSettings

_UNKNOWN: Final = ("grpc.max_connection_age_ms", "grpc.max_connection_age_grace_ms")
"""Options that the server refuses."""

_FLUSH: Final = 0.05
"""Seconds from the last answer to the stop of the server."""


class Running:
    """The calls that run.

    The server's own stop closes connections as soon as the last handler has returned, and what that
    has answered may be cut off. So calls are waited for here, before it is asked to.
    """

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._refuses = False

    def counts(self, handler: Any) -> Any:
        """The handler, whose calls are counted here."""
        for kind in ("unary_unary", "unary_stream"):
            serve = getattr(handler, kind)
            if serve is not None:
                return handler._replace(**{kind: self._counted(serve)})
        return handler

    async def finish(self, seconds: float) -> None:
        """Refuse what comes from now on; return when nothing runs any more, or after that time."""
        self._refuses = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._count:
                    self._none.clear()
                    await self._none.wait()
        await asyncio.sleep(_FLUSH)  # the server tells nobody when it has sent an answer

    def _counted(self, serve: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        async def counted(incoming: Any, context: Any) -> Any:
            if self._refuses:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is stopping")
            self._count += 1
            try:
                return await serve(incoming, context)
            finally:
                self._count -= 1
                if not self._count:
                    self._none.set()

        return counted


def native_server(settings: GrpcSettings, handlers: Mapping[str, Any]) -> tuple[Any, Running]:
    """The server, to be bound and started as one of `grpc.aio.server` is, and the calls in it.

    Args:
        settings: the bounds.
        handlers: by the path of their method.
    """
    options = [(name, value) for name, value in settings.options() if name not in _UNKNOWN]
    server, running = pygrpc_native.aio.server(options=options), Running()
    for path, handler in handlers.items():
        _, service, method = path.split("/")
        server.add_registered_method_handlers(service, {method: running.counts(handler)})
    return server, running
