"""Tracing whose spans are kept by the SDK's own exporter in memory."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from pkg.log import Identity
from pkg.trace import TraceSettings, Tracing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from opentelemetry.sdk.trace import ReadableSpan

    from pkg.trace import Span

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
IDENTITY = Identity("lab", "1.2.3", "test")
QUICK = timedelta(milliseconds=10)


class Recorder:
    """What was recorded; spans are there once the tracing has been stopped."""

    def __init__(self, **settings: Any) -> None:
        self.memory = InMemorySpanExporter()
        self.registry = CollectorRegistry()
        given = {"interval": QUICK, **settings}
        self.tracing = Tracing(
            TraceSettings(**given), IDENTITY, self.registry, exporter=lambda _: self.memory
        )

    def root(self, name: str = "root", trace_id: str = TRACE) -> Span:
        """A span of the test's own."""
        span = self.tracing.begin(name, "internal", trace_id=trace_id)
        assert span is not None
        return span

    async def spans(self) -> dict[str, ReadableSpan]:
        """By name, after stopping."""
        await self.tracing.stop()
        return {span.name: span for span in self.memory.get_finished_spans()}

    def count(self, series: str, **labels: str) -> float:
        """The value of a series."""
        found = self.registry.get_sample_value(series, labels)
        assert found is not None
        return found


@asynccontextmanager
async def recording(**settings: Any) -> AsyncIterator[Recorder]:
    """Started; stopped at the end."""
    made = Recorder(**settings)
    await made.tracing.start()
    try:
        yield made
    finally:
        await made.tracing.stop()


def about(span: ReadableSpan) -> dict[str, Any]:
    """The attributes of a span."""
    return dict(span.attributes or {})


def ids(span: ReadableSpan) -> tuple[str, str]:
    """Trace id and span id in hex."""
    assert span.context is not None
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"


def parent(span: ReadableSpan) -> str:
    """The parent's span id in hex; empty for a root."""
    return f"{span.parent.span_id:016x}" if span.parent else ""
