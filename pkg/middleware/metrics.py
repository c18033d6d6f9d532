"""Counts and times every operation. See `pkg.middleware.call_metrics` for the series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkg.middleware.outcome import OK, reason_of
from pkg.trace.span import current_span

if TYPE_CHECKING:
    from pkg.clock import Clock
    from pkg.middleware.call_metrics import CallMetrics
    from pkg.rpc import Call, Handler, Middleware, Operation


def metrics(calls: CallMetrics, clock: Clock) -> Middleware:
    """Count and time calls. A server stream is timed from its start to its end."""

    def wrap(handler: Handler, operation: Operation) -> Handler:
        name, monotonic = operation.name, clock.monotonic

        async def measured(call: Call, payload: Any) -> Any:
            kind = call.kind
            calls.begin(kind)
            reason, start = OK, monotonic()
            try:
                return await handler(call, payload)
            except BaseException as error:
                reason = reason_of(error)
                raise
            finally:
                calls.end(kind, name, reason, monotonic() - start, current_span.get())

        return measured

    return wrap
