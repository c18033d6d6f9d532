"""Keeps the revocations in memory in step with Redis."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from redis.asyncio.cluster import RedisCluster

from pkg.backoff import Backoff, BackoffSettings, Chance
from pkg.follow import Follower
from pkg.jwt.feed import RevocationFeed
from pkg.jwt.held import FullError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from redis.asyncio import Redis

    from pkg.clock import Clock
    from pkg.jwt.held import HeldRevocations
    from pkg.jwt.redis import RevocationNames
    from pkg.jwt.revocation_metrics import RevocationMetrics
    from pkg.jwt.settings import RevocationSettings

_TRIES: Final = BackoffSettings(
    first=timedelta(milliseconds=500), longest=timedelta(seconds=30), factor=2
)
_LOG: Final = logging.getLogger(__name__)


class RevocationWatch:
    """A component: subscribes, loads all there is, and follows; begins again when that breaks.

    Start and stop wait for nothing, and no health depends on it: in doubt, calls read Redis. They
    always do on a cluster, whose nodes pass messages on to each other without a promise, so that a
    connection that is well does not tell that all were heard.
    """

    def __init__(
        self,
        client: Redis,
        names: RevocationNames,
        held: HeldRevocations,
        settings: RevocationSettings,
        *,
        clock: Clock,
        chance: Chance,
        metrics: RevocationMetrics,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare.

        Args:
            client: of the loop that will call `start`; keeps one of its connections.
            names: of what is in Redis.
            held: kept in step.
            settings: the bounds.
            clock: that of `held`.
            chance: spreads tries.
            metrics: told of what goes wrong.
            logger: told of outages.
        """
        self._held = held
        self._metrics = metrics
        self._log = logger
        self._follows = settings.max_entries > 0 and not isinstance(client, RedisCluster)
        self._max_delay = settings.max_delay.total_seconds()
        self._feed = RevocationFeed(
            client,
            names,
            held,
            limit=settings.max_entries,
            max_delay=self._max_delay,
            clock=clock,
        )
        self._follower: Follower[bool] = Follower(
            self.name,
            self._watch,
            self._in_step,
            backoff=Backoff(_TRIES, chance),
            on_failure=self._failed,
            clock=clock,
            logger=logger,
        )

    @property
    def name(self) -> str:
        """What it is called."""
        return "revocations"

    async def start(self) -> None:
        """Begin to follow, in the background."""
        if self._follows:
            await self._follower.start()
        else:
            self._log.info("revocations are not followed, each call reads them")

    async def stop(self) -> None:
        """Follow no more."""
        await self._follower.stop()

    async def _watch(self) -> AsyncGenerator[bool, None]:
        async with self._feed.subscribe() as channels:
            try:
                self._held.restart()
                await self._feed.load()
                async for moment in self._feed.beats(channels):
                    self._held.vouch(moment + self._max_delay)
                    yield True
            finally:
                self._held.doubt()

    async def _in_step(self, _: bool) -> None:
        self._log.info("revocations are held in memory: %d", len(self._held))

    def _failed(self, error: Exception) -> None:
        if isinstance(error, FullError):
            self._metrics.overflows.inc()
            self._log.warning("%s: until there are fewer, each call reads them", error)
