"""How a service is registered, and how others are found."""
# Pydantic reads the annotations below at run time.

from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator

from pkg.backoff.settings import BackoffSettings
from pkg.config.duration import Duration
from pkg.config.settings import Settings
from pkg.consul import ConsulSettings
from pkg.registry.static import StaticDiscovery

_POSITIVE = timedelta()
CheckKind = Literal["ttl", "http", "grpc"]


class RegistrationSettings(Settings):
    """How this service is made known."""

    address: str = ""
    """Where others reach it; needed to register, there is no good guess."""
    checks: tuple[CheckKind, ...] = Field(default=("ttl",), min_length=1)
    """How the registry finds out whether an instance is well. `ttl`: it says so itself. `http`: the
    registry asks its `/readyz`. `grpc`: the registry asks its health service."""
    ttl: Duration = Field(default=timedelta(seconds=15), ge=timedelta(seconds=1))
    """An instance that has not renewed for so long is not called any more; it does so three times
    as often."""
    interval: Duration = Field(default=timedelta(seconds=10), ge=timedelta(seconds=1))
    """Between two checks by the registry."""
    check_timeout: Duration = Field(default=timedelta(seconds=2), gt=_POSITIVE)
    deregister_after: Duration = Field(default=timedelta(minutes=1), ge=timedelta(minutes=1))
    """An instance that is dead for so long is forgotten. Consul takes no less than a minute."""
    tags: tuple[str, ...] = ()
    weight: int = Field(default=1, ge=1, le=65535)
    metadata: dict[str, str] = Field(default_factory=dict)

    @property
    def renew_every(self) -> timedelta:
        """How often an instance is renewed: three times per `ttl`, or once per `interval`."""
        return self.ttl / 3 if "ttl" in self.checks else self.interval


class DiscoverySettings(Settings):
    """How others are found."""

    addresses: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Service to `host:port`, where no registry is asked."""
    hold_empty: Duration = Field(default=timedelta(seconds=30), ge=_POSITIVE)
    """A service whose instances are all gone at once keeps those known before for so long: a
    registry that has lost its state hears of them again meanwhile."""

    @field_validator("addresses")
    @classmethod
    def _are_some(cls, addresses: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        StaticDiscovery.of(addresses)
        return addresses


class RegistrySettings(Settings):
    """`registry`. Without `consul` nothing is registered, and others are found by `addresses`."""

    consul: ConsulSettings | None = None
    registration: RegistrationSettings = RegistrationSettings()
    discovery: DiscoverySettings = DiscoverySettings()
    backoff: BackoffSettings = BackoffSettings(first=timedelta(milliseconds=500))
    """Between tries while the registry is away."""
