"""Requests of gRPC as they come in: one message as on every wire, or a stream of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkg.rpc.payload import Read, Unary, reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

__all__ = ["Read", "Stream", "Unary", "reader"]


class Stream:
    """The payload of a stream of request messages."""

    __slots__ = ("_raws", "_read")

    def __init__(self, raws: AsyncIterable[bytes], read: Read) -> None:
        self._raws = raws
        self._read = read

    async def message(self) -> AsyncIterator[Any]:
        """The messages, each checked when its turn comes; a bad one ends the stream by a Fault."""
        async for raw in self._raws:
            yield self._read(raw)
