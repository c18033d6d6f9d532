"""What locks do, whatever they are kept in."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.clock import Pause, SystemClock, pause
from pkg.errors import Fault
from pkg.lock import (
    Attempt,
    LockLostError,
    LockSettings,
    LockStore,
    LockTimeoutError,
    MemoryLockStore,
    RedisLockStore,
    StoredLocks,
)
from pkg.redis import RedisSettings, open_redis
from pkg.tokens import SystemTokens

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.servers import Backend

NONE = timedelta()
MOMENT = timedelta(milliseconds=50)
SHORT = timedelta(seconds=3)
LONG = timedelta(seconds=30)


class Watched:
    """A store that tells when it was asked to renew."""

    def __init__(self, within: LockStore) -> None:
        self._within = within
        self.renewals = asyncio.Semaphore(0)

    async def take(self, name: str, token: str, ttl: timedelta) -> Attempt:
        return await self._within.take(name, token, ttl)

    async def renew(self, name: str, token: str, ttl: timedelta) -> bool:
        renewed = await self._within.renew(name, token, ttl)
        self.renewals.release()
        return renewed

    async def release(self, name: str, token: str, fencing: int) -> bool:
        return await self._within.release(name, token, fencing)


@pytest.fixture
def store(backend: Backend) -> Watched:
    if backend.redis is None:
        return Watched(MemoryLockStore(backend.clock))
    return Watched(RedisLockStore(backend.redis, backend.prefix + "lock"))


def process(store: LockStore, pause: Pause = pause) -> StoredLocks:
    """Who holds locks reckons with the true time; that of the store can be moved."""
    return StoredLocks(
        store,
        LockSettings(ttl=LONG),
        clock=SystemClock(),
        tokens=SystemTokens(),
        chance=lambda: 0,
        pause=pause,
    )


@pytest.fixture
def locks(store: Watched) -> StoredLocks:
    return process(store)


@pytest.fixture
def others(store: Watched) -> StoredLocks:
    return process(store)


async def test_one_at_a_time_holds_a_lock(store: Watched) -> None:
    inside, most, done = 0, 0, 0

    async def work() -> None:
        nonlocal inside, most, done
        async with process(store).acquire("a", wait=LONG):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            done += 1

    await asyncio.gather(*(work() for _ in range(8)))

    assert (most, done) == (1, 8)


async def test_who_does_not_wait_is_told_at_once(locks: StoredLocks, others: StoredLocks) -> None:
    async with locks.acquire("a"):
        with pytest.raises(LockTimeoutError, match="'a'"):
            async with others.acquire("a", wait=NONE):
                pytest.fail("two hold it")


async def test_who_waits_too_long_is_told(locks: StoredLocks, others: StoredLocks) -> None:
    async with locks.acquire("a"):
        with pytest.raises(LockTimeoutError):
            async with others.acquire("a", wait=MOMENT):
                pytest.fail("two hold it")


async def test_who_waits_has_it_when_it_is_released(
    locks: StoredLocks, others: StoredLocks
) -> None:
    async with locks.acquire("a") as held:
        waiting = asyncio.ensure_future(others.acquire("a", wait=LONG).__aenter__())
        await asyncio.sleep(0)
        assert not waiting.done()

    assert (await waiting).fencing > held.fencing


async def test_locks_of_other_names_are_free(locks: StoredLocks, others: StoredLocks) -> None:
    async with locks.acquire("a"), others.acquire("b", wait=NONE) as held:
        assert held.name == "b"


async def test_a_lock_is_not_reentrant(locks: StoredLocks) -> None:
    async with locks.acquire("a"):
        with pytest.raises(LockTimeoutError):
            async with locks.acquire("a", wait=NONE):
                pytest.fail("two hold it")


async def test_the_fencing_number_only_grows(locks: StoredLocks, others: StoredLocks) -> None:
    numbers = []
    for each in (locks, others, locks, others):
        async with each.acquire("a") as held:
            numbers.append(held.fencing)

    assert numbers == sorted(set(numbers))
    assert numbers[0] > 0


async def test_an_error_in_the_block_releases_the_lock_and_goes_on(
    locks: StoredLocks, others: StoredLocks
) -> None:
    with pytest.raises(KeyError):
        async with locks.acquire("a"):
            raise KeyError

    async with others.acquire("a", wait=NONE):
        pass


async def test_who_is_cancelled_releases_the_lock(locks: StoredLocks, others: StoredLocks) -> None:
    entered = asyncio.Event()

    async def work() -> None:
        async with locks.acquire("a"):
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with others.acquire("a", wait=NONE):
        pass


async def test_who_is_cancelled_while_it_waits_leaves_nothing(
    locks: StoredLocks, others: StoredLocks
) -> None:
    async with locks.acquire("a"):
        waiting = asyncio.create_task(others.acquire("a", wait=LONG).__aenter__())
        await asyncio.sleep(0.02)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    async with locks.acquire("a", wait=NONE):
        pass


async def test_a_lock_outlives_its_time_as_long_as_it_is_held(
    store: Watched, locks: StoredLocks, others: StoredLocks
) -> None:
    async with locks.acquire("a", ttl=SHORT) as held:
        for _ in range(4):
            await store.renewals.acquire()
        held.check()
        with pytest.raises(LockTimeoutError):
            async with others.acquire("a", wait=NONE):
                pytest.fail("two hold it")


async def test_the_lock_of_who_is_gone_is_free_after_its_time(
    backend: Backend, store: Watched, locks: StoredLocks
) -> None:
    assert (await store.take("a", "gone", LONG)).fencing > 0
    with pytest.raises(LockTimeoutError):
        async with locks.acquire("a", wait=NONE):
            pytest.fail("two hold it")

    await backend.advance(LONG)

    async with locks.acquire("a", wait=NONE):
        pass


async def test_who_loses_its_lock_is_stopped_and_told(
    backend: Backend, store: Watched, others: StoredLocks
) -> None:
    other = others.acquire("a", wait=NONE)
    lost, stopped = asyncio.Event(), False

    async def until_lost(_duration: timedelta) -> None:
        await lost.wait()

    async def work() -> None:
        nonlocal stopped
        async with process(store, until_lost).acquire("a", ttl=LONG) as held:
            await backend.advance(LONG)
            assert (await other.__aenter__()).fencing > held.fencing
            lost.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                stopped = held.lost.is_set()
                raise

    with pytest.raises(LockLostError, match="'a'"):
        await work()

    assert stopped
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await other.__aexit__(None, None, None)  # it was still the other's: this does not raise


async def test_a_loss_that_is_found_at_the_end_is_told(
    backend: Backend, locks: StoredLocks, others: StoredLocks
) -> None:
    other = others.acquire("a", wait=NONE)

    async def work() -> None:
        async with locks.acquire("a"):
            await backend.advance(LONG)
            await other.__aenter__()

    with pytest.raises(LockLostError):
        await work()
    await other.__aexit__(None, None, None)


async def test_who_releases_late_but_before_anybody_else_held_it_is_not_told(
    backend: Backend, store: Watched
) -> None:
    fencing = (await store.take("a", "mine", SHORT)).fencing
    await backend.advance(LONG)

    assert await store.release("a", "mine", fencing)


async def test_a_repeated_command_does_what_the_first_did(store: Watched) -> None:
    assert (await store.take("a", "mine", LONG)).fencing > 0
    fencing = (await store.take("a", "mine", LONG)).fencing

    assert fencing > 0
    assert (await store.take("a", "other", LONG)).held_for == pytest.approx(30, abs=5)
    assert await store.renew("a", "mine", LONG)
    assert not await store.renew("a", "other", LONG)
    assert not await store.release("a", "other", fencing - 1)


@pytest.mark.parametrize("name", ["", "with space", "密码", "a:b", "{a}", "}", "x" * 300])
async def test_a_name_is_any_text(locks: StoredLocks, others: StoredLocks, name: str) -> None:
    async with locks.acquire(name):
        with pytest.raises(LockTimeoutError):
            async with others.acquire(name, wait=NONE):
                pytest.fail("two hold it")
        async with others.acquire(name + "!", wait=NONE):
            pass


async def test_in_redis_a_repeated_release_is_no_loss(redis_backend: Backend) -> None:
    store = RedisLockStore(redis_backend.redis, redis_backend.prefix + "lock")
    fencing = (await store.take("a", "mine", LONG)).fencing

    assert await store.release("a", "mine", fencing)
    assert await store.release("a", "mine", fencing)


async def test_fencing_numbers_grow_though_redis_forgot_them(redis_backend: Backend) -> None:
    store = RedisLockStore(redis_backend.redis, redis_backend.prefix + "lock")
    before = (await store.take("a", "mine", LONG)).fencing
    keys = [key async for key in redis_backend.redis.scan_iter(f"{redis_backend.prefix}*")]
    await redis_backend.redis.delete(*keys)

    assert len(keys) == 2
    assert (await store.take("a", "other", LONG)).fencing > before
    assert not await store.release("a", "mine", before)


async def test_nothing_is_kept_for_ever(redis_backend: Backend) -> None:
    store = RedisLockStore(redis_backend.redis, redis_backend.prefix + "lock")
    fencing = (await store.take("a", "mine", LONG)).fencing
    await store.renew("a", "mine", LONG)
    await store.release("a", "mine", fencing)
    await store.take("b", "mine", LONG)

    keys = [key async for key in redis_backend.redis.scan_iter(f"{redis_backend.prefix}*")]

    assert len(keys) == 3
    assert all([await redis_backend.redis.pttl(key) > 0 for key in keys])


async def test_without_its_server_nobody_holds_a_lock(tmp_path: Path) -> None:
    client = open_redis(RedisSettings(retries=0), f"unix://{tmp_path}/nobody.sock")

    with pytest.raises(Fault, match="UNAVAILABLE"):
        async with process(RedisLockStore(client)).acquire("a", wait=LONG):
            pytest.fail("who would know?")
    await client.aclose()
