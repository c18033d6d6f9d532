"""ASGI connections that are no requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkg.http.asgi import AsgiApp, Receive, Scope, Send


async def lifespan(fallback: AsgiApp | None, scope: Scope, receive: Receive, send: Send) -> None:
    """Let the fallback app start and stop; turn websockets away, which would run outside the chain.

    Raises:
        ValueError: a kind of connection that nobody knows.
    """
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1003})
    elif scope["type"] != "lifespan":
        raise ValueError(f"no such ASGI connection: {scope['type']}")
    elif fallback is not None:
        await fallback(scope, receive, send)
    else:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
