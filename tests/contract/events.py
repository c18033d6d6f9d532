"""LabEvents behind the chain for events, on any bus."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry

from api.google.protobuf import Empty
from api.lab.v1.service import lab_events
from api.layout.v1 import OperationRecord
from pkg.audit import RecordWriter
from pkg.audit.writer import Ended
from pkg.bus import Message
from pkg.bus.dead_letter import REASON
from pkg.bus.rpc import steps_of
from pkg.clock import SystemClock
from pkg.log import LoggedLines
from pkg.middleware import (
    CallMetrics,
    deadline,
    log,
    log_error,
    metrics,
    recovery,
    request_id,
    tracing,
    validation,
)
from pkg.middleware.audit import audit
from pkg.tokens import SystemTokens
from tests.contract.buses import PATIENCE, SOON
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from api.lab.v1 import Change
    from pkg.rpc import Call, Middleware
    from pkg.trace import Tracer
    from tests.contract.buses import Lab

CHANGED: Final = "lab.v1.LabEvents/Changed"
HURRIED: Final = "lab.v1.LabEvents/Hurried"
RECORDED: Final = "lab.v1.LabEvents/Recorded"


class Events:
    """Implements LabEvents: remembers, and does as it is told."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.calls: list[Call] = []
        self.errors: list[BaseException] = []
        """Raised, one after the other, before anything goes well."""
        self.hangs = False
        self.changes = asyncio.Condition()

    async def changed(self, request: Change | OperationRecord, call: Call, /) -> Empty:
        """Remember it."""
        async with self.changes:
            self.requests.append(request)
            self.calls.append(call)
            self.changes.notify_all()
        if self.hangs:
            await asyncio.Event().wait()
        if self.errors:
            raise self.errors.pop(0)
        return Empty()

    hurried = recorded = changed

    async def until(self, count: int) -> None:
        """Return when it was called so often."""
        async with asyncio.timeout(PATIENCE), self.changes:
            await self.changes.wait_for(lambda: len(self.calls) >= count)


class Records:
    """Makes records at once, and keeps them."""

    def __init__(self) -> None:
        self.kept: list[OperationRecord] = []
        self._writer = RecordWriter(
            registry(), service="lab", max_body=4096, clock=SystemClock(), tokens=SystemTokens()
        )

    def record(self, call: Call, reply: Any, reason: str, begun: float, ended: float) -> None:
        """Keep a call's record."""
        record = self._writer.write(Ended(call, reply, reason, begun, ended))
        self.kept.append(OperationRecord.parse(record.message))


class EventLab:
    """What stands around the events of one test."""

    def __init__(self, lab: Lab, tracer: Tracer | None = None) -> None:
        self.lab = lab
        self.service = Events()
        self.records = Records()
        self.registry = CollectorRegistry()
        self.log = logging.getLogger("lab.events")
        clock = SystemClock()
        self.chain: tuple[Middleware, ...] = (
            request_id(SystemTokens()),
            *([] if tracer is None else [tracing(tracer, registry().catalogue)]),
            metrics(CallMetrics(self.registry), clock),
            log(LoggedLines(self.log), clock),
            recovery(log_error(self.log)),
            deadline(timedelta(seconds=30)),
            audit(self.records, clock),
            validation(),
        )

    @asynccontextmanager
    async def running(self, name: str = CHANGED, **settings: Any) -> AsyncIterator[Events]:
        """A subscription that hands the lab's topic to one operation."""
        steps = steps_of(lab_events(self.service), registry(), self.chain, SystemTokens())
        async with self.lab.running(steps, func=(name,), **settings):
            yield self.service

    async def send(self, change: Change | bytes, **headers: str) -> None:
        """Put an event on the bus."""
        value = (
            change
            if isinstance(change, bytes)
            else registry().codec.encoder("lab.v1.Change")(change)
        )
        named = tuple((name.replace("_", "-"), text.encode()) for name, text in headers.items())
        await self.lab.producer.send(Message(topic=self.lab.topic, value=value, headers=named))

    async def dead(self) -> str:
        """Why the one message was given up that lies on the dead-letter topic."""
        async with self.lab.member("undertakers", topic=self.lab.dead) as member:
            (letter,) = await member.read(1)
        return (letter.message.header(REASON) or b"").decode()

    async def done(self, count: int = 1) -> None:
        """Return when so many messages are done with, one way or the other."""
        async with asyncio.timeout(PATIENCE):
            while self._done < count:  # noqa: ASYNC110 - metrics tell no event
                await asyncio.sleep(SOON.total_seconds())

    @property
    def _done(self) -> float:
        return self.lab.count("bus_handled_total") + self.lab.count("bus_dead_total")

    def calls(self, name: str, reason: str) -> float:
        """How many calls of an operation ended like this."""
        labels = {"transport": "kafka", "operation": name, "reason": reason}
        return self.registry.get_sample_value("rpc_calls_total", labels) or 0.0
