"""Sends a client's stream of requests beside whatever else its call does.

grpc.aio can do that itself, but it replaces the status by one of its own when a message cannot be
sent any more, which is always so when the other side refuses early; and it turns what the requests
raise into a cancellation. Here the status stays, and what was raised is kept.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable


class Sending:
    """A task that sends requests until there are no more, or nobody wants them."""

    def __init__(
        self, call: Any, requests: AsyncIterable[Any], encode: Callable[[Any], bytes]
    ) -> None:
        self._call = call
        self._requests = requests
        self._encode = encode
        self._raised: Exception | None = None
        self._task = asyncio.create_task(self._send())

    def reraise(self) -> None:
        """Raise what the requests, or their encoding, raised; the call was cancelled for it."""
        if self._raised is not None:
            raise self._raised

    async def stop(self) -> None:
        """Ask for no more requests."""
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _send(self) -> None:
        try:
            await self._call.wait_for_connection()
            async for request in self._requests:
                # `call.write` would overwrite the status when the message cannot be sent.
                await self._call._cython_call.send_serialized_message(self._encode(request))
            await self._call.done_writing()
        except (grpc.aio.AioRpcError, grpc.aio.BaseError):
            return  # the call has ended; its status says why
        except Exception as error:  # noqa: BLE001 - whoever awaits the call gets it
            self._raised = error
            self._call.cancel()
