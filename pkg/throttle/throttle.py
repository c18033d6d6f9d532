"""The port: a count of failures that makes whoever fails often wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Throttle(Protocol):
    """Counts failures per key: an account, an address. Keys may hold any text."""

    async def check(self, keys: Sequence[str]) -> float | None:
        """Seconds until the last of these keys is free; None when none of them is locked.

        Raises:
            Fault: UNAVAILABLE, when it cannot be told.
        """
        ...

    async def failed(self, keys: Sequence[str]) -> None:
        """Count one failure under each key.

        Raises:
            Fault: UNAVAILABLE; it may not have been counted.
        """
        ...

    async def succeeded(self, keys: Sequence[str]) -> None:
        """Forget the failures and the locks of each key.

        Raises:
            Fault: UNAVAILABLE; they may still be known.
        """
        ...
