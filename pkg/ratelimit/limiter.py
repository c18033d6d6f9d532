"""The port: who asks too often is told to come back later."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Decision(NamedTuple):
    """What becomes of one call. Times are seconds from now."""

    allowed: bool
    key: str
    """Whose limit decided: of several keys the one that refused for longest, or has least left."""
    limit: int
    """The most that can be taken at once."""
    remaining: int
    """What could be taken now, after this call."""
    retry_after: float
    """Until the same call would be allowed if nobody else called; 0 for one that is allowed."""
    reset_after: float
    """Until nothing is counted any more."""
    delay: float
    """Until it is this call's turn, by a leaky bucket; the caller waits as long. Else 0."""


class RateLimiter(Protocol):
    """Counts what is taken per key. Keys may hold any text.

    Who is refused has taken nothing.
    """

    async def take(self, key: str, cost: int = 1) -> Decision:
        """Take as much as a call costs.

        Raises:
            ValueError: the cost is less than 1, or more than the key's limit.
            Fault: UNAVAILABLE; it may have been taken.
        """
        ...

    async def take_many(self, keys: Sequence[str], cost: int = 1) -> Decision:
        """Take from all of these keys, or, if one refuses, from none.

        Raises:
            ValueError: there is no key, or the cost is less than 1 or more than a key's limit.
            Fault: UNAVAILABLE; it may have been taken, of some.
        """
        ...
