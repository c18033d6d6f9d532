"""Cancels tasks that take longer than a limit, with one timer for all of them.

`asyncio.timeout` makes and cancels a timer for every use, which costs more than what most calls
have to do. Where the limit is the same for all, whoever began first is overdue first: the timer
follows the first of them, and fires about once in the time of the limit.
"""

from __future__ import annotations

import asyncio
from typing import Any


class Watch:
    """A task that is watched."""

    __slots__ = ("_cancelling", "_task", "end", "expired")

    def __init__(self, task: asyncio.Task[Any], end: float) -> None:
        """`end`: on the loop's clock."""
        self.end = end
        self.expired = False
        """Whether it was cancelled because its time was over."""
        self._task = task
        self._cancelling = task.cancelling()

    def expire(self) -> None:
        """Cancel the task where it waits."""
        self.expired = True
        self._task.cancel()

    @property
    def alone(self) -> bool:
        """Whether nobody else has cancelled the task: a cancellation from outside stays one."""
        return self.expired and self._task.cancelling() - 1 <= self._cancelling

    def settle(self) -> None:
        """Take the cancellation back, as `asyncio.timeout` does: the task may go on."""
        if self.expired:
            self._task.uncancel()


class Overdue:
    """Watches the tasks of one event loop, all for the same time."""

    __slots__ = ("_loop", "_seconds", "_timer", "_watched")

    def __init__(self, seconds: float, loop: asyncio.AbstractEventLoop) -> None:
        self._seconds = seconds
        self._loop = loop
        self._watched: dict[Watch, None] = {}  # in the order in which they began
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, now: float) -> Watch:
        """Watch the current task, from `now` on the loop's clock, until `release`.

        Raises:
            RuntimeError: there is no task.
        """
        task = asyncio.current_task(self._loop)
        if task is None:
            raise RuntimeError("only a task can be held to a deadline")
        watch = Watch(task, now + self._seconds)
        self._watched[watch] = None
        if self._timer is None:
            self._timer = self._loop.call_at(watch.end, self._fire)
        return watch

    def release(self, watch: Watch) -> None:
        """Watch it no longer."""
        del self._watched[watch]
        watch.settle()

    def _fire(self) -> None:
        self._timer = None
        now = self._loop.time()
        for watch in self._watched:
            if watch.end > now:
                self._timer = self._loop.call_at(watch.end, self._fire)
                return
            if not watch.expired:
                watch.expire()
