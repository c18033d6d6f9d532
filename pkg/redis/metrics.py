"""How busy the connections are, for Prometheus.

    redis_pool_connections_in_use{client}    gauge: connections that a command is using
    redis_pool_connections_max{client}       gauge: how many there may be

The clients of several event loops that share a name are one series, the sum of them. Both are read
when they are scraped.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis.asyncio.cluster import RedisCluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry
    from redis.asyncio import Redis

IN_USE = "redis_pool_connections_in_use"
MAX = "redis_pool_connections_max"


class PoolMetrics(Collector):
    """The series of one registry. Clients come and go on any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """
        self._clients: dict[Redis, str] = {}
        self._lock = threading.Lock()
        registry.register(self)

    def add(self, name: str, client: Redis) -> None:
        """Count a client's connections from now on."""
        with self._lock:
            self._clients[client] = name

    def remove(self, client: Redis) -> None:
        """Count them no more. Does nothing if they were not."""
        with self._lock:
            self._clients.pop(client, None)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read all clients."""
        sums: dict[str, tuple[int, int]] = {}
        with self._lock:
            clients = tuple(self._clients.items())
        for client, name in clients:
            used, most = sums.get(name, (0, 0))
            in_use, limit = connections(client)
            sums[name] = used + in_use, most + limit
        in_use_family = GaugeMetricFamily(
            IN_USE, "Connections that a command is using.", labels=["client"]
        )
        max_family = GaugeMetricFamily(MAX, "How many there may be.", labels=["client"])
        for name, (used, most) in sums.items():
            in_use_family.add_metric([name], used)
            max_family.add_metric([name], most)
        yield in_use_family
        yield max_family


def connections(client: Redis) -> tuple[int, int]:
    """How many connections commands are using, and how many there may be."""
    anything: Any = client
    if isinstance(anything, RedisCluster):
        nodes = anything.get_nodes()
        # A node tells of its connections nowhere but in these.
        used = sum(len(node._connections) - len(node._free) for node in nodes)
        return used, sum(node.max_connections for node in nodes)
    pool = anything.connection_pool
    (_, _), (used, _) = pool.get_connection_count()
    return used, pool.max_connections
