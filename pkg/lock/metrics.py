"""How locks are had and lost, for Prometheus.

    lock_acquisitions_total{result}    counter: result is acquired, timeout or error
    lock_wait_seconds                  histogram: how long who acquired one had waited
    lock_lost_total                    counter: locks that were lost while they were held

Names of locks are no labels: there may be one for each user.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds."""


class LockMetrics:
    """The series of one registry. May be used by any thread."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Register the series; without `registry` they are kept but not exported.

        Raises:
            ValueError: the registry has them already.
        """
        registry = registry or CollectorRegistry()
        acquisitions = Counter(
            "lock_acquisitions",
            "Tries to have a lock, by how they ended.",
            ("result",),
            registry=registry,
        )
        self.acquired = acquisitions.labels("acquired")
        self.timeout = acquisitions.labels("timeout")
        self.error = acquisitions.labels("error")
        self.wait = Histogram(
            "lock_wait_seconds",
            "How long who acquired a lock had waited.",
            registry=registry,
            buckets=BUCKETS,
        )
        self.lost = Counter(
            "lock_lost", "Locks that were lost while they were held.", registry=registry
        )
