"""A limiter never allows more than it says, and keeps no more than it may."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkg.clock import FakeClock
from pkg.ratelimit import Algorithm, MemoryRateLimiter, RateLimitSettings, every_key

MILLISECOND = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)


@given(
    algorithm=st.sampled_from(list(Algorithm)),
    rate=st.integers(1, 20),
    gaps=st.lists(st.integers(0, 400), max_size=60),
)
async def test_no_span_of_time_has_more_than_the_limit_allows(
    algorithm: Algorithm, rate: int, gaps: list[int]
) -> None:
    clock = FakeClock()
    rule = RateLimitSettings(rate=rate, per=SECOND, algorithm=algorithm).rule()
    limiter = MemoryRateLimiter(every_key(rule), clock=clock)
    times = []
    for gap in gaps:
        clock.advance(gap * MILLISECOND)
        if (await limiter.take("a")).allowed:
            times.append(clock.monotonic())

    for first, begin in enumerate(times):
        for last in range(first, len(times)):
            # A bucket that is full may be emptied at once, and fills meanwhile; so much a window
            # that lies across two counted ones can hold too.
            most = rate + rate * (times[last] - begin) + 1e-6
            if algorithm is Algorithm.SLIDING_WINDOW:
                most += rate
            assert last - first + 1 <= most


@given(
    algorithm=st.sampled_from(list(Algorithm)),
    rate=st.integers(1, 20),
    gaps=st.lists(st.integers(0, 1500), min_size=1, max_size=30),
    cost=st.integers(1, 20),
)
async def test_who_waits_as_told_is_allowed(
    algorithm: Algorithm, rate: int, gaps: list[int], cost: int
) -> None:
    clock = FakeClock()
    rule = RateLimitSettings(rate=rate, per=SECOND, algorithm=algorithm).rule()
    limiter = MemoryRateLimiter(every_key(rule), clock=clock)
    for gap in gaps:
        clock.advance(gap * MILLISECOND)
        decision = await limiter.take("a", min(cost, rate))
        assert 0 <= decision.remaining <= decision.limit
        if not decision.allowed:
            clock.advance(timedelta(seconds=decision.retry_after) + timedelta(microseconds=1))
            assert (await limiter.take("a", min(cost, rate))).allowed


async def test_beyond_its_capacity_the_key_that_took_longest_ago_is_forgotten() -> None:
    rule = RateLimitSettings(rate=1, per=SECOND).rule()
    limiter = MemoryRateLimiter(every_key(rule), clock=FakeClock(), capacity=2)
    for key in ("a", "b", "c"):
        assert (await limiter.take(key)).allowed

    assert not (await limiter.take("c")).allowed
    assert (await limiter.take("a")).allowed


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_a_clock_that_goes_back_shuts_nobody_out(algorithm: Algorithm) -> None:
    class Unsteady(FakeClock):
        moved = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.moved

    clock = Unsteady()
    clock.moved = 1_000_000.0
    rule = RateLimitSettings(rate=1, per=SECOND, algorithm=algorithm).rule()
    limiter = MemoryRateLimiter(every_key(rule), clock=clock)
    await limiter.take("a")

    clock.moved = 0.0
    assert (await limiter.take("a")).retry_after <= 2
    clock.advance(2 * SECOND)
    assert (await limiter.take("a")).allowed
