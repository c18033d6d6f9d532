"""Spans arrive whole, over both protocols, at our own collector and at Jaeger."""

from __future__ import annotations

import logging
import uuid
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from pkg.config import Secret
from pkg.log import Identity
from pkg.trace import Span, TraceSettings, Tracing
from tests.contract.otlp import Collector, Destination, Jaeger, OwnCollector, until
from tests.contract.servers import address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

KINDS = (
    "grpc",
    "http",
    pytest.param("jaeger-grpc", marks=pytest.mark.integration),
    pytest.param("jaeger-http", marks=pytest.mark.integration),
)
IDENTITY = Identity("lab", "1.2.3", "test")


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        yield made


@pytest.fixture(params=KINDS)
def destination(request: pytest.FixtureRequest, collector: Collector) -> Destination:
    kind, _, protocol = request.param.partition("-")
    if kind != "jaeger":
        return OwnCollector(collector, kind)
    return Jaeger(
        address(f"TEST_OTLP_{protocol.upper()}_URL"), protocol, address("TEST_JAEGER_URL")
    )


class Lab:
    """Tracing to a destination."""

    def __init__(self, destination: Destination, **settings: Any) -> None:
        self.registry = CollectorRegistry()
        given = {"interval": timedelta(milliseconds=20), "flush_timeout": timedelta(seconds=10)}
        self.tracing = Tracing(
            TraceSettings(
                endpoint=destination.endpoint,
                protocol=destination.protocol,
                **{**given, **settings},
            ),
            IDENTITY,
            self.registry,
        )
        self.trace_id = uuid.uuid4().hex

    def root(self, name: str = "root") -> Span:
        span = self.tracing.begin(name, "server", trace_id=self.trace_id)
        assert span is not None
        return span

    def count(self, name: str, **labels: str) -> float:
        found = self.registry.get_sample_value(f"trace_spans_{name}_total", labels)
        assert found is not None
        return found


@asynccontextmanager
async def lab(destination: Destination, **settings: Any) -> AsyncIterator[Lab]:
    made = Lab(destination, **settings)
    await made.tracing.start()
    try:
        yield made
    finally:
        await made.tracing.stop()


async def test_a_trace_arrives_with_all_that_was_said_of_it(destination: Destination) -> None:
    async with lab(destination, attributes={"cloud.region": "here"}) as made:
        root = made.root("lab.v1.Lab/Do")
        query = root.child("SELECT", "client", {"db.system.name": "sqlite"})
        query.set("db.response.returned_rows", 3)
        query.end()
        root.end()
        found = await destination.trace(made.trace_id, 2)

    first, second = found
    assert (first.name, first.span_id, first.parent) == ("lab.v1.Lab/Do", root.span_id, "")
    assert (second.name, second.span_id, second.parent) == (
        "SELECT",
        query.span_id,
        root.span_id,
    )
    assert (first.kind, second.kind) == ("server", "client")
    assert second.attributes["db.system.name"] == "sqlite"
    assert second.attributes["db.response.returned_rows"] == 3
    assert not first.failed
    assert first.resource["service.name"] == "lab"
    assert first.resource["service.version"] == "1.2.3"
    assert first.resource["deployment.environment.name"] == "test"
    assert first.resource["cloud.region"] == "here"


async def test_a_failure_arrives_as_one_with_its_exception(destination: Destination) -> None:
    async with lab(destination) as made:
        root = made.root()
        root.record(ValueError("a defect"))
        root.fail("INTERNAL")
        root.end()
        (found,) = await destination.trace(made.trace_id, 1)

    assert found.failed
    assert found.events == ("exception",)


async def test_many_batches_arrive_whole(destination: Destination) -> None:
    async with lab(destination, batch=16, queue=2048) as made:
        root = made.root()
        for number in range(199):
            root.child(f"step {number}", "internal").end()
        root.end()
        found = await destination.trace(made.trace_id, 200)
        await made.tracing.stop()

    assert len({span.span_id for span in found}) == len(found) == 200
    assert made.count("exported") == 200


async def test_the_stop_sends_what_still_waits(destination: Destination) -> None:
    async with lab(destination, interval=timedelta(hours=1)) as made:
        made.root().end()
        await made.tracing.stop()
        assert made.count("exported") == 1
        assert len(await destination.trace(made.trace_id, 1)) == 1


# What only our own collector can be made to do.


@pytest.fixture(params=["grpc", "http"])
def own(request: pytest.FixtureRequest, collector: Collector) -> OwnCollector:
    return OwnCollector(collector, request.param)


async def test_headers_go_along(own: OwnCollector) -> None:
    async with lab(own, headers={"authorization": Secret("Bearer hunter2")}) as made:
        made.root().end()
        await own.trace(made.trace_id, 1)

    assert own.collector.metadata[0]["authorization"] == "Bearer hunter2"


async def test_a_collector_that_refuses_loses_spans_that_are_counted_until_it_takes_them(
    own: OwnCollector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    own.collector.refuse = True
    async with lab(own, timeout=timedelta(seconds=2)) as made:
        made.root("lost").end()
        await until(lambda: made.count("dropped", reason="export_failed") == 1)
        own.collector.refuse = False
        made.root("taken").end()
        (found,) = await own.trace(made.trace_id, 1)
        await made.tracing.stop()

    assert found.name == "taken"
    assert made.count("exported") == 1
    told = [record.getMessage() for record in caplog.records if record.name.startswith("pkg")]
    assert len(told) == 2
    assert told[0].startswith(f"spans cannot be sent to {own.endpoint}")
    assert told[1].endswith("again")
