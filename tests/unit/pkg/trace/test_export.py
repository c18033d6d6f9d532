"""Whoever makes spans never waits for, and never hears of, what becomes of them."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry

from pkg.clock import FakeClock
from pkg.trace import TraceSettings, Tracing
from pkg.trace.complaints import EVERY, Complaints
from pkg.trace.export import QUIETED
from tests.unit.pkg.trace.recorder import IDENTITY, QUICK, TRACE, Recorder, recording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

LIMIT = 8
DROPPED = "trace_spans_dropped_total"
EXPORTED = "trace_spans_exported_total"


class Collector(SpanExporter):
    """One that takes nothing until it is let, and then answers as it is told."""

    def __init__(self, result: SpanExportResult | Exception = SpanExportResult.SUCCESS) -> None:
        self.result = result
        self.asked = threading.Event()
        self.let = threading.Event()
        self.given_up = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked.set()
        assert self.let.wait(30)
        if isinstance(self.result, Exception):
            raise self.result
        return SpanExportResult.FAILURE if self.given_up else self.result

    def shutdown(self) -> None:
        self.given_up = True
        self.let.set()


class Lab:
    """Tracing to a collector of the test's."""

    def __init__(self, collector: Collector, flush: timedelta = timedelta(seconds=30)) -> None:
        self.collector = collector
        self.registry = CollectorRegistry()
        settings = TraceSettings(queue=LIMIT, batch=2, interval=QUICK, flush_timeout=flush)
        self.tracing = Tracing(settings, IDENTITY, self.registry, exporter=lambda _: collector)

    def span(self) -> None:
        made = self.tracing.begin("work", "internal", trace_id=TRACE)
        assert made is not None
        made.end()

    def count(self, name: str, **labels: str) -> float:
        found = self.registry.get_sample_value(name, labels)
        assert found is not None
        return found

    @property
    def accounted(self) -> float:
        lost = [
            self.count(DROPPED, reason=reason)
            for reason in ("queue_full", "export_failed", "stopped")
        ]
        return self.count(EXPORTED) + sum(lost)


async def test_what_the_queue_cannot_hold_is_dropped_and_counted_at_once() -> None:
    lab = Lab(Collector())
    await lab.tracing.start()
    for _ in range(LIMIT + 5):
        lab.span()

    assert lab.count(DROPPED, reason="queue_full") == 5

    lab.collector.let.set()
    await lab.tracing.stop()
    assert lab.count(EXPORTED) == LIMIT
    assert lab.count("trace_spans_waiting") == 0
    assert lab.accounted == LIMIT + 5


async def test_there_is_room_again_when_spans_have_been_sent() -> None:
    lab = Lab(Collector())
    lab.collector.let.set()
    await lab.tracing.start()
    for _ in range(3):
        lab.collector.asked.clear()
        for _ in range(LIMIT // 2):
            lab.span()
        assert await asyncio.to_thread(lab.collector.asked.wait, 30)
    await lab.tracing.stop()

    assert lab.count(EXPORTED) + lab.count(DROPPED, reason="queue_full") == LIMIT // 2 * 3
    assert lab.count(EXPORTED) >= LIMIT


@pytest.mark.parametrize("result", [SpanExportResult.FAILURE, RuntimeError("broken")])
async def test_an_export_that_fails_is_counted_and_the_next_is_tried(
    result: SpanExportResult | Exception,
) -> None:
    lab = Lab(Collector(result))
    lab.collector.let.set()
    await lab.tracing.start()
    for _ in range(4):
        lab.span()
    await lab.tracing.stop()

    assert lab.count(EXPORTED) == 0
    assert lab.accounted == 4


async def test_the_stop_does_not_wait_for_a_collector_that_does_not_answer() -> None:
    lab = Lab(Collector(), flush=timedelta(milliseconds=50))
    await lab.tracing.start()
    for _ in range(4):
        lab.span()
    assert await asyncio.to_thread(lab.collector.asked.wait, 30)

    async with asyncio.timeout(5):
        await lab.tracing.stop()

    assert lab.collector.given_up
    assert lab.accounted == 4
    assert lab.count(DROPPED, reason="stopped") == 4


async def test_a_span_that_ends_after_the_stop_is_counted_as_lost() -> None:
    lab = Lab(Collector())
    lab.collector.let.set()
    await lab.tracing.start()
    late = lab.tracing.begin("late", "internal", trace_id=TRACE)
    assert late is not None
    await lab.tracing.stop()
    late.end()

    assert lab.tracing.begin("later", "internal", trace_id=TRACE) is None
    assert lab.count(DROPPED, reason="stopped") == 1


async def test_stopping_twice_or_without_a_start_is_nothing() -> None:
    recorder = Recorder()
    await recorder.tracing.stop()
    await recorder.tracing.start()
    await recorder.tracing.stop()
    await recorder.tracing.stop()
    assert recorder.tracing.provider is None


async def test_spans_of_several_threads_are_all_sent() -> None:
    async with recording() as recorder:

        def work() -> None:
            for _ in range(50):
                recorder.root("threaded").end()

        await asyncio.gather(*(asyncio.to_thread(work) for _ in range(4)))
        await recorder.tracing.stop()

    assert len(recorder.memory.get_finished_spans()) == 200
    assert recorder.count(EXPORTED) == 200


async def test_every_span_says_which_process_it_is_of() -> None:
    async with recording(attributes={"cloud.region": "here"}) as recorder:
        recorder.root("any").end()
        found = (await recorder.spans())["any"]

    said = found.resource.attributes
    assert (said["service.name"], said["service.version"]) == ("lab", "1.2.3")
    assert said["cloud.region"] == "here"


async def test_a_span_stays_small_whatever_is_put_on_it() -> None:
    async with recording() as recorder:
        root = recorder.root("large")
        for number in range(1000):
            root.set(f"name {number}", "x" * 100_000)
        for _ in range(100):
            root.record(ValueError("y" * 100_000))
        root.end()
        found = (await recorder.spans())["large"]

    assert len(found.attributes or {}) == 64
    assert max(len(str(value)) for value in (found.attributes or {}).values()) == 4096
    assert len(found.events) == 32


async def test_the_loggers_of_the_exporters_are_left_as_they_were() -> None:
    before = {name: list(logging.getLogger(name).filters) for name in QUIETED}
    async with recording() as recorder:
        assert recorder.tracing.provider is not None

    assert {name: list(logging.getLogger(name).filters) for name in QUIETED} == before


def test_failures_are_told_once_and_then_rarely(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    caplog.set_level(logging.INFO)
    complaints = Complaints(clock, logging.getLogger("t"), "http://jaeger:4317")
    for _ in range(100):
        complaints.failed(10, "refused")
    clock.advance(EVERY)
    complaints.failed(10, "")
    complaints.well()
    complaints.well()

    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told == [
        ("WARNING", "spans cannot be sent to http://jaeger:4317: refused"),
        ("WARNING", "spans cannot be sent to http://jaeger:4317: no reason given"),
        ("INFO", "spans are sent to http://jaeger:4317 again"),
    ]
    assert [record.__dict__["lost"] for record in caplog.records] == [10, 1010, 1010]


def test_opentelemetry_is_not_imported_where_nothing_is_recorded() -> None:
    program = """
import asyncio, sys
from prometheus_client import CollectorRegistry
import pkg.middleware, pkg.grpc, pkg.trace.sql, pkg.trace.redis
from pkg.log import Identity
from pkg.trace import TraceSettings, Tracing
tracing = Tracing(TraceSettings(), Identity("a", "1", "test"), CollectorRegistry())
asyncio.run(tracing.start())
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout == "[]\n"
