"""Reads request bodies, never more than a limit.

The limit holds for what a Content-Length announces, for chunks as they add up, and for a body that
comes in one piece. What a refused client goes on sending is left to the server, which drops it:
were the connection cut, the client would never read why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkg.errors import Fault

if TYPE_CHECKING:
    from pkg.http.asgi import Receive
    from pkg.http.headers import Headers


class ClientGone(Exception):  # noqa: N818 - nobody's error: there is just nobody to answer
    """The client left before its request was whole."""


def refuse_announced(headers: Headers, limit: int) -> None:
    """Look at Content-Length, so that a body that is too large is not even read.

    Raises:
        Fault: BODY_TOO_LARGE.
    """
    announced = headers.raw(b"content-length")
    if announced is None or not announced.isdigit():
        return
    # Sixteen digits are more than any limit; int() of a very long text is slow.
    if len(announced) > 16 or int(announced) > limit:
        raise too_large(limit)


def too_large(limit: int) -> Fault:
    """The refusal of a body above `limit` bytes."""
    return Fault("BODY_TOO_LARGE", metadata={"limit": str(limit)})


async def read_body(receive: Receive, headers: Headers, limit: int) -> bytes:
    """The whole body; at most `limit` bytes.

    Raises:
        ClientGone: the client left before the end.
        Fault: BODY_TOO_LARGE.
    """
    refuse_announced(headers, limit)
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise too_large(limit)
        if not message.get("more_body", False):
            return b"".join((*pieces, piece)) if pieces else piece
        pieces.append(piece)


def limited(receive: Receive, headers: Headers, limit: int) -> Receive:
    """A `receive` that raises BODY_TOO_LARGE in the place of what goes beyond the limit."""
    size = 0

    async def counted() -> Any:
        nonlocal size
        if size == 0:
            refuse_announced(headers, limit)
        message = await receive()
        if message["type"] == "http.request":
            size += len(message.get("body", b""))
            if size > limit:
                raise too_large(limit)
        return message

    return counted


def refuse_media(headers: Headers) -> None:
    """A body is JSON or says nothing of its type.

    Raises:
        Fault: UNSUPPORTED_MEDIA_TYPE.
    """
    kind = headers.raw(b"content-type")
    if kind is None or kind == b"application/json":
        return
    bare = kind.partition(b";")[0].strip().lower()
    if bare != b"application/json" and not (bare.endswith(b"+json") and b"/" in bare):
        raise Fault("UNSUPPORTED_MEDIA_TYPE", metadata={"accepted": "application/json"})
