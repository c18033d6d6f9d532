"""Values that are dear to make: loaded once, for all who ask, in all processes."""

from pkg.cache.cache import HotCache
from pkg.cache.codec import Codec, JsonCodec
from pkg.cache.flights import ClosedError
from pkg.cache.memory import MemoryCacheStore
from pkg.cache.metrics import CacheMetrics
from pkg.cache.redis import RedisCacheStore
from pkg.cache.settings import CacheSettings, LocalSettings
from pkg.cache.store import CacheStore, Invalidation, Stored

__all__ = [
    "CacheMetrics",
    "CacheSettings",
    "CacheStore",
    "ClosedError",
    "Codec",
    "HotCache",
    "Invalidation",
    "JsonCodec",
    "LocalSettings",
    "MemoryCacheStore",
    "RedisCacheStore",
    "Stored",
]
