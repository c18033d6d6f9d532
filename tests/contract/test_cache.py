"""What a cache does, whatever it is kept in."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from pkg.cache import (
    CacheMetrics,
    CacheSettings,
    CacheStore,
    HotCache,
    Invalidation,
    JsonCodec,
    LocalSettings,
    MemoryCacheStore,
    RedisCacheStore,
)
from pkg.clock import SystemClock
from pkg.errors import Fault
from pkg.redis import RedisSettings, open_redis
from pkg.tokens import SystemTokens

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.contract.servers import Backend

MINUTE = timedelta(minutes=1)
MOMENT = timedelta(seconds=1)
SETTINGS = CacheSettings(
    ttl=5 * MINUTE, stale=MINUTE, negative_ttl=MINUTE / 6, jitter=0, wait_for_others=MINUTE
)
VERSION = b"version1"
LOCAL = {"cache": "users", "result": "local"}

Cache = HotCache[Any]


class Source:
    """What is dear to make."""

    def __init__(self, value: Any = "one") -> None:
        self.value = value
        self.loads = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.begun = asyncio.Event()

    async def load(self) -> Any:
        self.loads += 1
        value = self.value
        self.begun.set()
        await self.go_on.wait()
        if isinstance(value, Exception):
            raise value
        return value


@pytest.fixture
def store(backend: Backend) -> CacheStore:
    if backend.redis is None:
        return MemoryCacheStore(backend.clock)
    return RedisCacheStore(backend.redis, backend.prefix + "cache")


def process(
    store: CacheStore,
    settings: CacheSettings = SETTINGS,
    registry: CollectorRegistry | None = None,
) -> Cache:
    return HotCache(
        "users",
        store,
        JsonCodec[Any](lambda value: value, lambda value: value),
        settings,
        clock=SystemClock(),
        tokens=SystemTokens(),
        chance=lambda: 0.0,
        metrics=CacheMetrics(registry),
    )


@pytest.fixture
def cache(store: CacheStore) -> Cache:
    return process(store)


@pytest.fixture
def other(store: CacheStore) -> Cache:
    return process(store)


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await check():  # noqa: ASYNC110 - another loop's work signals no event
            await asyncio.sleep(0.01)


async def test_a_value_is_loaded_once_and_then_known_everywhere(cache: Cache, other: Cache) -> None:
    source = Source({"name": "张三", "roles": [1, 2]})

    values = [await each.get_or_load("a", source.load) for each in (cache, cache, other)]

    assert values == [source.value] * 3
    assert source.loads == 1


async def test_callers_do_not_share_a_value_that_they_may_change(cache: Cache) -> None:
    source = Source(["one"])
    first, second = await asyncio.gather(*(cache.get_or_load("a", source.load) for _ in range(2)))
    assert first is not None
    first.append("mine")

    assert second == ["one"]
    assert await cache.get_or_load("a", source.load) == ["one"]


async def test_all_who_ask_at_the_same_time_share_one_load(cache: Cache, other: Cache) -> None:
    source = Source()
    source.go_on.clear()
    asking = [
        asyncio.create_task(each.get_or_load("a", source.load))
        for each in (cache, other)
        for _ in range(5)
    ]
    await source.begun.wait()
    source.go_on.set()

    assert await asyncio.gather(*asking) == ["one"] * 10
    assert source.loads == 1


async def test_who_gives_up_does_not_stop_the_load_of_the_others(cache: Cache) -> None:
    source = Source()
    source.go_on.clear()
    first, second = (asyncio.create_task(cache.get_or_load("a", source.load)) for _ in range(2))
    await source.begun.wait()
    first.cancel()
    await asyncio.wait({first})
    source.go_on.set()

    assert first.cancelled()
    assert await second == "one"


async def test_that_there_is_nothing_is_known_for_its_own_time(
    cache: Cache, backend: Backend
) -> None:
    source = Source(None)
    for _ in range(2):
        assert await cache.get_or_load("a", source.load) is None
    assert source.loads == 1

    await backend.advance(SETTINGS.negative_ttl + MOMENT)
    source.value = "one"
    assert await cache.get_or_load("a", source.load) == "one"


async def test_a_value_ends(cache: Cache, backend: Backend) -> None:
    source = Source()
    await cache.get_or_load("a", source.load)
    source.value = "two"

    await backend.advance(SETTINGS.ttl + SETTINGS.stale + MOMENT)

    assert await cache.get_or_load("a", source.load) == "two"


async def test_a_stale_value_is_given_while_a_new_one_is_loaded_once(
    cache: Cache, other: Cache, backend: Backend
) -> None:
    source = Source()
    await cache.get_or_load("a", source.load)
    await backend.advance(SETTINGS.ttl + MOMENT)
    source.value = "two"
    source.go_on.clear()
    source.begun.clear()

    for each in (cache, cache, other):
        assert await each.get_or_load("a", source.load) == "one"
    await source.begun.wait()
    source.go_on.set()

    async def renewed() -> bool:
        return bool(await other.get_or_load("a", source.load) == "two")

    await until(renewed)
    assert source.loads == 2


async def test_a_stale_value_outlives_a_source_that_fails(cache: Cache, backend: Backend) -> None:
    source = Source()
    await cache.get_or_load("a", source.load)
    await backend.advance(SETTINGS.ttl + MOMENT)
    source.value = OSError("gone")

    async def tried() -> bool:
        assert await cache.get_or_load("a", source.load) == "one"
        return source.loads > 2

    await until(tried)


async def test_a_failure_is_not_kept_and_goes_to_all_who_wait(cache: Cache, other: Cache) -> None:
    source = Source(OSError("gone"))
    results = await asyncio.gather(
        *(cache.get_or_load("a", source.load) for _ in range(3)), return_exceptions=True
    )

    assert {str(result) for result in results} == {"gone"}
    assert source.loads == 1
    source.value = "one"
    assert await other.get_or_load("a", source.load) == "one"


async def test_an_invalidated_value_is_loaded_anew(cache: Cache, other: Cache) -> None:
    source = Source()
    await cache.get_or_load("a", source.load)
    await cache.get_or_load("b", Source("kept").load)
    source.value = "two"

    await other.invalidate("a")

    assert await cache.get_or_load("a", source.load) == "two"
    assert await cache.get_or_load("b", source.load) == "kept"


async def test_a_load_that_began_before_an_invalidation_is_not_kept(
    cache: Cache, other: Cache
) -> None:
    old, new = Source("old"), Source("new")
    old.go_on.clear()
    early = asyncio.create_task(cache.get_or_load("a", old.load))
    await old.begun.wait()
    await cache.invalidate("a")

    assert await cache.get_or_load("a", new.load) == "new"
    old.go_on.set()
    assert await early == "old"
    assert await other.get_or_load("a", new.load) == "new"


async def test_a_tag_invalidates_all_that_have_it(cache: Cache, other: Cache) -> None:
    source = Source()
    for key, tags in (("a", ["role:1"]), ("b", ["x", "role:1"]), ("c", ["role:2"])):
        await cache.get_or_load(key, source.load, tags=tags)
    source.value = "two"

    await other.invalidate_tag("role:1")

    assert await cache.get_or_load("a", source.load, tags=["role:1"]) == "two"
    assert await cache.get_or_load("b", source.load, tags=["x", "role:1"]) == "two"
    assert await cache.get_or_load("c", source.load, tags=["role:2"]) == "one"


async def test_a_load_that_began_before_its_tag_was_invalidated_is_not_believed(
    cache: Cache, other: Cache
) -> None:
    old, new = Source("old"), Source("new")
    old.go_on.clear()
    early = asyncio.create_task(cache.get_or_load("a", old.load, tags=["t"]))
    await old.begun.wait()
    await other.invalidate_tag("t")
    old.go_on.set()
    await early

    assert await other.get_or_load("a", new.load, tags=["t"]) == "new"


async def test_who_waits_too_long_for_another_process_loads_itself(store: CacheStore) -> None:
    assert await store.claim("a", "stuck", MINUTE)
    impatient = process(store, SETTINGS.model_copy(update={"wait_for_others": MOMENT / 20}))

    assert await impatient.get_or_load("a", Source().load) == "one"
    assert await store.get("a") is None


async def test_the_claim_of_who_is_gone_ends(store: CacheStore, backend: Backend) -> None:
    assert await store.claim("a", "gone", MINUTE)
    assert not await store.claim("a", "other", MINUTE)

    await backend.advance(MINUTE + MOMENT)

    assert await store.claim("a", "other", MINUTE)
    assert not await store.put("a", "gone", b"late", MINUTE)
    await store.give_up("a", "gone")
    assert await store.put("a", "other", b"data", MINUTE)


async def test_what_cannot_be_read_is_loaded_anew(store: CacheStore, cache: Cache) -> None:
    for data in (b"", b"\xff" * 20, b"\x01\x01\x00\x00\x00\x00\x00not json"):
        await store.claim("a", "token", MINUTE)
        assert await store.put("a", "token", data, MINUTE)
        assert await cache.get_or_load("a", Source().load) == "one"
        await cache.invalidate("a")


async def test_invalidations_are_told_to_who_hears(store: CacheStore) -> None:
    async with store.subscribe() as heard:
        await store.invalidate("a:密码")
        await store.invalidate_tag("t", VERSION, MINUTE)
        async with asyncio.timeout(30):
            assert await anext(heard) == Invalidation(key="a:密码")
            assert await anext(heard) == Invalidation(tag="t")
    assert await store.versions(["t", "unknown"]) == [VERSION, bytes(8)]


async def test_the_first_level_hears_of_invalidations(store: CacheStore, other: Cache) -> None:
    settings = SETTINGS.model_copy(update={"local": LocalSettings(size=10, ttl=MINUTE)})
    registry = CollectorRegistry()
    source = Source()
    async with process(store, settings, registry) as cache:

        async def local() -> bool:
            """Whether a value came from the first level."""
            before = registry.get_sample_value("cache_requests_total", LOCAL)
            await cache.get_or_load("a", source.load, tags=["t"])
            return registry.get_sample_value("cache_requests_total", LOCAL) != before

        async def renewed() -> bool:
            return bool(await cache.get_or_load("a", source.load, tags=["t"]) == source.value)

        for value, invalidate in (("two", other.invalidate), ("three", other.invalidate_tag)):
            await until(local)
            source.value = value
            await invalidate("a" if value == "two" else "t")
            await until(renewed)


@pytest.mark.parametrize("key", ["", "with space", "密码", "a:b", "{a}", "}", "x" * 300])
async def test_a_key_is_any_text(cache: Cache, key: str) -> None:
    assert await cache.get_or_load(key, Source().load, tags=[key]) == "one"
    assert await cache.get_or_load(key, Source("two").load, tags=[key]) == "one"
    await cache.invalidate_tag(key)
    assert await cache.get_or_load(key, Source("two").load, tags=[key]) == "two"


async def test_nothing_is_kept_for_ever(redis_backend: Backend) -> None:
    store = RedisCacheStore(redis_backend.redis, redis_backend.prefix + "cache")
    cache = process(store)
    await cache.get_or_load("a", Source().load, tags=["t"])
    await cache.invalidate_tag("t")
    await store.claim("b", "gone", MINUTE)

    keys = [key async for key in redis_backend.redis.scan_iter(f"{redis_backend.prefix}*")]

    assert len(keys) == 3
    assert all([await redis_backend.redis.pttl(key) > 0 for key in keys])


async def test_without_its_server_values_are_loaded_and_invalidations_fail(tmp_path: Path) -> None:
    client = open_redis(RedisSettings(retries=0), f"unix://{tmp_path}/nobody.sock")
    cache = process(RedisCacheStore(client))
    source = Source()

    assert await cache.get_or_load("a", source.load, tags=["t"]) == "one"
    assert await cache.get_or_load("a", source.load) == "one"
    assert source.loads == 2
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await cache.invalidate("a")
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await cache.invalidate_tag("t")
    await client.aclose()
