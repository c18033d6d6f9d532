"""What a limiter does while its server is away."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from pkg.errors import Fault
from pkg.ratelimit.limiter import Decision
from pkg.ratelimit.memory import MemoryRateLimiter
from pkg.ratelimit.reckoning import check_cost
from pkg.ratelimit.rule import by_kind
from pkg.ratelimit.settings import WhenAway

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from pkg.clock import Clock
    from pkg.ratelimit.limiter import RateLimiter
    from pkg.ratelimit.metrics import LimiterMetrics
    from pkg.ratelimit.rule import Limits
    from pkg.ratelimit.settings import OutageSettings, RateLimiterSettings

_LOG: Final = logging.getLogger(__name__)


class OpenRateLimiter:
    """A `RateLimiter` that allows everything."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def take(self, key: str, cost: int = 1) -> Decision:
        """Allow it."""
        rule = self._limits(key)
        check_cost(cost, rule)
        return Decision(True, key, rule.limit, rule.limit - cost, 0.0, 0.0, 0.0)

    async def take_many(self, keys: Sequence[str], cost: int = 1) -> Decision:
        """Allow it."""
        decisions = [await self.take(key, cost) for key in keys]
        if not decisions:
            raise ValueError("without a key there is nothing to take from")
        return min(decisions, key=lambda decision: decision.remaining)


class GuardedRateLimiter:
    """A `RateLimiter` that goes on, or fails at once, while the one it guards is unavailable.

    After a failure the guarded one is left alone for a while, so that an outage costs one wait and
    not one for each call.
    """

    def __init__(
        self,
        guarded: RateLimiter,
        instead: RateLimiter | None,
        *,
        clock: Clock,
        retry_after: timedelta,
        metrics: LimiterMetrics | None = None,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Begin with asking the guarded one.

        Args:
            guarded: decides when it can.
            instead: decides when it cannot; without, calls fail as UNAVAILABLE.
            clock: its monotonic time.
            retry_after: how long the guarded one is left alone.
            metrics: counts the decisions.
            logger: told when an outage begins and ends.
        """
        self._guarded = guarded
        self._instead = instead
        self._clock = clock
        self._retry_after = retry_after.total_seconds()
        self._metrics = metrics
        self._log = logger
        self._away = False
        self._alone_until = 0.0

    async def take(self, key: str, cost: int = 1) -> Decision:
        """Take as much as a call costs."""
        return await self.take_many((key,), cost)

    async def take_many(self, keys: Sequence[str], cost: int = 1) -> Decision:
        """Take from all of these keys, or from none."""
        decision = await self._decide(keys, cost)
        if self._metrics is not None:
            self._metrics.decided(allowed=decision.allowed)
        return decision

    async def _decide(self, keys: Sequence[str], cost: int) -> Decision:
        failure: Fault | None = None
        now = self._clock.monotonic()
        if not self._away or now >= self._alone_until:
            self._alone_until = now + self._retry_after  # in an outage, one call asks again
            try:
                decision = await self._guarded.take_many(keys, cost)
            except Fault as fault:
                self._failed(fault)
                failure = fault
            else:
                self._over()
                return decision
        if self._metrics is not None:
            self._metrics.unavailable()
        if self._instead is None:
            raise failure or Fault("UNAVAILABLE")
        return await self._instead.take_many(keys, cost)

    def _failed(self, fault: Fault) -> None:
        self._alone_until = self._clock.monotonic() + self._retry_after
        if not self._away:
            self._away = True
            self._log.warning("calls cannot be counted: %r", fault.__cause__ or fault)

    def _over(self) -> None:
        if self._away:
            self._away = False
            self._log.info("calls are counted again")


def limits_of(settings: RateLimiterSettings) -> Limits:
    """The limits that settings name."""
    rules = {kind: limit.rule() for kind, limit in settings.limits.items()}
    return by_kind(rules, settings.default.rule())


def guarded(
    settings: OutageSettings,
    limiter: RateLimiter,
    limits: Limits,
    *,
    clock: Clock,
    metrics: LimiterMetrics | None = None,
    logger: logging.Logger = _LOG,
) -> GuardedRateLimiter:
    """A limiter with what the settings want while it is unavailable.

    Args:
        settings: say what that is.
        limiter: decides when it can.
        limits: its own; they hold in an outage too.
        clock: its monotonic time.
        metrics: counts the decisions.
        logger: told when an outage begins and ends.
    """
    instead: RateLimiter | None = None
    if settings.when_away is WhenAway.OPEN:
        instead = OpenRateLimiter(limits)
    elif settings.when_away is WhenAway.LOCAL:
        instead = MemoryRateLimiter(limits, clock=clock, capacity=settings.capacity)
    return GuardedRateLimiter(
        limiter,
        instead,
        clock=clock,
        retry_after=settings.retry_after,
        metrics=metrics,
        logger=logger,
    )
