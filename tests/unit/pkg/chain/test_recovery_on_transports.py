"""Recovery over HTTP and gRPC: a defect is told to us, and never to the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.errors import Fault
from pkg.middleware import recovery
from tests.unit.pkg.chain.transports import Transport, every_transport

if TYPE_CHECKING:
    from pkg.rpc import Call


@every_transport
async def test_a_defect_is_told_once_and_the_caller_learns_nothing_of_it(
    transport: Transport,
) -> None:
    told: list[tuple[str, Exception]] = []

    def tell(call: Call, error: Exception) -> None:
        told.append((call.operation.name, error))

    async with transport.serving(recovery(tell)) as lab:
        lab.service.error = defect = ValueError("select * from secrets")
        outcome = await lab.call("Open")

        assert outcome.reason == "INTERNAL"
        assert "secrets" not in repr(outcome)
        assert told == [("lab.v1.ChainService/Open", defect)]

        lab.service.error = None
        assert (await lab.call("Open")).reason == "OK", "the server lives on"


@every_transport
async def test_a_fault_is_no_defect(transport: Transport) -> None:
    told: list[Exception] = []

    async with transport.serving(recovery(lambda _call, error: told.append(error))) as lab:
        lab.service.error = Fault("UNAVAILABLE")
        assert (await lab.call("Open")).reason == "UNAVAILABLE"

    assert not told
