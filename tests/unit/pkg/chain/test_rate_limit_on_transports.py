"""Limits on calls, as callers over HTTP and gRPC meet them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from api.lab.v1 import Glance
from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.middleware import authentication
from pkg.middleware.rate_limit import (
    LIMIT,
    POLICY,
    REMAINING,
    RESET,
    STATE,
    caller_limit,
    rate_limit,
)
from pkg.ratelimit import (
    CallLimits,
    CallLimitSettings,
    Decision,
    MemoryRateLimiter,
    RateLimitSettings,
    WhenAway,
    guarded,
)
from tests.unit.pkg.chain.transports import (
    Callers,
    GrpcTransport,
    Transport,
    every_streaming_transport,
    every_transport,
    signed_in,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.rpc import Middleware

MINUTE = timedelta(minutes=1)
TOLD = (LIMIT, REMAINING, RESET, STATE, POLICY)


class Unsteady:
    """A limiter whose server can be taken away."""

    def __init__(self, within: MemoryRateLimiter) -> None:
        self.away = False
        self.decisions: list[Decision] = []
        self._within = within

    async def take(self, key: str, cost: int = 1) -> Decision:
        return await self.take_many((key,), cost)

    async def take_many(self, keys: Sequence[str], cost: int = 1) -> Decision:
        if self.away:
            raise Fault("UNAVAILABLE")
        self.decisions.append(await self._within.take_many(keys, cost))
        return self.decisions[-1]


class World:
    """Both middlewares around authentication, on one limiter and a clock that stands."""

    def __init__(self, **settings: Any) -> None:
        self.clock = FakeClock()
        self.settings = CallLimitSettings(**settings)
        limits = CallLimits(self.settings)
        self.server = Unsteady(MemoryRateLimiter(limits, clock=self.clock))
        self.paused: list[timedelta] = []
        limiter = guarded(self.settings, self.server, limits, clock=self.clock)
        self.chain: tuple[Middleware, ...] = (
            rate_limit(limits, limiter, pause=self._pause),
            authentication(Callers()),
            caller_limit(limits, limiter, pause=self._pause),
        )

    async def _pause(self, time: timedelta) -> None:
        self.paused.append(time)
        self.clock.advance(time)


def per_minute(rate: int, **more: Any) -> RateLimitSettings:
    return RateLimitSettings(rate=rate, per=MINUTE, **more)


@every_transport
async def test_what_declares_no_limit_is_neither_counted_nor_told(transport: Transport) -> None:
    world = World()
    async with transport.serving(*world.chain) as lab:
        outcome = await lab.call("Open")
    assert outcome.reason == "OK"
    assert not set(TOLD) & set(outcome.headers)
    assert world.server.decisions == []


@every_transport
async def test_every_limited_call_is_told_how_it_stands(transport: Transport) -> None:
    world = World()
    async with transport.serving(*world.chain) as lab:
        outcomes = [await lab.call("LimitedByAddress") for _ in range(3)]
        told = [[outcome.headers[name] for name in TOLD] for outcome in outcomes]
        policy = '"address";q=2;w=60'
        assert [outcome.reason for outcome in outcomes] == ["OK", "OK", "TOO_MANY_REQUESTS"]
        assert told == [
            ["2", "1", "30", '"address";r=1;t=30', policy],
            ["2", "0", "60", '"address";r=0;t=60', policy],
            ["2", "0", "30", '"address";r=0;t=30', policy],
        ]
        assert ["retry-after" in outcome.headers for outcome in outcomes] == [False, False, True]
        assert outcomes[2].headers["retry-after"] == "30"
        assert lab.service.times == 2

        world.clock.advance(timedelta(seconds=30))
        assert (await lab.call("LimitedByAddress")).reason == "OK"


@every_transport
async def test_a_refusal_is_told_in_the_callers_language_and_as_the_transport_has_it(
    transport: Transport,
) -> None:
    world = World()
    async with transport.serving(*world.chain) as lab:
        for _ in range(2):
            await lab.call("LimitedByAddress")
        english = await lab.call("LimitedByAddress")
        chinese = await lab.call("LimitedByAddress", language="zh")
    assert (english.text, chinese.text) == ("Too many requests", "超出请求频率限制")
    if transport.kind == "http":
        assert english.status == 429
        return
    assert english.status == 8
    (violation,) = chinese.details["QuotaFailure"].violations
    assert (violation.subject, violation.quota_value) == ("address", 2)
    assert violation.description == chinese.text
    assert english.details["RetryInfo"].retry_delay.seconds == 30


@every_transport
async def test_who_asks_too_often_is_not_authenticated(transport: Transport) -> None:
    world = World(address=per_minute(1))
    async with transport.serving(*world.chain) as lab:
        assert (await lab.call("Mine", headers=signed_in("nobody"))).reason == "UNAUTHENTICATED"
        assert (await lab.call("Mine", headers=signed_in("nobody"))).reason == "TOO_MANY_REQUESTS"


@every_transport
async def test_callers_are_counted_apart_and_only_when_they_are_known(transport: Transport) -> None:
    world = World()
    async with transport.serving(*world.chain) as lab:
        alice = [await lab.call("LimitedByCaller", headers=signed_in("alice")) for _ in range(3)]
        bob = await lab.call("LimitedByCaller", headers=signed_in("bob"))
        nobody = await lab.call("LimitedByCaller")
    assert [each.reason for each in alice] == ["OK", "OK", "TOO_MANY_REQUESTS"]
    assert bob.headers[STATE] == '"caller";r=1;t=30'
    assert nobody.reason == "UNAUTHENTICATED"
    assert STATE not in nobody.headers


@every_transport
async def test_general_limits_hold_over_all_operations(transport: Transport) -> None:
    world = World(caller=per_minute(3), tenant=per_minute(5))
    async with transport.serving(*world.chain) as lab:

        async def asked(method: str, subject: str, tenant: str = "") -> str:
            return (await lab.call(method, headers=signed_in(subject, tenant))).reason

        methods = ["Mine", "Keyed", "Named", "Mine"]
        reasons = [await asked(method, "alice", "acme") for method in methods]
        assert reasons == ["OK", "OK", "OK", "TOO_MANY_REQUESTS"]
        assert [await asked("Mine", "bob", "acme") for _ in range(3)] == [
            "OK",
            "OK",
            "TOO_MANY_REQUESTS",
        ]
        assert await asked("Mine", "carol", "other") == "OK"
        assert await asked("Mine", "dave") == "OK"


@every_transport
async def test_several_limits_are_taken_together_or_none(transport: Transport) -> None:
    world = World(address=per_minute(3))
    async with transport.serving(*world.chain) as lab:
        reasons = [(await lab.call("LimitedByAddress")).reason for _ in range(4)]
        assert reasons == ["OK", "OK", "TOO_MANY_REQUESTS", "TOO_MANY_REQUESTS"]
        # Who was refused has taken nothing of the general limit.
        assert [(await lab.call("Open")).reason for _ in range(2)] == ["OK", "TOO_MANY_REQUESTS"]


@every_transport
async def test_the_tightest_limit_is_told_once_and_all_policies(transport: Transport) -> None:
    world = World(address=per_minute(2), caller=per_minute(100))
    async with transport.serving(*world.chain) as lab:
        outer = await lab.call("LimitedByCaller", headers=signed_in("alice"))
        inner = await lab.call("LimitedByCaller", headers=signed_in("alice"))
        refused = await lab.call("LimitedByCaller", headers=signed_in("alice"))
    policies = '"general-address";q=2;w=60, "caller";q=2;w=60, "general-caller";q=100;w=60'
    assert outer.headers[STATE] == '"general-address";r=1;t=30'
    assert inner.headers[REMAINING] == "0"
    assert outer.headers[POLICY] == inner.headers[POLICY] == policies
    assert refused.reason == "TOO_MANY_REQUESTS"
    assert refused.headers[POLICY] == '"general-address";q=2;w=60'


@every_transport
async def test_an_inner_limit_that_is_tighter_takes_the_place_of_the_outer(
    transport: Transport,
) -> None:
    world = World(address=per_minute(100))
    async with transport.serving(*world.chain) as lab:
        outcome = await lab.call("LimitedByCaller", headers=signed_in("alice"))
    assert [outcome.headers[name] for name in TOLD] == [
        "2",
        "1",
        "30",
        '"caller";r=1;t=30',
        '"general-address";q=100;w=60, "caller";q=2;w=60',
    ]


LEAKY = {"rate": 60, "per": MINUTE, "burst": 3, "algorithm": "leakyBucket"}


@every_transport
async def test_a_queue_lets_a_call_wait_for_its_turn(transport: Transport) -> None:
    world = World(address=RateLimitSettings.model_validate(LEAKY))
    async with transport.serving(*world.chain) as lab:
        reasons = [(await lab.call("Open")).reason for _ in range(3)]
    assert reasons == ["OK"] * 3
    assert [time.total_seconds() for time in world.paused] == [1, 1]


@every_transport
@pytest.mark.parametrize(
    ("when_away", "reasons"),
    [
        (WhenAway.OPEN, ["OK"] * 4),
        (WhenAway.LOCAL, ["OK", "OK", "TOO_MANY_REQUESTS", "TOO_MANY_REQUESTS"]),
        (WhenAway.CLOSED, ["UNAVAILABLE"] * 4),
    ],
)
async def test_while_calls_cannot_be_counted_the_settings_say_what_holds(
    transport: Transport, when_away: WhenAway, reasons: list[str]
) -> None:
    world = World(when_away=when_away)
    world.server.away = True
    async with transport.serving(*world.chain) as lab:
        assert [(await lab.call("LimitedByAddress")).reason for _ in range(4)] == reasons
        world.server.away = False
        world.clock.advance(timedelta(seconds=2))
        assert (await lab.call("LimitedByAddress")).reason == "OK"
        assert len(world.server.decisions) == 1


@every_streaming_transport
async def test_a_stream_is_one_call(transport: GrpcTransport) -> None:
    world = World(caller=per_minute(1))
    async with transport.serving(*world.chain) as lab:
        first = await lab.watch(Glance(count=3), headers=signed_in("alice"))
        second = await lab.watch(Glance(count=3), headers=signed_in("alice"))
    assert (len(first.replies), first.headers[REMAINING]) == (3, "0")
    assert (second.replies, second.reason) == ([], "TOO_MANY_REQUESTS")
    assert second.headers["retry-after"] == "60"
