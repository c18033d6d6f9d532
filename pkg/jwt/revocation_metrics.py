"""How well a process knows of revocations, for Prometheus.

revocations_held                 gauge: how many there are in memory
revocations_in_step              gauge: 1 while they are all there are; 0: each call reads Redis
revocations_reads_total          counter: checks that read Redis
revocations_overflows_total      counter: tries in which there were more than `maxEntries`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge

if TYPE_CHECKING:
    from pkg.jwt.held import HeldRevocations


class RevocationMetrics:
    """The series of one registry. May be used by any thread."""

    def __init__(self, held: HeldRevocations, registry: CollectorRegistry | None = None) -> None:
        """Register the series; without `registry` they are kept but not exported.

        Raises:
            ValueError: the registry has them already.
        """
        target = registry or CollectorRegistry()
        self.reads = Counter(
            "revocations_reads", "Checks of tokens that read Redis.", registry=target
        )
        self.overflows = Counter(
            "revocations_overflows",
            "Tries in which there were more revocations than may be held.",
            registry=target,
        )
        Gauge(
            "revocations_held", "How many revocations are in memory.", registry=target
        ).set_function(lambda: len(held))
        Gauge(
            "revocations_in_step",
            "Whether the revocations in memory are all there are.",
            registry=target,
        ).set_function(lambda: held.in_step)
