"""What the other tests of the chain rely on: both transports tell the same of the same call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.lab.v1 import Glance, Task
from pkg.errors import Fault
from pkg.middleware import authentication
from tests.unit.pkg.chain.transports import (
    CLIENT,
    Callers,
    GrpcTransport,
    Transport,
    every_streaming_transport,
    every_transport,
    signed_in,
)

if TYPE_CHECKING:
    from pkg.rpc import Call, Handler, Operation


def labelled(handler: Handler, _operation: Operation, /) -> Handler:
    """Sends a header with every reply."""

    async def labels(call: Call, payload: Any) -> Any:
        call.reply_headers.append(("x-label", "chain"))
        return await handler(call, payload)

    return labels


@every_transport
async def test_a_call_goes_through_the_chain_and_back(transport: Transport) -> None:
    async with transport.serving(labelled) as lab:
        outcome = await lab.call("Open", Task(name="a", count=2), headers={"x-given": "g"})
        assert (outcome.reason, outcome.reply.name, outcome.reply.times) == ("OK", "a", 1)
        assert outcome.headers["x-label"] == "chain"
        call = lab.service.calls[0]
        assert (call.kind, call.peer, call.language) == (transport.kind, CLIENT, "en")
        assert call.headers["x-given"] == "g"
        assert lab.service.requests == [Task(name="a", count=2)]


@every_transport
async def test_a_get_takes_its_message_from_path_and_query(transport: Transport) -> None:
    async with transport.serving() as lab:
        assert (await lab.call("KeptForAll", Glance(name="a b/c", count=3))).reason == "OK"
        assert lab.service.requests == [Glance(name="a b/c", count=3)]


@every_transport
async def test_a_refusal_is_told_in_the_callers_language(transport: Transport) -> None:
    async with transport.serving(labelled, authentication(Callers())) as lab:
        for language, text in (("en", "Invalid token"), ("zh", "token无效")):
            outcome = await lab.call("Mine", language=language)
            assert (outcome.reason, outcome.text) == ("UNAUTHENTICATED", text)
            assert outcome.headers["x-label"] == "chain"
        assert (await lab.call("Mine", headers=signed_in("nobody"))).reason == "UNAUTHENTICATED"
        assert (await lab.call("Mine", headers=signed_in("al", "acme"))).reason == "OK"
        assert [call.caller.tenant for call in lab.service.calls] == ["acme"]


@every_transport
async def test_what_is_wrong_with_a_field_and_what_the_service_raises(transport: Transport) -> None:
    async with transport.serving() as lab:
        wrong = await lab.call("Open", Task(name="x" * 21))
        assert (wrong.reason, list(wrong.violations)) == ("INVALID_ARGUMENT", ["name"])
        lab.service.error = Fault("OVERLOADED", metadata={"retry_after": "2"})
        assert (await lab.call("Open")).reason == "OVERLOADED"
        lab.service.error = RuntimeError("secret")
        broken = await lab.call("Open")
        assert broken.reason == "INTERNAL"
        assert "secret" not in str(broken)


@every_streaming_transport
async def test_a_stream_is_heard_to_its_end(transport: GrpcTransport) -> None:
    async with transport.serving(labelled, authentication(Callers())) as lab:
        outcome = await lab.watch(Glance(name="a", count=2), headers=signed_in("alice"))
        assert [each.times for each in outcome.replies] == [1, 2]
        assert outcome.headers["x-label"] == "chain"
        lab.service.error = Fault("UNAVAILABLE")
        broken = await lab.watch(Glance(name="a", count=1), headers=signed_in("alice"))
        assert (len(broken.replies), broken.reason) == (1, "UNAVAILABLE")
        assert (await lab.watch(Glance())).reason == "UNAUTHENTICATED"
