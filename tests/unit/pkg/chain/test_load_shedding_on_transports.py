"""Overload, as callers over HTTP and gRPC meet it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from api.lab.v1 import Glance
from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.middleware import authentication
from pkg.middleware.load_shedding import load_shedding
from pkg.shedding import Shedder, SheddingSettings
from tests.unit.pkg.chain.transports import (
    Callers,
    GrpcTransport,
    Served,
    Transport,
    every_streaming_transport,
    every_transport,
    signed_in,
)

if TYPE_CHECKING:
    from pkg.rpc import Call, Handler, Operation


class Busy:
    """A `Load` at its limit."""

    percent = 100.0


def shedder(**settings: Any) -> Shedder:
    facts = {"min_in_flight": 2, "retry_after": timedelta(seconds=3), **settings}
    return Shedder(SheddingSettings(**facts), Busy(), clock=FakeClock())


class Ends:
    """A middleware that tells when a call has ended."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    def __call__(self, handler: Handler, _operation: Operation, /) -> Handler:
        async def told(call: Call, payload: Any) -> Any:
            self.ended.clear()
            try:
                return await handler(call, payload)
            finally:
                self.ended.set()

        return told


async def waiting(lab: Served, calls: int) -> list[asyncio.Task[Any]]:
    """Calls that have come through to the service, and wait there."""
    made = []
    for _ in range(calls):
        lab.service.hold()
        made.append(asyncio.create_task(lab.call("Open")))
        await lab.service.entered.wait()
    return made


@every_transport
async def test_what_is_above_the_limit_is_refused_at_once_and_told_when_to_come_back(
    transport: Transport,
) -> None:
    made = shedder()
    async with transport.serving(load_shedding(made), authentication(Callers())) as lab:
        held = await waiting(lab, 2)
        refused = await lab.call("Mine")
        chinese = await lab.call("Mine", language="zh")
        lab.service.go_on.set()
        assert [outcome.reason for outcome in await asyncio.gather(*held)] == ["OK", "OK"]
        assert (await lab.call("Open")).reason == "OK"
    assert refused.reason == "OVERLOADED"  # and not UNAUTHENTICATED: nothing else was done for it
    assert refused.headers["retry-after"] == "3"
    assert refused.text == "Service overloaded, try again later"
    assert chinese.text == "服务繁忙，请稍后再试"
    assert made.in_flight == 0
    if transport.kind == "http":
        assert refused.status == 503
    else:
        assert refused.status == 14
        assert refused.details["RetryInfo"].retry_delay.seconds == 3


@every_transport
async def test_a_call_is_in_flight_until_it_ends_however_it_ends(transport: Transport) -> None:
    made, ends = shedder(), Ends()
    async with transport.serving(ends, load_shedding(made)) as lab:
        for error in (None, Fault("UNAVAILABLE"), RuntimeError("broken")):
            lab.service.error = error
            await lab.call("Open")
            assert made.in_flight == 0
        held = await waiting(lab, 1)
        assert made.in_flight == 1
        held[0].cancel()
        await asyncio.wait(held)
        await asyncio.wait_for(ends.ended.wait(), 5)  # gRPC tells its server in its own time
        assert made.in_flight == 0


@every_transport
async def test_without_shedding_nothing_is_refused(transport: Transport) -> None:
    made = shedder(enabled=False)
    async with transport.serving(load_shedding(made)) as lab:
        held = await waiting(lab, 5)
        lab.service.go_on.set()
        assert [outcome.reason for outcome in await asyncio.gather(*held)] == ["OK"] * 5


@every_streaming_transport
async def test_a_stream_is_refused_like_a_call_and_not_counted(transport: GrpcTransport) -> None:
    made = shedder(min_in_flight=1)
    async with transport.serving(load_shedding(made), authentication(Callers())) as lab:
        lab.service.hold()
        stream = asyncio.create_task(lab.watch(Glance(count=2), headers=signed_in("alice")))
        await lab.service.entered.wait()
        assert made.in_flight == 0
        held = await waiting(lab, 1)
        refused = await lab.watch(Glance(count=2), headers=signed_in("alice"))
        lab.service.go_on.set()
        assert len((await stream).replies) == 2
        assert [outcome.reason for outcome in await asyncio.gather(*held)] == ["OK"]
    assert (refused.reason, refused.replies) == ("OVERLOADED", [])
