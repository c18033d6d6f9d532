"""The ports: telling others where we are, and finding out where they are.

RegistryError
├── RegistryUnavailableError  the registry does not answer
├── NotRegisteredError        it does not know the instance
└── UnknownServiceError       discovery was not told to follow this service
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from pkg.registry.instance import Instance


class RegistryError(Exception):
    """Something is wrong with the registry or with what it was asked."""


class RegistryUnavailableError(RegistryError):
    """The registry does not answer, or does not let us: try later."""


class NotRegisteredError(RegistryError):
    """The registry does not know the instance: it was never told, or has forgotten."""


class UnknownServiceError(RegistryError, LookupError):
    """This service is not followed: a mistake in the settings."""


class Registrar(Protocol):
    """Where instances are made known. Belongs to one event loop; each call ends in bounded time."""

    async def register(self, instance: Instance) -> None:
        """Make it known, in place of what was known under its id. It is ready for calls.

        Raises:
            RegistryUnavailableError: it may not be known.
        """
        ...

    async def renew(self, instance: Instance, *, ready: bool) -> None:
        """Tell that it lives, and whether it is ready for calls. One that is not stays known.

        Raises:
            NotRegisteredError: it is to be registered again.
            RegistryUnavailableError: that may not have been heard.
        """
        ...

    async def deregister(self, instance: Instance) -> None:
        """Make it unknown; no error if it was.

        Raises:
            RegistryUnavailableError: it may still be known.
        """
        ...


class Discovery(Protocol):
    """Where instances are found that are ready for calls."""

    def snapshot(self, service: str) -> tuple[Instance, ...]:
        """Those that were known last, ordered by id. Never waits; any thread may ask.

        The same tuple as long as nothing changes, so that `is` tells.

        Raises:
            UnknownServiceError: the service is not followed.
        """
        ...

    def watch(self, service: str) -> AsyncGenerator[tuple[Instance, ...], None]:
        """Yield those that are known, as soon as any answer is, and then at every change.

        Who is slow gets the latest only. Ends never. Belongs to the discovery's event loop.

        Raises:
            UnknownServiceError: the service is not followed.
        """
        ...
