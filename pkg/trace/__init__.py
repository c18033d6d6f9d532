"""Tracing: what each call did, where it went and how long each step took.

    tracing = Tracing(settings.trace, Identity("user", "1.2.0", settings.env), registry)

OpenTelemetry is imported by `pkg.trace.otel` and `pkg.trace.export` alone, and these by `Tracing`
when it starts with an endpoint. Spans of SQL, Redis, Elasticsearch and HTTP clients are made by
`pkg.trace.sql`, `pkg.trace.redis`, `pkg.trace.elastic` and `pkg.trace.http`.
"""

from pkg.trace.propagation import extract, inject, inject_bytes
from pkg.trace.settings import TraceSettings
from pkg.trace.span import Leaf, Span, Tracer, current_span, failed, span
from pkg.trace.tracing import Tracing

__all__ = [
    "Leaf",
    "Span",
    "TraceSettings",
    "Tracer",
    "Tracing",
    "current_span",
    "extract",
    "failed",
    "inject",
    "inject_bytes",
    "span",
]
