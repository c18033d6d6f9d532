"""Authentication over HTTP and gRPC: who calls is known, or the call is refused."""

from __future__ import annotations

import pytest

from api.lab.v1 import Task
from pkg.middleware import authentication
from tests.unit.pkg.chain.transports import Callers, Transport, every_transport, signed_in


@every_transport
async def test_a_caller_with_a_valid_token_is_known_to_the_service(transport: Transport) -> None:
    async with transport.serving(authentication(Callers())) as lab:
        assert (await lab.call("Mine", headers=signed_in("alice", "acme"))).reason == "OK"
        (call,) = lab.service.calls

    assert (call.caller.subject, call.caller.tenant) == ("alice", "acme")


@every_transport
@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "alice"}, {"authorization": "Basic YTpi"}, signed_in("nobody")],
    ids=["none", "no scheme", "basic", "refused"],
)
@pytest.mark.parametrize("method", ["Mine", "Guarded"])
async def test_a_caller_without_one_is_refused_before_anything_is_read(
    transport: Transport, headers: dict[str, str], method: str
) -> None:
    async with transport.serving(authentication(Callers())) as lab:
        outcome = await lab.call(method, Task(name="x" * 21), headers=headers)

        assert (outcome.reason, outcome.violations) == ("UNAUTHENTICATED", {})
        assert not lab.service.calls


@every_transport
async def test_a_public_operation_looks_at_no_token(transport: Transport) -> None:
    async with transport.serving(authentication(Callers())) as lab:
        assert (await lab.call("Open", headers=signed_in("nobody"))).reason == "OK"
        assert lab.service.calls[0].principal is None
