"""Keeps one instance registered for as long as the process serves.

    registry_registered{service}                   gauge: 1 while the registry knows us, as far as
                                                   we know
    registry_registrations_total{service}          counter: registered, the first time and again
    registry_failures_total{service}               counter: the registry did not take what we said

A registry that is away neither keeps the process from starting nor makes it unready: calls that
come by other ways are still served. It is told again, with waits that grow, until it hears.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from pkg.alert import Alert
from pkg.clock import Pause, pause
from pkg.registry.registry import NotRegisteredError, RegistryError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from pkg.alert import Alerts
    from pkg.backoff import Backoff
    from pkg.registry.instance import Instance
    from pkg.registry.registry import Registrar

_LOG: Final = logging.getLogger(__name__)
_PATIENCE: Final = 3
"""Failures in a row before anybody is alerted."""


async def always() -> bool:
    """Ready whenever asked."""
    return True


class Registration:
    """A component, the last to start: registers, renews, and deregisters.

    `leave` is for `Hooks.before_stop`: nobody finds us any more while the process drains.
    """

    name = "registration"

    def __init__(
        self,
        registrar: Registrar,
        instance: Instance,
        *,
        every: timedelta,
        backoff: Backoff,
        ready: Callable[[], Awaitable[bool]] = always,
        alerts: Alerts | None = None,
        registry: CollectorRegistry | None = None,
        pause: Pause = pause,
        logger: logging.Logger = _LOG,
    ) -> None:
        """Prepare; nothing happens before `start`.

        Args:
            registrar: belongs to the loop that calls `start`.
            instance: to be known.
            every: between two renewals; a third of the registry's time to live.
            backoff: how long to wait after failures, at most `every`.
            ready: asked at each renewal whether calls may come.
            alerts: told when the registry stays away.
            registry: for the metrics; without it they are kept but not exported.
            pause: waits.
            logger: told what happens.
        """
        self._registrar = registrar
        self._instance = instance
        self._every = every
        self._backoff = backoff
        self._ready = ready
        self._alerts = alerts
        self._pause = pause
        self._log = logger
        self._failures = 0
        self._known = False
        self._task: asyncio.Task[None] | None = None
        registry = registry or CollectorRegistry()
        labels: dict[str, Any] = {"labelnames": ("service",), "registry": registry}
        service = instance.service
        self._registered = Gauge(
            "registry_registered", "Whether the registry knows this instance.", **labels
        ).labels(service)
        self._registrations = Counter(
            "registry_registrations", "How often this instance was registered.", **labels
        ).labels(service)
        self._failed = Counter(
            "registry_failures", "Tries that the registry did not take.", **labels
        ).labels(service)

    @property
    def note(self) -> str:
        """What operators should know; empty while all is well."""
        return "" if self._known or self._task is None else "not known to the registry"

    async def check(self) -> None:
        """Return: a registry that is away makes nobody unready."""

    async def start(self) -> None:
        """Try to register once, and go on in the background.

        Raises:
            ValueError: the instance cannot be registered as the settings want it.
        """
        await self._beat()
        self._task = asyncio.create_task(self._work(), name=self.name)

    async def leave(self) -> None:
        """Deregister, once; a failure is logged, and the registry finds out by itself."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait({task})
        self._set(known=False)
        try:
            await self._registrar.deregister(self._instance)
        except RegistryError as error:
            self._log.warning("%s could not be deregistered: %s", self._instance.id, error)
        else:
            self._log.info("%s is deregistered", self._instance.id)

    async def stop(self) -> None:
        """Deregister, if that has not been done."""
        await self.leave()

    async def _work(self) -> None:
        while True:
            wait = self._every
            if self._failures:
                wait = min(wait, self._backoff.wait(self._failures))
            await self._pause(wait)
            try:
                await self._beat()
            except Exception as error:  # noqa: BLE001 - any: it is tried again
                self._fail(error)

    async def _beat(self) -> None:
        """Renew, or register what is not known."""
        try:
            if self._known:
                await self._renew()
            if not self._known:
                await self._register()
        except RegistryError as error:
            self._fail(error)
        else:
            if self._failures:
                self._log.info("the registry is back after %d failures", self._failures)
            self._failures = 0

    async def _renew(self) -> None:
        try:
            await self._registrar.renew(self._instance, ready=await self._ready())
        except NotRegisteredError:
            self._log.warning("the registry has forgotten %s", self._instance.id)
            self._set(known=False)

    async def _register(self) -> None:
        await self._registrar.register(self._instance)
        self._set(known=True)
        self._registrations.inc()
        self._log.info("%s is registered", self._instance.id)

    def _set(self, *, known: bool) -> None:
        self._known = known
        self._registered.set(known)

    def _fail(self, error: Exception) -> None:
        self._failures += 1
        self._failed.inc()
        if self._failures == 1:
            self._log.warning("the registry does not take what we say: %s", error)
        if self._failures == _PATIENCE and self._alerts is not None:
            title = "the registry stays away"
            self._alerts.send(Alert(topic="registry", title=title, detail=str(error)))
