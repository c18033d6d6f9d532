"""Instances that the settings name: where something else balances, and for development."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pkg.registry.board import Board
from pkg.registry.instance import ANY, Instance
from pkg.registry.registry import UnknownServiceError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping


class StaticDiscovery:
    """A `Discovery` that never changes."""

    def __init__(self, instances: Iterable[Instance], services: Iterable[str] = ()) -> None:
        """Know these, and of further `services` that they have none."""
        known: dict[str, list[Instance]] = {service: [] for service in services}
        for instance in instances:
            known.setdefault(instance.service, []).append(instance)
        self._boards = {service: Board(found) for service, found in known.items()}

    @classmethod
    def of(cls, addresses: Mapping[str, Iterable[str]]) -> StaticDiscovery:
        """Know services by their addresses `host:port`, which speak whatever is asked of them.

        Raises:
            ValueError: an address is none.
        """
        instances = [
            _instance(service, address) for service, found in addresses.items() for address in found
        ]
        return cls(instances, addresses)

    def snapshot(self, service: str) -> tuple[Instance, ...]:
        """Those of the settings."""
        return self._board(service).instances

    def watch(self, service: str) -> AsyncGenerator[tuple[Instance, ...], None]:
        """Yield those of the settings, once."""
        return self._board(service).watch()

    def _board(self, service: str) -> Board:
        board = self._boards.get(service)
        if board is None:
            raise UnknownServiceError(f"the settings name no addresses of {service}")
        return board


def _instance(service: str, address: str) -> Instance:
    parts = urlsplit(f"//{address}")
    if not parts.hostname or parts.port is None or parts.path or parts.username is not None:
        raise ValueError(f"{address!r} is not host:port")
    return Instance(id=address, service=service, address=parts.hostname, ports={ANY: parts.port})
