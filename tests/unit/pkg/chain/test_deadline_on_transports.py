"""The deadline over HTTP and gRPC: a call that takes too long ends, and the caller is told."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import grpc.aio
import pytest

from api.lab.v1 import Task
from pkg.middleware import deadline
from tests.unit.pkg.chain.transports import GrpcServed, GrpcTransport, Transport, every_transport
from tests.unit.pkg.lab_registry import registry

LONG = timedelta(seconds=30)
SHORT = timedelta(milliseconds=50)


@every_transport
async def test_a_call_ends_at_the_default_deadline(transport: Transport) -> None:
    async with transport.serving(deadline(SHORT)) as lab:
        lab.service.hold()
        assert (await lab.call("Open")).reason == "DEADLINE_EXCEEDED"


@every_transport
async def test_an_operation_has_its_own_timeout(transport: Transport) -> None:
    async with transport.serving(deadline(LONG)) as lab:
        lab.service.hold()
        assert (await lab.call("Quick")).reason == "DEADLINE_EXCEEDED"


@every_transport
async def test_what_is_left_is_known_to_the_service(transport: Transport) -> None:
    async with transport.serving(deadline(LONG)) as lab:
        before = asyncio.get_running_loop().time()
        assert (await lab.call("Open")).reason == "OK"
        (call,) = lab.service.calls

    assert call.deadline is not None
    assert before < call.deadline <= asyncio.get_running_loop().time() + LONG.total_seconds()


@every_transport
async def test_the_handler_is_cancelled_and_the_server_goes_on(transport: Transport) -> None:
    async with transport.serving(deadline(SHORT)) as lab:
        lab.service.hold()
        await lab.call("Open")
        lab.service.go_on.set()
        assert (await lab.call("Open", Task(name="a"))).reply.name == "a"


async def test_the_callers_own_deadline_holds_where_it_is_nearer() -> None:
    async with GrpcTransport().serving(deadline(LONG)) as lab:
        assert isinstance(lab, GrpcServed)
        codec = registry().codec
        stub = lab.channel.unary_unary(
            "/lab.v1.ChainService/Open",
            codec.encoder("lab.v1.Task"),
            codec.decoder("lab.v1.Done"),
        )
        before = asyncio.get_running_loop().time()
        await stub(Task(), timeout=5)
        (call,) = lab.service.calls
        assert call.deadline is not None
        assert call.deadline <= before + 6
        lab.service.hold()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub(Task(), timeout=0.05)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
