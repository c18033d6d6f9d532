"""The port: of all processes, one at a time does a piece of work.

LockError
├── LockTimeoutError   another held it for as long as there was to wait
└── LockLostError      it was held, and is no more: what was done under it may not be alone
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta


class LockError(Exception):
    """Something about a lock."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"the lock {name!r} {what}")
        self.name = name


class LockTimeoutError(LockError):
    """Another held it for as long as there was to wait."""


class LockLostError(LockError):
    """It could not be renewed in time, or was taken away."""


class Held(Protocol):
    """A lock that is held, as long as its block lasts."""

    @property
    def name(self) -> str:
        """Of the lock."""
        ...

    @property
    def fencing(self) -> int:
        """Greater than that of whoever held the lock before.

        What the lock guards can refuse who comes with a smaller number than it has seen: a process
        that stood still for longer than its lock lasted does not know yet that it lost it.
        """
        ...

    @property
    def lost(self) -> asyncio.Event:
        """Set when the lock is held no more, though its block goes on."""
        ...

    def check(self) -> None:
        """Return if the lock is still held, as far as this process can tell without asking.

        Raises:
            LockLostError: it is not.
        """
        ...


class Locks(Protocol):
    """Locks by name. A name may be any text. Locks are not re-entrant, and nobody queues."""

    def acquire(
        self, name: str, *, ttl: timedelta | None = None, wait: timedelta | None = None
    ) -> AbstractAsyncContextManager[Held]:
        """Hold a lock for the length of a block.

        It is renewed as long as the block lasts. If it is lost meanwhile, the block is cancelled,
        as `asyncio.timeout` does it, and leaving it raises `LockLostError`. It is raised too if the
        loss is only found when the block has ended.

        Args:
            name: of the lock.
            ttl: after so long without a renewal others may have it; as the settings say without.
            wait: for another who holds it; as the settings say without. None at all is one try.

        Raises:
            ValueError: the time to live is not positive.
            LockTimeoutError: on entering: another held it for so long.
            LockLostError: on leaving.
            Fault: UNAVAILABLE on entering: it cannot be told who holds it.
        """
        ...
