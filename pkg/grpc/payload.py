"""Requests of gRPC as they come in: one message as on every wire, or a stream of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from pkg.rpc.payload import Read, Unary, reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

__all__ = ["Read", "Stream", "Unary", "reader"]

_A_MOMENT: Final = 0.001
"""In seconds: more than a cancellation takes from gRPC's thread to the loop."""


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
        # grpc.aio ends the requests of a caller who is gone like any others, and cancels the task
        # a moment later: wait for that, so that a part is not taken for the whole.
        await asyncio.sleep(_A_MOMENT)
