"""A worker's line to its supervisor: a socket that is its standard input.

The worker says once that it serves. When the line is cut, the supervisor has gone, and nobody is
left to stop the worker: it stops by itself, as it does at a signal.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkg.workers.ready import Ready

_STANDARD_INPUT: Final = 0


def interrupt() -> None:
    """As Ctrl-C does: the first asks to stop, and while the process stops it ends it at once."""
    os.kill(os.getpid(), signal.SIGINT)


class Link:
    """A component. Put it first, so that it listens to the very end."""

    name = "supervisor"

    def __init__(
        self, descriptor: int = _STANDARD_INPUT, *, on_cut: Callable[[], None] = interrupt
    ) -> None:
        """Nothing is opened yet.

        Args:
            descriptor: the socket; it is left open.
            on_cut: called when the supervisor has gone.
        """
        self._descriptor = descriptor
        self._on_cut = on_cut
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: there is no socket: nobody supervises this process.
        """
        sock = socket.socket(fileno=os.dup(self._descriptor))
        sock.setblocking(False)
        reader, self._writer = await asyncio.open_connection(sock=sock)
        self._listening = asyncio.create_task(self._listen(reader), name=self.name)

    async def tell(self, ready: Ready) -> None:
        """Say that the worker serves. A supervisor that has gone does not hear it."""
        if self._writer is not None:
            self._writer.write(ready.line())

    async def stop(self) -> None:
        """Listen no more."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait({self._listening})
            self._listening = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while await reader.read(1024):  # the supervisor says nothing
            pass
        self._on_cut()
