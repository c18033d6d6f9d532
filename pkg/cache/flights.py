"""Work that is done once for all who ask for it at the same time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


class ClosedError(Exception):
    """The work is done no more."""


class Flights(Generic[T]):
    """At most one piece of work for each key. Belongs to one event loop.

    Who gives up waiting does not stop it for the others; it ends by itself, or at `close`.
    """

    def __init__(self) -> None:
        self._named: dict[str, asyncio.Task[T]] = {}
        self._all: set[asyncio.Task[T]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._all)

    async def join(self, key: str, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """The outcome of what is done for a key already, or else of `work`.

        Raises:
            ClosedError: closed, before or meanwhile.
            Exception: what the work raised.
        """
        task = self._named.get(key) or self.start(key, work)
        await asyncio.wait({task})  # unlike awaiting the task, leaves it alone when cancelled
        if task.cancelled():
            raise ClosedError("closed meanwhile")
        return task.result()

    def start(self, key: str, work: Callable[[], Coroutine[object, object, T]]) -> asyncio.Task[T]:
        """Begin what others may join."""
        if self._closed:
            raise ClosedError("closed")
        task = asyncio.create_task(work(), name=f"flight-{key}")
        self._named[key] = task
        self._all.add(task)

        def done(task: asyncio.Task[T]) -> None:
            self._all.discard(task)
            if self._named.get(key) is task:
                del self._named[key]
            if not task.cancelled():
                task.exception()  # seen, in case that all who asked have gone

        task.add_done_callback(done)
        return task

    def has(self, key: str) -> bool:
        """Whether something is done for a key."""
        return key in self._named

    def part(self, key: str | None = None) -> None:
        """Let nobody join what is done for a key, or for any: who asks from now on wants it new."""
        if key is None:
            self._named.clear()
        else:
            self._named.pop(key, None)

    async def close(self) -> None:
        """Cancel what goes on, and begin no more."""
        self._closed = True
        tasks = set(self._all)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
