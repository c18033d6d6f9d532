"""What load shedding does, for Prometheus.

shedding_shed_total{transport}    counter: calls that were refused
shedding_in_flight{transport}     gauge: calls that are being served, without streams
shedding_limit{transport}         gauge: how many may be, while the CPU is busy
shedding_cpu_percent              gauge: how busy it is, on average of the last seconds
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry


class SheddingMetrics:
    """The series of one registry. May be used by any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """
        labels = ("transport",)
        self._shed = Counter("shedding_shed", "Calls that were refused.", labels, registry=registry)
        self._in_flight = Gauge(
            "shedding_in_flight", "Calls that are being served.", labels, registry=registry
        )
        self._limit = Gauge(
            "shedding_limit", "How many calls may be served at a time.", labels, registry=registry
        )
        self._cpu = Gauge("shedding_cpu_percent", "How busy the CPU is.", registry=registry)

    def of(self, transport: str) -> ShedderMetrics:
        """The series of one shedder."""
        return ShedderMetrics(
            self._shed.labels(transport),
            self._in_flight.labels(transport),
            self._limit.labels(transport),
        )

    def cpu(self, percent: float) -> None:
        """How busy the CPU is."""
        self._cpu.set(percent)


class ShedderMetrics:
    """The series of one shedder."""

    __slots__ = ("_in_flight", "_limit", "_shed")

    def __init__(self, shed: Counter, in_flight: Gauge, limit: Gauge) -> None:
        self._shed = shed
        self._in_flight = in_flight
        self._limit = limit

    def show(self, in_flight: Callable[[], int], limit: Callable[[], int]) -> None:
        """Ask for the gauges when they are scraped, so that no call pays for them."""
        self._in_flight.set_function(in_flight)
        self._limit.set_function(limit)

    def shed(self) -> None:
        """Count a call that was refused."""
        self._shed.inc()
