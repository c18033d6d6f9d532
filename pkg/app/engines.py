"""The engine that reads and writes HTTP, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from pkg.app.asgi import UvicornServer

if TYPE_CHECKING:
    from pkg.app.asgi import ASGIApp

HttpEngine = Literal["uvicorn", "granian"]


class HttpServer(Protocol):
    """What every engine is: a `Watched` component that tells where it listens."""

    name: str

    @property
    def port(self) -> int:
        """The port it listens on, once started; before that the one it was told."""
        ...

    @property
    def address(self) -> str:
        """`host:port`."""
        ...

    async def start(self) -> None:
        """Listen; raises `ListenError` where the address cannot be listened on."""
        ...

    async def wait(self) -> None:
        """Return or raise when the server has ended."""
        ...

    async def stop(self) -> None:
        """Accept nothing new, let requests in flight finish within the grace, and close."""
        ...


def http_server(engine: HttpEngine, name: str, app: ASGIApp, **options: Any) -> HttpServer:
    """A server that has not started; `options` are those of `UvicornServer`."""
    if engine == "granian":
        from pkg.app.granian import GranianServer  # only who chooses it pays for it

        return GranianServer(name, app, **options)
    return UvicornServer(name, app, **options)
