"""What becomes of calls that have an idempotency key, for Prometheus.

idempotency_calls_total{operation,result}       counter: served (for the first time), replayed,
                                                in_progress, reused, no_key (missing where it is
                                                required, or malformed), away (the store could
                                                not be asked)
idempotency_not_kept_total{operation,reason}    counter: too_large, away (the store could not be
                                                told), overtaken (another call had the key)
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter

_RESULTS: Final = ("served", "replayed", "in_progress", "reused", "no_key", "away")
_REASONS: Final = ("too_large", "away", "overtaken")


class IdempotencyMetrics:
    """The series of one registry. May be used by any thread."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Register the series; without `registry` they are kept but not exported.

        Raises:
            ValueError: the registry has them already.
        """
        target = registry or CollectorRegistry()
        self.calls = Counter(
            "idempotency_calls",
            "Calls with an idempotency key, by what became of them.",
            ("operation", "result"),
            registry=target,
        )
        self.not_kept = Counter(
            "idempotency_not_kept",
            "Results that were not kept, by why.",
            ("operation", "reason"),
            registry=target,
        )


class OneOperation:
    """The series of one operation."""

    def __init__(self, metrics: IdempotencyMetrics, operation: str) -> None:
        self.calls = {each: metrics.calls.labels(operation, each) for each in _RESULTS}
        self.not_kept = {each: metrics.not_kept.labels(operation, each) for each in _REASONS}
