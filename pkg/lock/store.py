"""What locks are kept in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from datetime import timedelta


class Attempt(NamedTuple):
    """What became of a try to take a lock."""

    fencing: int
    """Of who has taken it; 0 when another holds it."""
    held_for: float
    """Seconds that the other has left without a renewal."""


class LockStore(Protocol):
    """Takes, renews and releases; whoever takes has a token of its own each time.

    Each raises the Fault UNAVAILABLE when it cannot be done; it may have been done all the same.
    """

    async def take(self, name: str, token: str, ttl: timedelta) -> Attempt:
        """Take a lock that nobody holds. Who asks again with the token that holds it has it."""
        ...

    async def renew(self, name: str, token: str, ttl: timedelta) -> bool:
        """Begin its time again; false if this token does not hold it."""
        ...

    async def release(self, name: str, token: str, fencing: int) -> bool:
        """Give it up; false if another may have held it since it was taken."""
        ...
