"""What a process tells Prometheus beside its calls, which `pkg.middleware.metrics` counts.

Saturation (pools, threads, event loops), events of the business, and one answer for several worker
processes behind one port.
"""

from pkg.metrics.business import BusinessEvents
from pkg.metrics.loop_lag import LoopLag, loop_lag_series
from pkg.metrics.saturation import Reading, Saturation, redis_pool, sql_pool, threads
from pkg.metrics.workers import WorkerMetrics

__all__ = [
    "BusinessEvents",
    "LoopLag",
    "Reading",
    "Saturation",
    "WorkerMetrics",
    "loop_lag_series",
    "redis_pool",
    "sql_pool",
    "threads",
]
