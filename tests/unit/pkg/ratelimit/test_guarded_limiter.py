"""While a limiter is unavailable, the settings say what holds, and it is asked now and then."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.ratelimit import (
    Decision,
    GuardedRateLimiter,
    MemoryRateLimiter,
    RateLimiterSettings,
    RateLimitMetrics,
    RateLimitSettings,
    WhenAway,
    guarded,
    limits_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

SECOND = timedelta(seconds=1)
TWO = RateLimitSettings(rate=2, per=timedelta(minutes=1))


class Unsteady:
    """A limiter that can be taken away."""

    def __init__(self, within: MemoryRateLimiter) -> None:
        self.away = False
        self.asked = 0
        self._within = within

    async def take(self, key: str, cost: int = 1) -> Decision:
        return await self.take_many((key,), cost)

    async def take_many(self, keys: Sequence[str], cost: int = 1) -> Decision:
        self.asked += 1
        if self.away:
            raise Fault("UNAVAILABLE")
        return await self._within.take_many(keys, cost)


class World:
    def __init__(self, when_away: WhenAway) -> None:
        settings = RateLimiterSettings(default=TWO, when_away=when_away, retry_after=SECOND)
        self.clock = FakeClock()
        self.registry = CollectorRegistry()
        self.server = Unsteady(MemoryRateLimiter(limits_of(settings), clock=self.clock))
        self.limiter: GuardedRateLimiter = guarded(
            settings,
            self.server,
            limits_of(settings),
            clock=self.clock,
            metrics=RateLimitMetrics(self.registry).of("calls"),
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, {"limiter": "calls", **labels})


async def test_while_it_answers_it_decides() -> None:
    world = World(WhenAway.OPEN)

    allowed = [(await world.limiter.take("a")).allowed for _ in range(3)]

    assert allowed == [True, True, False]
    assert world.value("ratelimit_decisions_total", result="allowed") == 2
    assert world.value("ratelimit_decisions_total", result="refused") == 1
    assert world.value("ratelimit_unavailable_total") == 0


async def test_open_allows_everything() -> None:
    world = World(WhenAway.OPEN)
    world.server.away = True

    decisions = [await world.limiter.take_many(["a", "b"]) for _ in range(5)]

    assert all(decision.allowed for decision in decisions)
    assert world.value("ratelimit_unavailable_total") == 5


async def test_local_counts_in_this_process() -> None:
    world = World(WhenAway.LOCAL)
    world.server.away = True

    assert [(await world.limiter.take("a")).allowed for _ in range(3)] == [True, True, False]
    assert world.value("ratelimit_unavailable_total") == 3


async def test_closed_fails_as_unavailable() -> None:
    world = World(WhenAway.CLOSED)
    world.server.away = True

    for _ in range(3):
        with pytest.raises(Fault, match="UNAVAILABLE"):
            await world.limiter.take("a")

    assert world.value("ratelimit_unavailable_total") == 3


async def test_in_an_outage_it_is_asked_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = World(WhenAway.OPEN)
    world.server.away = True
    for _ in range(3):
        for _ in range(4):
            await world.limiter.take("a")
        world.clock.advance(SECOND)

    assert world.server.asked == 3

    world.server.away = False
    assert [(await world.limiter.take("a")).allowed for _ in range(3)] == [True, True, False]
    assert world.server.asked == 6
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert "cannot be counted" in messages[0]
    assert "again" in messages[1]


@pytest.mark.parametrize("when_away", [WhenAway.OPEN, WhenAway.LOCAL])
async def test_what_no_time_allows_is_refused_in_an_outage_too(when_away: WhenAway) -> None:
    world = World(when_away)
    world.server.away = True

    with pytest.raises(ValueError, match="cost"):
        await world.limiter.take("a", 3)
    with pytest.raises(ValueError, match="without a key"):
        await world.limiter.take_many([])


def test_limits_go_by_the_kind_of_a_key() -> None:
    settings = RateLimiterSettings.model_validate(
        {"limits": {"user": {"rate": 5, "per": "1s"}}, "default": {"rate": 7, "per": "1s"}}
    )
    limits = limits_of(settings)

    assert [limits(key).limit for key in ("user:1", "user", "ip:1", "")] == [5, 5, 7, 7]
