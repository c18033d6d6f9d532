"""Work that goes on as long as the process runs, whatever goes wrong with it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from pkg.clock import Clock, Pause, SystemClock, pause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from pkg.backoff import Backoff

_LOG: Final = logging.getLogger(__name__)


class Supervised:
    """A component that runs a job in the background, and begins it again when it fails.

    Waits grow with the failures in a row. A job that ran for longer than `steady` before it failed
    has worked: its next failure is the first again. One that returns is done for good.
    """

    def __init__(
        self,
        name: str,
        job: Callable[[], Awaitable[None]],
        *,
        backoff: Backoff,
        steady: timedelta,
        on_failure: Callable[[Exception], None] | None = None,
        clock: Clock | None = None,
        pause: Pause = pause,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Nothing happens before `start`.

        Args:
            name: of the component.
            job: runs until it is cancelled, has nothing more to do, or fails.
            backoff: how long to wait after so many failures.
            steady: after so long a job counts as one that works.
            on_failure: told of each failure, beside the log. Must not block.
            clock: measures how long the job ran.
            pause: waits.
            logger: told of each failure.
        """
        self.name = name
        self._job = job
        self._backoff = backoff
        self._steady = steady.total_seconds()
        self._on_failure = on_failure
        self._clock = clock or SystemClock()
        self._pause = pause
        self._log = logger
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; the job goes on in the background."""
        self._task = asyncio.create_task(self._work(), name=self.name)

    async def stop(self) -> None:
        """Cancel the job, and wait until it has ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    async def _work(self) -> None:
        failures = 0
        while True:
            began = self._clock.monotonic()
            try:
                await self._job()
            except Exception as error:  # noqa: BLE001 - whatever it is, the job is begun again
                if self._clock.monotonic() - began > self._steady:
                    failures = 0
                failures += 1
                wait = self._backoff.wait(failures)
                self._log.error(
                    "%s failed, and begins again in %.1f s",
                    self.name,
                    wait.total_seconds(),
                    exc_info=error,
                )
                if self._on_failure is not None:
                    self._on_failure(error)
                await self._pause(wait)
            else:
                return
