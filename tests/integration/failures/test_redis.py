"""What holds when Redis is absent, is killed under load and comes back, or stands still."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pkg.cache import CacheSettings, HotCache, JsonCodec, LocalSettings, RedisCacheStore
from pkg.clock import SystemClock
from pkg.errors import Fault
from pkg.lock import (
    LockError,
    LockLostError,
    LockSettings,
    LockTimeoutError,
    RedisLockStore,
    StoredLocks,
)
from pkg.ratelimit import (
    RateLimiterSettings,
    RateLimitSettings,
    RedisRateLimiter,
    WhenAway,
    guarded,
    limits_of,
)
from pkg.redis import REDIS_ERRORS, RedisClient, RedisSettings
from pkg.redis.pool import connections
from pkg.tokens import SystemTokens
from tests.integration.redis_process import RedisProcess, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

LOG = logging.getLogger(__name__)
SECOND = timedelta(seconds=1)
ANSWER = SECOND / 5
RETRY = SECOND / 2
SETTINGS = RedisSettings(timeout=ANSWER, connect_timeout=ANSWER, retries=1, max_connections=8)
DEADLINE = 5.0
"""Seconds for any call: two tries and the pause between them, with room for a busy machine."""
WORKERS = 16


class Service:
    """The components as a service has them."""

    def __init__(self, url: str, when_away: WhenAway = WhenAway.LOCAL) -> None:
        clock, tokens = SystemClock(), SystemTokens()
        self.redis = RedisClient(SETTINGS, url)
        limits = RateLimiterSettings(
            default=RateLimitSettings(rate=5, per=timedelta(hours=1)),
            when_away=when_away,
            retry_after=RETRY,
        )
        rules = limits_of(limits)
        self.limiter = guarded(
            limits, RedisRateLimiter(rules, self.redis.client), rules, clock=clock
        )
        self.locks = StoredLocks(
            RedisLockStore(self.redis.client),
            LockSettings(ttl=SECOND, wait=SECOND),
            clock=clock,
            tokens=tokens,
            chance=lambda: 0.5,
        )
        self.cache: HotCache[Any] = HotCache(
            "things",
            RedisCacheStore(self.redis.client),
            JsonCodec[Any](lambda value: value, lambda value: value),
            CacheSettings(
                retry_after=RETRY,
                max_direct_loads=4,
                local=LocalSettings(size=10, ttl=SECOND / 100),
            ),
            clock=clock,
            tokens=tokens,
            chance=lambda: 0.5,
        )
        self.loading = 0
        self.most_loading = 0

    async def load(self) -> str:
        self.loading += 1
        self.most_loading = max(self.most_loading, self.loading)
        await asyncio.sleep(0.001)
        self.loading -= 1
        return "value"

    async def counts(self) -> bool:
        """Whether Redis answers."""
        client: Any = self.redis.client
        try:
            return bool(await client.exists("probe") == 0)
        except REDIS_ERRORS:
            return False

    async def stop(self) -> None:
        await self.cache.stop()
        await self.redis.stop()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisProcess]:
    made = RedisProcess(tmp_path / "redis")
    try:
        yield made
    finally:
        made.stop()


async def test_absent_at_the_start_and_there_later(server: RedisProcess) -> None:
    with pytest.raises(REDIS_ERRORS):
        await RedisClient(SETTINGS, server.url).start()
    service = Service(server.url)
    await service.cache.start()

    began = time.monotonic()
    async with asyncio.timeout(DEADLINE):
        assert [(await service.limiter.take("a")).allowed for _ in range(6)] == [True] * 5 + [False]
        assert await service.cache.get_or_load("a", service.load) == "value"
        with pytest.raises(Fault, match="UNAVAILABLE"):
            async with service.locks.acquire("a"):
                pytest.fail("nobody knows who holds it")
    degraded = time.monotonic() - began

    await server.start()
    began = time.monotonic()

    async def recovered() -> bool:
        # One less where an answer was late, and the question asked again.
        return (await service.limiter.take("a")).remaining >= 3

    await eventually(recovered)
    await eventually(service.counts)
    back = time.monotonic() - began
    LOG.info("absent: 8 calls in %.2f s; used %.2f s after it answers", degraded, back)
    async with service.locks.acquire("a") as held:
        assert held.fencing > 0
    await service.cache.get_or_load("b", service.load)
    await service.stop()


@pytest.mark.parametrize("when_away", list(WhenAway))
async def test_killed_under_load_and_brought_back(
    server: RedisProcess, when_away: WhenAway
) -> None:
    await server.start()
    service = Service(server.url, when_away)
    await service.redis.start()
    await service.cache.start()
    before = len(asyncio.all_tasks())
    done = asyncio.Event()
    answered = {"limiter": 0, "cache": 0, "lock": 0, "not held": 0, "UNAVAILABLE": 0}
    asked, slowest, inside, most_inside = 0, 0.0, 0, 0
    fencing: list[int] = []

    async def limit(number: int) -> None:
        await service.limiter.take_many([f"user:{number}", "ip:1"])
        answered["limiter"] += 1

    async def look(number: int) -> None:
        assert await service.cache.get_or_load(f"key:{number}", service.load) == "value"
        answered["cache"] += 1

    async def hold(number: int) -> None:
        nonlocal inside, most_inside
        async with service.locks.acquire("one", wait=SECOND / 2) as held:
            inside += 1
            most_inside = max(most_inside, inside)
            fencing.append(held.fencing)
            await asyncio.sleep(0.001)
            inside -= 1
        answered["lock"] += 1

    async def work(number: int) -> None:
        nonlocal asked, slowest
        while not done.is_set():
            for call in (limit, look, hold):
                asked += 1
                began = time.monotonic()
                try:
                    await call(number)
                except Fault as fault:
                    answered[fault.reason] += 1
                except LockError:
                    answered["not held"] += 1
                slowest = max(slowest, time.monotonic() - began)
                assert connections(service.redis.client)[0] <= SETTINGS.max_connections
            await asyncio.sleep(0.002)

    workers = [asyncio.create_task(work(number)) for number in range(WORKERS)]

    async def held_often() -> bool:
        return answered["lock"] > 20

    await eventually(held_often)
    server.kill()
    outage = answered["UNAVAILABLE"]

    async def in_outage() -> bool:
        return answered["UNAVAILABLE"] > outage + 20

    await eventually(in_outage)
    await server.start()
    began = time.monotonic()
    await eventually(service.counts)
    back = time.monotonic() - began
    held, answered["lock"] = answered["lock"], 0
    await eventually(held_often)
    done.set()
    await asyncio.gather(*workers)

    answered["lock"] += held
    LOG.info(
        "killed, %s: %d asked, %s; slowest %.2f s; used %.2f s after it is back",
        *(when_away.value, asked, answered, slowest, back),
    )
    assert sum(answered.values()) == asked
    assert slowest < DEADLINE
    assert most_inside == 1
    assert fencing == sorted(set(fencing))
    # Those that the store coordinates, one for each key, and those that it does not.
    assert service.most_loading <= WORKERS + 4
    assert len(asyncio.all_tasks()) <= before + 1
    await service.stop()


async def test_frozen_while_a_lock_is_held(server: RedisProcess) -> None:
    await server.start()
    service = Service(server.url)
    await service.redis.start()
    frozen = 0.0

    async def work() -> None:
        nonlocal frozen
        async with service.locks.acquire("a", ttl=5 * SECOND):
            server.freeze()
            frozen = time.monotonic()
            await asyncio.Event().wait()

    with pytest.raises(LockLostError):
        await work()
    # It lives for its ttl since the last renewal; the others may have it after that.
    lost = time.monotonic() - frozen
    assert lost < 5

    began = time.monotonic()
    assert (await service.limiter.take("a")).allowed
    assert await service.cache.get_or_load("a", service.load) == "value"
    assert time.monotonic() - began < 2 * DEADLINE
    began = time.monotonic()
    await asyncio.gather(
        *(service.limiter.take("a") for _ in range(100)),
        *(service.cache.get_or_load(str(number), service.load) for number in range(100)),
    )
    took = time.monotonic() - began
    LOG.info("frozen: the lock was lost after %.2f s; 200 calls in %.2f s", lost, took)
    assert took < DEADLINE  # at most one of each asks whether it is back

    server.thaw()

    async def free() -> bool:
        try:
            async with service.locks.acquire("a"):
                return True
        except (Fault, LockTimeoutError):
            return False

    await eventually(free)
    await eventually(service.counts)
    await service.stop()


async def test_frozen_the_connections_that_wait_are_bounded(server: RedisProcess) -> None:
    await server.start()
    service = Service(server.url, WhenAway.CLOSED)
    await service.redis.start()
    server.freeze()
    began = time.monotonic()

    results = await asyncio.gather(
        *(service.limiter.take(str(number)) for number in range(200)), return_exceptions=True
    )

    took = time.monotonic() - began
    LOG.info("frozen, closed: 200 calls were refused in %.2f s", took)
    assert all(isinstance(result, Fault) for result in results)
    assert took < 2 * DEADLINE
    assert connections(service.redis.client)[0] == 0
    server.thaw()
    await eventually(service.counts)
    await service.stop()
