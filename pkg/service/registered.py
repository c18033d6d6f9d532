"""The process in the registry, once its ports are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pkg.backoff import Backoff
from pkg.consul.client import ConsulClient
from pkg.registry import Instance, Registration
from pkg.registry.consul import ConsulRegistrar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from prometheus_client import CollectorRegistry

    from pkg.alert import Alerts
    from pkg.backoff import Chance
    from pkg.consul import ConsulSettings
    from pkg.log import Identity
    from pkg.registry import RegistrySettings

Ports = Callable[[], "Mapping[str, int]"]
"""Where the process listens, by protocol; asked when it does."""


class Registered:
    """A component, the last to start: others find the process while it serves.

    `leave` is for `Hooks.before_stop`.
    """

    name = "registration"

    def __init__(
        self,
        settings: RegistrySettings,
        consul: ConsulSettings,
        identity: Identity,
        *,
        host: str,
        ports: Ports,
        ready: Callable[[], Awaitable[bool]],
        alerts: Alerts,
        chance: Chance,
        registry: CollectorRegistry,
    ) -> None:
        """Nothing is opened yet.

        Args:
            settings: how to be known.
            consul: where the registry is.
            identity: of the service.
            host: that it runs on; makes its id.
            ports: asked at the start.
            ready: asked at each renewal.
            alerts: told when the registry stays away.
            chance: spreads the waits between tries.
            registry: for the metrics.
        """
        self._settings = settings
        self._client = ConsulClient(consul)
        self._identity = identity
        self._host = host
        self._ports = ports
        self._ready = ready
        self._alerts = alerts
        self._backoff = Backoff(settings.backoff, chance)
        self._registry = registry
        self._registration: Registration | None = None

    @property
    def note(self) -> str:
        """What operators should know; empty while all is well."""
        return "" if self._registration is None else self._registration.note

    async def check(self) -> None:
        """Return: a registry that is away makes nobody unready."""

    async def start(self) -> None:
        """Try to register once, and go on in the background.

        Raises:
            ValueError: the instance cannot be registered as the settings want it.
        """
        told = self._settings.registration
        ports = self._ports()
        self._registration = Registration(
            ConsulRegistrar(self._client, told),
            Instance(
                id=f"{self._identity.service}-{self._host}-{min(ports.values())}",
                service=self._identity.service,
                address=told.address,
                ports=ports,
                version=self._identity.version,
                tags=told.tags,
                weight=told.weight,
                metadata=told.metadata,
            ),
            every=told.renew_every,
            backoff=self._backoff,
            ready=self._ready,
            alerts=self._alerts,
            registry=self._registry,
        )
        await self._client.start()
        try:
            await self._registration.start()
        except BaseException:
            await self._client.stop()
            raise

    async def leave(self) -> None:
        """Be found no more."""
        if self._registration is not None:
            await self._registration.leave()

    async def stop(self) -> None:
        """Be found no more, if that has not been done, and close the connections."""
        await self.leave()
        await self._client.stop()
