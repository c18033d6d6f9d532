"""The same over a real server, which comes, goes and refuses."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from api.lab.strict.v1 import Line
from api.lab.strict.v1.service import StrictServiceClient
from pkg.breaker import BreakerMetrics
from pkg.client import ClientMetrics, ClientSettings, ResilientChannel, Target
from pkg.clock import SystemClock
from pkg.errors import Fault
from pkg.grpc import GrpcChannel
from pkg.rpc.overrides import OperationSettings, Overrides
from pkg.rpc.registry import Registry
from tests.unit.pkg.grpc.strict import SOON, running
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from typing import Any

    from pkg.rpc import Call, Handler, Operation

KEY = {"idempotency-key": "k"}


class Refusing:
    """A middleware that refuses so many calls before it lets one through."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = list(faults)

    def __call__(self, handler: Handler, operation: Operation, /) -> Handler:
        async def run(call: Call, payload: Any) -> Any:
            if self.faults:
                raise self.faults.pop(0)
            return await handler(call, payload)

        return run


def keyed() -> Registry:
    """The lab's registry, where Say takes a key."""
    name = "lab.strict.v1.StrictService/Say"
    settings = OperationSettings.model_validate({"idempotent": "optional"})
    plain = registry()
    return Registry(
        plain.schema,
        plain.codec,
        plain.rules,
        plain.catalogue,
        overrides=Overrides({name: settings}),
    )


def target(**settings: Any) -> Target:
    metrics = CollectorRegistry()
    return Target(
        "strict",
        keyed(),
        ClientSettings.model_validate({"backoff": {"first": "1ms", "longest": "2ms"}, **settings}),
        clock=SystemClock(),
        chance=lambda: 0.0,
        metrics=ClientMetrics(metrics),
        breakers=BreakerMetrics(metrics),
    )


async def test_a_call_that_was_refused_is_made_again() -> None:
    refusing = Refusing(Fault("UNAVAILABLE"), Fault("OVERLOADED"))
    async with running([refusing]) as run, GrpcChannel(run.target, registry()) as channel:
        client = StrictServiceClient(ResilientChannel(channel, target()))
        reply = await client.say(Line(line_text="a"), headers=KEY, timeout=SOON)
        assert reply.line_text == "A"
        refusing.faults = [Fault("UNAVAILABLE")]
        with pytest.raises(Fault, match="UNAVAILABLE"):
            await client.say(Line(line_text="a"), timeout=SOON)
    assert len(run.strict.calls) == 1


async def test_a_refusal_says_over_the_wire_when_to_come_again() -> None:
    refusing = Refusing(Fault("OVERLOADED", metadata={"retry_after": "60"}))
    async with running([refusing]) as run, GrpcChannel(run.target, registry()) as channel:
        client = StrictServiceClient(ResilientChannel(channel, target()))
        with pytest.raises(Fault, match="OVERLOADED") as found:
            await client.say(Line(line_text="a"), headers=KEY, timeout=SOON)
    assert found.value.metadata["retry_after"] == "60"
    assert run.strict.calls == []


async def test_a_target_that_is_not_there_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with GrpcChannel(f"127.0.0.1:{port}", registry()) as channel:
        client = StrictServiceClient(
            ResilientChannel(channel, target(breaker={"consecutive": 3, "openFor": "60s"}))
        )
        faults = []
        for _ in range(4):
            with pytest.raises(Fault, match="UNAVAILABLE") as found:
                await client.say(Line(line_text="a"), timeout=SOON)
            faults.append(found.value)
    assert "retry_after" not in faults[2].metadata
    assert int(faults[3].metadata["retry_after"]) > 50


async def test_every_shape_of_call_goes_through() -> None:
    async def lines(*texts: str) -> Any:
        for each in texts:
            yield Line(line_text=each)

    async with running() as run, GrpcChannel(run.target, registry()) as channel:
        client = StrictServiceClient(ResilientChannel(channel, target()))
        assert (await client.say(Line(line_text="a"))).line_text == "A"
        split = [each.line_text async for each in client.split(Line(line_text="a b"))]
        assert split == ["a", "b"]
        assert (await client.join(lines("a", "b"))).line_text == "a b"
        assert [each.line_text async for each in client.talk(lines("a", "b"))] == ["A", "B"]


async def test_the_server_learns_what_time_is_left() -> None:
    async with running() as run, GrpcChannel(run.target, registry()) as channel:
        client = StrictServiceClient(ResilientChannel(channel, target()))
        before = run.loop.time()
        await client.say(Line(line_text="a"), timeout=timedelta(seconds=60))
    (call,) = run.strict.calls
    assert call.deadline is not None
    assert before + 50 < call.deadline < run.loop.time() + 60
