"""One span for every call whose trace is recorded, around all of the chain that it is outside of.

The transport has decided what trace the call is in; here it is decided whether it is recorded: as
the caller says, else by the share of the settings. The span takes the call's trace id, so that
envelope, log and trace agree. A call that is not recorded costs a look at a header.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pkg.middleware.outcome import CANCELLED, OURS, reason_of
from pkg.rpc.trace import parent_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from pkg.errors.catalogue import Catalogue
    from pkg.rpc import Call, Handler, Middleware, Operation
    from pkg.rpc.trace import Parent
    from pkg.trace.span import Kind, Span, Tracer, Value

_KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {"http": "server", "grpc": "server", "kafka": "consumer"}
)
_HTTP_STATUS: Final = "http.response.status_code"
_GRPC_STATUS: Final = "rpc.response.status_code"
_GRPC_NAMES: Final = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
"""gRPC statuses by their numbers."""


def tracing(tracer: Tracer, catalogue: Catalogue) -> Middleware:
    """Record calls. A server stream is one span, from its start to its end.

    A fault is the span's `error.type`; one that is the service's own (INTERNAL, UNAVAILABLE,
    DEADLINE_EXCEEDED) fails the span, and what it came of is noted with its stack.

    Args:
        tracer: decides and records.
        catalogue: knows what status a fault is.
    """

    def wrap(handler: Handler, operation: Operation) -> Handler:
        name = operation.name
        known = {kind: _attributes(kind, operation) for kind in _KINDS}

        def traced(call: Call, payload: Any) -> Awaitable[Any]:
            parent = parent_of(call)
            call.sampled = tracer.samples(call.trace_id) if parent is None else parent.sampled
            return recorded(call, payload, parent) if call.sampled else handler(call, payload)

        async def recorded(call: Call, payload: Any, parent: Parent | None) -> Any:
            span = tracer.begin(
                name,
                _KINDS.get(call.kind, "server"),
                trace_id=call.trace_id,
                parent=parent,
                state=call.headers.get("tracestate", ""),
                attributes=known.get(call.kind),
            )
            if span is None:
                return await handler(call, payload)
            if call.peer:
                span.set("client.address", call.peer)
            if call.request_id:
                span.set("request.id", call.request_id)
            try:
                with span.current():
                    reply = await handler(call, payload)
            except BaseException as error:
                _ended_by(span, call, error, catalogue)
                raise
            else:
                _succeeded(span, call)
                return reply
            finally:
                span.end()

        return traced

    return wrap


def _attributes(kind: str, operation: Operation) -> dict[str, Value]:
    """What is the same for every call of an operation."""
    if kind == "kafka":
        return {"messaging.system": "kafka", "messaging.operation.type": "process"}
    if kind == "grpc":
        return {"rpc.system.name": "grpc", "rpc.method": operation.name}
    if not operation.rules:
        return {}
    rule = operation.rules[0]
    return {"http.request.method": rule.method, "http.route": rule.template.text}


def _succeeded(span: Span, call: Call) -> None:
    # What a hand-written route answers with, only its endpoint knows.
    if call.kind == "http" and call.operation.request:
        span.set(_HTTP_STATUS, 200)
    elif call.kind == "grpc":
        span.set(_GRPC_STATUS, "OK")


def _ended_by(span: Span, call: Call, error: BaseException, catalogue: Catalogue) -> None:
    reason = reason_of(error)
    span.set("error.type", reason)
    if reason == CANCELLED:
        return
    entry = catalogue.entry(error)
    if call.kind == "http":
        span.set(_HTTP_STATUS, entry.http)
    elif call.kind == "grpc":
        span.set(_GRPC_STATUS, _GRPC_NAMES[entry.grpc])
    if reason in OURS:
        # Recovery stands inside and puts a fault in the place of what went wrong, as its cause.
        span.record(error.__cause__ or error)
        span.fail(reason)
