"""Rate, errors and duration of every operation, for Prometheus.

    rpc_calls_total{transport,operation,reason}             counter
    rpc_call_duration_seconds{transport,operation}          histogram
    rpc_calls_in_flight{transport}                          gauge

Labels are operations and reasons, never paths or anything else that a caller can make up. A call
whose trace is recorded leaves its ids as an exemplar at the bucket that it fell into, which
OpenMetrics shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from pkg.middleware.outcome import OK, reason_of
from pkg.trace.span import current_span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.clock import Clock
    from pkg.rpc import Call, Handler, Middleware, Operation
    from pkg.trace.span import Span

UNMATCHED = "unmatched"
"""The operation of a request that no route matches: transports count those with `observe`."""

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds."""


class CallMetrics:
    """The series of one registry. Every method may be called by any thread."""

    def __init__(self, registry: CollectorRegistry, buckets: Sequence[float] = BUCKETS) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """
        self._calls = Counter(
            "rpc_calls",
            "Calls that have ended, by how.",
            ("transport", "operation", "reason"),
            registry=registry,
        )
        self._duration = Histogram(
            "rpc_call_duration_seconds",
            "How long calls took.",
            ("transport", "operation"),
            registry=registry,
            buckets=buckets,
        )
        self._in_flight = Gauge(
            "rpc_calls_in_flight",
            "Calls that are being served.",
            ("transport",),
            registry=registry,
        )
        # `labels()` costs more than what it is asked for.
        self._children: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
        self._gauges: dict[str, Gauge] = {}

    def observe(
        self, transport: str, operation: str, reason: str, seconds: float, span: Span | None = None
    ) -> None:
        """Count one call that has ended, and the span that was recorded of it."""
        children = self._children.get((transport, operation, reason))
        if children is None:
            children = self._children[transport, operation, reason] = (
                self._calls.labels(transport, operation, reason),
                self._duration.labels(transport, operation),
            )
        children[0].inc()
        if span is None:
            children[1].observe(seconds)
        else:
            ids = {"trace_id": span.trace_id, "span_id": span.span_id}
            children[1].observe(seconds, ids)

    def in_flight(self, transport: str) -> Gauge:
        """The gauge of calls that are being served."""
        gauge = self._gauges.get(transport)
        if gauge is None:
            gauge = self._gauges[transport] = self._in_flight.labels(transport)
        return gauge


def metrics(calls: CallMetrics, clock: Clock) -> Middleware:
    """Count and time calls. A server stream is timed from its start to its end."""

    def wrap(handler: Handler, operation: Operation) -> Handler:
        name = operation.name

        async def measured(call: Call, payload: Any) -> Any:
            gauge = calls.in_flight(call.kind)
            reason, start = OK, clock.monotonic()
            gauge.inc()
            try:
                return await handler(call, payload)
            except BaseException as error:
                reason = reason_of(error)
                raise
            finally:
                gauge.dec()
                seconds = clock.monotonic() - start
                calls.observe(call.kind, name, reason, seconds, current_span.get())

        return measured

    return wrap
