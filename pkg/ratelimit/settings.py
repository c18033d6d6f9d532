"""How much is allowed, and what holds while it cannot be counted."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import Self

from pydantic import Field, model_validator

from pkg.config import Duration, Settings
from pkg.ratelimit.rule import Algorithm, Rule

_MILLISECOND = timedelta(milliseconds=1)
_LONGEST = timedelta(days=30)
_FULL = 50 * 86_400 * 10**9
"""Nanoseconds for an empty bucket to fill: twice as many must stay below 2^53."""
_SHORTEST = 1_000
"""Nanoseconds between tokens: clocks tell microseconds."""


class RateLimitSettings(Settings):
    """`{rate: 100, per: 1m, burst: 20, algorithm: gcra}`."""

    rate: int = Field(ge=1, le=1_000_000)
    """How many in the long run…"""
    per: Duration = Field(ge=_MILLISECOND, le=_LONGEST)
    """…in so long."""
    burst: int | None = Field(default=None, ge=1, le=1_000_000)
    """How many at once; of a leaky bucket, how many may stand in its queue. As `rate` without."""
    algorithm: Algorithm = Algorithm.GCRA

    @model_validator(mode="after")
    def _can_be_reckoned(self) -> Self:
        if self.algorithm is Algorithm.SLIDING_WINDOW:
            if self.burst is not None:
                raise ValueError("a sliding window has no burst")
            return self
        interval = self._interval()
        if interval < _SHORTEST:
            raise ValueError("more than a million per second cannot be counted")
        if interval * (self.burst or self.rate) > _FULL:
            raise ValueError("burst takes more than 50 days to come back")
        return self

    def rule(self) -> Rule:
        """The rule that a limiter goes by."""
        if self.algorithm is Algorithm.SLIDING_WINDOW:
            return Rule(self.algorithm, self.rate, self.per // _MILLISECOND)
        return Rule(self.algorithm, self.burst or self.rate, self._interval())

    def _interval(self) -> int:
        return round(self.per / timedelta(microseconds=1) * 1000 / self.rate)


class WhenAway(Enum):
    """What holds while Redis cannot be asked."""

    OPEN = "open"
    """Everything is allowed."""
    CLOSED = "closed"
    """Everything fails as UNAVAILABLE: it is not the caller's fault."""
    LOCAL = "local"
    """Every process counts for itself, so that N of them allow up to N times as much."""


class OutageSettings(Settings):
    """What a limiter does while Redis cannot be asked."""

    when_away: WhenAway = WhenAway.LOCAL
    retry_after: Duration = Field(default=timedelta(seconds=1), gt=timedelta())
    """After a failure, how long Redis is left alone."""
    capacity: int = Field(default=100_000, ge=1)
    """Keys that a process keeps where it counts for itself."""


class RateLimiterSettings(OutageSettings):
    """One limiter: its limits by kind of key, and what holds in an outage."""

    limits: dict[str, RateLimitSettings] = Field(default_factory=dict)
    """By what stands before the first colon of a key: `{user: …, ip: …}`."""
    default: RateLimitSettings = RateLimitSettings(rate=100, per=timedelta(seconds=1))
    """Of the other keys."""


class CallLimitSettings(OutageSettings):
    """The limiter of calls: what holds beside the limits that operations declare."""

    address: RateLimitSettings | None = None
    """Of all calls from one address, whatever they ask for."""
    caller: RateLimitSettings | None = None
    """Of all calls of one user or service."""
    tenant: RateLimitSettings | None = None
    """Of all calls of one tenant's users."""
    algorithm: Algorithm = Algorithm.GCRA
    """By which the limits count that operations declare."""
