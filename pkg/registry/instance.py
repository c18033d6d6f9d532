"""Who can be called, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ANY = ""
"""The protocol of a port that is spoken to in whatever protocol has no port of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One process of a service."""

    id: str
    """Unique in the registry. The same after a restart, so that what was known is replaced."""
    service: str
    address: str
    """The host at which others reach it."""
    ports: Mapping[str, int]
    """By protocol: `grpc`, `http`, `admin`."""
    version: str = ""
    tags: tuple[str, ...] = ()
    weight: int = 1
    """Its share of the calls, compared with that of the others."""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no registry could tell others.

        Raises:
            ValueError: something is empty, or no port, or no weight.
        """
        if not (self.id and self.service and self.address and self.ports):
            raise ValueError("an instance needs an id, a service, an address and a port")
        for protocol, port in self.ports.items():
            if not 0 < port < 65536:
                raise ValueError(f"{self.id}: {port} is no port for {protocol or 'calls'}")
        if self.weight < 1:
            raise ValueError(f"{self.id}: a weight is at least 1")

    def endpoint(self, protocol: str) -> Endpoint | None:
        """Where it speaks this protocol; None if it does not."""
        port = self.ports.get(protocol, self.ports.get(ANY))
        return None if port is None else Endpoint(self.id, self.address, port, self.weight)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one instance speaks one protocol."""

    id: str
    host: str
    port: int
    weight: int = 1

    @property
    def address(self) -> str:
        """`host:port`, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def endpoints(instances: Iterable[Instance], protocol: str) -> tuple[Endpoint, ...]:
    """Where the instances speak this protocol, without those that do not."""
    found = (instance.endpoint(protocol) for instance in instances)
    return tuple(endpoint for endpoint in found if endpoint is not None)
