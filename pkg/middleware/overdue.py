"""Cancels tasks that take longer than a limit, with one timer for all of them.

`asyncio.timeout` makes and cancels a timer for every use, which costs more than what most calls
have to do. Where the limit is the same for all, whoever began first is overdue first: the timer
follows the first of them, and fires about once in the time of the limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio


class Overdue:
    """Watches the tasks of one event loop, all for the same time."""

    __slots__ = ("_expired", "_loop", "_seconds", "_timer", "_watched")

    def __init__(self, seconds: float, loop: asyncio.AbstractEventLoop) -> None:
        self._seconds = seconds
        self._loop = loop
        self._watched: dict[asyncio.Task[Any], tuple[float, int]] = {}
        """In the order in which they began: when each ends, and how often it was being cancelled
        before it began."""
        self._expired: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, task: asyncio.Task[Any], now: float) -> bool:
        """Watch the running task from `now` on, on the loop's clock, until `release`.

        False where it is watched already: then its time is over earlier, and its end is not to be
        waited for twice.
        """
        if task in self._watched:
            return False
        end = now + self._seconds
        self._watched[task] = (end, task.cancelling())
        if self._timer is None:
            self._timer = self._loop.call_at(end, self._fire)
        return True

    def expired(self, task: asyncio.Task[Any]) -> bool:
        """Whether the task was cancelled because its time was over."""
        return task in self._expired

    def alone(self, task: asyncio.Task[Any]) -> bool:
        """Whether nobody else has cancelled it: a cancellation from outside stays one."""
        return task in self._expired and task.cancelling() - 1 <= self._watched[task][1]

    def release(self, task: asyncio.Task[Any]) -> None:
        """Watch it no longer; if it was cancelled, take that back, as `asyncio.timeout` does."""
        del self._watched[task]
        if self._expired and task in self._expired:
            self._expired.remove(task)
            task.uncancel()

    def _fire(self) -> None:
        self._timer = None
        now = self._loop.time()
        for task, (end, _) in self._watched.items():
            if end > now:
                self._timer = self._loop.call_at(end, self._fire)
                return
            if task not in self._expired:
                self._expired.add(task)
                task.cancel()
