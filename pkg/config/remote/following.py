"""How a remote source is followed while the process runs.

config_remote_failures_total            counter: tries in which the source could not be read
config_remote_age_seconds               gauge: since the source was last heard of
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge

from pkg.clock import Clock, Pause, SystemClock, pause
from pkg.follow import Follower

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable

    from pkg.backoff.backoff import Backoff
    from pkg.config.remote.cache import RemoteCache
    from pkg.config.remote.part import Said
    from pkg.config.remote.source import RemoteSource


@dataclass(frozen=True, kw_only=True)
class Remote:
    """What a watcher needs to follow a source."""

    source: RemoteSource
    backoff: Backoff
    cache: RemoteCache | None = None
    """Keeps what is accepted."""
    clock: Clock = field(default_factory=SystemClock)
    pause: Pause = pause

    async def keep(self, said: Said, logger: logging.Logger) -> None:
        """Keep what was accepted, if there is a cache; a failure is logged."""
        if self.cache is not None:
            try:
                await asyncio.to_thread(self.cache.write, said)
            except OSError as error:
                logger.warning("what %s says cannot be kept: %s", self.source.name, error)

    def follower(
        self,
        take: Callable[[Said], Awaitable[None]],
        *,
        known: Said,
        on_outage: Callable[[Exception], None],
        registry: CollectorRegistry,
        logger: logging.Logger,
    ) -> Follower[Said]:
        """A follower that tells of what differs from `known`, with its metrics."""
        failures = Counter(
            "config_remote_failures",
            "Tries in which the remote source of the configuration could not be read.",
            registry=registry,
        )
        follower = Follower(
            self.source.name,
            self.source.watch,
            take,
            known=known,
            backoff=self.backoff,
            on_failure=lambda _: failures.inc(),
            on_outage=on_outage,
            clock=self.clock,
            pause=self.pause,
            logger=logger,
        )
        Gauge(
            "config_remote_age_seconds",
            "How long ago the remote source of the configuration was last heard of.",
            registry=registry,
        ).set_function(lambda: follower.age)
        return follower
