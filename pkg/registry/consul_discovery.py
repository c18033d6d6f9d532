"""Consul as discovery, by blocking queries.

    registry_instances{service}             gauge: instances that are known
    registry_age_seconds{service}           gauge: since the registry was last heard of
    registry_watch_failures_total{service}  counter: tries in which it could not be asked
    registry_stale_reads_total{service}     counter: snapshots that were taken in an outage

Each service has a snapshot that survives any outage. It changes within a round trip of a change in
Consul, or as soon as Consul is back.
"""

from __future__ import annotations

import logging
from contextlib import aclosing
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from pkg.alert import Alert
from pkg.clock import Clock, Pause, SystemClock, pause
from pkg.consul import follow
from pkg.follow import Follower
from pkg.registry.board import Board
from pkg.registry.consul import instance_of
from pkg.registry.registry import RegistryUnavailableError, UnknownServiceError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator

    from pkg.alert import Alerts
    from pkg.backoff import Backoff
    from pkg.consul import Entry
    from pkg.consul.client import ConsulClient
    from pkg.registry.instance import Instance

_LOG: Final = logging.getLogger(__name__)


class _Followed:
    """One service: what is known of it, and how that is kept current."""

    def __init__(
        self, service: str, client: ConsulClient, hold: timedelta, clock: Clock, pause: Pause
    ) -> None:
        self.board = Board()
        self._service = service
        self._client = client
        self._hold = hold.total_seconds()
        self._clock = clock
        self._pause = pause
        self._empty_since: float | None = None
        """When an empty answer first came that is not believed yet."""

    async def watch(self) -> AsyncGenerator[tuple[Instance, ...], None]:
        answers = follow(
            lambda index: self._client.healthy(self._service, index=index), pause=self._pause
        )
        async with aclosing(answers):
            async for entries in answers:
                yield self._believed(tuple(_callable(entries)))

    async def take(self, instances: tuple[Instance, ...]) -> None:
        self.board.write(instances)

    @property
    def holds(self) -> bool:
        """Whether instances are kept that Consul does not tell of."""
        return self._empty_since is not None

    def _believed(self, told: tuple[Instance, ...]) -> tuple[Instance, ...]:
        if told or not self.board.instances:
            self._empty_since = None
            return told
        now = self._clock.monotonic()
        if self._empty_since is None:
            self._empty_since = now
        if now - self._empty_since < self._hold:
            return self.board.instances
        self._empty_since = None
        return told


def _callable(entries: Iterable[Entry]) -> Iterator[Instance]:
    for entry in entries:
        try:
            instance = instance_of(entry)
        except ValueError:
            continue  # registered by others, without a port
        yield instance


class ConsulDiscovery:
    """A component and a `Discovery` of the services that it is made for.

    Its start waits for nothing. It is well as soon as every service was heard of once, and stays so
    in an outage: what is known is served.
    """

    name = "discovery"

    def __init__(
        self,
        client: ConsulClient,
        services: Iterable[str],
        *,
        backoff: Backoff,
        hold_empty: timedelta = timedelta(seconds=30),
        alerts: Alerts | None = None,
        registry: CollectorRegistry | None = None,
        clock: Clock | None = None,
        pause: Pause = pause,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare; nothing happens before `start`.

        Args:
            client: belongs to the loop that calls `start`.
            services: to be followed.
            backoff: between tries in an outage.
            hold_empty: how long the instances of a service are kept that are all gone at once.
            alerts: told of an outage that lasts.
            registry: for the metrics; without it they are kept but not exported.
            clock: tells how old a snapshot is.
            pause: waits.
            logger: told of outages and changes.
        """
        clock = clock or SystemClock()
        self._alerts = alerts
        self._followed: dict[str, _Followed] = {}
        self._followers: dict[str, Follower[tuple[Instance, ...]]] = {}
        labels: dict[str, Any] = {
            "labelnames": ("service",),
            "registry": registry or CollectorRegistry(),
        }
        failures = Counter("registry_watch_failures", "Tries that failed.", **labels)
        stale = Counter("registry_stale_reads", "Snapshots taken in an outage.", **labels)
        count = Gauge("registry_instances", "Instances that are known.", **labels)
        age = Gauge("registry_age_seconds", "Since the registry was last heard of.", **labels)
        for service in dict.fromkeys(services):
            followed = _Followed(service, client, hold_empty, clock, pause)
            follower = Follower(
                f"discovery of {service}",
                followed.watch,
                followed.take,
                backoff=backoff,
                on_failure=partial(_count, failures.labels(service)),
                on_outage=self._away,
                clock=clock,
                pause=pause,
                logger=logger,
            )
            count.labels(service).set_function(partial(_known, followed.board))
            age.labels(service).set_function(partial(_age, follower))
            self._followed[service], self._followers[service] = followed, follower
        self._stale = {service: stale.labels(service) for service in self._followed}

    @property
    def note(self) -> str:
        """What operators should know; empty while all is well."""
        said = {name: each.note for name, each in self._followers.items()}
        return ", ".join(f"{name} {note}" for name, note in said.items() if note)

    async def start(self) -> None:
        """Begin to follow, in the background."""
        for follower in self._followers.values():
            await follower.start()

    async def stop(self) -> None:
        """Follow no more; snapshots stay."""
        for follower in self._followers.values():
            await follower.stop()

    async def check(self) -> None:
        """Return once every service was heard of.

        Raises:
            RegistryUnavailableError: one never was.
        """
        unheard = [name for name, each in self._followed.items() if not each.board.known]
        if unheard:
            raise RegistryUnavailableError(f"never heard of {', '.join(unheard)}")

    def snapshot(self, service: str) -> tuple[Instance, ...]:
        """Those that were known last; counted while Consul is away, or tells of none any more."""
        followed = self._of(service)
        if followed.holds or self._followers[service].stale_since is not None:
            self._stale[service].inc()
        return followed.board.instances

    def watch(self, service: str) -> AsyncGenerator[tuple[Instance, ...], None]:
        """Yield those that are known, and then at every change."""
        return self._of(service).board.watch()

    def _of(self, service: str) -> _Followed:
        followed = self._followed.get(service)
        if followed is None:
            raise UnknownServiceError(f"{service} is not followed")
        return followed

    def _away(self, error: Exception) -> None:
        if self._alerts is not None:
            title = "discovery is away, what is known is served"
            self._alerts.send(Alert(topic="registry", title=title, detail=str(error)))


def _count(counter: Counter, _error: Exception) -> None:
    counter.inc()


def _known(board: Board) -> float:
    return len(board.instances)


def _age(follower: Follower[Any]) -> float:
    return follower.age
