"""Tracing as a component, and the tracer that the process's chains are given."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any, Final

from pkg.clock import Clock, SystemClock
from pkg.trace.counts import SpanCounts
from pkg.trace.ratio import Ratio
from pkg.trace.resource import resource_attributes

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace.export import SpanExporter
    from prometheus_client import CollectorRegistry

    from pkg.log import Identity
    from pkg.rpc.trace import Parent
    from pkg.trace.export import Export
    from pkg.trace.otel import OtelTracer
    from pkg.trace.settings import TraceSettings
    from pkg.trace.span import Attributes, Kind, Span

_LOG: Final = logging.getLogger(__name__)
_LAST: Final = 0.5
"""Seconds for an export that was given up to end."""


class Tracing:
    """A `Tracer`, and what sends its spans.

    Start it before, and so stop it after, whatever makes spans. Before the start, after the stop
    and without an endpoint nothing is recorded, which callers need not know; OpenTelemetry is
    imported at the start, and only with an endpoint. The process starts and is ready though the
    collector is not there.
    """

    name = "tracing"

    def __init__(
        self,
        settings: TraceSettings,
        identity: Identity,
        registry: CollectorRegistry,
        *,
        exporter: Callable[[TraceSettings], SpanExporter] | None = None,
        clock: Clock | None = None,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Nothing is opened before `start`.

        Args:
            settings: what is recorded, and where it goes.
            identity: which service this is.
            registry: gets the counts of spans.
            exporter: sends in place of OTLP; then an endpoint is not needed.
            clock: spaces what the log says of failures.
            logger: is told of failures.

        Raises:
            ValueError: the registry has the series already.
        """
        self._settings = settings
        self._identity = identity
        self._counts = SpanCounts(registry)
        self._exporter = exporter
        self._clock = clock or SystemClock()
        self._log = logger
        self._ratio = Ratio(settings.ratio)
        self._tracer: OtelTracer | None = None
        self._export: Export | None = None

    async def start(self) -> None:
        """Begin to record; connects to nobody yet."""
        if self._exporter is None and not self._settings.endpoint:
            return
        from pkg.trace.export import Export, otlp
        from pkg.trace.otel import OtelTracer

        exporter = (self._exporter or otlp)(self._settings)
        self._export = Export(
            self._settings, exporter, self._counts, clock=self._clock, logger=self._log
        )
        resource = resource_attributes(self._identity, os.environ)
        self._tracer = OtelTracer(
            self._identity.service,
            {**resource, **self._settings.attributes},
            self._settings.ratio,
            self._export,
        )

    async def stop(self) -> None:
        """Record nothing more; send what waits within the flush timeout, and drop what is left."""
        export, self._export, self._tracer = self._export, None, None
        if export is None:
            return
        flushed = asyncio.wrap_future(export.close())
        try:
            await asyncio.wait({flushed}, timeout=self._settings.flush_timeout.total_seconds())
            if not flushed.done():
                export.give_up()
                await asyncio.wait({flushed}, timeout=_LAST)
        except asyncio.CancelledError:
            export.give_up()
            raise
        finally:
            flushed.cancel()  # the thread may outlive the loop, and must not look for it

    @property
    def provider(self) -> Any:
        """The `TracerProvider`, for libraries that are made for it; None where nothing records."""
        return None if self._tracer is None else self._tracer.provider

    def samples(self, trace_id: str) -> bool:
        """Is a trace recorded that begins here? Told without an endpoint too: it travels on."""
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
        """Begin the first span of this process in a trace; None where nothing is recorded."""
        if self._tracer is None:
            return None
        return self._tracer.begin(
            name, kind, trace_id=trace_id, parent=parent, state=state, attributes=attributes
        )
