"""Every call is handed to the recorder once, with how it ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.middleware.audit import audit
from pkg.proto.options import Audit
from tests.unit.pkg.middleware.calls import Service, around, call, operation, signed_in

if TYPE_CHECKING:
    from pkg.rpc import Call


class Recorded:
    """A `CallRecorder` that remembers."""

    def __init__(self) -> None:
        self.calls: list[tuple[Call, Any, str, float, float]] = []

    def record(self, call: Call, reply: Any, reason: str, begun: float, ended: float) -> None:
        self.calls.append((call, reply, reason, begun, ended))


@pytest.mark.parametrize("how", [Audit.CALL, Audit.FULL])
async def test_a_call_is_recorded_with_its_reply_and_its_time(how: Audit) -> None:
    recorded, clock, at = Recorded(), FakeClock(), signed_in()
    clock.advance(timedelta(seconds=5))

    async def serve(_call: Call, _payload: Any) -> str:
        clock.advance(timedelta(seconds=2))
        return "reply"

    assert await around(audit(recorded, clock), serve, audit=how)(at, None) == "reply"

    assert recorded.calls == [(at, "reply", "OK", 5.0, 7.0)]
    assert recorded.calls[0][0] is at


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Fault("LOGIN_FAILED"), "LOGIN_FAILED"),
        (ValueError("a defect"), "INTERNAL"),
        (asyncio.CancelledError(), "CANCELLED"),
    ],
)
async def test_a_call_that_fails_is_recorded_and_fails(error: BaseException, reason: str) -> None:
    recorded = Recorded()

    with pytest.raises(type(error)):
        await around(audit(recorded, FakeClock()), Service(error))(call(), None)

    ((_, reply, why, *_),) = recorded.calls
    assert (reply, why) == (None, reason)


async def test_a_cancellation_by_the_deadline_is_recorded_as_that() -> None:
    recorded = Recorded()
    past = call(deadline=asyncio.get_running_loop().time())
    future = call(deadline=past.deadline + 60 if past.deadline else None)
    handler = around(audit(recorded, FakeClock()), Service(asyncio.CancelledError()))

    for at in (past, future):
        with suppress(asyncio.CancelledError):
            await handler(at, None)

    assert [reason for _, _, reason, *_ in recorded.calls] == ["DEADLINE_EXCEEDED", "CANCELLED"]


def test_where_nothing_is_recorded_the_handler_is_left_alone() -> None:
    service, middleware = Service(), audit(Recorded(), FakeClock())

    assert middleware(service, operation(audit=Audit.NONE)) is service
    assert middleware(service, operation()) is not service, "what says nothing is recorded"


def test_what_takes_records_is_not_recorded_or_there_would_be_no_end() -> None:
    service = Service()

    wrapped = audit(Recorded(), FakeClock())(
        service, operation(request="layout.v1.OperationRecord", audit=Audit.FULL)
    )

    assert wrapped is service
