"""What is measured about a relay.

outbox_sent_total         messages that are on the bus
outbox_refused_total      messages that the bus will never take
outbox_waiting            messages in the table
outbox_oldest_seconds     how long the oldest has waited
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class RelayMetrics:
    """The series of a relay."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """
        self.sent = Counter("outbox_sent", "Messages on the bus.", registry=registry)
        self.refused = Counter("outbox_refused", "Messages never taken.", registry=registry)
        self.waiting = Gauge("outbox_waiting", "Messages in the table.", registry=registry)
        self.oldest = Gauge("outbox_oldest_seconds", "Age of the oldest.", registry=registry)
