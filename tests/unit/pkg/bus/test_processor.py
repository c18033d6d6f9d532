"""A processor when the bus, its handlers or its dead letters fail."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from pkg.alert import Alert, MemoryAlerts
from pkg.backoff import BackoffSettings
from pkg.bus import (
    ConsumerMetrics,
    Message,
    PoisonError,
    Processor,
    Received,
    RetrySettings,
    Step,
    SubscriptionSettings,
    UnavailableError,
    UnknownHandlersError,
    processors,
    step,
)
from pkg.bus.memory import MemoryBus
from pkg.clock import SystemClock
from tests.unit.pkg.bus.wires import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

QUICK = BackoffSettings(first=timedelta(milliseconds=1), longest=timedelta(milliseconds=5))
TICK = timedelta(milliseconds=2)


class World:
    """A bus in memory, with the dead letters on a wire of their own."""

    def __init__(self) -> None:
        self.bus = MemoryBus(clock=SystemClock(), partitions=1)
        self.wire = Wire()
        self.alerts = MemoryAlerts()
        self.registry = CollectorRegistry()
        self.metrics = ConsumerMetrics(self.registry)
        self.done: list[bytes] = []
        self.scopes: list[str] = []

    async def record(self, received: Received) -> None:
        self.done.append(received.message.value)

    def processors(
        self, steps: Mapping[str, Step], *subscriptions: dict[str, Any]
    ) -> tuple[Processor, ...]:
        defaults: dict[str, Any] = {
            "topic": "t",
            "group": "g",
            "func": tuple(steps),
            "retry": RetrySettings(attempts=2, backoff=QUICK),
            "commit_every": TICK,
            "lag_every": TICK,
            "drain": TICK * 50,
        }
        return processors(
            [SubscriptionSettings(**(defaults | each)) for each in subscriptions or ({},)],
            steps,
            bus=self.bus,
            producer=self.wire,
            metrics=self.metrics,
            alerts=self.alerts,
            clock=SystemClock(),
            chance=lambda: 0.0,
            extract=self.extract,
            reconnect=QUICK,
        )

    @contextmanager
    def extract(self, carrier: Mapping[str, str], received: Received) -> Iterator[None]:
        self.scopes.append(f"{received.message.topic}:{carrier.get('traceparent')}")
        yield

    async def send(self, *values: bytes, topic: str = "t", **headers: bytes) -> None:
        await self.bus.send(
            *(Message(topic=topic, value=each, headers=tuple(headers.items())) for each in values)
        )

    def committed(self, topic: str = "t", group: str = "g") -> int:
        (partition,) = self.bus.partitions(topic)
        return self.bus.positions[group, partition]


async def until(holds: Any) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - turns of the loop
            await asyncio.sleep(0.001)


async def ill(processor: Processor) -> str:
    try:
        await processor.check()
    except UnavailableError as error:
        return str(error)
    return ""


async def test_unknown_handlers_stop_the_start_and_all_are_named() -> None:
    world = World()
    with pytest.raises(UnknownHandlersError) as caught:
        world.processors(
            {"store": step(world.record)},
            {"topic": "a", "func": ("store", "mial")},
            {"topic": "b", "func": ("audti",)},
        )

    assert str(caught.value) == "unknown handlers: audti, mial; there are: store"


async def test_two_topics_share_handlers_in_any_order_without_influence() -> None:
    world, calls = World(), list[str]()

    def named(name: str) -> Step:
        async def handle(received: Received, following: Any) -> None:
            calls.append(f"{received.message.topic}{name}")
            await following(received)

        return handle

    running = world.processors(
        {"1": named("1"), "2": named("2")},
        {"topic": "a", "func": ("1", "2")},
        {"topic": "b", "func": ("2", "1")},
    )
    for each in running:
        await each.start()
    for topic in ("a", "b", "a"):
        before = len(calls)
        await world.send(b"", topic=topic)
        await until(lambda before=before: len(calls) == before + 2)
    for each in running:
        await each.stop()

    assert calls == ["a1", "a2", "b2", "b1", "a1", "a2"]


async def test_a_processor_starts_without_its_bus_says_so_and_joins_when_it_is_there() -> None:
    world = World()
    world.bus.away = True
    (processor,) = world.processors({"record": step(world.record)})
    await processor.start()
    await until(lambda: world.alerts.sent)
    assert "away" in await ill(processor)

    world.bus.away = False
    await world.send(b"1")
    await until(lambda: world.done == [b"1"])
    assert await ill(processor) == ""
    await processor.stop()
    assert [(each.topic, each.title) for each in world.alerts.sent] == [
        ("kafka", "bus:t:g cannot consume")
    ]


async def test_an_outage_in_the_middle_loses_nothing() -> None:
    world = World()
    (processor,) = world.processors({"record": step(world.record)})
    await processor.start()
    await world.send(b"1")
    await until(lambda: world.committed() == 1)

    world.bus.away = True
    await until(lambda: world.alerts.sent)
    world.bus.away = False
    await world.send(b"2")
    await until(lambda: b"2" in world.done)
    await processor.stop()

    assert world.done == [b"1", b"2"]
    assert world.committed() == 2


async def test_nothing_is_committed_before_the_dead_letter_is_taken() -> None:
    world = World()
    world.wire.away = True

    async def fail(_received: Received) -> None:
        raise ValueError("broken")

    (processor,) = world.processors({"fail": step(fail)})
    await processor.start()
    await world.send(b"1")
    await until(lambda: any("does not take" in each.title for each in world.alerts.sent))
    assert world.committed() == 0

    world.wire.away = False
    await until(lambda: world.committed() == 1)
    await processor.stop()
    assert world.wire.values == [b"1"]


async def test_a_dead_letter_that_is_too_large_goes_without_its_stack() -> None:
    world = World()
    world.wire.largest_header = 100

    async def fail(_received: Received) -> None:
        raise ValueError("broken")

    (processor,) = world.processors({"fail": step(fail)})
    await processor.start()
    await world.send(b"1")
    await until(lambda: world.wire.sent)
    await processor.stop()

    (letter,) = world.wire.sent
    assert letter.header("dead-stack") is None
    assert letter.header("dead-reason") == b"ValueError: broken"


async def test_a_try_that_takes_too_long_has_failed() -> None:
    world = World()

    async def hang(_received: Received) -> None:
        await asyncio.Event().wait()

    (processor,) = world.processors({"hang": step(hang)}, {"timeout": TICK})
    await processor.start()
    await world.send(b"1")
    await until(lambda: world.wire.sent)
    await processor.stop()

    assert world.wire.sent[0].header("dead-reason") == b"TimeoutError:"


async def test_a_handler_that_is_cancelled_from_within_has_failed() -> None:
    world = World()

    async def cancelled(_received: Received) -> None:
        raise asyncio.CancelledError

    (processor,) = world.processors({"cancelled": step(cancelled)})
    await processor.start()
    await world.send(b"1")
    await until(lambda: world.wire.sent)
    await processor.stop()

    assert world.committed() == 1


async def test_a_stop_does_not_wait_for_the_next_try() -> None:
    world = World()

    async def fail(_received: Received) -> None:
        raise ValueError("broken")

    hours = BackoffSettings(first=timedelta(hours=1), longest=timedelta(hours=1))
    (processor,) = world.processors(
        {"fail": step(fail)},
        {"retry": RetrySettings(attempts=9, backoff=hours), "drain": timedelta(hours=1)},
    )
    await processor.start()
    await world.send(b"1")
    labels = {"topic": "t", "group": "g"}
    await until(lambda: world.registry.get_sample_value("bus_failed_total", labels))
    async with asyncio.timeout(10):
        await processor.stop()

    assert world.committed() == 0


async def test_handlers_are_in_the_scope_that_the_headers_tell() -> None:
    world = World()
    (processor,) = world.processors({"record": step(world.record)})
    await processor.start()
    await world.send(b"1", traceparent=b"00-a-b-01")
    await until(lambda: world.done)
    await processor.stop()

    assert world.scopes == ["t:00-a-b-01"]


async def test_the_lag_of_partitions_that_went_is_measured_no_more() -> None:
    world = World()
    (processor,) = world.processors({"record": step(world.record)})
    labels = {"topic": "t", "group": "g", "partition": "0"}
    await processor.start()
    await until(lambda: world.registry.get_sample_value("bus_lag", labels) == 0)
    await processor.stop()

    assert world.registry.get_sample_value("bus_lag", labels) is None


class FragileAlerts(MemoryAlerts):
    """Breaks the promise never to raise, once."""

    def send(self, alert: Alert) -> None:
        if not self.sent:
            super().send(alert)
            raise ZeroDivisionError
        super().send(alert)


async def test_a_defect_beside_the_handlers_is_survived_and_the_message_comes_again() -> None:
    world = World()
    world.alerts = FragileAlerts()

    async def refuse(_received: Received) -> None:
        raise PoisonError("not JSON")

    (processor,) = world.processors({"refuse": step(refuse)})
    await processor.start()
    await world.send(b"1")
    await until(lambda: world.committed() == 1)
    await processor.stop()

    assert world.wire.values == [b"1", b"1"]
    assert any(each.title == "bus:t:g cannot consume" for each in world.alerts.sent)
