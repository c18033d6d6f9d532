"""A cache without its store is slower, not wrong; and whatever it does at once is bounded."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from pkg.cache import (
    CacheMetrics,
    CacheSettings,
    ClosedError,
    HotCache,
    JsonCodec,
    LocalSettings,
    MemoryCacheStore,
    Stored,
)
from pkg.clock import FakeClock
from pkg.config import ByteSize
from pkg.errors import Fault
from pkg.tokens import FakeTokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECOND = timedelta(seconds=1)
SETTINGS = CacheSettings(
    ttl=60 * SECOND, stale=30 * SECOND, max_direct_loads=2, max_refreshes=2, jitter=0.5
)


class Unsteady(MemoryCacheStore):
    """A store that can be away."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.away = False
        self.asked = 0

    async def get(self, key: str) -> Stored | None:
        self._reach()
        return await super().get(key)

    async def put(self, key: str, token: str, data: bytes, ttl: timedelta) -> bool:
        self._reach()
        return await super().put(key, token, data, ttl)

    async def invalidate(self, key: str) -> None:
        self._reach()
        await super().invalidate(key)

    def _reach(self) -> None:
        self.asked += 1
        if self.away:
            raise Fault("UNAVAILABLE")


class World:
    def __init__(self, settings: CacheSettings = SETTINGS) -> None:
        self.clock = FakeClock()
        self.store = Unsteady(self.clock)
        self.registry = CollectorRegistry()
        self.chance = 0.0
        self.loading = 0
        self.most = 0
        self.loads = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.cache: HotCache[Any] = HotCache(
            "users",
            self.store,
            JsonCodec[Any](lambda value: value, lambda value: value),
            settings,
            clock=self.clock,
            tokens=FakeTokens(),
            chance=lambda: self.chance,
            metrics=CacheMetrics(self.registry),
        )

    async def load(self) -> Any:
        self.loads += 1
        self.loading += 1
        self.most = max(self.most, self.loading)
        try:
            await self.go_on.wait()
        finally:
            self.loading -= 1
        return self.loads

    async def get(self, key: str = "a") -> Any:
        return await self.cache.get_or_load(key, self.load)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, {"cache": "users", **labels})

    def requests(self) -> dict[str, float]:
        names = ("local", "hit", "stale", "negative", "miss", "away")
        found = {name: self.value("cache_requests_total", result=name) or 0 for name in names}
        return {name: count for name, count in found.items() if count}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.cache.stop()


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


async def test_what_was_found_is_counted(world: World) -> None:
    async def nothing() -> None:
        return None

    async def failing() -> None:
        raise OSError

    await world.get()
    await world.get()
    world.clock.advance(70 * SECOND)
    await world.get()
    await settle()
    for _ in range(2):
        await world.cache.get_or_load("b", nothing)
    with pytest.raises(OSError):  # noqa: PT011 - it has no text
        await world.cache.get_or_load("c", failing)

    assert world.requests() == {"miss": 3, "hit": 1, "stale": 1, "negative": 1}
    assert world.value("cache_loads_total", result="ok") == 3
    assert world.value("cache_loads_total", result="error") == 1
    assert world.value("cache_load_seconds_count") == 4
    assert world.value("cache_direct_loads_total") == 0


async def test_values_end_at_different_times(world: World) -> None:
    await world.get("late")
    world.chance = 0.99
    await world.get("early")
    world.clock.advance(35 * SECOND)
    await world.get("late")
    await world.get("early")

    assert world.requests() == {"miss": 2, "hit": 1, "stale": 1}


