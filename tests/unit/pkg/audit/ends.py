"""Calls that have ended, and what records them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

import api.lab.v1  # noqa: F401 - puts the classes into the pool
from api.layout.v1 import OperationRecord
from pkg.alert import MemoryAlerts
from pkg.audit import (
    AuditMetrics,
    AuditSettings,
    MemorySink,
    NotWrittenError,
    Recorder,
    RecordWriter,
)
from pkg.audit.writer import Ended
from pkg.backoff import Backoff, BackoffSettings
from pkg.clock import FakeClock
from pkg.proto.options import Audit
from pkg.rpc import Call, Operation, Principal
from pkg.tokens import FakeTokens
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from pkg.audit import AuditSink, Record

ALICE = Principal("u1", "alice", "user", "t1", "s1", 2e9, "acme")
PATIENCE = 30.0
"""Seconds until a test gives up."""


def operation(**changes: Any) -> Operation:
    facts: dict[str, Any] = {
        "name": "lab.v1.ChainService/Mine",
        "request": "lab.v1.Task",
        "response": "lab.v1.Done",
    }
    return Operation(**(facts | changes))


def call(on: Operation | None = None, **changes: Any) -> Call:
    facts: dict[str, Any] = {
        "kind": "http",
        "operation": on or operation(),
        "headers": {"user-agent": "probe/1", "authorization": "Bearer hunter2"},
        "peer": "192.0.2.1",
        "language": "en",
        "trace_id": "a" * 32,
        "request_id": "r1",
        "principal": ALICE,
    }
    return Call(**(facts | changes))


def writer(clock: FakeClock | None = None, *, max_body: int = 4096) -> RecordWriter:
    return RecordWriter(
        registry(),
        service="lab",
        max_body=max_body,
        clock=clock or FakeClock(),
        tokens=FakeTokens(),
    )


def told(record: Record) -> OperationRecord:
    """What a record says."""
    found = OperationRecord.parse(record.message)
    assert (found.id, found.subject) == (record.id, record.subject)
    return found


def written(
    call: Call, reply: Any = None, reason: str = "OK", *, max_body: int = 4096
) -> OperationRecord:
    """What the record of a call says that took no time."""
    return told(writer(max_body=max_body).write(Ended(call, reply, reason, 0, 0)))


def of_message(name: str, message: Any, *, max_body: int = 4096) -> OperationRecord:
    """The same of a call whose request this is."""
    on = operation(request=name, audit=Audit.FULL)
    return written(call(on, request=message), max_body=max_body)


def request_ids(records: Iterable[Record]) -> list[str]:
    return [told(each).request_id for each in records]


class Gate:
    """A sink that can be held, and told how to fail."""

    def __init__(self) -> None:
        self.kept: list[Record] = []
        self.batches: list[int] = []
        self.asked = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.refused: set[str] = set()
        self.broken: Exception | None = None

    async def write(self, records: Sequence[Record]) -> None:
        self.asked.set()
        self.batches.append(len(records))
        await self.open.wait()
        if self.broken is not None:
            raise self.broken
        refused = [each for each in records if told(each).request_id in self.refused]
        self.kept += [each for each in records if each not in refused]
        if refused:
            raise NotWrittenError("never", left=(), refused=refused)


class World:
    """A recorder with everything around it."""

    def __init__(
        self, sink: AuditSink | None = None, linger: timedelta = timedelta(), **settings: Any
    ) -> None:
        """`linger` may be longer than a setting."""
        self.clock = FakeClock()
        self.memory = MemorySink()
        self.alerts = MemoryAlerts()
        self.registry = CollectorRegistry()
        self.pauses = 0
        self.paused = asyncio.Event()
        self.recorder = Recorder(
            sink or self.memory,
            writer(self.clock),
            AuditSettings(**settings).model_copy(update={"linger": linger}),
            backoff=Backoff(BackoffSettings(), lambda: 0.5),
            metrics=AuditMetrics(self.registry),
            alerts=self.alerts,
            clock=self.clock,
            pause=self._pause,
        )

    async def _pause(self, _time: timedelta) -> None:
        self.pauses += 1
        self.paused.set()
        await asyncio.sleep(0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Recorder]:
        await self.recorder.start()
        try:
            yield self.recorder
        finally:
            await self.recorder.stop()

    def record(self, request_id: str = "r1", **changes: Any) -> None:
        self.recorder.record(call(request_id=request_id, **changes), None, "OK", 0.0, 0.0)

    async def until_paused(self, times: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.pauses < times:  # noqa: ASYNC110 - turns of the loop, not time
                await asyncio.sleep(0)

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    def dropped(self, why: str) -> float:
        return self.count("audit_dropped_total", why=why)


async def turns(count: int = 5) -> None:
    """Let others have their turn on the loop."""
    for _ in range(count):
        await asyncio.sleep(0)
