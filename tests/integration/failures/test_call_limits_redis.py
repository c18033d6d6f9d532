"""Limits on calls over HTTP and gRPC, while their Redis is killed and brought back."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.clock import SystemClock
from pkg.middleware import authentication
from pkg.middleware.rate_limit import REMAINING, caller_limit, rate_limit
from pkg.ratelimit import CallLimits, CallLimitSettings, RedisRateLimiter, WhenAway, guarded
from pkg.redis import RedisClient, RedisSettings
from tests.integration.redis_process import RedisProcess, eventually
from tests.unit.pkg.chain.transports import Callers, Transport, every_transport, signed_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SECOND = timedelta(seconds=1)
SETTINGS = RedisSettings(timeout=2 * SECOND, connect_timeout=2 * SECOND, max_connections=8)
DEADLINE = 5.0
"""Seconds for any call: two tries and the pause between them, with room for a busy machine."""

pytestmark = pytest.mark.integration


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisProcess]:
    made = RedisProcess(tmp_path / "redis")
    await made.start()
    try:
        yield made
    finally:
        made.stop()


@every_transport
@pytest.mark.parametrize(
    ("when_away", "away"),
    [
        (WhenAway.OPEN, ["OK"] * 4),
        (WhenAway.LOCAL, ["OK", "OK", "TOO_MANY_REQUESTS", "TOO_MANY_REQUESTS"]),
        (WhenAway.CLOSED, ["UNAVAILABLE"] * 4),
    ],
)
async def test_killed_and_brought_back(
    server: RedisProcess, transport: Transport, when_away: WhenAway, away: list[str]
) -> None:
    settings = CallLimitSettings(when_away=when_away, retry_after=SECOND / 2)
    limits, clock = CallLimits(settings), SystemClock()
    redis = RedisClient(SETTINGS, server.url)
    await redis.start()
    limiter = guarded(settings, RedisRateLimiter(limits, redis.client), limits, clock=clock)
    chain = (
        rate_limit(limits, limiter),
        authentication(Callers()),
        caller_limit(limits, limiter),
    )
    slowest = 0.0
    async with transport.serving(*chain) as lab:

        async def ask(subject: str = "alice") -> tuple[str, str]:
            nonlocal slowest
            began = time.monotonic()
            outcome = await lab.call("LimitedByCaller", headers=signed_in(subject))
            slowest = max(slowest, time.monotonic() - began)
            return outcome.reason, outcome.headers.get(REMAINING, "")

        within = [await ask() for _ in range(3)]
        assert within == [("OK", "1"), ("OK", "0"), ("TOO_MANY_REQUESTS", "0")]
        assert await ask("bob") == ("OK", "1")

        server.kill()
        assert [(await ask())[0] for _ in range(4)] == away
        assert (await lab.call("Open")).reason == "OK"  # what is not limited does not care

        await server.start()

        async def counted() -> bool:
            await ask("carol")
            return await server.ask(b"DBSIZE") == b":1"  # what was killed has forgotten the rest

        await eventually(counted)
    await redis.stop()
    assert slowest < DEADLINE
