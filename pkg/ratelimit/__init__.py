"""Who asks too often is told to come back later: limits by key, in one process or in Redis."""

from pkg.ratelimit.calls import CallLimits, Quota
from pkg.ratelimit.guarded import GuardedRateLimiter, OpenRateLimiter, guarded, limits_of
from pkg.ratelimit.limiter import Decision, RateLimiter
from pkg.ratelimit.memory import MemoryRateLimiter
from pkg.ratelimit.metrics import LimiterMetrics, RateLimitMetrics
from pkg.ratelimit.redis import RedisRateLimiter
from pkg.ratelimit.rule import Algorithm, Limits, Rule, by_kind, every_key
from pkg.ratelimit.settings import (
    CallLimitSettings,
    OutageSettings,
    RateLimiterSettings,
    RateLimitSettings,
    WhenAway,
)

__all__ = [
    "Algorithm",
    "CallLimitSettings",
    "CallLimits",
    "Decision",
    "GuardedRateLimiter",
    "LimiterMetrics",
    "Limits",
    "MemoryRateLimiter",
    "OpenRateLimiter",
    "OutageSettings",
    "Quota",
    "RateLimitMetrics",
    "RateLimitSettings",
    "RateLimiter",
    "RateLimiterSettings",
    "RedisRateLimiter",
    "Rule",
    "WhenAway",
    "by_kind",
    "every_key",
    "guarded",
    "limits_of",
]
