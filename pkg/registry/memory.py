"""A registry in memory: for tests, and for services that live in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.registry.board import Board
from pkg.registry.registry import NotRegisteredError, RegistryUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from pkg.registry.instance import Instance


class MemoryRegistry:
    """A `Registrar` and a `Discovery` of every service, for one event loop."""

    def __init__(self) -> None:
        self.away = False
        """Does a registrar find nobody?"""
        self._registered: dict[str, tuple[Instance, bool]] = {}
        self._boards: dict[str, Board] = {}

    async def register(self, instance: Instance) -> None:
        """Make it known, and ready."""
        self._be_there()
        self._registered[instance.id] = (instance, True)
        self._write(instance.service)

    async def renew(self, instance: Instance, *, ready: bool) -> None:
        """Tell whether it is ready."""
        self._be_there()
        if instance.id not in self._registered:
            raise NotRegisteredError(f"{instance.id} is not registered")
        self._registered[instance.id] = (instance, ready)
        self._write(instance.service)

    async def deregister(self, instance: Instance) -> None:
        """Make it unknown."""
        self._be_there()
        self._registered.pop(instance.id, None)
        self._write(instance.service)

    def forget(self) -> None:
        """Know nobody any more, as a server that has lost its state."""
        self._registered.clear()
        for service in self._boards:
            self._write(service)

    def snapshot(self, service: str) -> tuple[Instance, ...]:
        """Those that are ready."""
        return self._board(service).instances

    def watch(self, service: str) -> AsyncGenerator[tuple[Instance, ...], None]:
        """Yield those that are ready, at once and at every change."""
        return self._board(service).watch()

    def _board(self, service: str) -> Board:
        return self._boards.setdefault(service, Board(()))

    def _write(self, service: str) -> None:
        self._board(service).write(
            instance
            for instance, ready in self._registered.values()
            if ready and instance.service == service
        )

    def _be_there(self) -> None:
        if self.away:
            raise RegistryUnavailableError("the registry is away")
