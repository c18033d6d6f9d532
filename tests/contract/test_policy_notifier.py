"""What every notifier of policies does."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.clock import SystemClock
from pkg.rbac import (
    MemoryNotifier,
    PolicyAnnouncer,
    PolicyEngine,
    PolicyNotifier,
    PolicySet,
    PolicyWatch,
    RedisNotifier,
)
from pkg.redis import RedisError, RedisSettings, open_redis

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.servers import Backend

SOON = 30.0
"""Seconds: far more than it takes."""


@pytest.fixture
def notifier(backend: Backend) -> PolicyNotifier:
    if backend.redis is None:
        return MemoryNotifier()
    return RedisNotifier(backend.redis, backend.prefix + "policies")


async def test_who_is_subscribed_hears_of_a_version(notifier: PolicyNotifier) -> None:
    async with (
        asyncio.timeout(SOON),
        notifier.subscribe() as one,
        notifier.subscribe() as other,
    ):
        await notifier.publish(7)

        assert (await anext(one), await anext(other)) == (7, 7)
        await notifier.publish(8)
        assert await anext(one) == 8


async def test_what_was_published_before_is_not_heard(notifier: PolicyNotifier) -> None:
    await notifier.publish(1)

    async with asyncio.timeout(SOON), notifier.subscribe() as versions:
        await notifier.publish(2)
        assert await anext(versions) == 2


async def test_the_latest_version_is_heard_in_the_end(notifier: PolicyNotifier) -> None:
    async with asyncio.timeout(SOON), notifier.subscribe() as versions:
        for version in range(5):
            await notifier.publish(version)
        async for heard in versions:
            if heard == 4:
                break


async def test_publishing_to_nobody_is_no_error(notifier: PolicyNotifier) -> None:
    await notifier.publish(1)


class Source:
    """Policies in a database that several processes share."""

    def __init__(self) -> None:
        self.policies = PolicySet(1)

    async def load(self) -> PolicySet:
        return self.policies

    async def version(self) -> int:
        return self.policies.version

    def change(self, *rules: tuple[str, str, str]) -> int:
        self.policies = PolicySet(self.policies.version + 1, rules)
        return self.policies.version


def engine_of(source: Source) -> PolicyEngine:
    return PolicyEngine(source.load, clock=SystemClock(), max_stale=timedelta(hours=1))


async def test_a_change_by_another_process_is_enforced_within_a_second(
    notifier: PolicyNotifier,
) -> None:
    source = Source()
    here, there = engine_of(source), engine_of(source)
    # Polling would take an hour: what is seen, is heard of.
    watch = PolicyWatch(here, notifier, source.version, poll=timedelta(hours=1))
    await watch.start()
    await there.reload()
    announcer = PolicyAnnouncer(there, notifier)
    monotonic = SystemClock().monotonic

    async def enforced(path: str) -> float:
        """Seconds that it takes."""
        rule = ("user", path, "GET")
        assert not here.allowed(*rule)
        begun = monotonic()
        async with asyncio.timeout(SOON):
            while not here.allowed(*rule):
                await announcer.policy_changed(source.change(rule))
                assert there.allowed(*rule)
                await asyncio.sleep(0.01)
        return monotonic() - begun

    # A machine may stall once; what is late each time is not heard.
    assert min([await enforced(f"/{number}") for number in range(3)]) < 1

    await watch.stop()


async def test_another_loop_may_publish_in_memory() -> None:
    notifier = MemoryNotifier()

    async with asyncio.timeout(SOON), notifier.subscribe() as versions:
        thread = threading.Thread(target=lambda: asyncio.run(notifier.publish(3)))
        thread.start()
        assert await anext(versions) == 3
        await asyncio.to_thread(thread.join)


async def test_a_message_that_is_no_version_is_passed_over(redis_backend: Backend) -> None:
    channel = redis_backend.prefix + "policies"
    notifier = RedisNotifier(redis_backend.redis, channel)

    async with asyncio.timeout(SOON), notifier.subscribe() as versions:
        for text in ("", "x", "-1", "9" * 30, b"\xff"):
            await redis_backend.redis.publish(channel, text)
        await notifier.publish(5)
        assert await anext(versions) == 5


async def test_without_its_server_it_fails(tmp_path: Path) -> None:
    client = open_redis(RedisSettings(retries=0), f"unix://{tmp_path}/nobody.sock")
    notifier = RedisNotifier(client)

    with pytest.raises(RedisError):
        await notifier.publish(1)
    with pytest.raises(RedisError):
        async with notifier.subscribe():
            pass
    await client.aclose()
