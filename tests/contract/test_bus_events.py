"""Events go through the chain as calls do: the column `Kafka` of docs/explanation/chain.md."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from opentelemetry.trace import SpanKind, StatusCode

from api.lab.v1 import Change
from pkg.bus import RetrySettings
from pkg.errors import Fault
from pkg.rpc import Auth
from tests.contract import buses, servers
from tests.contract.buses import QUICK, SOON
from tests.contract.events import CHANGED, HURRIED, RECORDED, EventLab
from tests.unit.pkg.lab_registry import registry
from tests.unit.pkg.trace.recorder import TRACE, about, ids, parent, recording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECRET = "hunter2"
CALLER = "00f067aa0ba902b7"


@pytest.fixture(params=servers.KINDS)
async def bus_lab(request: pytest.FixtureRequest, embedded_url: str) -> AsyncIterator[buses.Lab]:
    """Memory, streams of the embedded server, Kafka."""
    url = servers.address("TEST_KAFKA_URL") if request.param == servers.SERVER else embedded_url
    async with buses.lab(request.param, url) as made:
        yield made


@pytest.fixture
def lab(bus_lab: buses.Lab) -> EventLab:
    return EventLab(bus_lab)


async def test_an_event_is_handed_to_its_operation(lab: EventLab) -> None:
    await lab.send(Change(name="a", password=SECRET), x_given="g")

    async with lab.running() as events:
        await lab.done()

    assert events.requests == [Change(name="a", password=SECRET)]
    (call,) = events.calls
    assert (call.kind, call.operation.name, call.peer) == ("kafka", CHANGED, "")
    assert call.headers["x-given"] == "g"
    assert lab.lab.count("bus_handled_total") == 1


async def test_nobody_is_the_caller_and_no_policy_is_asked(lab: EventLab) -> None:
    await lab.send(Change(name="a"), authorization=f"Bearer {SECRET}")

    async with lab.running() as events:
        await lab.done()

    (call,) = events.calls
    assert call.operation.auth is Auth.PERMITTED
    assert call.principal is None
    with pytest.raises(LookupError):
        _ = call.caller


async def test_a_consumer_that_is_slow_takes_no_more_than_it_has_places_for(lab: EventLab) -> None:
    lab.service.hangs = True
    for number in range(20):
        await lab.send(Change(name=f"{number}"))

    async with lab.running(concurrency=2, prefetch=3, drain=timedelta(milliseconds=50)) as events:
        await events.until(2)
        for _ in range(20):
            await asyncio.sleep(SOON.total_seconds() / 4)
            assert len(events.calls) == 2
        in_flight = {"transport": "kafka"}
        assert lab.registry.get_sample_value("rpc_calls_in_flight", in_flight) == 2

    assert lab.lab.count("bus_dead_total") == 0, "what was not taken stays where it is"


async def test_the_request_id_is_the_senders_or_the_messages_and_the_same_for_every_try(
    lab: EventLab,
) -> None:
    await lab.send(Change(), x_request_id="r1", message_id="m1")
    async with lab.running() as events:
        await lab.done(1)
        await lab.send(Change(), message_id="m2")
        await lab.done(2)
        events.errors = [Fault("UNAVAILABLE"), Fault("UNAVAILABLE")]
        await lab.send(Change())
        await lab.done(3)

    first, second, *tries = [each.request_id for each in events.calls]
    assert (first, second) == ("r1", "m2")
    assert len(tries) == 3
    assert len(set(tries)) == 1
    assert tries[0].startswith(f"{lab.lab.topic}.")


async def test_an_inbox_can_go_by_the_same_id_however_often_the_event_comes(lab: EventLab) -> None:
    lab.service.errors = [Fault("UNAVAILABLE")]
    await lab.send(Change(), message_id="m1")
    await lab.send(Change(), message_id="m1")

    async with lab.running() as events:
        await lab.done(2)

    assert [each.headers["message-id"] for each in events.calls] == ["m1"] * 3


async def test_an_event_is_a_span_in_the_trace_of_whoever_sent_it(bus_lab: buses.Lab) -> None:
    async with recording() as recorder:
        lab = EventLab(bus_lab, recorder.tracing)
        await lab.send(Change(), traceparent=f"00-{TRACE}-{CALLER}-01")
        async with lab.running() as events:
            await lab.done()
        span = (await recorder.spans())[CHANGED]

    assert ids(span)[0] == TRACE == events.calls[0].trace_id
    assert (span.kind, parent(span)) == (SpanKind.CONSUMER, CALLER)
    assert about(span)["messaging.operation.type"] == "process"
    assert span.status.status_code is StatusCode.UNSET


async def test_a_sender_who_does_not_record_the_trace_is_heeded(bus_lab: buses.Lab) -> None:
    async with recording() as recorder:
        lab = EventLab(bus_lab, recorder.tracing)
        await lab.send(Change(), traceparent=f"00-{TRACE}-{CALLER}-00")
        async with lab.running() as events:
            await lab.done()
        assert CHANGED not in await recorder.spans()

    assert events.calls[0].trace_id == TRACE


async def test_events_are_counted_by_operation_and_reason(lab: EventLab) -> None:
    lab.service.errors = [Fault("UNAVAILABLE")]
    await lab.send(Change())

    async with lab.running():
        await lab.done()

    assert (lab.calls(CHANGED, "UNAVAILABLE"), lab.calls(CHANGED, "OK")) == (1, 1)


async def test_an_event_is_one_line_in_the_log(
    lab: EventLab, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lab.events")
    await lab.send(Change(name="a", password=SECRET))

    async with lab.running():
        await lab.done()

    (line,) = (each for each in caplog.records if each.name == "lab.events")
    assert line.getMessage() == f"{CHANGED} OK"
    assert (line.__dict__["transport"], line.__dict__["uid"]) == ("kafka", "")
    assert SECRET not in str(line.__dict__)


async def test_a_defect_is_told_once_a_try_and_tried_again(
    lab: EventLab, caplog: pytest.LogCaptureFixture
) -> None:
    lab.service.errors = [RuntimeError("a defect")]
    await lab.send(Change())

    async with lab.running() as events:
        await lab.done()

    assert len(events.calls) == 2
    assert lab.lab.count("bus_handled_total") == 1
    assert lab.calls(CHANGED, "INTERNAL") == 1
    told = [each for each in caplog.records if each.name == "lab.events" and each.exc_info]
    assert [each.getMessage() for each in told] == [f"{CHANGED} failed: RuntimeError"]


async def test_an_operation_ends_at_its_own_deadline_and_is_tried_again(lab: EventLab) -> None:
    lab.service.hangs = True
    await lab.send(Change())

    async with lab.running(HURRIED, retry=RetrySettings(attempts=2, backoff=QUICK)) as events:
        await lab.done()

    assert lab.calls(HURRIED, "DEADLINE_EXCEEDED") == len(events.calls) == 2
    assert await lab.dead() == "Fault: DEADLINE_EXCEEDED"


async def test_an_operation_has_no_more_time_than_its_subscription(lab: EventLab) -> None:
    lab.service.hangs = True
    await lab.send(Change())

    async with lab.running(timeout=timedelta(seconds=2), retry=RetrySettings(attempts=1)) as events:
        await lab.done()

    assert events.calls[0].deadline is not None
    # On a busy machine both end at once, and the try's own end is the louder one.
    assert await lab.dead() in {"Fault: DEADLINE_EXCEEDED", "TimeoutError:"}
    assert [each.reason for each in lab.records.kept] == ["DEADLINE_EXCEEDED"]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"\xff\xff", "the bytes are not such a message"),
        (Change(name="x" * 21), "name: "),
    ],
    ids=["malformed", "against a rule"],
)
async def test_what_is_no_valid_event_is_given_up_at_once_with_the_reason(
    lab: EventLab, value: Any, why: str
) -> None:
    await lab.send(value)

    async with lab.running() as events:
        await lab.done()

    assert not events.calls
    assert lab.lab.count("bus_failed_total") == 1
    reason = await lab.dead()
    assert reason.startswith("PoisonError: INVALID_ARGUMENT: ")
    assert why in reason


async def test_events_are_recorded_without_what_is_sensitive(lab: EventLab) -> None:
    await lab.send(Change(name="a", password=SECRET), message_id="m1")

    async with lab.running():
        await lab.done()

    (record,) = lab.records.kept
    assert (record.operation, record.transport, record.subject) == (CHANGED, "kafka", "")
    assert (record.reason, record.request_id, record.http_status) == ("OK", "m1", 0)
    assert orjson.loads(record.request) == {"name": "a", "password": "***"}


async def test_records_that_come_back_are_not_recorded_again(lab: EventLab) -> None:
    record = registry().schema.message("layout.v1.OperationRecord")(id="1")
    await lab.send(record.SerializeToString())

    async with lab.running(RECORDED) as events:
        await lab.done()

    assert [each.id for each in events.requests] == ["1"]
    assert not lab.records.kept


@pytest.mark.parametrize("reason", ["UNAVAILABLE", "OVERLOADED", "INTERNAL", "DEADLINE_EXCEEDED"])
async def test_a_fault_that_may_pass_is_tried_again(lab: EventLab, reason: str) -> None:
    lab.service.errors = [Fault(reason)]
    await lab.send(Change())

    async with lab.running() as events:
        await lab.done()

    assert len(events.calls) == 2
    assert lab.lab.count("bus_dead_total") == 0


@pytest.mark.parametrize("reason", ["INVALID_ARGUMENT", "PERMISSION_DENIED", "UNAUTHENTICATED"])
async def test_a_fault_that_will_not_pass_is_given_up_at_once(lab: EventLab, reason: str) -> None:
    lab.service.errors = [Fault(reason, "because")]
    await lab.send(Change())

    async with lab.running() as events:
        await lab.done()

    assert len(events.calls) == 1
    assert await lab.dead() == f"PoisonError: {reason}: because"
