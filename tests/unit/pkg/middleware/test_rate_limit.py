"""What limits cost who has none, and how a call's turn and its deadline go together."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.middleware.rate_limit import caller_limit, rate_limit
from pkg.ratelimit import (
    Algorithm,
    CallLimits,
    CallLimitSettings,
    MemoryRateLimiter,
    RateLimitSettings,
)
from tests.unit.pkg.middleware.calls import Service, call, operation

ONE_PER_SECOND = RateLimitSettings(
    rate=1, per=timedelta(seconds=1), burst=9, algorithm=Algorithm.LEAKY_BUCKET
)


def test_a_handler_without_a_limit_is_left_as_it_is() -> None:
    limits = CallLimits(CallLimitSettings())
    limiter = MemoryRateLimiter(limits, clock=FakeClock())
    service = Service()
    for middleware in (rate_limit(limits, limiter), caller_limit(limits, limiter)):
        assert middleware(service, operation()) is service


async def test_a_turn_that_comes_after_the_deadline_is_not_waited_for() -> None:
    limits = CallLimits(CallLimitSettings(address=ONE_PER_SECOND))
    paused: list[timedelta] = []

    async def pause(time: timedelta) -> None:
        paused.append(time)

    limiter = MemoryRateLimiter(limits, clock=FakeClock())
    service = Service()
    handler = rate_limit(limits, limiter, pause=pause)(service, operation())
    now = asyncio.get_running_loop().time()

    await handler(call(), None)
    await handler(call(deadline=now + 60), None)
    assert paused == [timedelta(seconds=1)]
    with pytest.raises(Fault, match="TOO_MANY_REQUESTS") as refused:
        await handler(call(deadline=now + 1), None)
    assert refused.value.metadata["retry_after"] == "2"
    assert len(paused) == 1
    assert len(service.payloads) == 2


async def test_a_call_without_an_address_is_not_limited_by_it() -> None:
    limits = CallLimits(CallLimitSettings(address=ONE_PER_SECOND))
    service = Service()
    handler = rate_limit(limits, MemoryRateLimiter(limits, clock=FakeClock()))(service, operation())
    made = call(peer="", kind="kafka")
    for _ in range(20):
        await handler(made, None)
    assert len(service.payloads) == 20
    assert made.reply_headers == []
