"""Rate, errors and duration of every operation, for Prometheus.

    rpc_calls_total{transport,operation,reason}             counter
    rpc_call_duration_seconds{transport,operation}          histogram
    rpc_calls_in_flight{transport}                          gauge

Labels are operations and reasons, never paths or anything else that a caller can make up. A call
whose trace is recorded leaves its ids as an exemplar at the bucket that it fell into, which
OpenMetrics shows.

Every call counts here four times. The library's own counters take a lock and a few calls for each;
here they are plain numbers behind one lock, and become the library's families when they are read.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections import defaultdict
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import (
    CounterMetricFamily,
    Exemplar,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

    from pkg.trace.span import Span

    _Bucket = tuple[str, float] | tuple[str, float, Exemplar]

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds."""


class CallMetrics(Collector):
    """The series of one registry. Every method may be called by any thread."""

    def __init__(self, registry: CollectorRegistry, buckets: Sequence[float] = BUCKETS) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """
        self._bounds = tuple(buckets)
        self._names = tuple(map(floatToGoString, (*buckets, math.inf)))
        self._lock = threading.Lock()
        self._ended: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        self._durations: defaultdict[tuple[str, str], _Durations] = defaultdict(
            lambda: _Durations(len(self._names))
        )
        self._in_flight: defaultdict[str, int] = defaultdict(int)
        registry.register(self)

    def begin(self, transport: str) -> None:
        """Note that a call is being served."""
        with self._lock:
            self._in_flight[transport] += 1

    def end(
        self, transport: str, operation: str, reason: str, seconds: float, span: Span | None = None
    ) -> None:
        """Count one call that was begun and has ended, and the span that was recorded of it."""
        place = bisect_left(self._bounds, seconds)
        with self._lock:
            self._in_flight[transport] -= 1
            self._ended[transport, operation, reason] += 1
            durations = self._durations[transport, operation]
            durations.counts[place] += 1
            durations.seconds += seconds
            if span is not None:
                ids = {"trace_id": span.trace_id, "span_id": span.span_id}
                durations.exemplars[place] = Exemplar(ids, seconds)

    def collect(self) -> Iterator[Metric]:
        """The series as they stand."""
        ended, durations, in_flight = self._families()
        with self._lock:
            for labels, count in self._ended.items():
                ended.add_metric(labels, count)
            for names, each in self._durations.items():
                durations.add_metric(names, each.buckets(self._names), each.seconds)
            for transport, count in self._in_flight.items():
                in_flight.add_metric((transport,), count)
        yield from (ended, durations, in_flight)

    def describe(self) -> Iterator[Metric]:
        """The series without values, by which the registry knows their names."""
        yield from self._families()

    def _families(self) -> tuple[CounterMetricFamily, HistogramMetricFamily, GaugeMetricFamily]:
        return (
            CounterMetricFamily(
                "rpc_calls",
                "Calls that have ended, by how.",
                labels=("transport", "operation", "reason"),
            ),
            HistogramMetricFamily(
                "rpc_call_duration_seconds",
                "How long calls took.",
                labels=("transport", "operation"),
            ),
            GaugeMetricFamily(
                "rpc_calls_in_flight", "Calls that are being served.", labels=("transport",)
            ),
        )


class _Durations:
    """One histogram: of each bucket how many fell into it alone."""

    __slots__ = ("counts", "exemplars", "seconds")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * buckets
        self.exemplars: list[Exemplar | None] = [None] * buckets
        self.seconds = 0.0

    def buckets(self, names: Sequence[str]) -> list[_Bucket]:
        """Of each bound how many up to it, and the exemplar if there is one."""
        counts = zip(names, accumulate(self.counts), self.exemplars, strict=True)
        return [(name, n) if last is None else (name, n, last) for name, n, last in counts]
