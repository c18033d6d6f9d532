"""What limiters decide, for Prometheus.

ratelimit_decisions_total{limiter,result}    counter: result is allowed or refused
ratelimit_unavailable_total{limiter}         counter: decisions that the server did not make
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class RateLimitMetrics:
    """The series of one registry. May be used by any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """
        self._decisions = Counter(
            "ratelimit_decisions",
            "Decisions of rate limiters.",
            ("limiter", "result"),
            registry=registry,
        )
        self._unavailable = Counter(
            "ratelimit_unavailable",
            "Decisions that the server did not make.",
            ("limiter",),
            registry=registry,
        )

    def of(self, limiter: str) -> LimiterMetrics:
        """The series of one limiter."""
        return LimiterMetrics(
            self._decisions.labels(limiter, "allowed"),
            self._decisions.labels(limiter, "refused"),
            self._unavailable.labels(limiter),
        )


class LimiterMetrics:
    """The series of one limiter."""

    __slots__ = ("_allowed", "_refused", "_unavailable")

    def __init__(self, allowed: Counter, refused: Counter, unavailable: Counter) -> None:
        self._allowed = allowed
        self._refused = refused
        self._unavailable = unavailable

    def decided(self, *, allowed: bool) -> None:
        """Count a decision."""
        (self._allowed if allowed else self._refused).inc()

    def unavailable(self) -> None:
        """Count one that the server did not make."""
        self._unavailable.inc()
