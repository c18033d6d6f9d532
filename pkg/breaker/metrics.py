"""What breakers do, for Prometheus.

    breaker_state{name}                 gauge      0 closed, 1 half-open, 2 open
    breaker_calls_total{name,outcome}   counter    outcome: ok, failed, refused, cancelled

Names are written in source code, so they are few.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class BreakerMetrics:
    """The series of all breakers of one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """
        self.state = Gauge(
            "breaker_state", "0 closed, 1 half-open, 2 open.", ("name",), registry=registry
        )
        self.calls = Counter(
            "breaker_calls", "Calls by how they ended.", ("name", "outcome"), registry=registry
        )
