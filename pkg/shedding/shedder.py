"""Decides on each call of one event loop whether it is taken.

The way of TCP's BBR, as kratos and Sentinel have it for servers: what can be in flight is what
passes at best times how long it takes at best (Little's law), learnt from a window of seconds.
"""

from __future__ import annotations

import logging
from math import ceil
from typing import TYPE_CHECKING, Final

from pkg.shedding.window import Window

if TYPE_CHECKING:
    from pkg.clock import Clock
    from pkg.shedding.load import Load
    from pkg.shedding.metrics import ShedderMetrics
    from pkg.shedding.settings import SheddingSettings

_LOG: Final = logging.getLogger(__name__)


class Shedder:
    """Counts the calls of one loop, and belongs to it: each loop has its own, on the same load."""

    def __init__(
        self,
        settings: SheddingSettings,
        load: Load,
        *,
        clock: Clock,
        metrics: ShedderMetrics | None = None,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Begin with nothing in flight and nothing known.

        Args:
            settings: when calls are refused.
            load: how busy the CPU is.
            clock: its monotonic time.
            metrics: told of what is refused; show what is in flight, and the limit.
            logger: told when calls begin to be refused, and when they are no more.
        """
        self.enabled = settings.enabled
        self.retry_after = ceil(settings.retry_after.total_seconds())
        """Whole seconds."""
        self.in_flight = 0
        self._load = load
        self._threshold = settings.cpu_threshold
        self._least = settings.min_in_flight
        self._cool_down = settings.cool_down.total_seconds()
        self._now = clock.monotonic
        self._window = Window(settings.window.total_seconds(), settings.buckets)
        self._shedding = False
        self._shed_at = 0.0
        self._shed = 0
        self._metrics = metrics
        self._log = logger
        if metrics is not None:
            metrics.show(lambda: self.in_flight, lambda: self.limit)

    @property
    def limit(self) -> int:
        """How many calls may be in flight while the CPU is busy."""
        return max(self._least, round(self._window.limit))

    def admits(self) -> bool:
        """May one more call be served? Counted, if not."""
        busy = self._load.percent >= self._threshold
        if not self._shedding and (not busy or self.in_flight < self._least):
            return True
        now = self._now()
        self._window.turn(now, busy=busy)
        if not busy and now - self._shed_at >= self._cool_down:
            self._over()
            return True
        if self.in_flight < self.limit:
            return True
        if busy:
            self._shed_at = now
        self._refused()
        return False

    def enter(self) -> float:
        """A call begins to be served; returns the time, for `leave`."""
        self.in_flight += 1
        return self._now()

    def leave(self, entered: float, *, passed: bool) -> None:
        """A call has ended.

        Args:
            entered: when.
            passed: it came through to the service, and so tells how long that takes.
        """
        self.in_flight -= 1
        if passed:
            now = self._now()
            self._window.add(now, now - entered, busy=self._load.percent >= self._threshold)

    def _refused(self) -> None:
        self._shed += 1
        if self._metrics is not None:
            self._metrics.shed()
        if not self._shedding:
            self._shedding = True
            self._log.warning(
                "calls are refused: CPU at %.0f %%, %d in flight, limit %d",
                self._load.percent,
                self.in_flight,
                self.limit,
            )

    def _over(self) -> None:
        self._shedding = False
        self._log.info("calls are taken again; %d were refused", self._shed)
        self._shed = 0
