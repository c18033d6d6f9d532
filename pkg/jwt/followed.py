"""Revocations that every process holds in memory, and hears of through Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.errors import Fault
from pkg.jwt.held import HeldRevocations
from pkg.jwt.redis import RedisRevocations, RevocationNames
from pkg.jwt.revocation_metrics import RevocationMetrics
from pkg.jwt.watch import RevocationWatch

if TYPE_CHECKING:
    from datetime import timedelta

    from prometheus_client import CollectorRegistry
    from redis.asyncio import Redis

    from pkg.backoff import Chance
    from pkg.clock import Clock
    from pkg.jwt.revocations import Revocations
    from pkg.jwt.settings import RevocationSettings


class FollowedRevocations:
    """Those of a process, shared by all its event loops.

    While they are in step, a check is a look into memory. Whoever revokes, in whatever process, is
    heard of as fast as Redis publishes; in this process before the call that revokes returns. Where
    it is in doubt whether all was heard, each check reads Redis, and where that cannot be, no token
    is good. That holds within `max_delay`, also where a connection hangs without breaking.
    """

    def __init__(
        self,
        settings: RevocationSettings,
        *,
        clock: Clock,
        chance: Chance,
        registry: CollectorRegistry | None = None,
        prefix: str = "jwt",
    ) -> None:
        """Hold nothing yet.

        Args:
            settings: the bounds.
            clock: measures the times.
            chance: spreads tries to reach Redis.
            registry: for the metrics.
            prefix: of keys and channel in Redis.
        """
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._prefix = prefix
        self.held = HeldRevocations(clock, settings.max_entries)
        self._metrics = RevocationMetrics(self.held, registry)

    def on(self, client: Redis) -> Revocations:
        """For the event loop of a client."""
        return _OnLoop(
            RedisRevocations(client, self._prefix), self.held, self._metrics, self._clock
        )

    def watch(self, client: Redis) -> RevocationWatch:
        """The component that follows: one for the process, on the loop of the client."""
        return RevocationWatch(
            client,
            RevocationNames(self._prefix),
            self.held,
            self._settings,
            clock=self._clock,
            chance=self._chance,
            metrics=self._metrics,
        )


class _OnLoop:
    """`Revocations` with the connections of one event loop."""

    def __init__(
        self,
        stored: RedisRevocations,
        held: HeldRevocations,
        metrics: RevocationMetrics,
        clock: Clock,
    ) -> None:
        self._stored = stored
        self._held = held
        self._metrics = metrics
        self._clock = clock

    async def end_session(self, session: str, ttl: timedelta) -> None:
        """Refuse the tokens of a session."""
        await self._stored.end_session(session, ttl)
        self._held.end_session(session, self._clock.monotonic() + ttl.total_seconds())

    async def raise_version(self, subject: str, version: int, ttl: timedelta) -> None:
        """Refuse the subject's older tokens."""
        await self._stored.raise_version(subject, version, ttl)
        self._held.raise_version(subject, version, self._clock.monotonic() + ttl.total_seconds())

    async def check(self, session: str, subject: str, version: int) -> None:
        """Pass a token that is not revoked."""
        refused = self._held.refused(session, subject, version)
        if refused is None:
            self._metrics.reads.inc()
            await self._stored.check(session, subject, version)
        elif refused:
            raise Fault("UNAUTHENTICATED")
