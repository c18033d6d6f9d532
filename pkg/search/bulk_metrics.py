"""What a bulk indexer tells Prometheus.

    search_bulk_added_total                 documents that were taken
    search_bulk_turned_away_total           documents that were not, for want of room
    search_bulk_indexed_total               documents that the server took
    search_bulk_retried_total               tries of a document after the first
    search_bulk_refused_total               documents that it will never take
    search_bulk_lost_total                  documents that neither the server nor the disk took
    search_bulk_spilled_total               documents that went to disk
    search_bulk_recovered_total             documents that an earlier process had left on disk
    search_bulk_damaged_bytes_total         bytes on disk that could not be read
    search_bulk_queue_items, _queue_bytes   documents in memory
    search_bulk_spill_items, _spill_bytes   documents on disk
    search_bulk_away                        1 while the server does not answer
    search_bulk_flush_seconds               how long a request took

added + recovered = indexed + refused + lost + what is in memory, on disk and under way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds."""


class BulkMetrics:
    """The series of one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """

        def counter(name: str, text: str) -> Counter:
            return Counter(f"search_bulk_{name}", text, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"search_bulk_{name}", text, registry=registry)

        self.added = counter("added", "Documents that were taken.")
        self.turned_away = counter("turned_away", "Documents that were not, for want of room.")
        self.indexed = counter("indexed", "Documents that the server took.")
        self.retried = counter("retried", "Tries of a document after the first.")
        self.refused = counter("refused", "Documents that the server will never take.")
        self.lost = counter("lost", "Documents that neither the server nor the disk took.")
        self.spilled = counter("spilled", "Documents that went to disk.")
        self.recovered = counter("recovered", "Documents that an earlier process left on disk.")
        self.damaged = counter("damaged_bytes", "Bytes on disk that could not be read.")
        self.queue_items = gauge("queue_items", "Documents in memory.")
        self.queue_bytes = gauge("queue_bytes", "Bytes of the documents in memory.")
        self.spill_items = gauge("spill_items", "Documents on disk.")
        self.spill_bytes = gauge("spill_bytes", "Bytes of the documents on disk.")
        self.away = gauge("away", "1 while the server does not answer.")
        self.flush_seconds = Histogram(
            "search_bulk_flush_seconds",
            "How long a request took.",
            registry=registry,
            buckets=BUCKETS,
        )
