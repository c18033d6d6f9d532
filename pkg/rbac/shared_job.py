"""One piece of work that many ask for, on several event loops, and that is done on one of them."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import timedelta

T = TypeVar("T")


class ClosedError(Exception):
    """The work is done no more."""


class SharedJob(Generic[T]):
    """Does its work once at a time, always on the loop that first asked for it.

    Whoever asks gets the outcome of a run that began after the asking: those who ask while one is
    running share the next. Who gives up waiting does not stop it for the others.
    """

    def __init__(self, work: Callable[[], Coroutine[object, object, T]], *, timeout: timedelta):
        """Prepare.

        Args:
            work: uses what belongs to the loop that will be the first to ask.
            timeout: for one run.
        """
        self._work = work
        self._timeout = timeout
        self._home: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._running: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def run(self) -> T:
        """Have the work done, and return when it is. May be called on any loop of any thread.

        Raises:
            TimeoutError: it took too long.
            ClosedError: it is done no more, or its loop has ended.
            Exception: what the work raised.
        """
        here = asyncio.get_running_loop()
        with self._lock:
            home = self._home = self._home or here
        if home is here:
            return await self._join()
        asking = self._join()
        try:
            handed_over = asyncio.run_coroutine_threadsafe(asking, home)
        except RuntimeError as error:
            asking.close()
            raise ClosedError("the event loop of this work has ended") from error
        return await asyncio.wrap_future(handed_over)

    async def close(self) -> None:
        """Give up what runs, and run no more. To be called on the loop of the work."""
        self._closed = True
        tasks = {task for task in (self._running, self._next) if task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _join(self) -> T:
        if self._closed:
            raise ClosedError("closed")
        if self._next is None:
            self._next = asyncio.create_task(self._run_after(self._running))
            self._next.add_done_callback(_retrieve)
        task = self._next
        await asyncio.wait({task})  # unlike awaiting the task, leaves it alone when cancelled
        if task.cancelled():
            raise ClosedError("closed meanwhile")
        return task.result()

    async def _run_after(self, earlier: asyncio.Task[T] | None) -> T:
        if earlier is not None:
            await asyncio.wait({earlier})
        self._running, self._next = self._next, None
        seconds = self._timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds) as deadline:
                return await self._work()
        except TimeoutError as error:
            if deadline.expired():
                raise TimeoutError(f"not done within {seconds:g} s") from error
            raise


def _retrieve(task: asyncio.Task[T]) -> None:
    """Mark the error as seen, in case that all who asked have gone."""
    if not task.cancelled():
        task.exception()
