"""The request id over HTTP and gRPC: the caller's, or a new one, and sent back."""

from __future__ import annotations

import pytest

from pkg.middleware import request_id
from pkg.tokens import SystemTokens
from tests.unit.pkg.chain.transports import Transport, every_transport

HEADER = "x-request-id"


@every_transport
async def test_the_callers_id_is_taken_and_sent_back(transport: Transport) -> None:
    async with transport.serving(request_id(SystemTokens())) as lab:
        outcome = await lab.call("Open", headers={HEADER: "r-1.a_B"})

        assert outcome.headers[HEADER] == "r-1.a_B"
        assert lab.service.calls[0].request_id == "r-1.a_B"


@every_transport
async def test_without_one_every_call_has_its_own(transport: Transport) -> None:
    async with transport.serving(request_id(SystemTokens())) as lab:
        ids = [(await lab.call("Open")).headers[HEADER] for _ in range(3)]

        assert ids == [each.request_id for each in lab.service.calls]
        assert len(set(ids)) == 3


@every_transport
@pytest.mark.parametrize("given", ["a b", "x" * 129, "a/b", '"'])
async def test_what_is_no_id_is_replaced(transport: Transport, given: str) -> None:
    async with transport.serving(request_id(SystemTokens())) as lab:
        outcome = await lab.call("Open", headers={HEADER: given})

        assert outcome.headers[HEADER] == lab.service.calls[0].request_id != given


@every_transport
async def test_a_refusal_has_the_id_too(transport: Transport) -> None:
    async with transport.serving(request_id(SystemTokens())) as lab:
        lab.service.error = ValueError("a defect")
        outcome = await lab.call("Open", headers={HEADER: "r1"})

        assert (outcome.reason, outcome.headers[HEADER]) == ("INTERNAL", "r1")
