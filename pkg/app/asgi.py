"""An ASGI application served by uvicorn as a component, on the loop that starts it.

Differs from `uvicorn.run`: signals are the app's business, the port is taken before the start
returns, lines are not logged per request (the chain's log does that), and a stop lets requests in
flight finish within the grace.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from pkg.app.http_protocol import HttpProtocol
from pkg.app.listener import address, listen

if TYPE_CHECKING:
    import socket
    from collections.abc import Generator, Sequence

ASGIApp = Any
"""A callable of `scope`, `receive` and `send`; frameworks type these each in their own way."""

_NOT_STARTED: Final = "the server has not started"


class _Server(uvicorn.Server):
    """Leaves signals alone, and tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class UvicornServer:
    """An HTTP server; a `Watched` component."""

    def __init__(
        self,
        name: str,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        grace: timedelta = timedelta(seconds=10),
        keep_alive: timedelta = timedelta(seconds=75),
        backlog: int = 2048,
        reuse_port: bool = False,
        trusted_proxies: Sequence[str] = (),
        websockets: bool = False,
    ) -> None:
        """Serve `app`; nothing is opened before `start`.

        Args:
            name: of the component.
            app: the ASGI application. Its lifespan is not run: resources are components.
            host: to listen on.
            port: to listen on; 0 takes a free one, which `port` tells.
            grace: how long requests in flight may go on after `stop`; then they are cancelled.
            keep_alive: how long an idle connection is kept, in whole seconds.
            backlog: connections that wait to be accepted.
            reuse_port: several processes may listen on the port.
            trusted_proxies: whose `X-Forwarded-*` headers are believed.
            websockets: accept them.
        """
        self.name = name
        self._app = app
        self._host = host
        self._port = port
        self._backlog = backlog
        self._reuse_port = reuse_port
        self._options: dict[str, Any] = {
            "http": HttpProtocol,
            "ws": "auto" if websockets else "none",
            "lifespan": "off",
            "log_config": None,
            "access_log": False,
            "server_header": False,
            "proxy_headers": bool(trusted_proxies),
            "forwarded_allow_ips": list(trusted_proxies),
            "timeout_keep_alive": math.ceil(keep_alive.total_seconds()),
            "timeout_graceful_shutdown": math.ceil(grace.total_seconds()),
            "backlog": backlog,
            "reset_contextvars": True,  # a request must not see what the starter had set
        }
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on, once started; before that the one it was told."""
        return self._port

    @property
    def address(self) -> str:
        """`host:port`."""
        return address(self._host, self._port)

    async def start(self) -> None:
        """Listen.

        Raises:
            ListenError: the address cannot be listened on; names it.
        """
        sock = listen(self._host, self._port, backlog=self._backlog, reuse_port=self._reuse_port)
        self._port = sock.getsockname()[1]
        config = uvicorn.Config(self._app, host=self._host, port=self._port, **self._options)
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[sock]), name=f"serve-{self.name}")
        listening = asyncio.create_task(server.listening.wait())
        try:
            await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await _abort(server, serving)
            raise
        finally:
            listening.cancel()
            if not server.listening.is_set():
                sock.close()
        if serving.done():
            serving.result()
            raise RuntimeError("uvicorn ended before it listened")
        self._server, self._serving = server, serving

    async def wait(self) -> None:
        """Return or raise when the server has ended."""
        if self._serving is None:
            raise RuntimeError(_NOT_STARTED)
        await asyncio.shield(self._serving)

    async def stop(self) -> None:
        """Accept nothing new, let requests in flight finish within the grace, and close."""
        if self._server is None or self._serving is None:
            return
        self._server.should_exit = True
        try:
            await asyncio.shield(self._serving)
        except asyncio.CancelledError:  # the deadline of the app passed: wait for nobody
            await _abort(self._server, self._serving)
            raise


async def _abort(server: _Server, serving: asyncio.Task[None]) -> None:
    """End the server and the requests in flight, in a fraction of a second."""
    server.should_exit = server.force_exit = True
    for request in server.server_state.tasks:
        request.cancel()
    await asyncio.wait({serving})
