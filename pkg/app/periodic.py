"""Work that is done again and again while the process runs."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from pkg.clock import Pause, pause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

_LOG: Final = logging.getLogger(__name__)


class Periodic:
    """A component that does a job at once and then every so often, one at a time.

    A job that fails is logged and tried again the next time. Replicas do not know of each other:
    the job must be one that may be done by several.
    """

    def __init__(
        self,
        name: str,
        job: Callable[[], Awaitable[object]],
        *,
        every: timedelta,
        pause: Pause = pause,
        logger: logging.Logger = _LOG,
    ) -> None:
        """`every`: between the end of one run and the begin of the next."""
        self.name = name
        self._job = job
        self._every = every
        self._pause = pause
        self._log = logger
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; the first run goes on in the background."""
        self._task = asyncio.create_task(self._work(), name=self.name)

    async def stop(self) -> None:
        """Cancel the run that goes on, if one does."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    async def _work(self) -> None:
        while True:
            try:
                await self._job()
            except Exception:  # noqa: BLE001 - whatever it is, the next time may be better
                self._log.exception("%s failed, and is tried again later", self.name)
            await self._pause(self._every)
