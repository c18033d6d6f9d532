"""An ASGI application served by granian as a component, on the loop that starts it.

HTTP is read and written by Rust threads outside the GIL; the application runs on our loop. The
contract is that of `UvicornServer`, with these differences, none of which granian lets us change:
every response says `server: granian` unless the application names another; `keep_alive` also
bounds how long the head of a request may take; at most `backlog` connections are served at a time.
HTTP/1.1 only, as uvicorn. Import this module only where the engine is chosen.
"""

from __future__ import annotations

import asyncio
import math
from contextvars import Context
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from pkg.app.listener import address, listen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.app.asgi import ASGIApp

_NOT_STARTED: Final = "the server has not started"
_MERCY: Final = 0.3
"""Seconds for cancelled requests to end, and for their connections to close."""
_LOGGING: Final[dict[str, Any]] = {"incremental": True, "handlers": {}, "loggers": {}}
"""Changes a level and nothing else: granian's own would close the handlers of the process."""


class _Running:
    """The application, and its requests in flight, which granian does not tell of."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.tasks: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is served by a task")
        self.tasks.add(task)
        try:
            await self._app(scope, receive, send)
        finally:
            self.tasks.discard(task)


_Base: Any = Server  # granian says that it is typed, but this part is not


class _Server(_Base):  # type: ignore[misc]  # a base of type Any, see there
    """Listens on a socket of ours, and tells when it does."""

    def __init__(self, app: ASGIApp, descriptor: int, backlog: int, **options: Any) -> None:
        super().__init__(app, interface=Interfaces.ASGINL, backlog=backlog, **options)
        self._descriptor = descriptor
        self.listening = asyncio.Event()

    def _init_shared_socket(self) -> None:
        holder: Any = SocketHolder  # its stub has no constructor
        self._shd = holder(self._descriptor, False, self.backlog)

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        super().startup(spawn_target, target_loader)
        self.listening.set()


class GranianServer:
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
        """Serve `app`; nothing is opened before `start`. Arguments as those of `UvicornServer`."""
        self.name = name
        if trusted_proxies:
            app = ProxyHeadersMiddleware(app, trusted_hosts=list(trusted_proxies))
        self._app = _Running(app)
        self._host = host
        self._port = port
        self._grace = grace.total_seconds()
        self._backlog = backlog
        self._reuse_port = reuse_port
        self._options: dict[str, Any] = {
            "http": HTTPModes.http1,
            "http1_settings": HTTP1Settings(
                header_read_timeout=math.ceil(keep_alive.total_seconds() * 1000)
            ),
            "websockets": websockets,
            "log_level": "error",
            "log_dictconfig": _LOGGING,
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
        server = _Server(self._app, sock.fileno(), self._backlog, **self._options)
        # A request must not see what the starter had set: granian copies the task's context.
        serving = asyncio.create_task(server.serve(), name=f"serve-{self.name}", context=Context())
        listening = asyncio.create_task(server.listening.wait())
        try:
            await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            server.stop()
            await asyncio.wait({serving})
            raise
        finally:
            listening.cancel()
            if server.listening.is_set():
                sock.detach()  # granian closes it
            sock.close()
        if serving.done():
            serving.result()
            raise RuntimeError("granian ended before it listened")
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
        self._server.stop()
        try:
            await asyncio.wait({self._serving}, timeout=self._grace)
        finally:  # the grace, or the deadline of the app, has passed: wait for nobody
            await self._abort(self._serving)

    async def _abort(self, serving: asyncio.Task[None]) -> None:
        """End the requests in flight, in a fraction of a second.

        What holds granian up after that is a client that has sent half a head: its connection is
        left to Rust, and to the end of the process.
        """
        for request in tuple(self._app.tasks):
            request.cancel()
        await asyncio.wait({serving}, timeout=_MERCY)
        if not serving.done():
            serving.cancel()
            await asyncio.wait({serving})
