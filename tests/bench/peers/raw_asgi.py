"""No framework at all: the same JSON work in a plain ASGI function."""

from __future__ import annotations

from typing import Any

from tests.bench.peers.asgi_server import serve
from tests.bench.peers.order import Order

_READ = Order.__pydantic_validator__.validate_json
_WRITE = Order.__pydantic_serializer__.to_json


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Every path is the same."""
    if scope["type"] != "http":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message.get("more_body", False):
            break
    reply = _WRITE(_READ(body))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(reply))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": reply})


if __name__ == "__main__":
    serve(lambda: app)
