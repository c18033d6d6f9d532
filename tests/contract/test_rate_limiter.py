"""What every rate limiter does."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.ratelimit import (
    Algorithm,
    Limits,
    MemoryRateLimiter,
    RateLimiter,
    RateLimitSettings,
    RedisRateLimiter,
    Rule,
    by_kind,
    every_key,
)
from pkg.redis import RedisSettings, open_redis

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.servers import Backend

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MICROSECOND = timedelta(microseconds=1)


def rule(algorithm: Algorithm, rate: int = 60, burst: int | None = 3) -> Rule:
    """One a minute in the long run, three at once; a window of three."""
    if algorithm is Algorithm.SLIDING_WINDOW:
        return RateLimitSettings(rate=burst or rate, per=HOUR, algorithm=algorithm).rule()
    return RateLimitSettings(rate=rate, per=HOUR, burst=burst, algorithm=algorithm).rule()


GCRA, WINDOW, LEAKY = Algorithm.GCRA, Algorithm.SLIDING_WINDOW, Algorithm.LEAKY_BUCKET


def made(backend: Backend, limits: Limits) -> RateLimiter:
    """On Redis too the time is that of the test: what is kept there outlives every test."""
    if backend.redis is None:
        return MemoryRateLimiter(limits, clock=backend.clock)
    return RedisRateLimiter(limits, backend.redis, backend.prefix + "limit", clock=backend.clock)


async def taken(limiter: RateLimiter, times: int, key: str = "a") -> list[bool]:
    return [(await limiter.take(key)).allowed for _ in range(times)]


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_what_is_within_the_limit_is_allowed_and_more_is_not(
    backend: Backend, algorithm: Algorithm
) -> None:
    limiter = made(backend, every_key(rule(algorithm)))

    assert await taken(limiter, 5) == [True, True, True, False, False]
    assert await taken(limiter, 1, "another") == [True]


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_a_decision_tells_what_remains(backend: Backend, algorithm: Algorithm) -> None:
    limiter = made(backend, every_key(rule(algorithm)))

    decisions = [await limiter.take("a") for _ in range(4)]

    assert [decision.remaining for decision in decisions] == [2, 1, 0, 0]
    assert {decision.limit for decision in decisions} == {3}
    assert {decision.key for decision in decisions} == {"a"}
    assert [decision.retry_after for decision in decisions[:3]] == [0, 0, 0]
    assert decisions[3].retry_after > 0


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_after_the_time_that_it_was_told_a_call_is_allowed_and_not_before(
    backend: Backend, algorithm: Algorithm
) -> None:
    limiter = made(backend, every_key(rule(algorithm)))
    await taken(limiter, 3)
    wait = timedelta(seconds=(await limiter.take("a")).retry_after)

    backend.clock.advance(wait - timedelta(milliseconds=2))
    assert await taken(limiter, 1) == [False]

    backend.clock.advance(timedelta(milliseconds=2))
    assert await taken(limiter, 2) == [True, False]


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_after_the_reset_all_is_as_at_the_begin(
    backend: Backend, algorithm: Algorithm
) -> None:
    limiter = made(backend, every_key(rule(algorithm)))
    await taken(limiter, 4)
    reset = timedelta(seconds=(await limiter.take("a")).reset_after)

    backend.clock.advance(reset)

    assert await taken(limiter, 4) == [True, True, True, False]


async def test_a_bucket_fills_steadily(backend: Backend) -> None:
    limiter = made(backend, every_key(rule(GCRA)))
    await taken(limiter, 3)
    backend.clock.advance(2 * MINUTE)

    assert await taken(limiter, 3) == [True, True, False]
    assert (await limiter.take("a")).reset_after == 3 * 60


async def test_a_window_counts_the_one_before_by_its_part(backend: Backend) -> None:
    limiter = made(backend, every_key(rule(WINDOW, burst=10)))
    await taken(limiter, 10)
    backend.clock.advance(1.5 * HOUR)

    assert await taken(limiter, 6) == [True] * 5 + [False]


async def test_a_queue_tells_each_call_its_turn(backend: Backend) -> None:
    limiter = made(backend, every_key(rule(LEAKY)))

    decisions = [await limiter.take("a") for _ in range(4)]
    backend.clock.advance(MINUTE)
    decisions.append(await limiter.take("a"))

    assert [decision.delay for decision in decisions] == [0, 60, 120, 0, 120]
    assert [decision.allowed for decision in decisions] == [True, True, True, False, True]


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_a_call_may_cost_more(backend: Backend, algorithm: Algorithm) -> None:
    limiter = made(backend, every_key(rule(algorithm, burst=5)))

    assert (await limiter.take("a", 3)).remaining == 2
    assert not (await limiter.take("a", 3)).allowed
    assert (await limiter.take("a", 2)).remaining == 0


@pytest.mark.parametrize("cost", [-1, 0, 4])
async def test_a_cost_that_no_time_allows_is_refused(backend: Backend, cost: int) -> None:
    limiter = made(backend, every_key(rule(GCRA)))

    with pytest.raises(ValueError, match="cost"):
        await limiter.take("a", cost)


LIMITS = by_kind(
    {
        "user": rule(GCRA, burst=2),
        "ip": rule(WINDOW, burst=5),
        "tenant": rule(LEAKY, burst=4),
    },
    default=rule(GCRA, burst=100),
)


async def test_of_several_keys_the_one_with_least_left_is_told(backend: Backend) -> None:
    limiter = made(backend, LIMITS)

    decision = await limiter.take_many(["ip:1", "user:1", "tenant:1", "Login"])

    assert decision.allowed
    assert (decision.key, decision.limit, decision.remaining) == ("user:1", 2, 1)


async def test_of_several_keys_the_one_that_refuses_for_longest_is_told(backend: Backend) -> None:
    limiter = made(backend, LIMITS)
    await taken(limiter, 2, "user:1")
    await taken(limiter, 5, "ip:1")

    decision = await limiter.take_many(["user:1", "ip:1"])

    assert not decision.allowed
    assert decision.key == "ip:1"
    assert decision.retry_after > 60


async def test_when_one_key_refuses_nothing_is_taken_of_the_others(backend: Backend) -> None:
    limiter = made(backend, LIMITS)
    await taken(limiter, 2, "user:1")

    for _ in range(10):
        assert not (await limiter.take_many(["ip:1", "tenant:1", "user:1"])).allowed

    assert (await limiter.take("ip:1")).remaining == 4
    assert (await limiter.take("tenant:1")).delay == 0


async def test_the_longest_turn_of_several_queues_is_told(backend: Backend) -> None:
    limiter = made(backend, LIMITS)
    await taken(limiter, 2, "tenant:1")

    assert (await limiter.take_many(["user:1", "tenant:1", "tenant:2"])).delay == 120


async def test_a_key_that_is_given_twice_pays_once(backend: Backend) -> None:
    limiter = made(backend, LIMITS)

    assert (await limiter.take_many(["user:1", "user:1"])).remaining == 1


async def test_no_keys_are_refused(backend: Backend) -> None:
    with pytest.raises(ValueError, match="without a key"):
        await made(backend, LIMITS).take_many([])


@pytest.mark.parametrize("key", ["", "with space", "密码", "a:b:c", "{a}", "}", "x" * 300])
async def test_a_key_is_any_text(backend: Backend, key: str) -> None:
    limiter = made(backend, every_key(rule(GCRA, burst=1)))

    assert await taken(limiter, 2, key) == [True, False]
    assert await taken(limiter, 1, key + "!") == [True]


async def test_calls_at_the_same_time_do_not_get_more(backend: Backend) -> None:
    limiter = made(backend, every_key(rule(GCRA, burst=3)))

    decisions = await asyncio.gather(*(limiter.take("a") for _ in range(10)))

    assert sum(decision.allowed for decision in decisions) == 3


@pytest.mark.parametrize("first", list(Algorithm))
@pytest.mark.parametrize("then", list(Algorithm))
async def test_another_algorithm_begins_with_what_it_can_read(
    redis_backend: Backend, first: Algorithm, then: Algorithm
) -> None:
    await taken(made(redis_backend, every_key(rule(first))), 3)

    assert await taken(made(redis_backend, every_key(rule(then, burst=9))), 1) == [True]


STEPS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["user:1", "user:2", "ip:1", "tenant:1"]), min_size=1, max_size=4),
        st.integers(1, 2),
        st.one_of(st.just(0), st.integers(0, 10**6), st.integers(0, 2 * 3600 * 10**6)),
    ),
    max_size=20,
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
async def test_redis_and_memory_decide_alike(
    redis_backend: Backend, steps: list[tuple[list[str], int, int]]
) -> None:
    clock = FakeClock()
    memory = MemoryRateLimiter(LIMITS, clock=clock)
    prefix = f"{redis_backend.prefix}{uuid.uuid4().hex}"
    redis = RedisRateLimiter(LIMITS, redis_backend.redis, prefix, clock=clock)

    for keys, cost, microseconds in steps:
        clock.advance(microseconds * MICROSECOND)
        assert await redis.take_many(keys, cost) == await memory.take_many(keys, cost)


async def test_without_a_clock_the_time_is_the_servers(redis_backend: Backend) -> None:
    limit = RateLimitSettings(rate=20, per=timedelta(seconds=1), burst=1).rule()
    limiter = RedisRateLimiter(every_key(limit), redis_backend.redis, redis_backend.prefix + "l")
    async with asyncio.timeout(30):
        while (refused := await limiter.take("a")).allowed:
            pass
        assert 0 < refused.retry_after <= 0.05
        while not (await limiter.take("a")).allowed:  # noqa: ASYNC110 - its time cannot be moved
            await asyncio.sleep(refused.retry_after)


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_nothing_is_kept_for_ever(redis_backend: Backend, algorithm: Algorithm) -> None:
    limiter = made(redis_backend, every_key(rule(algorithm)))
    decision = await limiter.take("a")

    (key,) = [key async for key in redis_backend.redis.scan_iter(f"{redis_backend.prefix}*")]

    left = await redis_backend.redis.pttl(key) / 1000
    assert decision.reset_after - 30 < left <= decision.reset_after + 1


async def test_without_its_server_it_says_so(tmp_path: Path) -> None:
    client = open_redis(RedisSettings(retries=0), f"unix://{tmp_path}/nobody.sock")
    limiter = RedisRateLimiter(every_key(rule(GCRA)), client)

    with pytest.raises(Fault, match="UNAVAILABLE"):
        await limiter.take("a")
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await limiter.take_many(["a", "b"])
    await client.aclose()
