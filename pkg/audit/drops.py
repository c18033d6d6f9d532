"""Records that are lost: counted each, told once in a while."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING

from pkg.alert import Alert

if TYPE_CHECKING:
    import logging
    from datetime import timedelta

    from pkg.alert import Alerts
    from pkg.audit.metrics import AuditMetrics
    from pkg.clock import Clock


class Drops:
    """The first is told at once; further ones wait until `every` has passed, or for `tell`.

    Any thread may use it.
    """

    def __init__(
        self,
        metrics: AuditMetrics,
        alerts: Alerts,
        *,
        every: timedelta,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        self._metrics = metrics
        self._alerts = alerts
        self._every = every.total_seconds()
        self._clock = clock
        self._log = logger
        self._lock = Lock()
        self._untold: Counter[str] = Counter()
        self._told: float | None = None

    def add(self, why: str, count: int = 1) -> None:
        """Note that so many records are lost."""
        self._metrics.dropped.labels(why).inc(count)
        now = self._clock.monotonic()
        with self._lock:
            self._untold[why] += count
            due = self._told is None or now - self._told >= self._every
            if due:
                self._told = now
        if due:
            self.tell()

    def tell(self) -> None:
        """Tell of what nobody has been told yet, if there is any."""
        with self._lock:
            lost, self._untold = self._untold, Counter()
        if not lost:
            return
        detail = ", ".join(f"{count} {why}" for why, count in sorted(lost.items()))
        self._log.error("operation records are lost: %s", detail)
        self._alerts.send(Alert(topic="audit", title="operation records are lost", detail=detail))
