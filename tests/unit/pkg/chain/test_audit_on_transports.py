"""Audit over HTTP and gRPC: the same record of the same call."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from prometheus_client import CollectorRegistry

from api.lab.v1 import Glance, Task
from api.layout.v1 import OperationRecord
from pkg.alert import MemoryAlerts
from pkg.audit import AuditMetrics, AuditSettings, MemorySink, Recorder, RecordWriter
from pkg.backoff import Backoff, BackoffSettings
from pkg.clock import SystemClock
from pkg.errors import Fault
from pkg.middleware import authentication, authorization, deadline, request_id
from pkg.middleware.audit import audit
from pkg.tokens import SystemTokens
from tests.unit.pkg.chain.test_authorization_on_transports import GUARDED, Policies
from tests.unit.pkg.chain.transports import (
    CLIENT,
    Callers,
    Served,
    Transport,
    every_streaming_transport,
    every_transport,
    signed_in,
)
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECRET = "hunter2"
ALICE = signed_in("alice", "acme")


@asynccontextmanager
async def recorded(transport: Transport) -> AsyncIterator[tuple[Served, list[OperationRecord]]]:
    """A lab behind the whole chain around audit, and the records when it has been left."""
    clock, sink, records = SystemClock(), MemorySink(), list[Any]()
    recorder = Recorder(
        sink,
        RecordWriter(registry(), service="lab", max_body=4096, clock=clock, tokens=SystemTokens()),
        AuditSettings(),
        backoff=Backoff(BackoffSettings(), lambda: 0.5),
        metrics=AuditMetrics(CollectorRegistry()),
        alerts=MemoryAlerts(),
        clock=clock,
    )
    await recorder.start()
    chain = (
        request_id(SystemTokens()),
        deadline(timedelta(seconds=30)),
        authentication(Callers()),
        audit(recorder, clock),
        authorization(Policies(GUARDED)),
    )
    try:
        async with transport.serving(*chain) as lab:
            yield lab, records
    finally:
        await recorder.stop()
        records += [OperationRecord.parse(each.message) for each in sink.kept]


@every_transport
async def test_a_record_says_who_called_what_and_how_it_ended(transport: Transport) -> None:
    async with recorded(transport) as (lab, records):
        asked = Task(name="a", password=SECRET, count=2)
        outcome = await lab.call("Mine", asked, headers={**ALICE, "x-request-id": "r1"})
        assert outcome.reply.token == "secret-1", "the caller gets what the record may not have"

    (record,) = records
    assert (record.operation, record.transport) == ("lab.v1.ChainService/Mine", transport.kind)
    assert (record.subject, record.role, record.tenant) == ("alice", "user", "acme")
    assert (record.peer, record.request_id) == (CLIENT, "r1")
    assert (record.reason, record.code) == ("OK", 0)
    assert record.http_status == (200 if transport.kind == "http" else 0)
    assert record.user_agent
    assert orjson.loads(record.request) == {"name": "a", "password": "***", "count": 2}
    assert orjson.loads(record.reply) == {"name": "a", "times": 1, "token": "***"}
    assert SECRET not in repr(record)
    assert record.duration is not None
    assert timedelta() < record.duration < timedelta(minutes=1)


@every_transport
async def test_whoever_is_denied_is_recorded_without_what_was_asked(transport: Transport) -> None:
    async with recorded(transport) as (lab, records):
        await lab.call("Named", Task(name="a"), headers=ALICE)
        await lab.call("Guarded", Task(name="a"), headers=ALICE)

    denied, allowed = records
    assert (denied.subject, denied.reason, denied.code) == ("alice", "PERMISSION_DENIED", 4006)
    assert (denied.request, denied.reply) == ("", "")
    assert allowed.reason == "OK"


@every_transport
@pytest.mark.parametrize(
    ("error", "reason"),
    [(Fault("UNAVAILABLE"), "UNAVAILABLE"), (ValueError(SECRET), "INTERNAL")],
)
async def test_what_fails_is_recorded_with_its_request(
    transport: Transport, error: Exception, reason: str
) -> None:
    async with recorded(transport) as (lab, records):
        lab.service.error = error
        await lab.call("Open", Task(name="a"))

    (record,) = records
    assert (record.reason, record.subject, record.reply) == (reason, "", "")
    assert orjson.loads(record.request)["name"] == "a"
    assert SECRET not in repr(record)


@every_transport
async def test_what_ends_at_its_deadline_is_recorded_as_that(transport: Transport) -> None:
    async with recorded(transport) as (lab, records):
        lab.service.hold()
        await lab.call("Quick")

    assert [each.reason for each in records] == ["DEADLINE_EXCEEDED"]


@every_transport
async def test_how_much_is_recorded_is_as_the_proto_says(transport: Transport) -> None:
    async with recorded(transport) as (lab, records):
        await lab.call("RecordedInBrief", Task(name="a"), headers=ALICE)
        await lab.call("Unrecorded", Task(name="a"), headers=ALICE)

    (record,) = records
    assert record.operation == "lab.v1.ChainService/RecordedInBrief"
    assert (record.subject, record.request, record.reply) == ("alice", "", "")


@every_streaming_transport
async def test_a_stream_is_one_record_with_its_request_when_it_has_ended(
    transport: Transport,
) -> None:
    async with recorded(transport) as (lab, records):
        await lab.watch(Glance(name="a", count=3), headers=ALICE)

    (record,) = records
    assert (record.operation, record.reason) == ("lab.v1.ChainService/Watch", "OK")
    assert orjson.loads(record.request)["count"] == 3
    assert record.reply == ""


@every_transport
async def test_many_callers_at_once_have_each_their_own_record(transport: Transport) -> None:
    async with recorded(transport) as (lab, records):
        await asyncio.gather(
            *(
                lab.call("Mine", Task(name=f"n{number}"), headers=signed_in(f"u{number}"))
                for number in range(50)
            )
        )

    found = {each.subject: orjson.loads(each.request)["name"] for each in records}
    assert found == {f"u{number}": f"n{number}" for number in range(50)}
    assert len({each.id for each in records}) == 50
