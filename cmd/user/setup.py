"""Brings the database to where the service needs it, before anything is served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from internal.user.biz import Seeded, SeedOperation
from pkg.rpc import Auth

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from pkg.rpc import Operation


class Setup:
    """A component: schema first, then what every database of the service has in it."""

    name = "setup"

    def __init__(
        self, *, migrate: Callable[[], Awaitable[bool]], seed: Callable[[], Awaitable[Seeded]]
    ) -> None:
        """`migrate` tells whether there was anything to do; it is not asked what."""
        self._migrate = migrate
        self._seed = seed
        self.seeded = Seeded()
        """What this start has added."""

    async def start(self) -> None:
        """Migrate and seed.

        Raises:
            Exception: whatever either raises; nothing is half done but a migration on MySQL.
        """
        await self._migrate()
        self.seeded = await self._seed()

    async def stop(self) -> None:
        """Nothing: what is in the database stays."""


def seed_operations(operations: Iterable[Operation]) -> tuple[SeedOperation, ...]:
    """What the first start grants: every operation that needs a permission, each once."""
    return tuple(
        {
            operation.name: SeedOperation(
                operation.name,
                operation.resource,
                operation.action,
                operation.grant,
                operation.summary,
            )
            for operation in operations
            if operation.auth is Auth.PERMITTED
        }.values()
    )
