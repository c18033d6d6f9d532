"""Being found, and finding others. Adapters for Consul: `pkg.registry.consul`, `.consul_discovery`.

Another registry, such as Kubernetes, is one more module beside them that passes the contract.
"""

from pkg.registry.balancer import Balancer, LeastPending, NoEndpointError, RoundRobin
from pkg.registry.instance import ANY, Endpoint, Instance, endpoints
from pkg.registry.memory import MemoryRegistry
from pkg.registry.registration import Registration
from pkg.registry.registry import (
    Discovery,
    NotRegisteredError,
    Registrar,
    RegistryError,
    RegistryUnavailableError,
    UnknownServiceError,
)
from pkg.registry.settings import DiscoverySettings, RegistrationSettings, RegistrySettings
from pkg.registry.static import StaticDiscovery

__all__ = [
    "ANY",
    "Balancer",
    "Discovery",
    "DiscoverySettings",
    "Endpoint",
    "Instance",
    "LeastPending",
    "MemoryRegistry",
    "NoEndpointError",
    "NotRegisteredError",
    "Registrar",
    "Registration",
    "RegistrationSettings",
    "RegistryError",
    "RegistrySettings",
    "RegistryUnavailableError",
    "RoundRobin",
    "StaticDiscovery",
    "UnknownServiceError",
    "endpoints",
]
