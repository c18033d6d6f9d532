"""The parts of a process that are the same in every service, each made once.

A composition root makes a `Standard`, hands its parts to what the service adds, and has the app put
together: alerts, exceptions, tracing and settings start before what the service adds and stop after
it, then comes what watches, and the registry hears of the process when all has started.
"""

from __future__ import annotations

import random
import socket
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from pkg.admin import AdminApp, AdminServer
from pkg.alert import LoggedAlerts
from pkg.alert.hooks import alert_error, each_of
from pkg.app import App, Banner, Health, Hooks, show
from pkg.backoff import Backoff
from pkg.clock import SystemClock
from pkg.config import redacted
from pkg.config.remote import Remote, RemoteCache, open_source
from pkg.config.watcher import Watcher
from pkg.holmes import ExceptionHooks, Holmes, Loops
from pkg.log import LoggedLines, Redactor
from pkg.metrics import LoopLag, Saturation, WorkerMetrics, loop_lag_series
from pkg.middleware import CallMetrics, log_error
from pkg.profile import HeapTracing, Pprof, Sampler
from pkg.profile.pyroscope import PyroscopePush
from pkg.service.alerts import alerts_of
from pkg.service.exceptions import Exceptions
from pkg.service.settings import StandardSettings
from pkg.tokens import SystemTokens
from pkg.trace import Tracing
from pkg.workers import Link, Ready

if TYPE_CHECKING:
    import logging
    from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from pkg.app import Component, Credentials, Hook
    from pkg.config import Loaded
    from pkg.config.watcher import Subscriber
    from pkg.log import Identity, LogHandle
    from pkg.log.lines import Lines
    from pkg.middleware import OnError
    from pkg.service.registered import Ports, Registered

MAIN: Final = "main"
"""The loop that runs the app."""
_STACK: Final = 65_536
"""Characters of a stack that an alert may have."""

T = TypeVar("T", bound=StandardSettings)


