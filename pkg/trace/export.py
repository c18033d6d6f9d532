"""Takes spans off the request path: a bounded queue, and a thread that sends them.

Whoever ends a span never waits and never sees an error. What cannot be queued or sent is dropped
and counted; of failures the log says the first, then one line every five minutes, and when it is
over. Batches, thread and OTLP are the SDK's; the bound, the counts and the deadline are ours.

    trace_spans_exported_total                  counter
    trace_spans_dropped_total{reason}           counter: queue_full, export_failed, stopped
    trace_spans_waiting                         gauge, those being sent among them
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from pkg.trace.complaints import Complaints

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pkg.clock import Clock
    from pkg.trace.counts import SpanCounts
    from pkg.trace.settings import TraceSettings

QUIETED: Final = (
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
)
"""Loggers of the exporters, which would say something of every try."""


def otlp(settings: TraceSettings) -> SpanExporter:
    """The exporter for the settings' collector. Connects when it first sends."""
    headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
    timeout = settings.timeout.total_seconds()
    if settings.protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as by_grpc

        return by_grpc.OTLPSpanExporter(
            endpoint=settings.url,
            insecure=settings.url.startswith("http://"),
            headers=headers,
            timeout=timeout,
        )
    from opentelemetry.exporter.otlp.proto.http import trace_exporter as by_http

    return by_http.OTLPSpanExporter(endpoint=settings.url, headers=headers, timeout=timeout)


class Export(SpanProcessor):
    """Queues spans that end, and sends them in the background."""

    def __init__(
        self,
        settings: TraceSettings,
        exporter: SpanExporter,
        counts: SpanCounts,
        *,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        """Start the thread that sends."""
        self._exporter = exporter
        self._counts = counts
        self._limit = settings.queue
        self._waiting = 0
        self._open = True
        self._lock = threading.Lock()
        self._words = _LastWords()
        for name in QUIETED:
            logging.getLogger(name).addFilter(self._words)
        self._complaints = Complaints(clock, logger, settings.url)
        self._batches = BatchSpanProcessor(
            _Told(exporter, self._sent, self._words),
            max_queue_size=settings.queue,
            schedule_delay_millis=settings.interval / timedelta(milliseconds=1),
            max_export_batch_size=settings.batch,
        )

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span, if there is room for one more."""
        with self._lock:
            why = ""
            if not self._open:
                why = "stopped"
            elif self._waiting >= self._limit:
                why = "queue_full"
            else:
                self._waiting += 1
        if why:
            self._counts.dropped(why, 1)
        else:
            self._batches.on_end(span)

    def close(self) -> Future[None]:
        """Take no more spans, and send those that wait.

        Returns:
            What is done when all have been sent or given up. It has a thread of its own, which
            does not keep the process from ending.
        """
        with self._lock:
            self._open = False
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()  # whoever ceases to wait must not cancel it

        def drain() -> None:
            shutdown: Callable[[], None] = self._batches.shutdown
            shutdown()
            with self._lock:
                left, self._waiting = self._waiting, 0
            self._counts.dropped("stopped", left)
            self._counts.waiting(0)
            for name in QUIETED:
                logging.getLogger(name).removeFilter(self._words)
            done.set_result(None)

        threading.Thread(target=drain, name="trace-flush", daemon=True).start()
        return done

    def give_up(self) -> None:
        """Send no more: end the export that runs, as far as it can be ended. May be said twice."""
        self._exporter.shutdown()

    def _sent(self, count: int, ok: bool) -> None:
        with self._lock:
            if self._waiting < count:  # counted as lost already: the stop did not wait for it
                return
            self._waiting -= count
            waiting, stopped = self._waiting, not self._open
        self._counts.waiting(waiting)
        if ok:
            self._counts.exported(count)
            self._complaints.well()
        else:
            self._counts.dropped("stopped" if stopped else "export_failed", count)
            self._complaints.failed(count, self._words.last)


class _Told(SpanExporter):
    """An exporter that tells how each export ended."""

    def __init__(
        self, inner: SpanExporter, sent: Callable[[int, bool], None], words: _LastWords
    ) -> None:
        self._inner = inner
        self._sent = sent
        self._words = words

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._inner.export(spans)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next export may be better
            self._words.last = f"{type(error).__name__}: {error}"
            result = SpanExportResult.FAILURE
        self._sent(len(spans), result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()


class _LastWords(logging.Filter):
    """Keeps what an exporter says last, and lets nothing through."""

    def __init__(self) -> None:
        super().__init__()
        self.last = ""

    def filter(self, record: logging.LogRecord) -> bool:
        self.last = record.getMessage()
        return False
