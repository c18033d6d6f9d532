"""What Consul is told, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How the agent finds out whether a service is well. Exactly one of the three ways is given."""

    id: str
    ttl: timedelta | None = None
    """The service says so itself, at least so often."""
    status: str = "passing"
    """With a `ttl`, what holds until the service says something."""
    http: str | None = None
    """A URL that answers 2xx while it is well."""
    grpc: str | None = None
    """`host:port` of a server with the standard health service, or `host:port/name`."""
    interval: timedelta = timedelta(seconds=10)
    timeout: timedelta = timedelta(seconds=2)
    deregister_after: timedelta = timedelta(minutes=1)
    """A service that is critical for so long is removed. Consul takes no less than a minute."""

    def payload(self) -> dict[str, Any]:
        """As the agent reads it."""
        said: dict[str, Any] = {
            "CheckID": self.id,
            "Name": self.id,
            "DeregisterCriticalServiceAfter": duration(self.deregister_after),
        }
        if self.ttl is not None:
            return said | {"TTL": duration(self.ttl), "Status": self.status}
        way = {"HTTP": self.http} if self.http is not None else {"GRPC": self.grpc}
        return said | way | {"Interval": duration(self.interval), "Timeout": duration(self.timeout)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A service as it is registered with an agent."""

    id: str
    name: str
    address: str
    port: int
    tags: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)
    weight: int = 1
    checks: tuple[Check, ...] = ()

    def payload(self) -> dict[str, Any]:
        """As the agent reads it."""
        return {
            "ID": self.id,
            "Name": self.name,
            "Address": self.address,
            "Port": self.port,
            "Tags": list(self.tags),
            "Meta": dict(self.meta),
            "Weights": {"Passing": self.weight, "Warning": 1},
            "Checks": [check.payload() for check in self.checks],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An instance as the catalogue knows it."""

    id: str
    name: str
    address: str
    """That of the node where the service has none of its own."""
    port: int
    tags: tuple[str, ...]
    meta: Mapping[str, str]
    weight: int

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Entry:
        """Read one item of `/v1/health/service`."""
        service, node = said["Service"], said["Node"]
        return cls(
            id=service["ID"],
            name=service["Service"],
            address=service["Address"] or node["Address"],
            port=service["Port"],
            tags=tuple(service["Tags"] or ()),
            meta=dict(service["Meta"] or {}),
            weight=service["Weights"]["Passing"],
        )


def duration(time: timedelta) -> str:
    """As Go writes it."""
    return f"{round(time.total_seconds() * 1000)}ms"
