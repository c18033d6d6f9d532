"""Redis: a client for each event loop, and a server of our own where none is configured."""

from pkg.redis.client import RedisClient, open_redis
from pkg.redis.embedded import EmbeddedError, EmbeddedValkey
from pkg.redis.errors import RedisError, unavailable
from pkg.redis.settings import RedisSettings

__all__ = [
    "EmbeddedError",
    "EmbeddedValkey",
    "RedisClient",
    "RedisError",
    "RedisSettings",
    "open_redis",
    "unavailable",
]
