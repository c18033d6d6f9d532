"""Consul as registrar.

Consul has one port per instance: further ones, by protocol, and the version are in its metadata,
where any client of Consul can read them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pkg.consul import Check, ConsulError, ConsulNotFoundError, Entry
from pkg.consul import Registration as ConsulRegistration
from pkg.registry.instance import ANY, Instance
from pkg.registry.registry import NotRegisteredError, RegistryUnavailableError

if TYPE_CHECKING:
    from pkg.consul.client import ConsulClient
    from pkg.registry.settings import RegistrationSettings

_PORT: Final = "port-"
_VERSION: Final = "version"
_FIRST: Final = ("grpc", "http")
"""The protocols of which one has the port that Consul itself knows, in this order."""
_READY: Final = "/readyz"


class ConsulRegistrar:
    """A `Registrar` on the agent of a host.

    With the check `ttl` an instance that lives but is not ready is `warning`, which is not called
    but, unlike `critical`, never forgotten. Without it, renewing only asks whether it is known.
    """

    def __init__(self, client: ConsulClient, settings: RegistrationSettings) -> None:
        self._client = client
        self._settings = settings

    async def register(self, instance: Instance) -> None:
        """Register with the agent, with the checks of the settings.

        Raises:
            RegistryUnavailableError: the agent is away or refuses.
            ValueError: the settings want a check that the instance has no port for.
        """
        registration = registration_of(instance, self._settings)
        try:
            await self._client.register(registration)
        except ConsulError as error:
            raise RegistryUnavailableError(str(error)) from error

    async def renew(self, instance: Instance, *, ready: bool) -> None:
        """Pass the TTL check, or look whether the agent still knows us.

        Raises:
            NotRegisteredError: it does not.
            RegistryUnavailableError: the agent is away or refuses.
        """
        try:
            if "ttl" in self._settings.checks:
                status, note = ("passing", "") if ready else ("warning", "not ready")
                await self._client.renew(_check_id(instance, "ttl"), status, note)
            elif not await self._client.registered(instance.id):
                raise NotRegisteredError(f"Consul does not know {instance.id}")
        except ConsulNotFoundError as error:
            raise NotRegisteredError(str(error)) from error
        except ConsulError as error:
            raise RegistryUnavailableError(str(error)) from error

    async def deregister(self, instance: Instance) -> None:
        """Remove it from the agent.

        Raises:
            RegistryUnavailableError: the agent is away or refuses.
        """
        try:
            await self._client.deregister(instance.id)
        except ConsulNotFoundError:
            return
        except ConsulError as error:
            raise RegistryUnavailableError(str(error)) from error


def registration_of(instance: Instance, settings: RegistrationSettings) -> ConsulRegistration:
    """An instance as Consul is told of it.

    Raises:
        ValueError: the settings want a check that the instance has no port for.
    """
    ports = instance.ports
    main = next((ports[each] for each in _FIRST if each in ports), next(iter(ports.values())))
    told = {f"{_PORT}{protocol}": str(port) for protocol, port in ports.items() if protocol}
    version = {_VERSION: instance.version} if instance.version else {}
    return ConsulRegistration(
        id=instance.id,
        name=instance.service,
        address=instance.address,
        port=main,
        tags=instance.tags,
        meta={**instance.metadata, **version, **told},
        weight=instance.weight,
        checks=tuple(_check(instance, kind, settings) for kind in settings.checks),
    )


def instance_of(entry: Entry) -> Instance:
    """What Consul tells of an instance. One that others registered has one port for all protocols.

    Raises:
        ValueError: it cannot be called: it has no port.
    """
    ports = {
        key.removeprefix(_PORT): int(text)
        for key, text in entry.meta.items()
        if key.startswith(_PORT) and text.isascii() and text.isdigit()
    }
    ours = {key: text for key, text in entry.meta.items() if not key.startswith(_PORT)}
    return Instance(
        id=entry.id,
        service=entry.name,
        address=entry.address,
        ports=ports or {ANY: entry.port},
        version=ours.pop(_VERSION, ""),
        tags=entry.tags,
        weight=max(1, entry.weight),
        metadata=ours,
    )


def _check(instance: Instance, kind: str, settings: RegistrationSettings) -> Check:
    check = Check(
        id=_check_id(instance, kind),
        interval=settings.interval,
        timeout=settings.check_timeout,
        deregister_after=settings.deregister_after,
    )
    if kind == "ttl":
        return replace(check, ttl=settings.ttl)
    endpoint = instance.endpoint("admin" if kind == "http" else kind)
    if endpoint is None:
        raise ValueError(f"{instance.id} has no port for the check {kind}")
    if kind == "http":
        return replace(check, http=f"http://{endpoint.address}{_READY}")
    return replace(check, grpc=endpoint.address)


def _check_id(instance: Instance, kind: str) -> str:
    return f"{instance.id}:{kind}"
