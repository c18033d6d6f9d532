"""A channel that follows discovery: calls go where instances are."""

from __future__ import annotations

import asyncio
import socket
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, cast

import pytest

from api.lab.strict.v1 import Line
from api.lab.strict.v1.service import StrictServiceClient
from pkg.errors import Fault
from pkg.grpc import GrpcChannel
from pkg.grpc.balanced import BalancedChannel
from pkg.registry import Endpoint, Instance, LeastPending, MemoryRegistry, RoundRobin
from tests.unit.pkg.grpc.strict import SOON, Running, running
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator


def instance(name: str, target: str) -> Instance:
    host, _, port = target.rpartition(":")
    return Instance(id=name, service="strict", address=host, ports={"grpc": int(port)})


def opened(endpoint: Endpoint) -> GrpcChannel:
    return GrpcChannel(endpoint.address, registry())


@asynccontextmanager
async def calling(
    known: MemoryRegistry, *instances: Instance
) -> AsyncIterator[StrictServiceClient]:
    for each in instances:
        await known.register(each)
    async with BalancedChannel(known, "strict", RoundRobin(), opened) as channel:
        yield StrictServiceClient(channel)


async def say(client: StrictServiceClient, text: str) -> str:
    return (await client.say(Line(line_text=text), timeout=SOON)).line_text


async def lines(*texts: str) -> AsyncIterator[Line]:
    for text in texts:
        yield Line(line_text=text)


def calls(run: Running) -> int:
    return len(run.strict.calls)


async def test_every_kind_of_call_goes_through() -> None:
    async with (
        running() as one,
        calling(MemoryRegistry(), instance("a", one.target)) as client,
    ):
        assert await say(client, "a") == "A"
        split = [line.line_text async for line in client.split(Line(line_text="a b"), timeout=SOON)]
        assert split == ["a", "b"]
        assert (await client.join(lines("a", "b"), timeout=SOON)).line_text == "a b"
        talk = [line.line_text async for line in client.talk(lines("a", "b"), timeout=SOON)]
        assert talk == ["A", "B"]


async def test_calls_are_spread_over_the_instances() -> None:
    async with running() as one, running() as other:
        found = (instance("a", one.target), instance("b", other.target))
        async with calling(MemoryRegistry(), *found) as client:
            for _ in range(10):
                await say(client, "x")
        assert (calls(one), calls(other)) == (5, 5)


async def test_instances_may_come_and_go() -> None:
    known = MemoryRegistry()
    async with running() as one, running() as other:
        a, b = instance("a", one.target), instance("b", other.target)
        async with calling(known) as client:
            with pytest.raises(Fault, match="UNAVAILABLE") as refused:
                await say(client, "x")
            assert "no instance of strict is known" in str(refused.value.__cause__)
            await known.register(a)
            await say(client, "x")
            await known.register(b)
            await known.deregister(a)
            for _ in range(3):
                await say(client, "x")
        assert (calls(one), calls(other)) == (1, 3)


async def test_a_call_to_an_instance_that_goes_is_finished() -> None:
    known = MemoryRegistry()
    async with running() as one, running() as other:
        a, b = instance("a", one.target), instance("b", other.target)
        async with calling(known, a) as client:
            waiting = asyncio.create_task(say(client, "wait"))
            await one.there(one.strict.entered)
            await known.deregister(a)
            await known.register(b)
            assert await say(client, "x") == "X"
            one.let_go_on()
            assert await waiting == "WAIT"


async def test_an_instance_that_cannot_be_connected_to_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        dead = f"127.0.0.1:{taken.getsockname()[1]}"
    async with running() as one:
        found = (instance("a", one.target), instance("b", dead))
        async with calling(MemoryRegistry(), *found) as client:
            answers = [await answer(client) for _ in range(20)]
        assert answers.count("UNAVAILABLE") == 1
        assert answers.count("X") == 19


async def answer(client: StrictServiceClient) -> str:
    try:
        return await say(client, "x")
    except Fault as fault:
        return fault.reason


async def test_leaving_a_stream_cancels_the_call_and_frees_its_instance() -> None:
    known, balancer = MemoryRegistry(), LeastPending(lambda: 0.0)
    async with running() as one:
        await known.register(instance("a", one.target))
        async with BalancedChannel(known, "strict", balancer, opened) as channel:
            replies = channel.unary_stream(
                "lab.strict.v1.StrictService/Split",
                Line(line_text="a wait"),
                Line,
                Line,
                timeout=SOON,
                headers=None,
            )
            async with aclosing(cast("AsyncGenerator[Line, None]", replies)):
                assert (await anext(replies)).line_text == "a"
            await one.there(one.strict.closed)
            with balancer.lease([Endpoint("a", "h", 1), Endpoint("b", "h", 1)]) as next_one:
                assert next_one.id == "a"


async def test_a_channel_that_is_not_open_says_so() -> None:
    async with calling(MemoryRegistry()) as client:
        pass
    with pytest.raises(RuntimeError, match="the channel to strict is not open"):
        await say(client, "x")
