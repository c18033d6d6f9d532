"""How many spans were sent, were dropped and wait; `pkg.trace.export` names the series."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

REASONS: Final = ("queue_full", "export_failed", "stopped")


class SpanCounts:
    """The series of one registry. Every method may be called by any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """
        self._exported = Counter(
            "trace_spans_exported", "Spans that the collector has taken.", registry=registry
        )
        dropped = Counter(
            "trace_spans_dropped", "Spans that were lost, by why.", ("reason",), registry=registry
        )
        self._dropped = {reason: dropped.labels(reason) for reason in REASONS}
        self._waiting = Gauge(
            "trace_spans_waiting", "Spans that are still to be sent.", registry=registry
        )

    def exported(self, spans: int) -> None:
        """Spans were sent."""
        self._exported.inc(spans)

    def dropped(self, reason: str, spans: int) -> None:
        """Spans were lost; `reason` is one of `REASONS`."""
        self._dropped[reason].inc(spans)

    def waiting(self, spans: int) -> None:
        """So many wait, as of the last export."""
        self._waiting.set(spans)
