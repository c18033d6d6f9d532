"""What nobody waits for is delivered, refused, or told to be lost."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from pkg.alert import MemoryAlerts
from pkg.backoff import Backoff, BackoffSettings
from pkg.bus import (
    BufferFullError,
    Message,
    Publisher,
    PublisherMetrics,
    PublishSettings,
    RejectedError,
    UnavailableError,
)
from pkg.config.bytesize import ByteSize
from pkg.tokens import FakeTokens
from tests.unit.pkg.bus.wires import Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOW = timedelta()
MOMENT = timedelta(milliseconds=20)


class Office:
    """A publisher and what can be seen of it."""

    def __init__(self, **settings: Any) -> None:
        self.wire = Wire()
        self.alerts = MemoryAlerts()
        self.registry = CollectorRegistry()
        self.publisher = Publisher(
            self.wire,
            PublishSettings(**({"wait": NOW, "flush": MOMENT} | settings)),
            backoff=Backoff(BackoffSettings(), lambda: 0.0),
            metrics=PublisherMetrics(self.registry),
            alerts=self.alerts,
            tokens=FakeTokens(),
            inject=lambda carrier: carrier.update(traceparent="00-1-2-01"),
            pause=self.wire.pause,
        )

    async def publish(self, *values: object) -> None:
        for value in values:
            await self.publisher.publish(message(value))

    async def until_sent(self, count: int) -> list[bytes]:
        async with asyncio.timeout(10):
            while len(self.wire.sent) < count:  # noqa: ASYNC110 - turns of the loop, not time
                await asyncio.sleep(0)
        return self.wire.values

    def measure(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def office(**settings: Any) -> AsyncIterator[Office]:
    made = Office(**settings)
    await made.publisher.start()
    try:
        yield made
    finally:
        made.wire.open.set()
        await made.publisher.stop()


def message(value: object) -> Message:
    return Message(topic="t", value=str(value).encode(), key=b"k")


async def test_what_is_published_is_delivered_in_order_with_an_id_and_its_trace() -> None:
    async with office(batch=3) as made:
        await made.publish(*range(10))
        values = await made.until_sent(10)

    assert values == [str(number).encode() for number in range(10)]
    ids = {each.header("message-id") for each in made.wire.sent}
    assert len(ids) == 10
    assert {each.header("traceparent") for each in made.wire.sent} == {b"00-1-2-01"}
    assert made.measure("bus_published_total", topic="t") == 10


async def test_who_finds_no_room_is_told_after_the_wait() -> None:
    async with office(buffer=2, wait=MOMENT) as made:
        made.wire.open.clear()
        await made.publish(1, 2)
        with pytest.raises(BufferFullError):
            await made.publish(3)

        assert made.measure("bus_publish_refused_total", topic="t") == 1
        assert made.measure("bus_publish_buffered") == 2
        made.wire.open.set()
        assert await made.until_sent(2) == [b"1", b"2"]


async def test_who_waits_gets_room_as_soon_as_there_is_some() -> None:
    async with office(buffer=1, wait=timedelta(seconds=10)) as made:
        made.wire.open.clear()
        await made.publish(1)
        waiting = asyncio.create_task(made.publish(2))
        await made.wire.asked.wait()
        assert not waiting.done()
        made.wire.open.set()
        await waiting
        assert await made.until_sent(2) == [b"1", b"2"]


async def test_who_waits_for_room_when_the_publisher_stops_is_told() -> None:
    made = Office(buffer=1, wait=timedelta(seconds=10))
    made.wire.open.clear()
    await made.publisher.start()
    await made.publish(1)
    await made.wire.asked.wait()
    waiting = asyncio.create_task(made.publish(2))
    await asyncio.sleep(0)
    await made.publisher.stop()

    with pytest.raises(UnavailableError, match="does not run"):
        await waiting


async def test_the_buffer_is_bounded_in_bytes_too() -> None:
    async with office(buffer_bytes=ByteSize(2048)) as made:
        made.wire.open.clear()
        await made.publish("x" * 1500)
        with pytest.raises(BufferFullError):
            await made.publish("x" * 1500)
        with pytest.raises(RejectedError):
            await made.publish("x" * 2048)


async def test_an_outage_is_survived_told_and_alerted_once() -> None:
    async with office() as made:
        made.wire.away = True
        await made.publish(1, 2)
        await made.wire.until_paused(3)
        with pytest.raises(UnavailableError, match="2 messages wait"):
            await made.publisher.check()
        assert made.wire.pauses[:3] == [timedelta(seconds=each) for each in (0.1, 0.2, 0.4)]

        made.wire.away = False
        assert await made.until_sent(2) == [b"1", b"2"]
        await asyncio.sleep(0)
        await made.publisher.check()

    assert [each.title for each in made.alerts.sent] == ["messages are not delivered, and wait"]


async def test_a_rejected_message_is_told_and_holds_up_no_other() -> None:
    async with office() as made:
        made.wire.refused = {b"2"}
        await made.publish(1, 2, 3)
        values = await made.until_sent(2)

    assert values == [b"1", b"3"]
    assert made.measure("bus_publish_failed_total", topic="t", why="rejected") == 1
    assert made.measure("bus_published_total", topic="t") == 2
    assert [each.title for each in made.alerts.sent] == ["messages for t are rejected"]


async def test_a_defect_of_the_producer_does_not_end_the_delivery() -> None:
    async with office() as made:
        made.wire.broken = ZeroDivisionError()
        await made.publish(1)
        await made.wire.until_paused(1)
        made.wire.broken = None
        assert await made.until_sent(1) == [b"1"]


async def test_a_stop_delivers_what_waits() -> None:
    made = Office(flush=timedelta(seconds=10), batch=2)
    await made.publisher.start()
    await made.publish(*range(7))
    await made.publisher.stop()

    assert len(made.wire.sent) == 7
    assert made.alerts.sent == []
    with pytest.raises(UnavailableError):
        await made.publish("late")


async def test_what_cannot_be_delivered_at_the_stop_is_counted_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = Office()
    made.wire.away = True
    await made.publisher.start()
    await made.publish(1, 2, 3)
    with caplog.at_level(logging.ERROR):
        await made.publisher.stop()

    assert made.measure("bus_publish_failed_total", topic="t", why="lost") == 3
    assert "3 for t" in caplog.text
    assert made.alerts.sent[-1].title == "messages were lost at the stop"
