"""Validation over HTTP and gRPC: the service sees messages that keep their rules, or nothing."""

from __future__ import annotations

from typing import Any

import grpc.aio
import pytest

from api.lab.v1 import Glance, Task
from tests.unit.pkg.chain.transports import GrpcTransport, HttpTransport, Transport, every_transport


@every_transport
async def test_the_service_sees_the_message_and_so_does_the_call(transport: Transport) -> None:
    async with transport.serving() as lab:
        await lab.call("Open", Task(name="a", count=2))

        assert lab.service.requests == [Task(name="a", count=2)]
        assert lab.service.calls[0].request is lab.service.requests[0]


@every_transport
@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "must be at most 20 characters"), ("zh", "长度不能超过 20 个字符")],
)
async def test_what_breaks_a_rule_is_told_by_field_in_the_callers_language(
    transport: Transport, language: str, text: str
) -> None:
    async with transport.serving() as lab:
        outcome = await lab.call("Open", Task(name="x" * 21), language=language)

        assert (outcome.reason, outcome.violations) == ("INVALID_ARGUMENT", {"name": text})
        assert not lab.service.calls


@every_transport
async def test_what_breaks_a_rule_in_a_path_is_told_too(transport: Transport) -> None:
    async with transport.serving() as lab:
        outcome = await lab.call("KeptForAll", Glance(name="x" * 21))

        assert (outcome.reason, list(outcome.violations)) == ("INVALID_ARGUMENT", ["name"])


async def test_what_is_malformed_is_refused_over_http() -> None:
    async with HttpTransport().serving() as lab:
        answer = await lab.client.post(
            "/v1/lab/chain/open", content=b"{", headers={"content-type": "application/json"}
        )

        assert answer.json()["type"].endswith("INVALID_ARGUMENT")
        assert not lab.service.calls


async def test_what_is_malformed_is_refused_over_grpc() -> None:
    async with GrpcTransport().serving() as lab:
        call: Any = lab.channel.unary_unary("/lab.v1.ChainService/Open")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"\xff\xff")

        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert not lab.service.calls
