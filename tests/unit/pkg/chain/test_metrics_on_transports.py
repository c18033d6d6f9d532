"""Metrics over HTTP and gRPC: every call is counted by operation and reason."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from api.lab.v1 import Task
from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.middleware import CallMetrics, metrics
from tests.unit.pkg.chain.transports import Transport, every_transport

OPEN = "lab.v1.ChainService/Open"


class Series:
    """The series of calls."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.middleware = metrics(CallMetrics(self.registry), FakeClock())

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


@every_transport
@pytest.mark.parametrize(
    ("error", "reason"),
    [(None, "OK"), (Fault("UNAVAILABLE"), "UNAVAILABLE"), (ValueError("a defect"), "INTERNAL")],
)
async def test_a_call_is_counted_by_how_it_ended(
    transport: Transport, error: Exception | None, reason: str
) -> None:
    series = Series()
    async with transport.serving(series.middleware) as lab:
        lab.service.error = error
        assert (await lab.call("Open")).reason == reason

    labels = {"transport": transport.kind, "operation": OPEN}
    assert series.value("rpc_calls_total", reason=reason, **labels) == 1
    assert series.value("rpc_call_duration_seconds_count", **labels) == 1


@every_transport
async def test_a_call_that_is_refused_inside_is_counted_too(transport: Transport) -> None:
    series = Series()
    async with transport.serving(series.middleware) as lab:
        await lab.call("Open", Task(name="x" * 21))

    labels = {"transport": transport.kind, "operation": OPEN, "reason": "INVALID_ARGUMENT"}
    assert series.value("rpc_calls_total", **labels) == 1


@every_transport
async def test_a_call_is_in_flight_while_it_is_served(transport: Transport) -> None:
    series = Series()
    async with transport.serving(series.middleware) as lab:
        lab.service.hold()
        calling = asyncio.create_task(lab.call("Open"))
        await lab.service.entered.wait()
        assert series.value("rpc_calls_in_flight", transport=transport.kind) == 1
        lab.service.go_on.set()
        await calling
        assert series.value("rpc_calls_in_flight", transport=transport.kind) == 0
