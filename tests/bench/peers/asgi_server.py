"""Serves an ASGI app of a peer by uvicorn, as its documentation says for production."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import uvicorn
import uvloop

from tests.bench.peers.sampled import sample_if_asked
from tests.bench.process import ready

if TYPE_CHECKING:
    from collections.abc import Callable


class _Server(uvicorn.Server):
    """Tells the benchmark when it serves."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets is not None
        ready(http=sockets[0].getsockname()[1])


def serve(make: Callable[[], Any], protocol: type[asyncio.Protocol] | None = None) -> None:
    """Serve until SIGTERM; `make` is called inside the loop, `protocol` serves a connection."""
    sample_if_asked()
    sock = socket.create_server(("127.0.0.1", 0), backlog=2048)

    async def run() -> None:
        config = uvicorn.Config(
            make(),
            http=protocol or "httptools",
            ws="none",
            access_log=False,
            log_level="warning",
        )
        await _Server(config).serve(sockets=[sock])

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
