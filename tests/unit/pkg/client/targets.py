"""A channel whose target does what a script says, and a resilient channel around it."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from api.lab.v1 import Done, Glance, Task
from api.lab.v1.service import ChainServiceClient
from pkg.breaker import BreakerMetrics
from pkg.client import ClientMetrics, ClientSettings, ResilientChannel, Target
from pkg.clock import FakeClock
from pkg.errors import Fault
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

SERVICE = "lab.v1.ChainService"


class Scripted:
    """A `pkg.rpc.Channel`; each call takes the next outcome, and is a success without one.

    An outcome is an exception, a number of seconds that pass before it is too late, or a list: the
    replies of a stream, where an exception ends it.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.script: deque[Any] = deque()
        self.given: list[timedelta] = []
        """The timeout of each call that was made."""
        self.sent: list[str] = []
        self.closed = 0
        self.hangs = asyncio.Event()

    async def unary_unary(self, operation: str, request: Any, *_: Any, **more: Any) -> Any:
        return await self._one(more["timeout"])

    async def stream_unary(
        self, operation: str, requests: AsyncIterable[Any], *_: Any, **more: Any
    ) -> Any:
        self.sent += [each.name async for each in requests]
        return await self._one(more["timeout"])

    def unary_stream(self, operation: str, request: Any, *_: Any, **more: Any) -> Any:
        return self._many(more["timeout"])

    async def stream_stream(
        self, operation: str, requests: AsyncIterable[Any], *_: Any, **more: Any
    ) -> Any:
        self.sent += [each.name async for each in requests]
        async for each in self._many(more["timeout"]):
            yield each

    async def _one(self, given: timedelta) -> Done:
        self.given.append(given)
        outcome = self.script.popleft() if self.script else None
        if isinstance(outcome, Exception):
            raise outcome
        if outcome == "hang":
            self.hangs.set()
            await asyncio.Event().wait()
        if isinstance(outcome, int | float):
            self.clock.advance(timedelta(seconds=outcome))
            raise Fault("DEADLINE_EXCEEDED")
        return Done(name="done")

    async def _many(self, given: timedelta) -> AsyncIterator[Done]:
        self.given.append(given)
        outcome = self.script.popleft() if self.script else []
        try:
            for each in outcome:
                if isinstance(each, Exception):
                    raise each
                yield Done(name=each)
        finally:
            self.closed += 1


class Lab:
    """A client of ChainService, and what the tests look at."""

    def __init__(self, **settings: Any) -> None:
        self.clock = FakeClock()
        self.pauses: list[float] = []
        self.there = Scripted(self.clock)
        self.metrics = CollectorRegistry()
        self.target = Target(
            "lab",
            registry(),
            ClientSettings.model_validate(settings),
            clock=self.clock,
            chance=lambda: 0.0,
            metrics=ClientMetrics(self.metrics),
            breakers=BreakerMetrics(self.metrics),
        )
        self.channel = ResilientChannel(self.there, self.target, self._pause)
        self.client = ChainServiceClient(self.channel)

    async def _pause(self, time: timedelta) -> None:
        self.pauses.append(time.total_seconds())
        self.clock.advance(time)

    def will(self, *outcomes: Any) -> None:
        self.there.script.extend(outcomes)

    @property
    def calls(self) -> int:
        return len(self.there.given)

    def value(self, series: str, **labels: str) -> float | None:
        return self.metrics.get_sample_value(series, labels)

    async def look(self, **more: Any) -> Done:
        """A call that changes nothing."""
        return await self.client.kept_for_all(Glance(name="a"), **more)

    async def change(self, **more: Any) -> Done:
        """A call that may be made once."""
        return await self.client.open(Task(name="a"), **more)


def gone(**metadata: str) -> Fault:
    return Fault("UNAVAILABLE", metadata=metadata)


async def tasks(*names: str) -> AsyncIterator[Task]:
    for name in names:
        yield Task(name=name)
