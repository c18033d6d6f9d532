"""The client finds the master that sentinels name, and the nodes of a cluster."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pkg.cache import CacheSettings, HotCache, Invalidation, JsonCodec, RedisCacheStore
from pkg.clock import SystemClock
from pkg.errors import Fault
from pkg.jwt import FollowedRevocations, RedisRevocations, RevocationSettings
from pkg.lock import LockSettings, LockTimeoutError, RedisLockStore, StoredLocks
from pkg.ratelimit import Algorithm, RateLimitSettings, RedisRateLimiter, by_kind
from pkg.redis import REDIS_ERRORS, RedisClient, RedisSettings, open_redis, tagged
from pkg.redis.pool import connections
from pkg.tokens import SystemTokens
from scripts.servers.ports import free_port
from tests.integration.redis_process import RedisProcess, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HOUR = timedelta(hours=1)
SETTINGS = RedisSettings(max_connections=4)
BRIEF = RedisSettings(
    timeout=timedelta(milliseconds=200), connect_timeout=timedelta(milliseconds=200)
)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[RedisProcess]:
    """One node that has all slots."""
    arguments = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    node = RedisProcess(tmp_path, *arguments, embedded=True)
    try:
        await node.start()
        assert await node.ask(b"CLUSTER ADDSLOTSRANGE 0 16383") == b"+OK"

        async def ready() -> bool:
            return await node.ask(b"GET a") == b"$-1"

        await eventually(ready)
        yield node
    finally:
        node.stop()


async def test_a_cluster_is_reached_through_any_of_its_nodes(cluster: RedisProcess) -> None:
    url = f"redis+cluster://127.0.0.1:{free_port()},127.0.0.1:{cluster.port}"
    async with RedisClient(SETTINGS, url) as made:
        client: Any = made.client
        await asyncio.gather(*(client.set(f"key:{number}", number) for number in range(4)))

        assert await client.get("key:3") == b"3"
        assert connections(client) == (0, 4)


async def test_scripts_see_tagged_keys_in_one_slot_of_a_cluster(cluster: RedisProcess) -> None:
    client: Any = open_redis(SETTINGS, f"redis+cluster://127.0.0.1:{cluster.port}")
    script = client.register_script("return redis.call('MSET', KEYS[1], 1, KEYS[2], 2)")
    try:
        for name in ("", "a", "}", "{}", "a{b}c", "密码"):
            key = tagged("lock", name)
            assert await script(keys=[key, key + ":fence"]) == b"OK"
    finally:
        await client.aclose()


async def test_a_cluster_that_is_gone_is_an_error_in_time_and_comes_back(
    cluster: RedisProcess,
) -> None:
    url = f"redis+cluster://127.0.0.1:{cluster.port}"
    made = RedisClient(BRIEF, url)
    await made.start()
    cluster.freeze()
    async with asyncio.timeout(3):
        with pytest.raises(REDIS_ERRORS):
            await made.check()
    cluster.thaw()
    await made.check()
    await made.stop()


@pytest.fixture
async def master(tmp_path: Path) -> AsyncIterator[RedisProcess]:
    server = RedisProcess(tmp_path / "master")
    try:
        await server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
async def replica(tmp_path: Path, master: RedisProcess) -> AsyncIterator[RedisProcess]:
    arguments = ("--replicaof", f"127.0.0.1 {master.port}", "--repl-diskless-sync-delay", "0")
    server = RedisProcess(tmp_path / "replica", *arguments)
    try:
        await server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
async def sentinel(tmp_path: Path, master: RedisProcess) -> AsyncIterator[RedisProcess]:
    config = tmp_path / "sentinel.conf"
    config.write_text(
        f"sentinel monitor sessions 127.0.0.1 {master.port} 1\n"
        "sentinel down-after-milliseconds sessions 3000\n"
        "sentinel failover-timeout sessions 2000\n"
    )
    server = RedisProcess(tmp_path / "sentinel", str(config), "--sentinel")
    try:
        await server.start()
        yield server
    finally:
        server.stop()


async def test_sentinels_name_the_master(sentinel: RedisProcess) -> None:
    url = f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{sentinel.port}/sessions?db=2"
    async with RedisClient(SETTINGS, url) as made:
        client: Any = made.client
        await asyncio.gather(*(client.incr("calls") for _ in range(20)))

        assert await client.get("calls") == b"20"
        assert client.connection_pool.get_connection_count()[0][0] <= 4
        assert (await client.client_info())["db"] == 2


async def test_an_unknown_master_is_an_error(sentinel: RedisProcess) -> None:
    made = RedisClient(BRIEF, f"redis+sentinel://127.0.0.1:{sentinel.port}/nobody")

    with pytest.raises(REDIS_ERRORS, match="nobody"):
        await made.start()


async def test_after_a_failover_the_client_writes_to_the_new_master(
    master: RedisProcess, replica: RedisProcess, sentinel: RedisProcess
) -> None:
    made = RedisClient(BRIEF, f"redis+sentinel://127.0.0.1:{sentinel.port}/sessions")
    await made.start()
    client: Any = made.client
    watch: Any = open_redis(BRIEF, f"redis://127.0.0.1:{sentinel.port}")

    async def copied() -> bool:
        return int(await client.wait(1, 100)) == 1

    async def known() -> bool:
        return bool(await watch.execute_command("SENTINEL", "REPLICAS", "sessions"))

    async def written() -> bool:
        try:
            return bool(await client.set("a", "after"))
        except REDIS_ERRORS:
            return False

    await client.set("a", "before")
    await eventually(copied)
    await eventually(known, 20)
    await watch.aclose()
    master.kill()

    await eventually(written, 60)
    assert await replica.ask(b"GET a") == b"$5"
    await made.stop()


async def test_after_a_failover_revocations_are_followed_at_the_new_master(
    master: RedisProcess, replica: RedisProcess, sentinel: RedisProcess
) -> None:
    client: Any = open_redis(BRIEF, f"redis+sentinel://127.0.0.1:{sentinel.port}/sessions")
    asked: Any = open_redis(BRIEF, f"redis://127.0.0.1:{sentinel.port}")
    followed = FollowedRevocations(
        RevocationSettings(max_delay=timedelta(seconds=1)),
        clock=SystemClock(),
        chance=lambda: 0.5,
    )
    here, watch = followed.on(client), followed.watch(client)
    await watch.start()

    async def in_step() -> bool:
        return followed.held.in_step

    async def in_doubt() -> bool:
        return not followed.held.in_step

    async def known() -> bool:
        return bool(await asked.execute_command("SENTINEL", "REPLICAS", "sessions"))

    async def ended() -> bool:
        try:
            await here.end_session("after", HOUR)
        except Fault:
            return False
        return True

    async def copied() -> bool:
        return int(await client.wait(1, 100)) == 1

    await eventually(in_step)
    await here.end_session("before", HOUR)
    await eventually(copied)
    await eventually(known, 20)
    await asked.aclose()
    master.kill()
    await eventually(in_doubt)

    await eventually(ended, 60)
    await eventually(in_step, 60)
    assert await replica.ask(b"GET jwt:session:after") == b"$1"
    for session in ("before", "after"):
        with pytest.raises(Fault, match="UNAUTHENTICATED"):
            await here.check(session, "u", 1)
    await here.check("other", "u", 1)
    await watch.stop()
    await client.aclose()


async def test_on_a_cluster_revocations_are_read(cluster: RedisProcess) -> None:
    client = open_redis(SETTINGS, f"redis+cluster://127.0.0.1:{cluster.port}")
    followed = FollowedRevocations(RevocationSettings(), clock=SystemClock(), chance=lambda: 0.5)
    here, there, watch = followed.on(client), RedisRevocations(client), followed.watch(client)
    await watch.start()
    try:
        await here.end_session("a", HOUR)
        await there.end_session("b", HOUR)
        await there.raise_version("u", 3, HOUR)
        await there.raise_version("u", 2, HOUR)

        for session, version in (("a", 3), ("b", 3), ("other", 2)):
            with pytest.raises(Fault, match="UNAUTHENTICATED"):
                await here.check(session, "u", version)
        await here.check("other", "u", 3)
        assert not followed.held.in_step
    finally:
        await watch.stop()
        await client.aclose()


async def test_on_a_cluster_all_keys_of_a_call_pay_or_none(cluster: RedisProcess) -> None:
    client = open_redis(SETTINGS, f"redis+cluster://127.0.0.1:{cluster.port}")
    rules = {
        "user": RateLimitSettings(rate=2, per=HOUR).rule(),
        "ip": RateLimitSettings(rate=5, per=HOUR, algorithm=Algorithm.SLIDING_WINDOW).rule(),
    }
    limiter = RedisRateLimiter(by_kind(rules, rules["user"]), client)
    keys = ["user:1", "ip:1", "Login"]
    try:
        for number in range(5):
            assert (await limiter.take_many(keys)).allowed == (number < 2)

        assert (await limiter.take("ip:1")).remaining == 2
        assert not (await limiter.take("user:1")).allowed
    finally:
        await client.aclose()


async def test_on_a_cluster_locks_hold(cluster: RedisProcess) -> None:
    client = open_redis(SETTINGS, f"redis+cluster://127.0.0.1:{cluster.port}")
    locks = StoredLocks(
        RedisLockStore(client),
        LockSettings(),
        clock=SystemClock(),
        tokens=SystemTokens(),
        chance=lambda: 0.5,
    )
    try:
        async with locks.acquire("a") as held:
            with pytest.raises(LockTimeoutError):
                async with locks.acquire("a", wait=timedelta()):
                    pytest.fail("two hold it")
        async with locks.acquire("a") as again:
            assert again.fencing > held.fencing
    finally:
        await client.aclose()


async def test_on_a_cluster_a_cache_keeps_forgets_and_hears(cluster: RedisProcess) -> None:
    client = open_redis(SETTINGS, f"redis+cluster://127.0.0.1:{cluster.port}")
    store = RedisCacheStore(client)
    values = iter(range(100))
    cache: HotCache[int] = HotCache(
        "numbers",
        store,
        JsonCodec[int](lambda value: value, int),
        CacheSettings(),
        clock=SystemClock(),
        tokens=SystemTokens(),
        chance=lambda: 0.5,
    )

    async def load() -> int:
        return next(values)

    async def get() -> int | None:
        return await cache.get_or_load("a", load, tags=["t", "u"])

    try:
        async with cache, store.subscribe() as heard:
            assert [await get(), await get()] == [0, 0]
            await cache.invalidate("a")
            assert [await get(), await get()] == [1, 1]
            await cache.invalidate_tag("u")
            assert [await get(), await get()] == [2, 2]
            async with asyncio.timeout(5):
                assert await anext(heard) == Invalidation(key="a")
                assert await anext(heard) == Invalidation(tag="u")
    finally:
        await client.aclose()
