"""How caches do, for Prometheus.

    cache_requests_total{cache,result}       counter: local, hit, stale, negative, miss, or away
                                             when the store could not be asked
    cache_loads_total{cache,result}          counter: ok, error; of loads, however they came about
    cache_load_seconds{cache}                histogram: how long loads took
    cache_direct_loads_total{cache}          counter: loads that the store did not coordinate
    cache_store_errors_total{cache}          counter: failures of the store
    cache_not_kept_total{cache,reason}       counter: too_large, overtaken (its claim had ended, or
                                             it was invalidated meanwhile), undecodable

Who shares the request of another for the same key is not counted.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds."""


class CacheMetrics:
    """The series of one registry. May be used by any thread."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Register the series; without `registry` they are kept but not exported.

        Raises:
            ValueError: the registry has them already.
        """
        target = registry or CollectorRegistry()

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(name, what, ("cache", *labels), registry=target)

        self.requests = counter("cache_requests", "Requests for keys, by what was found.", "result")
        self.loads = counter("cache_loads", "Loads, by how they ended.", "result")
        self.direct = counter("cache_direct_loads", "Loads that the store did not coordinate.")
        self.errors = counter("cache_store_errors", "Failures of the store.")
        self.not_kept = counter("cache_not_kept", "Values that were not kept, by why.", "reason")
        self.seconds = Histogram(
            "cache_load_seconds",
            "How long loads took.",
            ("cache",),
            registry=target,
            buckets=BUCKETS,
        )


class OneCache:
    """The series of one cache."""

    def __init__(self, metrics: CacheMetrics, cache: str) -> None:
        results = ("local", "hit", "stale", "negative", "miss", "away")
        self.requests = {each: metrics.requests.labels(cache, each) for each in results}
        self.loads = {each: metrics.loads.labels(cache, each) for each in ("ok", "error")}
        reasons = ("too_large", "overtaken", "undecodable")
        self.not_kept = {each: metrics.not_kept.labels(cache, each) for each in reasons}
        self.direct = metrics.direct.labels(cache)
        self.errors = metrics.errors.labels(cache)
        self.seconds = metrics.seconds.labels(cache)
