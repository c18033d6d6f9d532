"""Which operations the service has, as its protos declare them."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkg.rpc import Bound, Operation
    from pkg.rpc.registry import Registry

_POLICY_SERVICE: Final = "user.http.v1.PolicyService"


def operations_of(registry: Registry, services: Iterable[Bound]) -> tuple[Operation, ...]:
    """Every operation of the services, in the order of the protos."""
    return tuple(chain.from_iterable(registry.operations(b.service).values() for b in services))


def policy_keeping(registry: Registry) -> frozenset[tuple[str, str]]:
    """Resource and action of what keeps policies: the administrator must never lose these."""
    operations = registry.operations(_POLICY_SERVICE).values()
    return frozenset((operation.resource, operation.action) for operation in operations)
