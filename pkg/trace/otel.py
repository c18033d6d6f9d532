"""Spans by the OpenTelemetry SDK, without its globals: a provider of our own, handed to no one.

Heavy to import: `Tracing` does so when it starts, and only where there is an endpoint.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace as otel
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.span import TraceState

from pkg.trace.ratio import Ratio
from pkg.trace.span import current_span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.sdk.trace import SpanProcessor

    from pkg.rpc.trace import Parent
    from pkg.trace.span import Attributes, Kind, Span, Value

_KINDS: Final = {
    "internal": otel.SpanKind.INTERNAL,
    "server": otel.SpanKind.SERVER,
    "client": otel.SpanKind.CLIENT,
    "producer": otel.SpanKind.PRODUCER,
    "consumer": otel.SpanKind.CONSUMER,
}
_SAMPLED: Final = otel.TraceFlags(otel.TraceFlags.SAMPLED)
_LIMITS: Final = {
    "max_span_attributes": 64,
    "max_event_attributes": 16,
    "max_link_attributes": 16,
    "max_events": 32,
    "max_links": 32,
    "max_attributes": 64,
    "max_attribute_length": 4096,
    "max_span_attribute_length": 4096,
}
"""All of them said, so that none comes from the environment. A span's size is bounded by them."""
_STATE_ROOM: Final = 512
"""Characters of a `tracestate` that a span keeps; the header goes on whole all the same."""


class OtelSpan:
    """`pkg.trace.Span` around a span of the SDK."""

    __slots__ = ("_context", "_tracer", "otel", "span_id", "trace_id")

    def __init__(self, tracer: otel.Tracer, span: otel.Span) -> None:
        self.otel = span
        """For libraries that are made for OpenTelemetry."""
        self._tracer = tracer
        self._context = otel.set_span_in_context(span, otel_context.Context())
        ids = span.get_span_context()
        self.trace_id = f"{ids.trace_id:032x}"
        self.span_id = f"{ids.span_id:016x}"

    def child(self, name: str, kind: Kind, attributes: Attributes | None = None) -> Span:
        """Begin a span within this one."""
        made = self._tracer.start_span(name, self._context, _KINDS[kind], attributes)
        return OtelSpan(self._tracer, made)

    def set(self, name: str, value: Value) -> None:
        """Say something more of the work."""
        self.otel.set_attribute(name, value)

    def record(self, error: BaseException) -> None:
        """Note an exception with its stack."""
        self.otel.record_exception(error)

    def fail(self, why: str) -> None:
        """Mark the span as failed."""
        self.otel.set_status(otel.StatusCode.ERROR, why)

    def end(self) -> None:
        """The work is done."""
        self.otel.end()

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make it the current span of a block, for OpenTelemetry's own instrumentation too."""
        before = current_span.set(self)
        attached = otel_context.attach(self._context)
        try:
            yield
        finally:
            otel_context.detach(attached)
            current_span.reset(before)


class OtelTracer:
    """`pkg.trace.Tracer` by the SDK. Processors are told of every span that ends."""

    def __init__(
        self, name: str, resource: Mapping[str, Any], ratio: float, *processors: SpanProcessor
    ) -> None:
        """`name`: of what makes the spans; `resource`: what is said of the process."""
        self._ids = _GivenIds()
        self._ratio = Ratio(ratio)
        self.provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(ratio)),
            resource=Resource(resource),
            shutdown_on_exit=False,
            id_generator=self._ids,
            span_limits=SpanLimits(**_LIMITS),
        )
        """For libraries that are made for OpenTelemetry and take a provider."""
        for processor in processors:
            self.provider.add_span_processor(processor)
        self._tracer = self.provider.get_tracer(name)

    def samples(self, trace_id: str) -> bool:
        """Is a trace recorded that begins here?"""
        return self._ratio.takes(trace_id)

    def begin(
        self,
        name: str,
        kind: Kind,
        *,
        trace_id: str,
        parent: Parent | None = None,
        state: str = "",
        attributes: Attributes | None = None,
    ) -> Span | None:
        """Begin the first span of this process in a trace; None where it is not to be recorded."""
        above = otel_context.Context()
        if parent is None:
            self._ids.give(int(trace_id, 16))
        else:
            above = otel.set_span_in_context(_remote(trace_id, parent, state), above)
        span = self._tracer.start_span(name, above, _KINDS[kind], attributes)
        return OtelSpan(self._tracer, span) if span.is_recording() else None


class _GivenIds(RandomIdGenerator):
    """Gives a trace the id that its first call has already, where one is given."""

    def __init__(self) -> None:
        self._given = threading.local()

    def give(self, trace_id: int) -> None:
        """The id of the next trace that this thread begins."""
        self._given.trace_id = trace_id

    def generate_trace_id(self) -> int:
        given: int | None = self._given.__dict__.pop("trace_id", None)
        return super().generate_trace_id() if given is None else given


def _remote(trace_id: str, parent: Parent, state: str) -> otel.Span:
    """The caller's span, as the SDK wants it."""
    flags = _SAMPLED if parent.sampled else otel.TraceFlags(otel.TraceFlags.DEFAULT)
    short = state if len(state) <= _STATE_ROOM else ""
    return otel.NonRecordingSpan(
        otel.SpanContext(
            int(trace_id, 16),
            int(parent.span_id, 16),
            is_remote=True,
            trace_flags=flags,
            trace_state=TraceState.from_header([short]) if short else None,
        )
    )
