"""Redis: a client for each event loop, and a server of our own where none is configured."""

from pkg.redis.address import Address, Topology, parse_address
from pkg.redis.client import RedisClient
from pkg.redis.connect import open_redis
from pkg.redis.embedded import EmbeddedError, EmbeddedValkey
from pkg.redis.errors import REDIS_ERRORS, RedisError, unavailable
from pkg.redis.keys import tagged
from pkg.redis.settings import RedisSettings
from pkg.redis.times import milliseconds

__all__ = [
    "REDIS_ERRORS",
    "Address",
    "EmbeddedError",
    "EmbeddedValkey",
    "RedisClient",
    "RedisError",
    "RedisSettings",
    "Topology",
    "milliseconds",
    "open_redis",
    "parse_address",
    "tagged",
    "unavailable",
]