class Standard(Generic[T]):
    """What a service has before it has anything of its own."""

    def __init__(
        self,
        loaded: Loaded[T],
        identity: Identity,
        *,
        sensitive: Collection[str] = (),
        log: LogHandle | None = None,
        worker: Path | None = None,
    ) -> None:
        """Make the parts; nothing is opened or started.

        Args:
            loaded: the settings, and where they came from.
            identity: which service this is.
            sensitive: names of fields that no alert may show.
            log: follows the levels of the settings, and has a quick way for lines of calls.
            worker: the folder of the workers and the name of this one, if it is one of several.
        """
        settings = loaded.settings
        self.settings = settings
        self.identity = identity
        self.clock = SystemClock()
        self.tokens = SystemTokens()
        self.chance = random.random
        self.metrics = _process_metrics()
        self.calls = CallMetrics(self.metrics)
        self.saturation = Saturation(self.metrics)
        self.alerts = alerts_of(
            settings,
            identity,
            clock=self.clock,
            tokens=self.tokens,
            chance=self.chance,
            registry=self.metrics,
        )
        self.tracing = Tracing(settings.trace, identity, self.metrics, clock=self.clock)
        self.watcher = Watcher(
            loaded, remote=self._remote(), alerts=self.alerts, registry=self.metrics
        )
        self._redactor = Redactor(sensitive, max_text=_STACK)
        self._hooks = ExceptionHooks(self.alerts)
        self._lag = loop_lag_series(self.metrics)
        self.loops = Loops(self.clock)
        self._sampler = Sampler()
        self._host = socket.gethostname()
        self._worker = worker
        self._log = log
        if log is not None:
            self.watcher.subscribe(_levels(log))

    def on_error(self, logger: logging.Logger) -> OnError:
        """For `recovery`: defects are logged, and people are told."""
        return each_of(log_error(logger), alert_error(self.alerts, self._redactor))

    def lines(self, logger: logging.Logger) -> Lines:
        """For what the logger says of every call."""
        return LoggedLines(logger) if self._log is None else self._log.lines(logger)

    @asynccontextmanager
    async def another_loop(self, name: str) -> AsyncIterator[None]:
        """Watch the loop that this is entered in, which is not the app's, until it is left."""
        async with AsyncExitStack() as held:
            held.enter_context(self._hooks.loop())
            held.enter_context(self.loops.watched(name))
            await held.enter_async_context(LoopLag(name, self._lag))
            yield

    def app(
        self,
        components: Sequence[Component],
        *,
        ports: Ports,
        places: Callable[[], Mapping[str, str]],
        credentials: Callable[[], Credentials | None],
        before_stop: Sequence[Hook] = (),
    ) -> App:
        """The whole process.

        Args:
            components: of the service, in the order in which they start.
            ports: where it listens, by protocol; asked when it does.
            places: what the banner tells of, besides the admin port and the configuration.
            credentials: that the banner shows this once, if any.
            before_stop: done before the drain, after the registry has been told.
        """
        settings, lifecycle = self.settings, self.settings.lifecycle
        whole = [*self._before(), *components, *self._after()]
        health = Health(whole, clock=self.clock, timeout=lifecycle.check_timeout)
        admin = AdminServer(
            AdminApp(
                health=health,
                registry=self.metrics,
                config=lambda: redacted(self.watcher.settings),
                endpoints=Pprof(settings.profile, self._sampler, self.clock).endpoints(),
            ),
            settings.admin,
        )

        link = None if self._worker is None else Link()

        async def announce() -> None:
            if link is not None:
                known = credentials()
                await link.tell(
                    Ready(
                        admin=admin.address,
                        places=dict(places()),
                        login=known.login if known else "",
                        password=known.password if known else "",
                    )
                )
                return
            self.announce(places(), admin.address, credentials())

        def all_ports() -> Mapping[str, int]:
            return {**ports(), "admin": admin.port}

        registered = self.registered(all_ports, health)
        leave = () if registered is None else (registered.leave,)
        return App(
            self.identity.service,
            self.identity.version,
            [
                *(() if link is None else (link,)),
                admin,
                *whole,
                *(() if registered is None else (registered,)),
            ],
            clock=self.clock,
            start_timeout=lifecycle.start_timeout,
            stop_timeout=lifecycle.stop_timeout,
            drain_delay=lifecycle.drain_delay,
            hooks=Hooks(after_start=(announce,), before_stop=(*leave, *before_stop)),
            health=health,
        )

    def announce(
        self, places: Mapping[str, str], admin: str, credentials: Credentials | None
    ) -> None:
        """Show the banner."""
        banner = Banner(
            service=self.identity.service,
            version=self.identity.version,
            env=self.identity.env,
            places={**places, "Admin": f"http://{admin}", "Config": self.watcher.loaded.origin},
            credentials=credentials,
        )
        show(banner, sys.stderr)

    def guards(self) -> tuple[Component, ...]:
        """What every process of the service has, a supervisor too."""
        frames = self.settings.profile.heap_frames
        return (
            *((HeapTracing(frames),) if frames else ()),
            *(() if isinstance(self.alerts, LoggedAlerts) else (self.alerts,)),
            Exceptions(self._hooks),
            self.watcher,
        )

    def _before(self) -> tuple[Component, ...]:
        """What the service's own components may need."""
        if self._worker is None:
            return (*self.guards(), self.tracing)
        shared = WorkerMetrics(self._worker.parent, self._worker.name, self.metrics)
        return (*self.guards(), self.tracing, shared)

    def _after(self) -> tuple[Component, ...]:
        """What watches the process at work: a start may well block its loop for a while."""
        holmes = Holmes(
            self.settings.holmes,
            self.loops,
            self.alerts,
            sampler=self._sampler,
            clock=self.clock,
            registry=self.metrics,
        )
        pyroscope = self.settings.pyroscope
        if self._worker is not None:
            tags = {**pyroscope.tags, "worker": self._worker.name}
            pyroscope = pyroscope.model_copy(update={"tags": tags})
        push = PyroscopePush(pyroscope, self.identity.service)
        return LoopLag(MAIN, self._lag), holmes, push

    def _remote(self) -> Remote | None:
        """What the watcher follows beside files."""
        remote = self.settings.remote
        source = open_source(remote)
        if source is None:
            return None
        return Remote(
            source=source,
            backoff=Backoff(remote.backoff, self.chance),
            cache=None if remote.cache is None else RemoteCache(remote.cache, source.name),
            clock=self.clock,
        )

    def registered(self, ports: Ports, health: Health) -> Registered | None:
        """The process in the registry, if there is one and others can reach us.

        Of several workers their supervisor is registered, and none of them.
        """
        settings = self.settings.registry
        if self._worker is not None or settings.consul is None or not settings.registration.address:
            return None
        from pkg.service.registered import Registered  # only who registers pays for it

        async def ready() -> bool:
            return (await health.report()).ready

        return Registered(
            settings,
            settings.consul,
            self.identity,
            host=self._host,
            ports=ports,
            ready=ready,
            alerts=self.alerts,
            chance=self.chance,
            registry=self.metrics,
        )


def _levels(log: LogHandle) -> Subscriber[StandardSettings]:
    async def follow(_: StandardSettings, now: StandardSettings) -> None:
        log.apply(now.log)

    return follow


def _process_metrics() -> CollectorRegistry:
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry
