"""Makes a client of what a URL says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import ConstantBackoff

from pkg.redis.address import Address, Topology, parse_address
from pkg.redis.connections import CLASSES

if TYPE_CHECKING:
    from pkg.redis.settings import RedisSettings

_BACKOFF: Final = 0.05
"""Seconds before a broken connection is tried again."""


class _SentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to whichever server is the master; closes those to the sentinels too."""

    async def aclose(self) -> None:
        try:
            await super().aclose()
        finally:
            await self.sentinel_manager.aclose()


def open_redis(settings: RedisSettings, url: str) -> Redis:
    """A client that connects when it is first used. Close it with `aclose()`.

    Every command ends within `timeout`, or `connect_timeout` where it must connect, times one more
    than `retries`, and then raises one of `REDIS_ERRORS`; to find the master, each sentinel that
    does not answer may take as long once more. Answers are bytes.

    The client of a cluster is redis-py's `RedisCluster`. It has the same commands, of which those
    with several keys, scripts and transactions included, want all keys in one slot.

    Args:
        settings: the bounds.
        url: as `pkg.redis.address` says; that of `EmbeddedValkey` where the settings have none.

    Raises:
        ValueError: the URL is none.
    """
    address = parse_address(url)
    timeout = settings.timeout.total_seconds()
    bounds: dict[str, Any] = {
        "socket_timeout": timeout,
        "socket_connect_timeout": settings.connect_timeout.total_seconds(),
    }
    pooled: dict[str, Any] = {
        **bounds,
        "max_connections": settings.max_connections,
        "retry": Retry(ConstantBackoff(_BACKOFF), settings.retries),
    }
    if address.topology is Topology.CLUSTER:
        return _cluster(address, pooled)
    if address.topology is Topology.SENTINEL:
        return _sentinel(address, bounds, {**pooled, "timeout": timeout})
    made = address.options.get("connection_class", Connection)
    options = {**address.options, "connection_class": CLASSES[made]}
    pool: Any = BlockingConnectionPool(**pooled, timeout=timeout, **options)
    return Redis.from_pool(pool)


def _sentinel(address: Address, bounds: dict[str, Any], pooled: dict[str, Any]) -> Redis:
    made: Any = Sentinel  # without types
    sentinel = made(
        address.nodes,
        # The next sentinel is the second try.
        sentinel_kwargs={
            **bounds,
            "retry": Retry(ConstantBackoff(0), 0),
            **address.sentinel_options,
        },
        **pooled,
        **address.options,
    )
    tls = "ssl" in address.options
    client: Redis = sentinel.master_for(
        address.master,
        connection_pool_class=_SentinelPool,
        connection_class=CLASSES[
            SentinelManagedSSLConnection if tls else SentinelManagedConnection
        ],
    )
    return client


def _cluster(address: Address, pooled: dict[str, Any]) -> Redis:
    nodes = [ClusterNode(host, port) for host, port in address.nodes]
    client: Any = RedisCluster(startup_nodes=nodes, **pooled, **address.options)
    # It takes no class of connections: of nodes to be found, and of those it was given.
    manager = client.nodes_manager
    made = CLASSES[manager.connection_kwargs["connection_class"]]
    manager.connection_kwargs["connection_class"] = made
    for node in manager.startup_nodes.values():
        node.connection_class = made
    return client  # type: ignore[no-any-return] # no subclass of Redis, but it has its commands
