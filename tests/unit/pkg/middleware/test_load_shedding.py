"""What calls tell of how many can be served, and whom shedding is about."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.middleware.load_shedding import load_shedding
from pkg.shedding import Shedder, SheddingSettings
from tests.unit.pkg.middleware.calls import Service, call, operation

if TYPE_CHECKING:
    from pkg.rpc import Call

SECOND = timedelta(seconds=1)


class Load:
    percent = 0.0


class World:
    """Five calls at a time, of a second each."""

    def __init__(self, **facts: Any) -> None:
        self.clock = FakeClock()
        self.load = Load()
        settings = SheddingSettings(min_in_flight=1, buckets=10, window=10 * SECOND)
        self.shedder = Shedder(settings, self.load, clock=self.clock)
        self.go_on = asyncio.Event()
        self.error: Exception | None = None
        self.checked = True
        self.handler = load_shedding(self.shedder)(self.serve, operation(**facts))

    async def serve(self, call: Call, payload: Any) -> str:
        await self.go_on.wait()
        if self.checked:
            call.request = payload
        if self.error is not None:
            raise self.error
        return "reply"

    async def five(self) -> list[Any]:
        calls = [asyncio.ensure_future(self.handler(call(), "payload")) for _ in range(5)]
        await asyncio.sleep(0)
        self.clock.advance(SECOND)
        self.go_on.set()
        return await asyncio.gather(*calls, return_exceptions=True)

    def limit(self) -> int:
        """As it is once the CPU is busy; 1 if nothing was told."""
        self.clock.advance(SECOND)
        self.load.percent = 100.0
        self.shedder.enter()  # so many that are never refused are in flight: the window is asked
        self.shedder.admits()
        return self.shedder.limit


async def test_calls_that_were_answered_tell_how_many_can_be() -> None:
    world = World()
    assert await world.five() == ["reply"] * 5
    assert world.shedder.in_flight == 0
    assert world.limit() == 5


@pytest.mark.parametrize(
    ("error", "checked", "limit"),
    [
        (Fault("LOGIN_FAILED"), True, 5),
        (Fault("UNAUTHENTICATED"), False, 1),
        (RuntimeError("a defect"), True, 1),
    ],
)
async def test_of_those_that_failed_only_what_the_service_itself_refused_tells(
    error: Exception, checked: bool, limit: int
) -> None:
    world = World()
    world.error, world.checked = error, checked
    assert await world.five() == [error] * 5
    assert world.shedder.in_flight == 0
    assert world.limit() == limit


async def test_a_cancelled_call_tells_nothing_and_is_no_more_in_flight() -> None:
    world = World()
    cancelled = asyncio.ensure_future(world.handler(call(), "payload"))
    await asyncio.sleep(0)
    assert world.shedder.in_flight == 1
    cancelled.cancel()
    await asyncio.wait([cancelled])
    assert cancelled.cancelled()
    assert world.shedder.in_flight == 0


async def test_a_stream_tells_nothing() -> None:
    world = World(server_streaming=True)
    await world.five()
    assert world.limit() == 1


async def test_what_comes_from_kafka_is_never_refused() -> None:
    world = World()
    world.go_on.set()
    world.load.percent = 100.0
    world.shedder.enter()
    with pytest.raises(Fault, match="OVERLOADED") as refused:
        await world.handler(call(), "payload")
    assert refused.value.metadata == {"retry_after": "1"}
    assert await world.handler(call(kind="kafka"), "payload") == "reply"


def test_a_handler_is_left_as_it_is_where_nothing_is_shed() -> None:
    service = Service()
    shedder = Shedder(SheddingSettings(enabled=False), Load(), clock=FakeClock())
    assert load_shedding(shedder)(service, operation()) is service
