"""How late an event loop is: what every call on it waits in addition, whatever it does.

event_loop_lag_seconds{loop}        histogram
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Histogram

from pkg.clock import Clock, Pause, SystemClock, pause

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

EVERY: Final = timedelta(milliseconds=250)
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds."""


def loop_lag_series(registry: CollectorRegistry) -> Histogram:
    """The series for all loops of a process.

    Raises:
        ValueError: the registry has it already.
    """
    return Histogram(
        "event_loop_lag_seconds",
        "How late timers of an event loop are.",
        ("loop",),
        registry=registry,
        buckets=BUCKETS,
    )


class LoopLag:
    """A component, or a context manager, that measures the loop it is started on."""

    def __init__(
        self,
        loop: str,
        series: Histogram,
        *,
        every: timedelta = EVERY,
        clock: Clock | None = None,
        pause: Pause = pause,
    ) -> None:
        """`loop`: its name, such as `main` or `grpc`; `every`: how often it is measured."""
        self.name = f"loop-lag-{loop}"
        self._series = series.labels(loop)
        self._every = every
        self._clock = clock or SystemClock()
        self._pause = pause
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to measure."""
        self._task = asyncio.create_task(self._measure(), name=self.name)

    async def stop(self) -> None:
        """Measure no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _measure(self) -> None:
        seconds = self._every.total_seconds()
        while True:
            asked = self._clock.monotonic()
            await self._pause(self._every)
            self._series.observe(max(0.0, self._clock.monotonic() - asked - seconds))
