"""A small client of Consul's HTTP API: key-value store, agent, health. See `pkg.consul.client`."""

from pkg.consul.blocking import Answer, follow
from pkg.consul.errors import (
    ConsulError,
    ConsulForbiddenError,
    ConsulNotFoundError,
    ConsulRefusedError,
    ConsulUnavailableError,
)
from pkg.consul.models import Check, Entry, Registration
from pkg.consul.settings import ConsulSettings

__all__ = [
    "Answer",
    "Check",
    "ConsulError",
    "ConsulForbiddenError",
    "ConsulNotFoundError",
    "ConsulRefusedError",
    "ConsulSettings",
    "ConsulUnavailableError",
    "Entry",
    "Registration",
    "follow",
]
