"""Tracing over HTTP and gRPC: one span for a call, in the caller's trace."""

from __future__ import annotations

from opentelemetry.trace import SpanKind, StatusCode

from pkg.errors import Fault
from pkg.middleware import recovery, tracing
from tests.unit.pkg.chain.transports import Transport, every_transport
from tests.unit.pkg.lab_registry import registry
from tests.unit.pkg.trace.recorder import TRACE, about, ids, parent, recording

OPEN = "lab.v1.ChainService/Open"
CALLER = "00f067aa0ba902b7"


def traceparent(flags: str) -> dict[str, str]:
    return {"traceparent": f"00-{TRACE}-{CALLER}-{flags}"}


@every_transport
async def test_a_call_is_a_span_in_the_callers_trace(transport: Transport) -> None:
    async with recording() as recorder:
        chain = tracing(recorder.tracing, registry().catalogue)
        async with transport.serving(chain) as lab:
            assert (await lab.call("Open", headers=traceparent("01"))).reason == "OK"
            assert lab.service.calls[0].trace_id == TRACE
        span = (await recorder.spans())[OPEN]

    assert (ids(span)[0], parent(span), span.kind) == (TRACE, CALLER, SpanKind.SERVER)
    assert span.status.status_code is StatusCode.UNSET


@every_transport
async def test_a_caller_who_does_not_record_is_heeded(transport: Transport) -> None:
    async with recording() as recorder:
        chain = tracing(recorder.tracing, registry().catalogue)
        async with transport.serving(chain) as lab:
            await lab.call("Open", headers=traceparent("00"))
            assert lab.service.calls[0].sampled is False
        assert OPEN not in await recorder.spans()


@every_transport
async def test_a_call_without_a_trace_begins_one(transport: Transport) -> None:
    async with recording() as recorder:
        chain = tracing(recorder.tracing, registry().catalogue)
        async with transport.serving(chain) as lab:
            await lab.call("Open", headers={"traceparent": "no trace"})
            begun = lab.service.calls[0].trace_id
        span = (await recorder.spans())[OPEN]

    assert (ids(span)[0], parent(span)) == (begun, "")


@every_transport
async def test_a_defect_fails_the_span_and_a_refusal_does_not(transport: Transport) -> None:
    for error, reason, status in (
        (ValueError("a defect"), "INTERNAL", StatusCode.ERROR),
        (Fault("PERMISSION_DENIED"), "PERMISSION_DENIED", StatusCode.UNSET),
    ):
        async with recording() as recorder:
            outer = tracing(recorder.tracing, registry().catalogue)
            inner = recovery(lambda _call, _error: None)
            async with transport.serving(outer, inner) as lab:
                lab.service.error = error
                assert (await lab.call("Open", headers=traceparent("01"))).reason == reason
            span = (await recorder.spans())[OPEN]
        assert about(span)["error.type"] == reason
        assert span.status.status_code is status
