"""Who holds a lock renews it in time, and knows by its own clock when it has lost it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from pkg.clock import FakeClock, SystemClock
from pkg.errors import Fault
from pkg.lock import (
    Attempt,
    LockLostError,
    LockMetrics,
    LockSettings,
    LockTimeoutError,
    MemoryLockStore,
    StoredLocks,
)
from pkg.tokens import FakeTokens

SECOND = timedelta(seconds=1)
TTL = 9 * SECOND


class Time:
    """A clock, and pauses that end when it is moved past them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    async def pause(self, time: timedelta) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self.clock.monotonic() + time.total_seconds(), woken))
        await woken.wait()

    async def settle(self) -> None:
        """Let everybody do what can be done now."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def pass_by(self, seconds: float) -> None:
        await self.settle()
        end = self.clock.monotonic() + seconds
        while due := [sleeper for sleeper in self._sleepers if sleeper[0] <= end + 1e-9]:
            sleeper = min(due, key=lambda each: each[0])
            self._sleepers.remove(sleeper)
            self._move(sleeper[0])
            sleeper[1].set()
            await self.settle()
        self._move(end)

    def _move(self, to: float) -> None:
        self.clock.advance(timedelta(seconds=max(0.0, to - self.clock.monotonic())))


class Unsteady(MemoryLockStore):
    """A store that can be away, or hang."""

    def __init__(self, time: Time) -> None:
        super().__init__(time.clock)
        self.away = False
        self.hangs = False
        self.renewed: list[float] = []
        self._time = time

    async def _reach(self) -> None:
        if self.away:
            raise Fault("UNAVAILABLE")
        if self.hangs:
            await asyncio.Event().wait()

    async def take(self, name: str, token: str, ttl: timedelta) -> Attempt:
        attempt = await super().take(name, token, ttl)
        await self._reach()
        return attempt

    async def renew(self, name: str, token: str, ttl: timedelta) -> bool:
        await self._reach()
        self.renewed.append(self._time.clock.monotonic())
        return await super().renew(name, token, ttl)

    async def release(self, name: str, token: str, fencing: int) -> bool:
        if self.away:
            raise Fault("UNAVAILABLE")
        return await super().release(name, token, fencing)


class World:
    def __init__(self) -> None:
        self.time = Time()
        self.store = Unsteady(self.time)
        self.registry = CollectorRegistry()
        self.locks = StoredLocks(
            self.store,
            LockSettings(ttl=TTL, wait=5 * SECOND),
            clock=self.time.clock,
            tokens=FakeTokens(),
            chance=lambda: 0.0,
            pause=self.time.pause,
            metrics=LockMetrics(self.registry),
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


@pytest.fixture
def world() -> World:
    return World()


async def test_it_is_renewed_three_times_in_its_life(world: World) -> None:
    async with world.locks.acquire("a"):
        await world.time.pass_by(30)

    assert world.store.renewed == pytest.approx([3, 6, 9, 12, 15, 18, 21, 24, 27, 30])
    assert world.value("lock_acquisitions_total", result="acquired") == 1
    assert world.value("lock_lost_total") == 0


async def test_nothing_goes_on_after_the_block(world: World) -> None:
    async with world.locks.acquire("a"):
        pass
    await world.time.pass_by(30)

    assert world.store.renewed == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_short_outage_is_survived(world: World) -> None:
    async with world.locks.acquire("a") as held:
        world.store.away = True
        await world.time.pass_by(7)
        held.check()
        world.store.away = False
        await world.time.pass_by(60)

        assert not held.lost.is_set()


async def test_in_an_outage_the_block_is_stopped_before_others_can_have_the_lock(
    world: World,
) -> None:
    async def work() -> None:
        async with world.locks.acquire("a"):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await world.time.settle()
    world.store.away = True
    await world.time.pass_by(8.0)
    assert not task.done()
    await world.time.pass_by(0.5)

    with pytest.raises(LockLostError):
        await task
    assert world.value("lock_lost_total") == 1


async def test_a_renewal_that_hangs_does_not_keep_the_loss_from_being_found(world: World) -> None:
    locks = StoredLocks(
        world.store,
        LockSettings(ttl=timedelta(milliseconds=100)),
        clock=SystemClock(),
        tokens=FakeTokens(),
        chance=lambda: 0.0,
    )

    async def work() -> None:
        async with locks.acquire("a"):
            world.store.hangs = True
            await asyncio.Event().wait()

    async with asyncio.timeout(5):
        with pytest.raises(LockLostError):
            await work()


async def test_who_stood_still_finds_out_before_it_goes_on(world: World) -> None:
    async with world.locks.acquire("a") as held:
        world.time.clock.advance(TTL)

        with pytest.raises(LockLostError):
            held.check()


async def test_an_outage_at_the_end_is_no_loss(world: World) -> None:
    async with world.locks.acquire("a"):
        world.store.away = True

    assert world.value("lock_lost_total") == 0


async def test_who_is_cancelled_by_others_too_sees_that(world: World) -> None:
    async def work() -> None:
        async with world.locks.acquire("a"):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                task.cancel()
                raise

    task = asyncio.create_task(work())
    await world.time.settle()
    world.store.away = True
    await world.time.pass_by(10)

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_loss_does_not_hide_the_error_of_the_block(world: World) -> None:
    async def work() -> None:
        async with world.locks.acquire("a"):
            world.time.clock.advance(TTL)
            await world.store.take("a", "other", TTL)
            raise KeyError

    with pytest.raises(KeyError):
        await work()

    assert world.value("lock_lost_total") == 1


async def test_a_block_that_ignores_its_cancellation_is_told_at_its_end(world: World) -> None:
    async def work() -> None:
        async with world.locks.acquire("a"):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return

    task = asyncio.create_task(work())
    await world.time.settle()
    world.store.away = True
    await world.time.pass_by(10)

    with pytest.raises(LockLostError):
        await task


async def test_who_is_cancelled_while_it_takes_the_lock_gives_it_back(world: World) -> None:
    world.store.hangs = True
    task = asyncio.create_task(world.locks.acquire("a").__aenter__())
    await world.time.settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    world.store.hangs = False
    async with world.locks.acquire("a", wait=timedelta()):
        pass


async def test_who_waits_tries_less_and_less_often_until_its_time_is_over(world: World) -> None:
    async with world.locks.acquire("a"):
        waiting = asyncio.create_task(world.locks.acquire("a").__aenter__())
        await world.time.pass_by(4.9)
        assert not waiting.done()
        await world.time.pass_by(0.2)
        with pytest.raises(LockTimeoutError, match="5 s"):
            await waiting

    assert world.value("lock_acquisitions_total", result="timeout") == 1


async def test_an_outage_is_counted_and_not_waited_for(world: World) -> None:
    world.store.away = True

    with pytest.raises(Fault, match="UNAVAILABLE"):
        async with world.locks.acquire("a"):
            pytest.fail("who would know?")

    assert world.value("lock_acquisitions_total", result="error") == 1


async def test_a_lock_without_a_time_to_live_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="time to live"):
        world.locks.acquire("a", ttl=timedelta())


async def test_memory_forgets_locks_that_nobody_gave_up(world: World) -> None:
    for number in range(3000):
        await world.store.take(str(number), "gone", SECOND)
        world.time.clock.advance(timedelta(milliseconds=10))

    assert len(world.store._locks) <= 1024 + 100
