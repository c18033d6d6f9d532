"""One span for every call whose trace is recorded, and the same trace id everywhere."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace as otel
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.middleware import CallMetrics, metrics, recovery, tracing
from pkg.proto.http_rule import HttpRule, parse_template
from pkg.rpc import compose
from pkg.trace import current_span, span
from tests.unit.pkg.lab_registry import registry
from tests.unit.pkg.middleware.calls import Service, call, operation
from tests.unit.pkg.trace.recorder import TRACE, Recorder, about, ids, parent, recording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.rpc import Call, Handler, Middleware

NAME = "lab.v1.Lab/Do"
CALLER = "00f067aa0ba902b7"
GET = HttpRule("GET", parse_template("/v1/things/{id}"))


def traceparent(flags: str) -> Mapping[str, str]:
    return {"traceparent": f"00-{TRACE}-{CALLER}-{flags}"}


def chain(recorder: Recorder, service: Handler, *inner: Middleware, **changes: Any) -> Handler:
    outer = tracing(recorder.tracing, registry().catalogue)
    return compose((outer, *inner), service, operation(**changes))


async def run(handler: Handler, at: Call) -> None:
    with suppress(Fault, ValueError, asyncio.CancelledError):
        await handler(at, None)


async def test_a_call_is_a_span_with_its_operation_and_the_calls_own_trace_id() -> None:
    at = call(operation(rules=(GET,)), trace_id=TRACE, request_id="r1")
    async with recording() as recorder:
        await chain(recorder, Service(), rules=(GET,))(at, None)
        found = (await recorder.spans())[NAME]

    assert ids(found)[0] == TRACE
    assert at.sampled is True
    assert (found.kind, parent(found)) == (SpanKind.SERVER, "")
    assert found.status.status_code is StatusCode.UNSET
    assert about(found) == {
        "http.request.method": "GET",
        "http.route": "/v1/things/{id}",
        "http.response.status_code": 200,
        "client.address": "192.0.2.1",
        "request.id": "r1",
    }


async def test_a_callers_trace_goes_on_as_its_child_with_its_state() -> None:
    headers = {**traceparent("01"), "tracestate": "vendor=1"}
    async with recording(ratio=0) as recorder:
        await chain(recorder, Service())(call(trace_id=TRACE, headers=headers), None)
        found = (await recorder.spans())[NAME]

    assert (ids(found)[0], parent(found)) == (TRACE, CALLER)
    assert found.context is not None
    assert dict(found.context.trace_state) == {"vendor": "1"}


@pytest.mark.parametrize(
    ("headers", "ratio"), [(traceparent("00"), 1.0), ({}, 0.0)], ids=["caller", "ratio"]
)
async def test_what_is_not_sampled_leaves_no_span(headers: Mapping[str, str], ratio: float) -> None:
    at = call(trace_id=TRACE, headers=headers)
    async with recording(ratio=ratio) as recorder:
        assert await chain(recorder, Service("in"))(at, None) == "in"
        assert await recorder.spans() == {}

    assert at.sampled is False


async def test_the_calls_of_one_trace_are_all_recorded_or_none() -> None:
    ids = [f"{number * 0x9E3779B97F4A7C15 % (1 << 64):032x}" for number in range(1, 400)]
    async with recording(ratio=0.25) as recorder:
        for trace_id in ids * 2:
            await chain(recorder, Service())(call(trace_id=trace_id), None)
        await recorder.tracing.stop()
        kept = [f"{each.context.trace_id:032x}" for each in recorder.memory.get_finished_spans()]

    assert 60 < len(set(kept)) < 140
    assert sorted(kept) == sorted(list(set(kept)) * 2)


async def test_without_tracing_a_call_goes_through_and_the_decision_travels() -> None:
    recorder = Recorder()  # not started: nothing is recorded
    at = call(trace_id=TRACE)

    assert await chain(recorder, Service("in"))(at, None) == "in"
    assert at.sampled is True
    assert current_span.get() is None


async def test_what_the_handler_does_is_within_the_span() -> None:
    async def nested(call: Call, payload: Any) -> None:
        with span("step", {"n": 1}) as step:
            assert step is not None
            assert step is current_span.get()
        otel.get_current_span().set_attribute("seen.by", "opentelemetry")

    async with recording() as recorder:
        await chain(recorder, nested)(call(trace_id=TRACE), None)
        spans = await recorder.spans()

    assert parent(spans["step"]) == ids(spans[NAME])[1]
    assert about(spans[NAME])["seen.by"] == "opentelemetry"
    assert current_span.get() is None
    assert not otel.get_current_span().is_recording()


async def test_a_defect_is_recorded_on_the_span_of_its_call_with_its_stack() -> None:
    told: list[Exception] = []
    within = recovery(lambda _, error: told.append(error))
    async with recording() as recorder:
        await run(chain(recorder, Service(ValueError("a defect")), within), call(trace_id=TRACE))
        spans = await recorder.spans()

    assert list(spans) == [NAME]
    found = spans[NAME]
    assert ids(found)[0] == TRACE
    assert (found.status.status_code, found.status.description) == (StatusCode.ERROR, "INTERNAL")
    assert about(found)["error.type"] == "INTERNAL"
    assert about(found)["http.response.status_code"] == 500
    (event,) = found.events
    assert event.attributes is not None
    assert event.attributes["exception.type"] == "ValueError"
    assert "raise self.answer" in str(event.attributes["exception.stacktrace"])
    assert len(told) == 1


async def test_a_refusal_is_named_and_is_no_failure_of_the_service() -> None:
    async with recording() as recorder:
        refused = Service(Fault("PERMISSION_DENIED"))
        await run(chain(recorder, refused), call(kind="grpc", trace_id=TRACE))
        found = (await recorder.spans())[NAME]

    assert found.status.status_code is StatusCode.UNSET
    assert found.events == ()
    assert about(found) == {
        "rpc.system.name": "grpc",
        "rpc.method": NAME,
        "rpc.response.status_code": "PERMISSION_DENIED",
        "error.type": "PERMISSION_DENIED",
        "client.address": "192.0.2.1",
    }


async def test_a_cancelled_call_is_named_and_ended() -> None:
    async with recording() as recorder:
        await run(chain(recorder, Service(asyncio.CancelledError())), call(trace_id=TRACE))
        found = (await recorder.spans())[NAME]

    assert found.status.status_code is StatusCode.UNSET
    assert about(found)["error.type"] == "CANCELLED"


async def test_a_message_from_a_bus_is_consumed() -> None:
    async with recording() as recorder:
        await chain(recorder, Service())(call(kind="kafka", trace_id=TRACE, peer=""), None)
        found = (await recorder.spans())[NAME]

    assert found.kind is SpanKind.CONSUMER
    assert about(found) == {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
    }


@pytest.mark.parametrize(("ratio", "left"), [(1.0, True), (0.0, False)])
async def test_a_recorded_call_leaves_an_exemplar(ratio: float, left: bool) -> None:
    series = CollectorRegistry()
    async with recording(ratio=ratio) as recorder:
        counted = metrics(CallMetrics(series), FakeClock())
        await chain(recorder, Service(), counted)(call(trace_id=TRACE), None)

    encode, _ = choose_encoder("application/openmetrics-text; version=1.0.0")
    text = encode(series).decode()
    assert (f'trace_id="{TRACE}"' in text) is left
