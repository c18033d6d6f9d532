"""What is measured about a bus.

    bus_handled_total{topic,group}            messages that their handlers are done with
    bus_failed_total{topic,group}             tries that failed
    bus_retried_total{topic,group}            tries that were made again
    bus_dead_total{topic,group}               messages that went to the dead-letter topic
    bus_handle_duration_seconds{topic,group}  histogram of single tries
    bus_in_flight{topic,group}                messages in a handler
    bus_lag{topic,group,partition}            messages not committed, of our partitions
    bus_published_total{topic}                messages that were buffered and then delivered
    bus_publish_failed_total{topic,why}       deliveries that failed: unavailable (tried again),
                                              rejected or lost (given up)
    bus_publish_refused_total{topic}          messages that found no room
    bus_publish_buffered                      messages that wait

Topics and groups are those of the configuration and the code, never a caller's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pkg.bus.message import Partition

BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds."""

_LABELS = ("topic", "group")


class ConsumerMetrics:
    """The series of all subscriptions of a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """
        self.handled = Counter("bus_handled", "Messages done with.", _LABELS, registry=registry)
        self.failed = Counter("bus_failed", "Tries that failed.", _LABELS, registry=registry)
        self.retried = Counter("bus_retried", "Tries made again.", _LABELS, registry=registry)
        self.dead = Counter("bus_dead", "Messages dead-lettered.", _LABELS, registry=registry)
        self.duration = Histogram(
            "bus_handle_duration_seconds",
            "How long a try took.",
            _LABELS,
            registry=registry,
            buckets=BUCKETS,
        )
        self.in_flight = Gauge("bus_in_flight", "Messages in hand.", _LABELS, registry=registry)
        self._lag = Gauge(
            "bus_lag", "Messages not committed.", (*_LABELS, "partition"), registry=registry
        )

    def lag(self, group: str, lag: Mapping[Partition, int]) -> None:
        """Note how far a group is behind."""
        for partition, count in lag.items():
            self._lag.labels(partition.topic, group, str(partition.number)).set(count)

    def forget(self, group: str, partitions: Collection[Partition]) -> None:
        """Drop the lag of partitions that another measures from now on."""
        for partition in partitions:
            self._lag.remove(partition.topic, group, str(partition.number))


class PublisherMetrics:
    """The series of what is published."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """
        topic = ("topic",)
        self.published = Counter("bus_published", "Delivered.", topic, registry=registry)
        self.failed = Counter(
            "bus_publish_failed", "Not delivered, by why.", ("topic", "why"), registry=registry
        )
        self.refused = Counter("bus_publish_refused", "Without room.", topic, registry=registry)
        self.buffered = Gauge("bus_publish_buffered", "Messages that wait.", registry=registry)
