"""A circuit breaker: leaves alone what fails, until it may have recovered."""

from pkg.breaker.breaker import CircuitBreaker, CircuitOpenError, State
from pkg.breaker.metrics import BreakerMetrics
from pkg.breaker.settings import BreakerSettings

__all__ = [
    "BreakerMetrics",
    "BreakerSettings",
    "CircuitBreaker",
    "CircuitOpenError",
    "State",
]
