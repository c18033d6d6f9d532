"""How full pools, threads and loops are."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from pkg.clock import FakeClock
from pkg.database import Database, DatabaseSettings
from pkg.metrics import (
    LoopLag,
    Reading,
    Saturation,
    loop_lag_series,
    redis_pool,
    sql_pool,
    threads,
)
from pkg.redis import EmbeddedValkey, open_redis
from tests.unit.pkg.patient import PATIENT

if TYPE_CHECKING:
    from pathlib import Path


class Gauges:
    """The series of a registry, as numbers."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.saturation = Saturation(self.registry)

    def of(self, resource: str, loop: str = "main") -> tuple[float | None, ...]:
        labels = {"resource": resource, "loop": loop}
        return tuple(
            self.registry.get_sample_value(f"resource_{what}", labels)
            for what in ("in_use", "limit", "waiting")
        )


def test_each_loop_has_resources_of_its_own() -> None:
    gauges = Gauges()
    gauges.saturation.watch("sql", lambda: Reading(1, 10, 2))
    gauges.saturation.watch("sql", lambda: Reading(3, 10), loop="grpc")

    assert gauges.of("sql") == (1, 10, 2)
    assert gauges.of("sql", "grpc") == (3, 10, 0)


def test_a_resource_that_cannot_be_read_hides_no_other() -> None:
    def broken() -> Reading:
        raise RuntimeError("closed")

    gauges = Gauges()
    gauges.saturation.watch("broken", broken)
    gauges.saturation.watch("sql", lambda: Reading(1, 10))

    assert gauges.of("sql") == (1, 10, 0)
    assert gauges.of("broken") == (None, None, None)


def test_the_series_are_there_once() -> None:
    with pytest.raises(ValueError, match="Duplicated"):
        Saturation(Gauges().registry)


async def test_connections_of_a_database_are_counted(tmp_path: Path) -> None:
    gauges = Gauges()
    database = Database(DatabaseSettings(pool_size=3), data_dir=tmp_path)
    gauges.saturation.watch("sql", sql_pool(database.engine))
    await database.start()
    assert gauges.of("sql") == (0, 3, 0)
    async with database.transaction(writes=False):
        assert gauges.of("sql") == (1, 3, 0)
    assert gauges.of("sql") == (0, 3, 0)
    await database.stop()


async def test_connections_to_redis_are_counted(tmp_path: Path) -> None:
    gauges = Gauges()
    server = EmbeddedValkey(tmp_path)
    await server.start()
    client: Any = open_redis(PATIENT.model_copy(update={"max_connections": 4}), server.url)
    gauges.saturation.watch("redis", redis_pool(client))
    assert gauges.of("redis") == (0, 4, 0)
    async with client.pipeline() as pipeline:
        await pipeline.watch("key")
        assert gauges.of("redis") == (1, 4, 0)
    await client.aclose()
    await server.stop()


async def test_work_that_waits_for_a_thread_is_counted() -> None:
    gauges = Gauges()
    let, begun = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        let.wait(30)

    with ThreadPoolExecutor(1) as executor:
        gauges.saturation.watch("password", threads(executor))
        assert gauges.of("password") == (0, 1, 0)
        jobs = [executor.submit(work) for _ in range(3)]
        assert begun.wait(30)
        assert gauges.of("password") == (1, 1, 2)
        let.set()
        for job in jobs:
            job.result(30)


async def test_a_loop_that_is_late_shows_it() -> None:
    clock, registry = FakeClock(), CollectorRegistry()
    late = [timedelta(), timedelta(seconds=0.2)]
    done = asyncio.Event()

    async def pause(time: timedelta) -> None:
        if not late:
            done.set()
            await asyncio.Event().wait()
        clock.advance(time + late.pop(0))

    async with LoopLag("grpc", loop_lag_series(registry), clock=clock, pause=pause):
        await done.wait()

    def value(name: str, **labels: str) -> float | None:
        series = f"event_loop_lag_seconds_{name}"
        return registry.get_sample_value(series, {"loop": "grpc", **labels})

    assert value("count") == 2
    assert value("sum") == pytest.approx(0.2)
    assert value("bucket", le="0.001") == 1
