"""Slowing down who guesses: failures counted per account and per address."""

from pkg.throttle.memory import MemoryThrottle
from pkg.throttle.redis import RedisThrottle
from pkg.throttle.settings import Limits, ThrottleSettings, every_key
from pkg.throttle.throttle import Throttle

__all__ = [
    "Limits",
    "MemoryThrottle",
    "RedisThrottle",
    "Throttle",
    "ThrottleSettings",
    "every_key",
]
