"""What every sink of operation records does."""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from api.layout.v1 import OperationRecord
from pkg.audit import AuditSink, LogSink, MemorySink, NotWrittenError, Record
from pkg.audit.bus import BusSink
from pkg.bus import MESSAGE_ID
from pkg.bus.memory import MemoryBus
from pkg.clock import FakeClock
from tests.contract import buses, servers
from tests.unit.pkg.lab_registry import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from pkg.bus import Message
    from tests.contract.buses import Lab

FULL = OperationRecord(
    id="0" * 32,
    time=datetime(2026, 5, 6, 7, 8, 9, 123456, UTC),
    service="user",
    operation="lab.v1.ChainService/Mine",
    transport="http",
    peer="192.0.2.1",
    user_agent="probe/1",
    subject="u1",
    name="爱丽丝",
    role="user",
    tenant="acme",
    request_id="r1",
    trace_id="a" * 32,
    reason="PERMISSION_DENIED",
    code=4006,
    http_status=403,
    duration=timedelta(seconds=1, microseconds=500),
    request='{"name":"好"}',
    request_truncated=True,
    reply="{}",
    reply_truncated=True,
)


def of(message: OperationRecord) -> Record:
    return Record(message.id, message.subject, bytes(message))


def but(**changes: Any) -> Record:
    """The full record, but for these."""
    return of(replace(FULL, **changes))


WHOLE = of(FULL)


class Place(Protocol):
    """A sink, and what it has kept."""

    keeps_order_of: str
    """`all` records, or those of a `subject`."""

    @property
    def sink(self) -> AuditSink:
        """What is under test."""
        ...

    async def kept(self, count: int) -> Sequence[Record]:
        """The records, when there are so many."""
        ...


class MemoryPlace:
    keeps_order_of = "all"

    def __init__(self) -> None:
        self.sink = MemorySink()

    async def kept(self, count: int) -> Sequence[Record]:
        assert len(self.sink.kept) == count
        return list(self.sink.kept)


class LogPlace(logging.Handler):
    keeps_order_of = "all"

    def __init__(self) -> None:
        super().__init__()
        logger = logging.Logger("audit")
        logger.addHandler(self)
        self.sink = LogSink(logger, registry().schema)
        self.lines: list[Record] = []

    def emit(self, record: logging.LogRecord) -> None:
        names = (each.name for each in fields(OperationRecord) if each.name != "_unknown_fields")
        found = {name: getattr(record, f"audit_{name}") for name in names}
        self.lines.append(of(OperationRecord(**found)))

    async def kept(self, count: int) -> Sequence[Record]:
        assert len(self.lines) == count
        return self.lines


class BusPlace:
    keeps_order_of = "subject"

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.sink = BusSink(lab.producer, lab.topic)
        self.messages: list[Message] = []

    async def kept(self, count: int) -> Sequence[Record]:
        async with self.lab.member("auditors") as member:
            self.messages = [each.message for each in await member.read(count)]
        return [of(OperationRecord.parse(each.value)) for each in self.messages]


@asynccontextmanager
async def _place(kind: str, embedded_url: str) -> AsyncIterator[Place]:
    if kind == "memory":
        yield MemoryPlace()
    elif kind == "log":
        yield LogPlace()
    else:
        url = servers.address("TEST_KAFKA_URL") if kind == "kafka" else embedded_url
        kinds = {"memory bus": servers.MEMORY, "streams": servers.EMBEDDED, "kafka": servers.SERVER}
        async with buses.lab(kinds[kind], url) as lab:
            yield BusPlace(lab)


KINDS = (
    "memory",
    "log",
    "memory bus",
    "streams",
    pytest.param("kafka", marks=pytest.mark.integration),
)


@pytest.fixture(params=KINDS)
async def place(request: pytest.FixtureRequest, embedded_url: str) -> AsyncIterator[Place]:
    """Memory, the log, and the bus: in memory, on streams of the embedded server, Kafka."""
    async with _place(request.param, embedded_url) as made:
        yield made


@pytest.fixture(params=KINDS[2:])
async def bus_place(request: pytest.FixtureRequest, embedded_url: str) -> AsyncIterator[BusPlace]:
    """The bus alone."""
    async with _place(request.param, embedded_url) as made:
        assert isinstance(made, BusPlace)
        yield made


def some(count: int) -> list[Record]:
    return [but(id=uuid.uuid4().hex, subject=f"u{n % 3}") for n in range(count)]


async def test_a_record_is_kept_whole(place: Place) -> None:
    await place.sink.write([WHOLE])

    assert await place.kept(1) == [WHOLE]


async def test_a_record_that_says_little_is_kept_too(place: Place) -> None:
    little = of(
        OperationRecord(
            id="1" * 32,
            time=FULL.time,
            service="user",
            operation="lab.v1.ChainService/Open",
            transport="grpc",
            reason="OK",
            duration=timedelta(),
        )
    )

    await place.sink.write([little])

    assert await place.kept(1) == [little]


async def test_the_records_of_one_subject_stay_in_order(place: Place) -> None:
    records = some(60)

    for start in range(0, 60, 20):
        await place.sink.write(records[start : start + 20])

    kept = await place.kept(60)
    if place.keeps_order_of == "all":
        assert kept == records
    for subject in ("u0", "u1", "u2"):
        assert [r for r in kept if r.subject == subject] == [
            r for r in records if r.subject == subject
        ]


async def test_none_is_nothing_to_write(place: Place) -> None:
    await place.sink.write([])
    await place.sink.write([WHOLE])

    assert await place.kept(1) == [WHOLE]


async def test_on_the_bus_the_key_is_the_subject_and_the_id_names_the_message(
    bus_place: BusPlace,
) -> None:
    nobody = but(id="2" * 32, subject="")

    await bus_place.sink.write([WHOLE, nobody])

    await bus_place.kept(2)
    keys = {each.header(MESSAGE_ID): each.key for each in bus_place.messages}
    assert keys == {b"0" * 32: b"u1", b"2" * 32: None}


async def test_what_the_bus_will_never_take_is_refused_and_the_others_are_kept(
    bus_place: BusPlace,
) -> None:
    large = but(id="3" * 32, request="x" * (3 << 20))

    with pytest.raises(NotWrittenError) as caught:
        await bus_place.sink.write([WHOLE, large])

    assert (caught.value.left, caught.value.refused) == ((), (large,))
    assert await bus_place.kept(1) == [WHOLE]


async def test_while_it_is_away_all_records_are_left_in_their_order() -> None:
    lab_bus = MemoryBus(clock=FakeClock())
    lab_bus.away = True
    memory = MemorySink()
    memory.away = True
    records = some(5)

    for sink in (BusSink(lab_bus, "t"), memory):
        with pytest.raises(NotWrittenError) as caught:
            await sink.write(records)
        assert (caught.value.left, caught.value.refused) == (tuple(records), ())


async def test_memory_keeps_the_newest() -> None:
    sink, records = MemorySink(most=3), some(5)

    await asyncio.gather(*(sink.write([each]) for each in records))

    assert list(sink.kept) == records[2:]
