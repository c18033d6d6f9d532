"""Notifications within one process."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class MemoryNotifier:
    """A `PolicyNotifier` for the loops and threads of one process."""

    def __init__(self) -> None:
        self._subscribers: set[_Subscriber] = set()
        self._lock = threading.Lock()

    async def publish(self, version: int) -> None:
        """Tell all who are subscribed now."""
        with self._lock:
            subscribers = tuple(self._subscribers)
        for subscriber in subscribers:
            subscriber.tell(version)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[int]]:
        """Hear of what is published meanwhile. Who is slow hears of the latest only."""
        subscriber = _Subscriber(asyncio.get_running_loop())
        with self._lock:
            self._subscribers.add(subscriber)
        try:
            yield subscriber.versions()
        finally:
            with self._lock:
                self._subscribers.discard(subscriber)


class _Subscriber:
    """The latest version that one loop has to be told of."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._latest = 0
        self._told = asyncio.Event()

    def tell(self, version: int) -> None:
        with suppress(RuntimeError):  # the loop has ended without leaving the block
            self._loop.call_soon_threadsafe(self._take, version)

    def _take(self, version: int) -> None:
        self._latest = version
        self._told.set()

    async def versions(self) -> AsyncIterator[int]:
        while True:
            await self._told.wait()
            self._told.clear()
            yield self._latest
