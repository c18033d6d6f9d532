"""What becomes of calls to other services, for Prometheus.

    client_retries_total{target,operation}                      counter   calls that were made again
    client_retries_refused_total{target,operation}              counter   for want of budget
    client_retry_budget{target}                                 gauge     tries that are left

The breakers' series (`pkg.breaker.metrics`) have `<target> <operation>` for a name. Targets are
written in source code, operations in protos, so all are few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_LABELS = ("target", "operation")


class ClientMetrics:
    """The series of one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """
        self.retries = Counter(
            "client_retries", "Calls that were made again.", _LABELS, registry=registry
        )
        self.refused = Counter(
            "client_retries_refused",
            "Calls that were not made again, for want of budget.",
            _LABELS,
            registry=registry,
        )
        self.budget = Gauge(
            "client_retry_budget", "Tries that are left.", ("target",), registry=registry
        )