async def test_in_an_outage_values_are_loaded_and_the_store_is_asked_now_and_then(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world.store.away = True
    for _ in range(3):
        for _ in range(5):
            await world.get()
        world.clock.advance(SECOND)

    assert world.store.asked == 3
    assert world.loads == 15
    assert world.requests() == {"away": 15}
    assert world.value("cache_direct_loads_total") == 15
    assert world.value("cache_store_errors_total") == 3

    world.store.away = False
    assert [await world.get() for _ in range(3)] == [16, 16, 16]
    assert [record.getMessage()[:20] for record in caplog.records] == [
        "the cache cannot be ",
        "the cache can be ask",
    ]


async def test_in_an_outage_only_so_many_load_at_once(world: World) -> None:
    world.store.away = True
    world.go_on.clear()
    asking = [asyncio.create_task(world.get(str(number))) for number in range(10)]
    same = [asyncio.create_task(world.get("0")) for _ in range(10)]
    await settle()
    assert world.loading == 2
    world.go_on.set()
    await asyncio.gather(*asking, *same)

    assert world.most == 2
    assert world.loads == 10


async def test_who_finds_no_place_in_time_is_told() -> None:
    settings = SETTINGS.model_copy(update={"load_timeout": SECOND / 20, "max_direct_loads": 1})
    world = World(settings)
    world.store.away = True
    world.go_on.clear()

    results = await asyncio.gather(
        *(world.get(str(number)) for number in range(3)), return_exceptions=True
    )

    assert isinstance(results[0], TimeoutError)
    assert any(isinstance(result, Fault) for result in results[1:])
    assert world.loading == 0
    await world.cache.stop()


async def test_a_store_that_goes_away_during_a_load_costs_only_the_keeping(world: World) -> None:
    world.go_on.clear()
    asking = asyncio.create_task(world.get())
    await settle()
    world.store.away = True
    world.go_on.set()

    assert await asking == 1
    assert world.loads == 1


async def test_only_so_many_values_are_renewed_at_once(world: World) -> None:
    for key in "abcd":
        await world.get(key)
    world.clock.advance(70 * SECOND)
    world.go_on.clear()
    for key in "abcdabcd":
        assert await world.get(key) in range(1, 5)
    await settle()

    assert world.loading == 2


async def test_a_value_that_is_too_large_is_given_and_not_kept() -> None:
    world = World(SETTINGS.model_copy(update={"max_value": ByteSize.parse("10B")}))

    async def large() -> str:
        world.loads += 1
        return "x" * 100

    for _ in range(2):
        assert await world.cache.get_or_load("a", large) == "x" * 100
    assert world.loads == 2
    assert world.value("cache_not_kept_total", reason="too_large") == 2
    assert await world.store.claim("a", "free", SECOND)


async def test_a_load_that_takes_too_long_is_ended() -> None:
    world = World(SETTINGS.model_copy(update={"load_timeout": SECOND / 50}))
    world.go_on.clear()

    with pytest.raises(TimeoutError):
        await world.get()

    assert world.loading == 0
    assert await world.store.claim("a", "free", SECOND)
    await world.cache.stop()


async def test_the_end_cancels_what_goes_on(world: World) -> None:
    world.go_on.clear()
    asking = asyncio.create_task(world.get())
    await settle()
    await world.cache.stop()

    with pytest.raises(ClosedError):
        await asking
    with pytest.raises(ClosedError):
        await world.get("b")
    assert world.loading == 0


async def test_a_value_that_its_codec_cannot_read_is_loaded_anew(world: World) -> None:
    await world.store.claim("a", "old", SECOND)
    await world.store.put("a", "old", b"\x01\x01\x00\x00\x00\x00\x00{", 60 * SECOND)

    assert await world.get() == 1
    assert await world.get() == 1
    assert world.value("cache_not_kept_total", reason="undecodable") == 1


async def test_an_overtaken_load_is_counted(world: World) -> None:
    world.go_on.clear()
    asking = asyncio.create_task(world.get())
    await settle()
    await world.cache.invalidate("a")
    world.go_on.set()
    await asking

    assert world.value("cache_not_kept_total", reason="overtaken") == 1


async def test_more_tags_than_an_entry_holds_are_refused(world: World) -> None:
    with pytest.raises(ValueError, match="tags"):
        await world.cache.get_or_load("a", world.load, tags=["t"] * 17)


class TestFirstLevel:
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        local = LocalSettings(size=2, ttl=SECOND)
        made = World(SETTINGS.model_copy(update={"local": local}))
        async with made.cache:
            await settle()
            yield made

    async def test_it_answers_without_the_store(self, world: World) -> None:
        for _ in range(5):
            await world.get()

        assert world.requests() == {"miss": 1, "local": 4}

    async def test_its_values_end_soon(self, world: World) -> None:
        await world.get()
        world.clock.advance(SECOND)
        await world.get()

        assert world.requests() == {"miss": 1, "hit": 1}

    async def test_it_keeps_only_so_many(self, world: World) -> None:
        for key in "abcbca":
            await world.get(key)

        assert world.requests() == {"miss": 3, "local": 2, "hit": 1}

    async def test_what_was_read_before_an_invalidation_is_not_kept(self, world: World) -> None:
        world.go_on.clear()
        asking = asyncio.create_task(world.get())
        await settle()
        await world.store.invalidate("a")
        await settle()
        world.go_on.set()
        await asking
        await world.get()

        assert world.requests() == {"miss": 2}

    async def test_who_cannot_hear_keeps_nothing(self, world: World) -> None:
        await world.get()
        # More than a subscriber may be behind by, so that it is left out.
        for number in range(2000):
            await world.store.invalidate(f"x{number}")
        await settle()
        await world.get()
        await world.get()

        assert world.requests() == {"miss": 1, "hit": 2}
