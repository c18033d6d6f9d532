"""How busy a client's connections are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.asyncio.cluster import RedisCluster

if TYPE_CHECKING:
    from redis.asyncio import Redis


def connections(client: Redis) -> tuple[int, int]:
    """How many connections commands are using, and how many there may be, on all nodes together.

    May be called by any thread.
    """
    anything: Any = client
    if isinstance(anything, RedisCluster):
        nodes = anything.get_nodes()
        # A node tells of its connections nowhere but in these.
        used = sum(len(node._connections) - len(node._free) for node in nodes)
        return used, sum(node.max_connections for node in nodes)
    pool = anything.connection_pool
    (_, _), (used, _) = pool.get_connection_count()
    return used, pool.max_connections
