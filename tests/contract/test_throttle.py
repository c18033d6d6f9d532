"""What every throttle does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.errors import Fault
from pkg.redis import RedisSettings, open_redis
from pkg.throttle import (
    Limits,
    MemoryThrottle,
    RedisThrottle,
    Throttle,
    ThrottleSettings,
    every_key,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.servers import Backend

MOMENT = timedelta(seconds=1)
SETTINGS = ThrottleSettings(
    max_failures=3,
    window=timedelta(minutes=10),
    lock_for=timedelta(seconds=30),
    longest_lock=timedelta(seconds=100),
)


def by_kind(key: str) -> ThrottleSettings:
    return SETTINGS.model_copy(update={"max_failures": 5}) if key.startswith("ip:") else SETTINGS


def made(backend: Backend, limits: Limits) -> Throttle:
    if backend.redis is None:
        return MemoryThrottle(limits, clock=backend.clock)
    return RedisThrottle(limits, backend.redis, backend.prefix + "throttle")


@pytest.fixture
def throttle(backend: Backend) -> Throttle:
    return made(backend, every_key(SETTINGS))


async def fail(throttle: Throttle, times: int, *keys: str) -> None:
    for _ in range(times):
        await throttle.failed(keys or ("a",))


async def test_a_key_without_failures_is_free(throttle: Throttle) -> None:
    assert await throttle.check(["a", "b"]) is None
    assert await throttle.check([]) is None
    await throttle.failed([])
    await throttle.succeeded([])


async def test_few_failures_do_not_lock(throttle: Throttle) -> None:
    await fail(throttle, 2)

    assert await throttle.check(["a"]) is None


async def test_enough_failures_lock_for_a_while(throttle: Throttle, backend: Backend) -> None:
    await fail(throttle, 3)

    wait = await throttle.check(["a"])
    assert wait is not None
    assert 25 < wait <= 30  # a server's clock goes on

    await backend.advance(timedelta(seconds=30) + MOMENT)
    assert await throttle.check(["a"]) is None


async def test_each_failure_more_doubles_the_lock_up_to_the_longest(
    throttle: Throttle, backend: Backend
) -> None:
    waits = []
    await fail(throttle, 2)
    for _ in range(5):
        await fail(throttle, 1)
        wait = await throttle.check(["a"])
        assert wait is not None
        waits.append(wait)
        await backend.advance(timedelta(seconds=wait) + MOMENT)

    assert waits == pytest.approx([30, 60, 100, 100, 100], abs=5)


async def test_failures_are_forgotten_after_the_window(
    throttle: Throttle, backend: Backend
) -> None:
    await fail(throttle, 2)
    await backend.advance(SETTINGS.window + MOMENT)
    await fail(throttle, 2)

    assert await throttle.check(["a"]) is None


async def test_the_window_begins_with_the_first_failure(
    throttle: Throttle, backend: Backend
) -> None:
    await fail(throttle, 1)
    await backend.advance(SETTINGS.window * 0.9)
    await fail(throttle, 1)
    await backend.advance(SETTINGS.window * 0.2)
    await fail(throttle, 2)

    assert await throttle.check(["a"]) is None


async def test_success_forgets_failures_and_lock(throttle: Throttle) -> None:
    await fail(throttle, 4, "a", "b")
    await throttle.succeeded(["a"])

    assert await throttle.check(["a"]) is None
    assert await throttle.check(["b"]) is not None
    await fail(throttle, 2)
    assert await throttle.check(["a"]) is None


async def test_the_longest_wait_of_several_keys_counts(throttle: Throttle) -> None:
    await fail(throttle, 3, "a")
    await fail(throttle, 4, "b")

    wait = await throttle.check(["a", "b", "free"])

    assert wait is not None
    assert 55 < wait <= 60


async def test_a_key_that_is_given_twice_fails_once(throttle: Throttle) -> None:
    await fail(throttle, 2, "a", "a")

    assert await throttle.check(["a"]) is None


async def test_keys_have_limits_of_their_own(backend: Backend) -> None:
    throttle = made(backend, by_kind)
    await fail(throttle, 4, "ip:192.0.2.1", "account")

    assert await throttle.check(["ip:192.0.2.1"]) is None
    assert await throttle.check(["account"]) is not None


async def test_failures_at_the_same_time_are_all_counted(throttle: Throttle) -> None:
    await asyncio.gather(*(throttle.failed(["a"]) for _ in range(3)))

    assert await throttle.check(["a"]) is not None


@pytest.mark.parametrize("key", ["", "with space", "密码", "a:b:c", "x" * 300])
async def test_a_key_is_any_text(throttle: Throttle, key: str) -> None:
    await fail(throttle, 3, key)

    assert await throttle.check([key]) is not None
    assert await throttle.check([key + "!"]) is None


async def test_nothing_is_kept_for_ever(redis_backend: Backend) -> None:
    throttle = made(redis_backend, every_key(SETTINGS))
    await fail(throttle, 1, "once")
    await fail(throttle, 3, "often")

    keys = [key async for key in redis_backend.redis.scan_iter(f"{redis_backend.prefix}*")]

    assert len(keys) == 3
    assert all([await redis_backend.redis.pttl(key) > 0 for key in keys])


async def test_without_its_server_nobody_may_guess(tmp_path: Path) -> None:
    client = open_redis(RedisSettings(retries=0), f"unix://{tmp_path}/nobody.sock")
    throttle = RedisThrottle(every_key(SETTINGS), client)

    with pytest.raises(Fault, match="UNAVAILABLE"):
        await throttle.check(["a"])
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await throttle.failed(["a"])
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await throttle.succeeded(["a"])
    await client.aclose()
