"""Every call leaves one log line and one count, however it ends."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.log import LoggedLines
from pkg.middleware import CallMetrics, log, metrics
from tests.unit.pkg.middleware.calls import Service, around, call, signed_in

if TYPE_CHECKING:
    from pkg.rpc import Call

ENDINGS = [
    ("reply", "OK", logging.INFO),
    (Fault("LOGIN_FAILED", "not this"), "LOGIN_FAILED", logging.INFO),
    (Fault("INTERNAL"), "INTERNAL", logging.WARNING),
    (Fault("UNAVAILABLE"), "UNAVAILABLE", logging.WARNING),
    (asyncio.CancelledError(), "CANCELLED", logging.INFO),
    (ValueError("a defect"), "INTERNAL", logging.WARNING),
]


async def run(handler: Any, at: Call) -> None:
    with suppress(Fault, ValueError, asyncio.CancelledError):
        await handler(at, {"password": "hunter2"})


@pytest.mark.parametrize(("answer", "reason", "level"), ENDINGS)
async def test_a_call_is_one_line_with_how_it_ended(
    answer: Any, reason: str, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    await run(
        around(log(LoggedLines(logging.getLogger("t")), FakeClock()), Service(answer)), signed_in()
    )

    (record,) = caplog.records
    fields = record.__dict__
    assert record.getMessage() == f"lab.v1.Lab/Do {reason}"
    assert record.levelno == level
    assert {key: fields[key] for key in ("operation", "transport", "reason", "peer", "uid")} == {
        "operation": "lab.v1.Lab/Do",
        "transport": "http",
        "reason": reason,
        "peer": "192.0.2.1",
        "uid": "u1",
    }
    assert "hunter2" not in str(fields)
    assert "not this" not in str(fields)


async def test_the_time_it_took_is_logged_in_milliseconds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = FakeClock()
    caplog.set_level(logging.INFO)

    async def slow(call: Call, payload: Any) -> None:
        clock.advance(timedelta(milliseconds=12.5))

    await around(log(LoggedLines(logging.getLogger("t")), clock), slow)(call(), None)

    assert caplog.records[0].__dict__["ms"] == 12.5
    assert caplog.records[0].__dict__["uid"] == ""


async def test_a_logger_that_does_not_listen_is_not_spoken_to(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR)

    await around(log(LoggedLines(logging.getLogger("t")), FakeClock()), Service())(call(), None)

    assert caplog.records == []


def count(registry: CollectorRegistry, reason: str) -> float | None:
    labels = {"transport": "http", "operation": "lab.v1.Lab/Do", "reason": reason}
    return registry.get_sample_value("rpc_calls_total", labels)


@pytest.mark.parametrize(("answer", "reason", "level"), ENDINGS)
async def test_a_call_is_counted_by_how_it_ended(answer: Any, reason: str, level: int) -> None:
    registry = CollectorRegistry()
    handler = around(metrics(CallMetrics(registry), FakeClock()), Service(answer))

    await run(handler, call())
    await run(handler, call())

    assert count(registry, reason) == 2
    assert registry.get_sample_value("rpc_calls_in_flight", {"transport": "http"}) == 0


async def test_a_call_is_timed_and_seen_while_it_runs() -> None:
    clock, registry = FakeClock(), CollectorRegistry()
    seen: list[float | None] = []

    async def slow(call: Call, payload: Any) -> None:
        seen.append(registry.get_sample_value("rpc_calls_in_flight", {"transport": "http"}))
        clock.advance(timedelta(milliseconds=20))

    await around(metrics(CallMetrics(registry), clock), slow)(call(), None)

    labels = {"transport": "http", "operation": "lab.v1.Lab/Do"}
    name = "rpc_call_duration_seconds"
    assert seen == [1]
    assert registry.get_sample_value(f"{name}_sum", labels) == pytest.approx(0.02)
    assert registry.get_sample_value(f"{name}_bucket", {**labels, "le": "0.025"}) == 1
    assert registry.get_sample_value(f"{name}_bucket", {**labels, "le": "0.01"}) == 0


def test_one_registry_has_the_series_once() -> None:
    registry = CollectorRegistry()
    CallMetrics(registry)

    with pytest.raises(ValueError, match="Duplicated"):
        CallMetrics(registry)


def test_calls_of_several_threads_are_all_counted() -> None:
    registry = CollectorRegistry()
    calls = CallMetrics(registry)

    def some(_: int) -> None:
        calls.begin("http")
        calls.end("http", "lab.v1.Lab/Do", "OK", 0.001)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(some, range(2000)))

    labels = {"transport": "http", "operation": "lab.v1.Lab/Do"}
    assert count(registry, "OK") == 2000
    assert registry.get_sample_value("rpc_call_duration_seconds_count", labels) == 2000
    assert registry.get_sample_value("rpc_calls_in_flight", {"transport": "http"}) == 0
