"""What becomes of records, for Prometheus.

audit_written_total           records that a sink has taken
audit_dropped_total{why}      records that were lost: full, expired, refused, stopped, broken
audit_waiting                 records that wait for the sink
audit_waiting_bytes           about how many bytes they take up
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry

FULL: Final = "full"
"""There was no room for it."""
EXPIRED: Final = "expired"
"""It was tried for too long."""
REFUSED: Final = "refused"
"""The sink will never take it."""
STOPPED: Final = "stopped"
"""The recorder did not run, or had no more time."""
BROKEN: Final = "broken"
"""It could not be made: a defect."""


class AuditMetrics:
    """The series of a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """
        self.written = Counter("audit_written", "Records that are kept.", registry=registry)
        self.dropped = Counter(
            "audit_dropped", "Records that are lost, by why.", ("why",), registry=registry
        )
        self._waiting = Gauge("audit_waiting", "Records that wait.", registry=registry)
        self._bytes = Gauge("audit_waiting_bytes", "Bytes that wait.", registry=registry)
        for why in (FULL, EXPIRED, REFUSED, STOPPED, BROKEN):
            self.dropped.labels(why)

    def show(self, waiting: Callable[[], int], size: Callable[[], int]) -> None:
        """Ask for what waits, and its bytes, when they are scraped, so that no record pays."""
        self._waiting.set_function(waiting)
        self._bytes.set_function(size)
